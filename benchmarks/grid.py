"""How fast the page is, and whether that depends on the number of authkeys: `uv run benchmarks/grid.py [--quick]`.

Everything runs against the real product: databases filled by `main.py import`, the server as a process of its own,
headless Chromium. Machines are noisy, so speed is compared as ratios within one run, and the sizes take turns.
"""

import asyncio
import http.client
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import quote

import typer
import uvicorn
from playwright.async_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, Python looks for modules beside it only

from benchmarks.browser import (
    fresh_profile,
    measure_search,
    measure_ticks,
    measure_transfer,
    open_page,
    running_chromium,
)
from benchmarks.commits import measure_commits
from benchmarks.live_pages import BLOCK, live_pages
from benchmarks.measure import Report, kilobytes, median, milliseconds, p50_and_p95, paired_ratio, progress
from benchmarks.servers import Server, import_keys, running_server
from benchmarks.submits import measure_submits
from benchmarks.year import DAYS, SUBMISSIONS_A_DAY, compare_year

SMALL = 1_000
"""The size that others are compared with where there must be keys."""
TIME_LIMIT = 600
WARM_OPENINGS = 2
FIRST_PAGES, COUNTED_PAGES = 5, 10


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    sizes: tuple[int, ...]
    openings: int
    ticks: int
    searches: int
    requests: int
    memory_rounds: int
    submits: int
    commits: int


FULL = Plan(
    (0, SMALL, 100_000, 1_000_000),
    openings=9, ticks=60, searches=12, requests=100, memory_rounds=3, submits=7, commits=10,
)  # fmt: skip
QUICK = Plan(
    (0, SMALL, 100_000),
    openings=3, ticks=20, searches=4, requests=30, memory_rounds=1, submits=3, commits=3,
)  # fmt: skip

Servers = dict[int, Server]


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Up to 100,000 keys, and fewer repetitions.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Keep the databases in this folder, and use those that are there.")
    ] = None,
) -> None:
    """Measure, and print the table."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # servers and browser end with this program
    plan, report = QUICK if quick else FULL, Report()
    deadline = time.monotonic() + TIME_LIMIT
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authkeys-benchmark-")))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            databases = fill_databases(report, plan, folder)
            run(compare_submits(report, plan, databases[100_000]), deadline)
            run(measure_sizes(report, plan, databases), deadline)
            run(measure_commits(report, plan.commits, databases[SMALL]), deadline)
            run(measure_year(report, plan, databases), deadline)
        finally:
            print(report)
    raise typer.Exit(report.missed)


def run(part: Coroutine[None, None, None], deadline: float) -> None:
    """Run one part, on the same event loop as the product does, until the time is over."""

    async def limited() -> None:
        async with asyncio.timeout(deadline - time.monotonic()):
            await part

    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(limited())


def fill_databases(report: Report, plan: Plan, folder: Path) -> dict[int, Path]:
    """A database for each size, made by the product's import."""
    databases = {}
    for size in plan.sizes:
        progress(f"database with {size:,} keys")
        if size == 0:
            databases[size] = folder / "0.db"
            continue
        databases[size], seconds = import_keys(size, folder)
        if seconds is not None:
            report.add(f"import of {size:,} keys", f"{seconds:.1f} s, {size / seconds:,.0f} keys/s")
    report.note("import: the whole process `main.py import FILE.csv` into a new file.")
    return databases


# -- submit, against a bare script ------------------------------------------------------------------------------------


async def compare_submits(report: Report, plan: Plan, database: Path) -> None:
    for changes in (1_000, 10_000):
        progress(f"submit of {changes:,} changes")
        product, bare = await measure_submits(database, changes, plan.submits)
        figure = f"{milliseconds(1000 * median(product))}, bare script {milliseconds(1000 * median(bare))}"
        report.add(f"submit of {changes:,} changes", figure, ratio=paired_ratio(product, bare), goal=2)
    report.note(
        "submit: `Staging.submit` on a file with 100,000 keys, one change for each of so many keys all over the table; "
        "the bare script does only the writes (rows known beforehand, executemany, one transaction) on a copy of the "
        "same file with the same WAL and synchronous=FULL, and both must leave the same rows."
    )


# -- one open page, at each size ----------------------------------------------------------------------------------------


async def measure_sizes(report: Report, plan: Plan, databases: dict[int, Path]) -> None:
    async with AsyncExitStack() as stack:
        servers = {size: stack.enter_context(running_server(databases[size])) for size in plan.sizes}
        progress("server memory")
        await measure_memory(report, plan, servers)
        browser = await stack.enter_async_context(running_chromium())
        progress("opening")
        await measure_opening(report, plan, servers, browser)
        progress("transfer")
        await compare_transfers(report, servers, browser)
        progress("ticks and searches")
        del servers[0]
        await measure_use(report, plan, servers, browser)
        compare_requests(report, plan, servers)


async def measure_memory(report: Report, plan: Plan, servers: Servers) -> None:
    per_page = {}
    for size, server in servers.items():
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(live_pages(server, FIRST_PAGES))
            rounds = []
            for _ in range(plan.memory_rounds):
                before = server.resident_bytes()
                await stack.enter_async_context(live_pages(server, COUNTED_PAGES))
                rounds.append((server.resident_bytes() - before) / COUNTED_PAGES)
            per_page[size] = median(rounds)
            resident = server.resident_bytes() / 2**20
        ratio = per_page[size] / per_page[SMALL] if size > SMALL else None
        figure = f"{kilobytes(per_page[size])} per page (process {resident:,.0f} MiB)"
        report.add(f"server memory, {size:,} keys", figure, ratio=ratio, goal=1.5 if ratio else None)
    report.note(
        f"server memory: growth of the server's RSS by {COUNTED_PAGES} more connected pages, divided by them, after "
        f"{FIRST_PAGES} pages were open; the pages are socket.io clients. Ratio to {SMALL:,} keys; pages of the "
        "allocator make it coarse."
    )


async def measure_opening(report: Report, plan: Plan, servers: Servers, browser: Browser) -> None:
    cold: dict[int, list[float]] = {size: [] for size in servers}
    warm: dict[int, list[float]] = {size: [] for size in servers}
    for number in range(-1, plan.openings):  # the first round warms up browser and servers and is not counted
        for size, server in rotated(servers, number):
            async with fresh_profile(browser, server) as context:
                page = await context.new_page()
                first = await open_page(page, server.url)
                again = [await open_page(page, server.url) for _ in range(WARM_OPENINGS)]
            if number >= 0:
                cold[size].append(first)
                warm[size].append(median(again))
    for name, figures in (("cold", cold), ("warm", warm)):
        for size in servers:
            ratio = paired_ratio(figures[size], figures[0]) if size else None
            report.add(
                f"{name} opening, {size:,} keys",
                milliseconds(median(figures[size])),
                ratio=ratio,
                goal=1.15 if ratio else None,
            )
        progress(f"{name}: { ({size: [round(each) for each in values] for size, values in figures.items()}) }")
    report.note(
        "opening: from the start of the navigation until the first row is painted, its first checkbox is what a click "
        "there would hit, and the page's socket has made its handshake; with no keys: until the message “There are no "
        "authorization keys” is painted and the socket has made its handshake. Cold: a fresh browser profile, nothing "
        f"cached; warm: median of {WARM_OPENINGS} further openings in the same profile. Ratio to no keys in the same "
        "round."
    )


def rotated(servers: Servers, number: int) -> list[tuple[int, Server]]:
    """The sizes, beginning with another one in each round."""
    items = list(servers.items())
    first = number % len(items)
    return items[first:] + items[:first]


async def compare_transfers(report: Report, servers: Servers, browser: Browser) -> None:
    transfers = {size: await measure_transfer(browser, server) for size, server in servers.items()}
    for index, name in enumerate(("cold", "warm")):
        for size in servers:
            now, base = transfers[size][index], transfers[min(SMALL, size)][index]
            figure = f"{kilobytes(now.total)} ({kilobytes(now.http)} HTTP, {now.socket:,} bytes socket)"
            ratio = now.total / base.total if size > SMALL else None
            report.add(f"{name} transfer, {size:,} keys", figure, ratio=ratio, goal=1.05 if ratio else None)
    report.note(
        "transfer: what Chromium received by HTTP (on the wire) and exchanged by WebSocket (payload) until 1.5 s after "
        f"the page was usable. Ratio to {SMALL:,} keys, whose page has a whole block of rows like the larger ones."
    )


class Searched(NamedTuple):
    page: Page
    ips: list[str]
    figures: list[float]


async def measure_use(report: Report, plan: Plan, servers: Servers, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        searched = {}
        for size, server in servers.items():
            page = await (await stack.enter_async_context(fresh_profile(browser, server))).new_page()
            await open_page(page, server.url)
            ticks = await measure_ticks(page, plan.ticks)
            report.add(f"tick → staged and counted, {size:,} keys", p50_and_p95(ticks))
            searched[size] = Searched(page, lonely_ips(server.database, plan.searches), [])
        for number in range(plan.searches):
            for search in searched.values():
                search.figures.append(await measure_search(search.page, search.ips[number]))
    base = searched[SMALL].figures
    for size, search in searched.items():
        ratio = paired_ratio(search.figures, base) if size > SMALL else None
        figure = milliseconds(median(search.figures))
        report.add(f"exact IP in the search field, {size:,} keys", figure, ratio=ratio, goal=3 if ratio else None)
    report.note("tick: from the mouse press until the bar's new count, which the server sends, is painted.")
    report.note(
        "exact IP in the search field: from the input until that row is the only one and painted; 60 ms of it are the "
        f"field's debounce. Ratio to {SMALL:,} keys."
    )


def lonely_ips(database: Path, count: int) -> list[str]:
    """Addresses with exactly one authkey, from all over the table."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (last,) = connection.execute("SELECT MAX(id) FROM authkey").fetchone()
        found = []
        for number in range(count):
            id_ = 1 + number * (last - 1) // count
            query = (
                "SELECT ip FROM authkey AS one WHERE id >= ? "
                "AND (SELECT COUNT(*) FROM authkey AS other WHERE other.ip = one.ip) = 1 LIMIT 1"
            )
            found += connection.execute(query, (id_,)).fetchone()
        return found


def compare_requests(report: Report, plan: Plan, servers: Servers) -> None:
    connections = {
        size: http.client.HTTPConnection("127.0.0.1", each.port, timeout=30) for size, each in servers.items()
    }
    ips = {size: lonely_ips(server.database, plan.requests) for size, server in servers.items()}
    figures: dict[int, list[float]] = {size: [] for size in servers}
    for number in range(plan.requests):
        for size, connection in connections.items():
            started = time.perf_counter()
            cookie = "=".join(servers[size].cookie)
            connection.request("GET", f"{BLOCK}&search={quote(ips[size][number])}", headers={"Cookie": cookie})
            answer = connection.getresponse().read()
            figures[size].append(1000 * (time.perf_counter() - started))
            if b'"total":1}' not in answer:
                raise RuntimeError(f"The search for {ips[size][number]} gave {answer!r:.300}")
    for size, values in figures.items():
        ratio = paired_ratio(values, figures[SMALL]) if size > SMALL else None
        report.add(f"exact IP, request, {size:,} keys", p50_and_p95(values), ratio=ratio, goal=3 if ratio else None)
        connections[size].close()
    report.note("exact IP, request: `GET /grid/rows?search=IP`, each time another address, on a kept connection.")


# -- after a year of use -------------------------------------------------------------------------------------------------


async def measure_year(report: Report, plan: Plan, databases: dict[int, Path]) -> None:
    async with running_chromium() as browser:
        for size in (SMALL, 100_000):
            progress(f"a year of use, {size:,} keys")
            await compare_year(report, databases[size], size, browser, requests=plan.requests, ticks=plan.ticks)
    report.note(
        f"a year of use: {DAYS * SUBMISSIONS_A_DAY:,} submissions, uses of every granted privilege; the same keys without "
        "it beside them, in turns."
    )


if __name__ == "__main__":
    typer.run(main)
