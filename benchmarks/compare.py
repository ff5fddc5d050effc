"""This checkout beside another one, in turns within one run: `uv run benchmarks/compare.py /path/to/the/other [--quick]`.

The other is the state before a change. Both serve copies of one database, which the other one filled; what this one does is
told as a ratio of what the other does, so that a busy machine slows both. 1.00x is as before; less is faster.
"""

import asyncio
import csv
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from playwright.async_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, Python looks for modules beside it only

from benchmarks.browser import (
    HARMLESS,
    fresh_profile,
    measure_search,
    measure_ticks,
    open_page,
    running_chromium,
    stage_one,
    submit_watched,
)
from benchmarks.grid import lonely_ips
from benchmarks.measure import Report, median, p50_and_p95, paired_ratio, progress
from benchmarks.servers import ROOT, Server, clean_environment, import_keys, running_server
from models.privileges import PRIVILEGES
from models.secrets import new_secret
from services.imports import HEADER

KEYS = 10_000
GOAL = 1.03
CONNECTIONS = 8
SERVICE = "benchmark"


@dataclass(slots=True)
class Side:
    """One of the two, with what was measured."""

    server: Server
    ips: list[str]
    """To search for, one a round"""
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, what: str, *values: float) -> None:
        """Note figures; those of both sides must be in the same order."""
        self.figures.setdefault(what, []).extend(values)


def main(
    other: Annotated[Path, typer.Argument(help="The checkout to compare with.", exists=True, file_okay=False)],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")] = False,
) -> None:
    """Compare opening, ticking, submitting, what others see of it, and access checks."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="authkeys-compare-") as folder:
        asyncio.run(compare(report, other.resolve(), Path(folder), rounds=5 if quick else 15))
    report.note(
        f"{KEYS:,} keys on SQLite. Before: {_commit(other)}, after: {_commit(ROOT)}. Ratios of medians of pairs."
    )
    print(report)
    raise typer.Exit(int(report.missed))


async def compare(report: Report, other: Path, folder: Path, rounds: int) -> None:
    """Measure both in turns, and report."""
    progress("filling the database")
    original, _ = import_keys(KEYS, folder, other)
    secret = _add_caller(other, original, folder)
    ips = lonely_ips(original, rounds)
    async with AsyncExitStack() as stack:
        sides = [
            Side(stack.enter_context(_serving(tree, original, folder / f"{number}.db")), ips)
            for number, tree in enumerate((other, ROOT))
        ]
        browser = await stack.enter_async_context(running_chromium())
        for number in range(rounds):
            progress(f"round {number + 1} of {rounds}")
            for side in sides if number % 2 else sides[::-1]:
                await _measure_page(side, browser, number)
                await _measure_checks(side, folder, secret)
    before, after = sides
    for what, values in after.figures.items():
        ratio = paired_ratio(values, before.figures[what])
        text = f"{p50_and_p95(values)} (before {p50_and_p95(before.figures[what])})"
        report.add(what, text, ratio=ratio, goal=GOAL)


async def _measure_page(side: Side, browser: Browser, number: int) -> None:
    # Each window in a profile of its own: of two in one Chromium lets only the one in front paint.
    async with fresh_profile(browser, side.server) as profile, fresh_profile(browser, side.server) as another:
        submitter = await profile.new_page()
        side.add("opening, cold", await open_page(submitter, side.server.url))
        side.add("opening, warm", median([await _reopen(submitter, side.server) for _ in range(3)]))
        side.add("search of an IP until its row is painted", await measure_search(submitter, side.ips[number]))
        watcher = await another.new_page()
        await open_page(watcher, side.server.url)
        side.add("tick until the bar counts it", median(await measure_ticks(submitter, 2 * len(PRIVILEGES))))
        row, privilege = number % 10, HARMLESS[number % len(HARMLESS)]
        await stage_one(submitter, row, privilege)
        times = await submit_watched(submitter, watcher, row, privilege)
        side.add("submit until confirmed", 1000 * (times.confirmed - times.clicked))
        side.add("submit until painted in another window", 1000 * (times.watched - times.clicked))


async def _reopen(page: Page, server: Server) -> float:
    await page.goto("about:blank")
    return await open_page(page, server.url)


async def _measure_checks(side: Side, folder: Path, secret: str) -> None:
    requests = folder / "requests"
    requests.write_text(rf"GET /authorize/search HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: {secret}\r\n\r\n")
    load = [sys.executable, str(ROOT / "benchmarks" / "access_check_load.py")]
    arguments = [str(side.server.port), "2", str(CONNECTIONS), str(requests)]
    process = await asyncio.create_subprocess_exec(*load, *arguments, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    figure = json.loads(output)
    if set(figure["codes"]) != {"204"}:
        raise RuntimeError(f"The authorizer answered {figure['codes']}.")
    side.add("access check", 1000 * CONNECTIONS / figure["per_second"])


def _add_caller(checkout: Path, database: Path, folder: Path) -> str:
    """An authkey for this machine; its secret."""
    file, secret = folder / "caller.csv", new_secret()
    with file.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([HEADER, ["127.0.0.1", SERVICE, *(1 for _ in PRIVILEGES)]])
    command = [sys.executable, "main.py", "--database", str(database), "import", str(file)]
    subprocess.run(command, cwd=checkout, env=clean_environment(), check=True, capture_output=True)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE authkey SET secret_digest = ?, secret_hint = ? WHERE service = ?",
            (secret.digest, secret.hint, SERVICE),
        )
    return secret.text


@contextmanager
def _serving(tree: Path, original: Path, database: Path) -> Iterator[Server]:
    shutil.copy(original, database)
    with ExitStack() as stack:
        yield stack.enter_context(running_server(database, (str(tree / "main.py"),)))


def _commit(tree: Path) -> str:
    command = ["git", "-C", str(tree), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    typer.run(main)
