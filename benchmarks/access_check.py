"""How fast access checks are answered: `uv run benchmarks/access_check.py [--quick]`.

Questions per second of `GET /authorize`, as a ratio to a bare route of the same server that returns 204, with few and with
many authkeys, both while a browser page is open and a submission of 1,000 changes runs; and the same question answered by
djangorestframework-api-key. Rounds alternate, so that what slows the machine slows all of them.
"""

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
import typer
from playwright.async_api import Browser

from benchmarks.access_check_server import BARE_PATH, SUBMIT_PATH, SUBMITTED
from benchmarks.browser import fresh_profile, open_page, running_chromium
from benchmarks.measure import Report, median, paired_ratio, progress
from benchmarks.servers import ROOT, Server, announced_url, import_keys
from models.secrets import Secret, new_secret

CALLERS = 1_000
CONNECTIONS = 16
_DJANGO = Path(__file__).parent / "access_check_django.py"


def main(
    quick: Annotated[
        bool, typer.Option("--quick", help="100,000 keys instead of 1,000,000, and fewer rounds.")
    ] = False,
) -> None:
    """Measure, and print the table."""
    many, rounds, seconds = (100_000, 4, 3) if quick else (1_000_000, 8, 5)
    raise typer.Exit(asyncio.run(_measure(many=many, rounds=rounds, seconds=seconds)))


async def _measure(many: int, rounds: int, seconds: float) -> int:
    few, report = 1_000, Report()
    figures: dict[tuple[int, str], list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers, heads = {}, {}
        for size in (few, many):
            progress(f"making {size:,} keys")
            database, _ = import_keys(size, Path(folder))
            heads[size] = _request_file(Path(folder) / f"{size}.requests", "/authorize/search", _callers(database))
            servers[size] = stack.enter_context(_running(database))
        bare = _request_file(Path(folder) / "bare.requests", BARE_PATH, [new_secret() for _ in range(CALLERS)])
        async with running_chromium() as browser, contextlib.AsyncExitStack() as pages:
            for server in servers.values():
                await _open(pages, browser, server)
            for number in range(rounds):
                for size, server in servers.items():
                    progress(f"round {number + 1} of {rounds}, {size:,} keys")
                    for what, requests in (("bare", bare), ("check", heads[size])):
                        submitting = asyncio.create_task(_submit(server))
                        figures.setdefault((size, what), []).append(await _load(server, seconds, requests))
                        await submitting
        django = await _django(Path(folder), seconds)
    _report(report, figures, few, many, django)
    print(report)
    return report.missed


def _callers(database: Path) -> list[Secret]:
    """Give so many authkeys a secret and this machine's address, and the privilege that is asked for."""
    secrets = [new_secret() for _ in range(CALLERS)]
    with contextlib.closing(sqlite3.connect(database)) as file:
        ids = [row[0] for row in file.execute("SELECT id FROM authkey ORDER BY id LIMIT ?", [CALLERS])]
        file.executemany(
            "UPDATE authkey SET ip = '127.0.0.1', service = service || ' ' || id, privileges = 511, secret_digest = ?, "
            "secret_hint = ? WHERE id = ?",
            [(secret.digest, secret.hint, id_) for secret, id_ in zip(secrets, ids, strict=True)],
        )
        file.commit()
    return secrets


def _request_file(path: Path, target: str, secrets: list[Secret]) -> Path:
    head = r"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: {secret}\r\n\r\n"
    path.write_text("\n".join(head.format(target=target, secret=secret.text) for secret in secrets))
    return path


@contextmanager
def _running(database: Path) -> Iterator[Server]:
    command = [sys.executable, str(ROOT / "benchmarks" / "access_check_server.py"), str(database)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield Server(process, announced_url(process), database)
    finally:
        process.terminate()
        process.wait(30)


async def _open(pages: contextlib.AsyncExitStack, browser: Browser, server: Server) -> None:
    page = await (await pages.enter_async_context(fresh_profile(browser, server))).new_page()
    await open_page(page, server.url)


async def _submit(server: Server) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.get(f"{server.url}{SUBMIT_PATH}")
    if answer.json() != SUBMITTED:
        raise RuntimeError(f"{answer.text} changes were submitted instead of {SUBMITTED:,}.")


async def _load(server: Server, seconds: float, requests: Path) -> dict[str, Any]:
    return await _run_load(server.port, seconds, requests)


async def _run_load(port: int, seconds: float, requests: Path) -> dict[str, Any]:
    load = str(ROOT / "benchmarks" / "access_check_load.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, load, str(port), str(seconds), str(CONNECTIONS), str(requests), stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    figure: dict[str, Any] = json.loads(output)
    unexpected = set(figure["codes"]) - {"204", "200"}
    if unexpected:
        raise RuntimeError(f"The authorizer answered {figure['codes']}.")
    return figure


async def _django(folder: Path, seconds: float) -> dict[str, Any] | str:
    """The same question to djangorestframework-api-key, in an environment of its own; or why it could not be asked."""
    packages = ["django==5.2.8", "djangorestframework==3.16.1", "djangorestframework-api-key==3.1.0", "uvicorn"]
    command = [
        "uv",
        "run",
        "--no-project",
        "--isolated",
        *(f"--with={each}" for each in packages),
        str(_DJANGO),
        str(folder),
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder)
    assert process.stdout
    try:
        async with asyncio.timeout(180):
            line = (await process.stdout.readline()).decode().split()
        if len(line) != 2:
            return "not measured: it could not be installed or started here"
        head = rf"GET /authorize HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Api-Key {line[1]}\r\n\r\n"
        requests = folder / "django.requests"
        requests.write_text(head)
        return await _run_load(int(line[0]), seconds, requests)
    except TimeoutError:
        return "not measured: it did not start in time"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _report(
    report: Report,
    figures: dict[tuple[int, str], list[dict[str, Any]]],
    few: int,
    many: int,
    django: dict[str, Any] | str,
) -> None:
    rates = {key: [figure["per_second"] for figure in values] for key, values in figures.items()}
    for (size, what), values in figures.items():
        name = "bare 204 route" if what == "bare" else "/authorize"
        text = (
            f"{median(rates[size, what]):,.0f}/s, p50 {median([v['p50'] for v in values]):.1f} ms, "
            f"p99 {median([v['p99'] for v in values]):.1f} ms"
        )
        ratio = paired_ratio(rates[size, "check"], rates[size, "bare"]) if what == "check" else None
        report.add(f"{name}, {size:,} keys", text, ratio=ratio, floor=0.8 if ratio else None)
    growth = paired_ratio(rates[many, "check"], rates[few, "check"])
    report.add(f"/authorize, {many:,} keys to {few:,}", "", ratio=growth, floor=0.95)
    text = django if isinstance(django, str) else f"{django['per_second']:,.0f}/s, p99 {django['p99']:.1f} ms"
    report.add("djangorestframework-api-key", text)


if __name__ == "__main__":
    typer.run(main)
