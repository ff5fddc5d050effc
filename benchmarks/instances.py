"""Several instances on one PostgreSQL: `uv run benchmarks/instances.py [--quick]`.

How soon a commit of one process shows in the pages of all instances, what one more instance costs PostgreSQL while nobody does
anything, how much memory it takes, and how soon a page of an instance that is killed works at another. The topology is
deploy/nginx-instances.conf's without containers (tests/topology.py). Access checks by several processes: check_workers.py.
"""

import asyncio
import contextlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Annotated, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncpg
import httpx
import typer
from playwright.async_api import Browser, Page, expect

from benchmarks.live_pages import live_pages
from benchmarks.measure import Report, median, p50_and_p95, p95, progress
from models.privileges import privilege
from models.submissions import CellChange
from services.console import Console, open_console
from storage.database import DatabaseLocation
from tests.browser import bar, box, chromium, sign_in
from tests.postgres import Cluster, find_programs, running_cluster
from tests.program import PASSWORD, Program
from tests.support import add_keys, new_keys, submit
from tests.topology import SITE, Topology, topology

KEYS, PAGES, INSTANCES = 1_000, 10, 3
SEARCH = privilege("search")
SEEN_SECONDS = 30


class Plan(NamedTuple):
    """How much is measured."""

    commits: int
    kills: int
    idle_seconds: float


def main(quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds.")] = False) -> None:
    """Measure, and print the table."""
    programs = find_programs()
    if programs is None:
        sys.exit("This needs Debian's packages: apt-get install -y postgresql nginx openssl chromium")
    report = Report()
    with running_cluster(programs) as cluster:
        asyncio.run(_measure(report, cluster, Plan(10, 1, 5) if quick else Plan(60, 5, 20)))
    print(report)
    raise typer.Exit(report.missed)


async def _measure(report: Report, cluster: Cluster, plan: Plan) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(cluster.new_database(cluster.with_tables))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        idle = [await _load(database, plan.idle_seconds)]
        with topology(database, folder, count=1, anew=True):
            idle.append(await _load(database, plan.idle_seconds))
        found = stack.enter_context(topology(database, folder, count=INSTANCES, accounts=(), anew=True))
        idle.append(await _load(database, plan.idle_seconds))
        _report_idle(report, idle, [_proportional_bytes(each) for each in found.instances])
        async with open_console(database, found.secret_file) as console:
            keys = await add_keys(console, *new_keys(KEYS))
            await _measure_commits(report, console, found, [key.id for key in keys], plan.commits)
        await _measure_kills(report, found, plan.kills)


# -- what an instance costs PostgreSQL -------------------------------------------------------------------------------------


class Load(NamedTuple):
    """What PostgreSQL does, and for how many connections."""

    processor: float
    """Of a core"""
    transactions: float
    """A second"""
    connections: int


async def _load(database: DatabaseLocation, seconds: float) -> Load:
    progress(f"PostgreSQL for {seconds:g} s, while nobody does anything")
    connection = await asyncpg.connect(database.text)
    try:
        before, used = await connection.fetchval(_TRANSACTIONS), _processor_seconds()
        await asyncio.sleep(seconds)
        transactions = await connection.fetchval(_TRANSACTIONS) - before
        connections = await connection.fetchval("SELECT sum(numbackends) FROM pg_stat_database")
        return Load((_processor_seconds() - used) / seconds, transactions / seconds, connections)
    finally:
        await connection.close()


_TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"


def _processor_seconds() -> float:
    """What all processes of PostgreSQL have used, those that have ended counted by their parent."""
    used = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            text = stat.read_text()
            if "(postgres)" in text:
                used += sum(map(int, text.rpartition(")")[2].split()[11:15]))
    return used / os.sysconf("SC_CLK_TCK")


def _proportional_bytes(program: Program) -> int:
    """The memory of an instance, what it shares with others in parts (PSS)."""
    smaps = Path(f"/proc/{program.process.pid}/smaps_rollup").read_text()
    return 1024 * next(int(line.split()[1]) for line in smaps.splitlines() if line.startswith("Pss:"))


def _report_idle(report: Report, idle: list[Load], memory: list[int]) -> None:
    none, one, all_of_them = idle
    more = 100 * (all_of_them.processor - one.processor) / (INSTANCES - 1)
    report.add("PostgreSQL, for one more idle instance", f"{more:.2f} % of a core", value=more, goal=3, unit=" %")
    report.add("… transactions a second", f"{(all_of_them.transactions - none.transactions) / INSTANCES:.1f}")
    report.add("… connections", f"{(all_of_them.connections - none.connections) / INSTANCES:.1f}")
    report.add("memory of an idle instance (PSS)", f"{median(memory) / 2**20:,.0f} MiB")


# -- commits, in the pages of all instances ------------------------------------------------------------------------------


async def _measure_commits(
    report: Report, console: Console, found: Topology, key_ids: Sequence[int], commits: int
) -> None:
    progress(f"{commits} commits in {PAGES} pages of each of {INSTANCES} instances")
    seen: list[list[float]] = [[] for _ in found.instances]
    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(live_pages(_signed_in(each, found), PAGES)) for each in found.instances
        ]
        for number in range(commits):
            for page in itertools.chain(*pages):
                page.expect(key_ids[number], SEARCH.mask)
            began = time.time()
            await submit(console, CellChange(key_ids[number], SEARCH.mask, 0))
            async with asyncio.timeout(SEEN_SECONDS):
                for instance, of_it in zip(seen, pages, strict=True):
                    instance += [1000 * (await page.seen() - began) for page in of_it]
    everywhere = list(itertools.chain(*seen))
    what = f"submit in another process → shown in {PAGES} pages each of {INSTANCES} instances"
    report.add(what, p50_and_p95(everywhere), value=p95(everywhere), goal=1_000, unit=" ms")
    report.add("… the slowest instance", p50_and_p95(max(seen, key=p95)))
    report.note(
        "shown: the page has the row with its new privileges and the order to flash it; from before the submission."
    )


class Signed(NamedTuple):
    """One instance, with a session: what `live_pages` opens pages of."""

    url: str
    cookie: tuple[str, str]


def _signed_in(program: Program, found: Topology) -> Signed:
    answer = httpx.post(f"{program.url}/sign-in", data={"name": "dana", "password": PASSWORD})
    [(name, value)] = answer.cookies.items()
    return Signed(program.url, (name, value))


# -- a page of an instance that is killed ----------------------------------------------------------------------------------


async def _measure_kills(report: Report, found: Topology, kills: int) -> None:
    moved = []
    async with chromium(f"--host-resolver-rules=MAP {SITE} 127.0.0.1") as browser:
        for number in range(kills):
            progress(f"kill {number + 1} of {kills}")
            instance = found.instances[number % INSTANCES]
            page = await _staged_page(browser, found, instance)
            began = time.monotonic()
            instance.kill()
            await page.evaluate("window.before = true")
            await page.wait_for_function(
                "!window.before && document.querySelector('.bar-status')?.innerText.includes('1 change')"
            )
            moved.append(1000 * (time.monotonic() - began))
            instance.start()
            await page.get_by_role("button", name="Discard").click()
            await expect(bar(page)).to_contain_text("No staged changes")
            await page.context.close()
    report.add(
        "kill -9 → its page works at another instance", p50_and_p95(moved), value=max(moved), goal=5_000, unit=" ms"
    )
    report.note("works: Chromium has loaded the page from another instance, and its bar says what was staged before.")


async def _staged_page(browser: Browser, found: Topology, instance: Program) -> Page:
    """A page of this instance, with one staged change."""
    context = await browser.new_context(ignore_https_errors=True, user_agent=found.user_agent_of(instance))
    page = await context.new_page()
    await page.goto(found.url)
    await sign_in(page, "dana")
    await box(page, "10.0.0.0", "billing").click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    return page


if __name__ == "__main__":
    typer.run(main)
