"""The history, however long it is: `uv run benchmarks/history.py [--quick] [--before CHECKOUT]`.

Opening it, the table as it was, following its chain, exporting it; and with `--before`, a checkout of the state before there
was a chain, what the chain costs a submission. Ratios within one run, on SQLite.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, Python looks for modules beside it only

from benchmarks.browser import fresh_profile, running_chromium
from benchmarks.measure import Report, median, milliseconds, paired_ratio, progress
from benchmarks.servers import ROOT, clean_environment, import_keys, running_server
from models.chain import ModificationsDigest, digest_of
from models.history import Entry, EntryKind, SubmissionPart
from models.subjects import Subject
from models.submissions import Source
from models.views import View
from services.console import open_console
from storage.database import DatabaseLocation

_PORTION = 20_000
SCREENFUL = 20
"""Lines that are drawn, whatever there is: so many entries stand in the history without modifications."""
_BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
_SUBMIT = """
import asyncio, sys
from pathlib import Path
from benchmarks.submits import _stage, _submit_by_product
print(asyncio.run(_submit_by_product(Path(sys.argv[1]), 10_000)))
"""
# A process of its own starts it: a child begins with the peak of its parent, and this one has held a million rows.
_MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""
_STAGE = "import sys; from pathlib import Path; from benchmarks.submits import _stage; _stage(*map(Path, sys.argv[1:]), 10_000)"


class Run(NamedTuple):
    """What a command took."""

    seconds: float
    peak_bytes: int


def main(
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the rows, fewer repetitions.")] = False,
    before: Annotated[
        Path | None, typer.Option(help="A checkout without a chain, to compare submissions with.")
    ] = None,
) -> None:
    """Measure all of it."""
    report = Report()
    scale = 10 if quick else 1
    with tempfile.TemporaryDirectory(prefix="authkeys-history-") as name:
        folder = Path(name)
        asyncio.run(measure_openings(report, folder, [0, 100_000 // scale, 5_000_000 // scale], 5 if quick else 15))
        asyncio.run(measure_past(report, folder, 1_000_000 // scale, 9 if quick else 25))
        measure_commands(report, folder, 1_000_000 // scale)
        if before:
            measure_submits(report, folder, before.resolve(), 5 if quick else 15)
    print(report)
    raise typer.Exit(report.missed)


# -- opening it ----------------------------------------------------------------------------------------------------------


async def measure_openings(report: Report, folder: Path, sizes: list[int], rounds: int) -> None:
    """From the navigation to the first line, in Chromium, in turns."""
    base, _ = import_keys(1_000, folder)
    times: dict[int, list[float]] = {size: [] for size in sizes}
    for size in sizes:
        progress(f"history of {size:,} modifications")
        shutil.copyfile(base, folder / f"open-{size}.db")
        fill(folder / f"open-{size}.db", *((size // 10, 10) if size else (SCREENFUL, 1)))
    async with running_chromium() as browser:
        for size in sizes:
            with running_server(folder / f"open-{size}.db") as server:
                async with fresh_profile(browser, server) as context:
                    page = await context.new_page()
                    for _ in range(rounds + 1):
                        began = time.perf_counter()
                        await page.goto(f"{server.url}/history", wait_until="commit")
                        await page.wait_for_selector('.ag-row[row-index="9"] [col-id="what"]:not(:empty)')
                        times[size].append(1000 * (time.perf_counter() - began))
    first = times[sizes[0]][1:]
    for size in sizes:
        took = times[size][1:]
        ratio = median(took) / median(first)
        report.add(f"history opened, {size:,} modifications", milliseconds(median(took)), ratio=ratio, goal=1.15)
        (folder / f"open-{size}.db").unlink()


# -- the table as it was -------------------------------------------------------------------------------------------------


async def measure_past(report: Report, folder: Path, keys: int, rounds: int) -> None:
    """The first block and the count of a view, as of now, of the revision before, and of the very first."""
    progress(f"the table as it was, of {keys:,} keys")
    database, _ = import_keys(keys, folder)
    fill(database, keys // 1_000, 100)
    async with open_console(DatabaseLocation(str(database))) as console:
        newest = (await console.past.now()).number
        views = {"now": View(), "the revision before": View(as_of=newest - 1), "the very first": View(as_of=1)}
        times: dict[str, list[float]] = {name: [] for name in views}
        for _ in range(rounds):
            for name, view in views.items():
                began = time.perf_counter()
                await console.authkeys.block(view, console.admin.id, 0, 100)
                await console.authkeys.count(view, console.admin.id)
                times[name].append(1000 * (time.perf_counter() - began))
    for name, took in times.items():
        ratio = paired_ratio(took, times["now"])
        goal = 1.3 if name == "the revision before" else None
        report.add(f"first block and count, as of {name}", milliseconds(median(took)), ratio=ratio, goal=goal)
    report.note(
        f"As it was: {keys:,} keys, {keys // 10:,} of them changed since the very first revision, by {keys // 1_000:,} "
        "submissions. Counts of today's table are remembered, as in the page."
    )


# -- commands ------------------------------------------------------------------------------------------------------------


def measure_commands(report: Report, folder: Path, modifications: int) -> None:
    """Verify and export, each in a process of its own."""
    progress(f"a chain of {modifications:,} modifications")
    base, _ = import_keys(1_000, folder)
    runs = {}
    for size in (modifications // 10, modifications):
        database = folder / f"chain-{size}.db"
        shutil.copyfile(base, database)
        fill(database, size // 10, 10)
        idle = run(database, "history", "key")
        runs[size] = (
            idle,
            run(database, "history", "verify"),
            run(database, "history", "export", "--to", f"{database}.jsonl"),
        )
    idle, verified, exported = runs[modifications]
    _, _, smaller = runs[modifications // 10]
    report.add(
        f"verify {modifications:,} modifications",
        f"{verified.seconds:.1f} s",
        value=verified.seconds,
        goal=30,
        unit=" s",
    )
    more = (verified.peak_bytes - idle.peak_bytes) / 1e6
    report.add("… memory beyond a command that does nothing", f"{more:.0f} MB", value=more, goal=80, unit=" MB")
    report.add("… memory of the whole process", f"{verified.peak_bytes / 1e6:.0f} MB")
    report.add("export, rows a second", f"{modifications / exported.seconds:,.0f}")
    ratio = exported.peak_bytes / smaller.peak_bytes
    report.add("export, memory against a tenth of it", f"{exported.peak_bytes / 1e6:.0f} MB", ratio=ratio, goal=1.1)
    size = (folder / f"chain-{modifications}.db").stat().st_size - base.stat().st_size
    report.add("bytes a modification, ten of them a submission", f"{size / modifications:.0f} B")


def run(database: Path, *arguments: str) -> Run:
    began = time.perf_counter()
    command = [
        sys.executable,
        "-S",
        "-c",
        _MEASURED,
        sys.executable,
        "main.py",
        "--database",
        str(database),
        *arguments,
    ]
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr[-1000:]}")
    return Run(time.perf_counter() - began, int(done.stdout.split()[-1]) * 1024)


# -- what the chain costs ------------------------------------------------------------------------------------------------


def measure_submits(report: Report, folder: Path, before: Path, rounds: int) -> None:
    """Submit 10,000 changes, with the chain and without it, in turns."""
    progress("submissions with the chain, and before there was one")
    prepared = {}
    for name, checkout in (("before", before), ("after", ROOT)):
        own = folder / name
        own.mkdir()
        database, _ = import_keys(20_000, own, checkout)
        prepared[name] = checkout, own / "staged.db"
        python(checkout, _STAGE, database, own / "staged.db")
    times: dict[str, list[float]] = {name: [] for name in prepared}
    for number in range(rounds):
        for name, (checkout, staged) in list(prepared.items())[:: 1 if number % 2 else -1]:
            copy = staged.with_name("copy.db")
            for file in staged.parent.glob("copy.db*"):
                file.unlink()
            shutil.copyfile(staged, copy)
            os.sync()
            times[name].append(float(python(checkout, _SUBMIT, copy)))
    ratio = paired_ratio(times["after"], times["before"])
    report.add(
        "submit 10,000, against before the chain", f"{1000 * median(times['after']):.0f} ms", ratio=ratio, goal=1.05
    )


def python(checkout: Path, script: str, *arguments: Path) -> str:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, cwd=checkout, env=clean_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout.strip()


# -- filling -------------------------------------------------------------------------------------------------------------


def fill(database: Path, submissions: int, rows: int) -> None:
    """Submissions of so many rows each, chained as the program does it; each switches a privilege."""
    with closing(sqlite3.connect(database)) as file:
        file.execute("PRAGMA synchronous = OFF")
        keys = file.execute("SELECT id, ip, service, privileges FROM authkey ORDER BY id LIMIT 1000000").fetchall()
        revision, number = (
            file.execute(f"SELECT MAX({column}) FROM {table}").fetchone()[0]
            for column, table in (("id", "submission"), ("number", "entry"))
        )
        (previous,) = file.execute("SELECT digest FROM entry ORDER BY number DESC LIMIT 1").fetchone()
        state = {id_: privileges for id_, _, _, privileges in keys}
        touched: dict[int, int] = {}
        made: tuple[list, list, list] = ([], [], [])
        for count in range(submissions):
            revision, number = revision + 1, number + 1
            done = []
            for place in range(rows):
                id_, ip, service, _ = keys[(count * rows + place) % len(keys)]
                after = state[id_] ^ 1
                done.append((id_, "changed", ip, service, state[id_], after))
                state[id_] = after
                touched[id_] = revision
            part, entry = _entry(revision, number, done)
            previous = digest_of({**entry.to_record(), "previous": previous})
            at = entry.at.isoformat(" ")
            made[0].append((revision, part.uuid, at, rows, rows, 1, 1, part.kinds, part.digest))
            made[1].extend((revision, *each) for each in done)
            made[2].append((number, at, revision, previous))
            if len(made[1]) >= _PORTION or count == submissions - 1:
                _write(file, made)
        file.executemany(
            "UPDATE authkey SET privileges = ?, revision = ? WHERE id = ?",
            ((state[id_], last, id_) for id_, last in touched.items()),
        )
        file.commit()


def _entry(revision: int, number: int, done: list) -> tuple[SubmissionPart, Entry]:
    digest = ModificationsDigest()
    digest.add(done)
    at = _BEGAN + timedelta(seconds=revision)
    part = SubmissionPart(
        revision, str(uuid.UUID(int=revision)), 1, at, Source.GRID, Subject.AUTHKEY, len(done), len(done), 1, 1,
        f"changed:{len(done)}", digest.hexdigest(),
    )  # fmt: skip
    return part, Entry(number, at, EntryKind.SUBMITTED, 1, "", None, "", "", part)


def _write(file: sqlite3.Connection, made: tuple[list, list, list]) -> None:
    for statement, rows in zip(
        (
            "INSERT INTO submission (id, uuid, admin_id, source, subject, at, change_count, key_count, granted, revoked, kinds, "
            "digest) VALUES (?, ?, 1, 'grid', 'authkey', ?, ?, ?, ?, ?, ?, ?)",
            "INSERT INTO modification (submission_id, row_id, kind, ip, service, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)",
            "INSERT INTO entry (number, at, kind, admin_id, name, address, detail, submission_id, digest) "
            "VALUES (?, ?, 'submission', 1, '', '', '', ?, ?)",
        ),
        made,
        strict=True,
    ):
        file.executemany(statement, rows)
        rows.clear()
    file.commit()


if __name__ == "__main__":
    typer.run(main)
