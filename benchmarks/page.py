"""What the page costs: `uv run benchmarks/page.py [--quick] [--data FOLDER]`.

The bytes of a first visit, a cold opening beside that of Django's admin with the same keys, a search at 1,000 and at 1,000,000
keys, also right after a commit, and a pointer's move during a selection. All on the real program in headless Chromium, in turns.
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from playwright.async_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, Python looks for modules beside it only

from benchmarks.browser import (
    HARMLESS,
    fresh_profile,
    measure_pointer_moves,
    measure_search,
    measure_text_search,
    measure_transfer,
    open_page,
    running_chromium,
    submit_one,
)
from benchmarks.grid import lonely_ips
from benchmarks.measure import Report, median, milliseconds, p50_and_p95, p95, paired_ratio, progress
from benchmarks.servers import ROOT, START_SECONDS, Server, clean_environment, import_keys, running_server

SMALL, LARGE, QUICK_LARGE = 1_000, 1_000_000, 100_000
MOST_BYTES = 700_000
SEARCH_MS, SEARCH_RATIO = 250, 1.1
FRAME_MS = 1000 / 60
MOVES = 200
TEXT = "billing"
"""In the names of several services"""
_PACKAGES = ("django==5.2.8", "gunicorn==23.0.0", "whitenoise[brotli]==6.11.0")
_DJANGO_USABLE = """() => {
  const box = document.querySelector("#result_list tbody tr td:nth-last-child(1) input[type=checkbox]");
  return Boolean(box?.getClientRects().length) && document.readyState === "complete";
}"""


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Up to 100,000 keys, and fewer repetitions.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Keep the databases in this folder, and use those that are there.")
    ] = None,
) -> None:
    """Measure, and print the table."""
    report = Report()
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authkeys-page-")))
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(measure(report, folder, QUICK_LARGE if quick else LARGE, rounds=4 if quick else 12))
    print(report)
    raise typer.Exit(report.missed)


async def measure(report: Report, folder: Path, large: int, rounds: int) -> None:
    """Measure all of it."""
    databases = {}
    for size in (SMALL, large):
        progress(f"database with {size:,} keys")
        databases[size], _ = import_keys(size, folder)
    async with AsyncExitStack() as stack:
        servers = {size: stack.enter_context(running_server(database)) for size, database in databases.items()}
        browser = await stack.enter_async_context(running_chromium())
        await measure_bytes(report, browser, servers[SMALL])
        await compare_with_django(report, browser, servers[SMALL], rounds)
        await measure_moves(report, browser, servers[SMALL])
        await measure_searches(report, browser, servers, rounds)


async def measure_bytes(report: Report, browser: Browser, server: Server) -> None:
    progress("transfer")
    await measure_transfer(
        browser, server
    )  # the first visit to a new server finds files that are compressed quickly only
    cold, _ = await measure_transfer(browser, server)
    report.add("first visit", f"{cold.total:,} bytes", value=cold.total, goal=MOST_BYTES, unit=" bytes")
    report.note("first visit: all that Chromium with an empty cache receives until 1.5 s after the page is usable.")


# -- beside Django's admin ---------------------------------------------------------------------------------------------


async def compare_with_django(report: Report, browser: Browser, server: Server, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, running_django(Path(folder), server.database) as url:
        if url is None:
            report.add("Django's admin", "not measured: it could not be installed or started here")
            return
        ours, django = [], []
        for number in range(-1, rounds):
            progress(f"cold openings, {number + 1} of {rounds}")
            async with fresh_profile(browser, server) as context:
                ours.append(await open_page(await context.new_page(), server.url))
            async with _signed_in(browser, url) as page:
                django.append(await _open_django(page, url))
    figure = f"{milliseconds(median(ours[1:]))} (Django's admin {milliseconds(median(django[1:]))})"
    report.add("cold opening", figure, ratio=paired_ratio(ours[1:], django[1:]), goal=1)
    report.note(
        "cold opening: in an empty profile until the first row's box is there to be clicked, and here also until the socket "
        f"is connected. Django: {', '.join(_PACKAGES)}; {SMALL:,} keys, 100 of them and their boxes in its list."
    )


@contextmanager
def running_django(folder: Path, keys: Path) -> Iterator[str | None]:
    """Django's admin over the same keys, in an environment of its own; None if that is not possible here."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    called = f"benchmarks.django_admin:application('{folder / 'django.db'}', '{keys}')"
    run = ["uv", "run", "--no-project", "--isolated", *(f"--with={each}" for each in _PACKAGES)]
    command = [*run, "gunicorn", "--workers=2", "--preload", f"--bind=127.0.0.1:{port}", f"--chdir={ROOT}", called]
    process = subprocess.Popen(command, cwd=folder, env=clean_environment(), stderr=subprocess.DEVNULL)
    try:
        yield _announced(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


def _announced(process: "subprocess.Popen[bytes]", url: str) -> str | None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return url if httpx.get(f"{url}/admin/login/").status_code == 200 else None
        except httpx.TransportError:
            time.sleep(0.2)
    return None


@asynccontextmanager
async def _signed_in(browser: Browser, url: str) -> AsyncIterator[Page]:
    """A page of an empty profile with Django's session."""
    async with httpx.AsyncClient() as client:
        form = {"username": "admin", "password": "benchmark", "next": "/admin/"}
        token = (await client.get(f"{url}/admin/login/")).cookies["csrftoken"]
        await client.post(f"{url}/admin/login/", data={**form, "csrfmiddlewaretoken": token})
        session = client.cookies["sessionid"]
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    await context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def _open_django(page: Page, url: str) -> float:
    await page.goto(f"{url}/admin/auth/key/", wait_until="commit")
    await page.wait_for_function(_DJANGO_USABLE, polling="raf")
    return await page.evaluate("performance.now()")


# -- in use ------------------------------------------------------------------------------------------------------------


async def measure_moves(report: Report, browser: Browser, server: Server) -> None:
    progress("pointer moves")
    async with fresh_profile(browser, server) as context:
        page = await context.new_page()
        await page.set_viewport_size({"width": 1440, "height": 900})
        await open_page(page, server.url)
        moves = await measure_pointer_moves(page, MOVES)
    report.add(
        "pointer's move in a selection", p50_and_p95(moves), value=p95(moves), goal=round(FRAME_MS, 1), unit=" ms"
    )
    report.note("pointer's move: the page's work for a move onto another cell, with styles and layout; at 1440x900.")


async def measure_searches(report: Report, browser: Browser, servers: dict[int, Server], rounds: int) -> None:
    figures: dict[tuple[str, int], list[float]] = {}
    async with AsyncExitStack() as stack:
        pages = {}
        for size, server in servers.items():
            pages[size] = await (await stack.enter_async_context(fresh_profile(browser, server))).new_page()
            await open_page(pages[size], server.url)
        for number in range(-1, rounds):
            progress(f"searches, {number + 1} of {rounds}")
            for size, page in pages.items():
                first, second = lonely_ips(servers[size].database, 2 * rounds + 2)[2 * number + 2 : 2 * number + 4]
                await submit_one(page, 5, HARMLESS[number % len(HARMLESS)])
                found = {
                    "an IP, right after a commit": await measure_search(page, first),
                    "an IP": await measure_search(page, second),
                    "a service": await measure_text_search(page, TEXT),
                }
                for what, figure in found.items() if number >= 0 else ():
                    figures.setdefault((what, size), []).append(figure)
    for (what, size), values in figures.items():
        ratio = paired_ratio(values, figures[what, SMALL]) if size != SMALL else None
        report.add(
            f"search, {what}, {size:,} keys", p50_and_p95(values), value=median(values), goal=SEARCH_MS, unit=" ms"
        )
        if ratio:
            report.add(f"… against {SMALL:,} keys", "", ratio=ratio, goal=SEARCH_RATIO)
    report.note("search: from the last key until the first rows that it finds, and no others, are painted.")


if __name__ == "__main__":
    typer.run(main)
