"""The disk of PostgreSQL becomes full while two instances serve: both say so, nothing is lost, and both go on afterwards.

Without room for its tables it refuses what needs more of it. Without room for its log it ends itself, and is started again by
who made room (postgresql.org/docs/current/disk-full.html).
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.async_api import Browser, expect

from storage.database import DatabaseLocation
from tests.browser import bar, box, grant_all, needs_chromium, open_page
from tests.disks import disk_of, full
from tests.postgres import Cluster, cluster_folder, started
from tests.program import Program, import_csv, running, write_csv
from tests.support import new_keys

pytestmark = needs_chromium
KEYS = new_keys(20_000)
"""So many that to stage something for all of them fits into no room that is left by chance"""
FIRST, SECOND = ((key.ip, key.service) for key in KEYS[:2])


class World(NamedTuple):
    """Two instances on one PostgreSQL, a part of which has this disk to itself."""

    cluster: Cluster
    disk: Path
    first: Program
    second: Program


@contextmanager
def world(programs: Path, what_is_there: str) -> Iterator[World]:
    with ExitStack() as stack:
        folder, other = stack.enter_context(cluster_folder()), stack.enter_context(cluster_folder())
        disk = stack.enter_context(disk_of(100, folder / "disk"))
        tables, log = (disk, other) if what_is_there == "tables" else (other, disk)
        cluster = Cluster(programs, tables)
        stack.enter_context(started(cluster, "--wal-segsize=1", f"--waldir={log / 'wal'}"))
        database = stack.enter_context(cluster.new_database(cluster.with_tables))
        yield World(cluster, disk, *_instances(stack, database, other))


def _instances(stack: ExitStack, database: DatabaseLocation, folder: Path) -> list[Program]:
    secret = ("--secret-file", str(folder / "secret"))
    first = stack.enter_context(running(*secret, database=database.text))
    import_csv(first.database, write_csv(folder / "keys.csv", KEYS), "--secret-file", str(folder / "secret"))
    return [first, stack.enter_context(running(*secret, database=database.text))]


@pytest.mark.parametrize("what_is_there", ["tables", "log"])
async def test_while_it_is_full_both_instances_say_so_and_afterwards_go_on(
    postgres_programs: Path, browser: Browser, what_is_there: str
) -> None:
    with world(postgres_programs, what_is_there) as at:
        one, other = await open_page(browser, at.first), await open_page(browser, at.second)
        await box(one, *FIRST).click()
        await expect(bar(other)).to_contain_text("1 change to 1 key")
        with full(at.disk):
            await grant_all(one)
            await expect(one.locator(".q-notification__message").last).to_contain_text(
                "Nothing that you staged is lost"
            )
            if what_is_there == "log":
                for page in (one, other):
                    await expect(page.locator(".live-text")).to_have_text("Database unavailable")
                assert (await asyncio.to_thread(httpx.get, f"{at.second.url}/health/ready")).status_code == 503
            else:
                await expect(one.locator(".q-notification__message").last).to_contain_text(
                    "The disk of the database is full"
                )
        at.cluster.start_again()
        for page in (one, other):
            await expect(page.locator(".live-text")).to_have_text("Live")
            await expect(bar(page)).to_contain_text("1 change to 1 key")
        await box(other, *SECOND).click()
        await expect(bar(one)).to_contain_text("2 changes to 2 keys")
        await other.get_by_role("button", name="Submit authkey modifications").click()
        await expect(bar(other)).to_contain_text("Applied 2 changes to 2 keys")
        await expect(box(one, *FIRST)).to_be_checked()
        await expect(box(one, *SECOND)).to_be_checked()
        assert all("Traceback" not in each.complaints() for each in (at.first, at.second))
