"""Presence: who is here is known in every process, for no more writes than it needs; what they have staged can be read."""

import asyncio
import logging
import uuid
from datetime import timedelta

import pytest

import storage.presence
from models.presence import Person
from models.privileges import PRIVILEGES
from models.staged_rows import NewKey, StagedRow
from models.subjects import Subject
from models.submissions import Removal
from models.tables import OpenView
from models.views import View
from services import presence
from services.console import Console
from storage.database import DatabaseLocation, reader
from tests.other_process import OtherProcess, another_process
from tests.support import ADD, SEARCH, add_keys, all_keys, an_admin, new_keys, stage_all, submit
from tests.waiting import eventually


@pytest.fixture
def no_lingering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "LINGER_SECONDS", 0.0)


async def enter(console: Console, path: str) -> None:
    console.presence.enter(console.admin.id, path)


async def said(count: int) -> bool:
    return await OpenView.all().using_db(reader()).count() == count


@pytest.mark.usefixtures("no_lingering")
async def test_others_are_here_while_a_window_of_theirs_is_open_and_oneself_is_not_listed(console: Console) -> None:
    me, dana = console.admin, await an_admin("dana")
    console.presence.enter(me.id, "/")
    console.presence.enter(dana.id, "/history")
    console.presence.enter(dana.id, "/")
    console.presence.enter(dana.id, "/")
    await eventually(lambda: console.presence.others(me.id) == [Person(dana.id, "dana", ("/", "/history"))])
    assert [each.name for each in console.presence.others(dana.id)] == [me.name]
    console.presence.leave(dana.id, "/history")
    console.presence.leave(dana.id, "/")
    await eventually(lambda: console.presence.others(me.id) == [Person(dana.id, "dana", ("/",))])
    console.presence.leave(dana.id, "/")
    await eventually(lambda: console.presence.others(me.id) == [])


async def test_who_goes_to_another_view_is_not_gone_meanwhile(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, dana = console.admin, await an_admin("dana")
    monkeypatch.setattr(presence, "LINGER_SECONDS", 0.3)
    console.presence.enter(me.id, "/")
    console.presence.enter(dana.id, "/")
    await eventually(lambda: len(console.presence.others(me.id)) == 1)
    told: list[list[Person]] = []
    console.presence.changed.subscribe(lambda: told.append(console.presence.others(me.id)))
    console.presence.leave(dana.id, "/")
    console.presence.enter(dana.id, "/history")
    await eventually(lambda: console.presence.others(me.id) == [Person(dana.id, "dana", ("/history",))])
    assert told
    assert all(told)


async def test_another_process_is_seen_and_when_it_ends_so_at_once(
    database: DatabaseLocation, console: Console
) -> None:
    console.presence.enter(console.admin.id, "/")
    async with another_process(database, "ben") as other:
        await other.do(enter, "/denied")
        await eventually(
            lambda: [each[1:] for each in console.presence.others(console.admin.id)] == [("ben", ("/denied",))]
        )
    await eventually(lambda: console.presence.others(console.admin.id) == [])


async def test_of_a_process_that_was_killed_nobody_is_here_for_long(
    database: DatabaseLocation, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert presence.GONE_AFTER + timedelta(seconds=presence.HEARTBEAT_SECONDS) <= timedelta(minutes=1)
    console.presence.enter(console.admin.id, "/")
    other = OtherProcess(database, "ben")
    await other.told()
    await other.do(enter, "/")
    await eventually(lambda: len(console.presence.others(console.admin.id)) == 1)
    other.kill()
    assert await said(2)
    for bound in ("GONE_AFTER", "FORGOTTEN_AFTER"):
        monkeypatch.setattr(presence, bound, timedelta(seconds=0.5))
    monkeypatch.setattr(presence, "HEARTBEAT_SECONDS", 0.1)
    console.presence.enter(console.admin.id, "/")  # the next heartbeat is one of the new length
    await eventually(lambda: console.presence.others(console.admin.id) == [])
    await eventually(lambda: said(1))


async def test_ticks_write_nothing_about_who_is_here(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    (row,) = await add_keys(console, *new_keys(1))
    console.presence.enter(console.admin.id, "/")
    await eventually(lambda: said(1))
    with caplog.at_level(logging.DEBUG, logger="tortoise.db_client"):
        caplog.clear()
        for value in (True, False, True):
            await console.staging.stage(console.admin.id, row.id, SEARCH, value)
    assert caplog.records
    assert not [each for each in caplog.messages if "open_view" in each and not each.lstrip().startswith("SELECT")]


async def test_nothing_is_written_while_no_window_is_open(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    beats = asyncio.Event()
    stored = []

    async def store(*args: object) -> None:
        stored.append(args)

    async def refresh() -> None:
        beats.set()

    monkeypatch.setattr(storage.presence, "store", store)
    monkeypatch.setattr(console.presence, "refresh", refresh)
    monkeypatch.setattr(presence, "LINGER_SECONDS", 0.0)
    console.presence.enter(console.admin.id, "/")
    console.presence._leave(console.admin.id, "/")  # before the loop has had its turn
    await beats.wait()
    assert stored == []


async def test_what_is_staged_is_counted_as_its_owner_counts_it_and_listed_by_address(console: Console) -> None:
    me, dana = console.admin, await an_admin("dana")
    rows = await add_keys(console, *new_keys(12, ADD.mask))
    for each in PRIVILEGES[:4]:
        await console.staging.stage(dana.id, rows[10].id, each, each is not ADD)
    await console.staging.stage_removal(dana.id, rows[2].id)
    await console.staging.stage_addition(dana.id, "10.0.0.5", "new one", SEARCH.mask)
    await console.staging.stage(me.id, rows[0].id, SEARCH, True)

    (summary,) = await console.presence.staged_by([dana.id])
    staged = await console.staging.of(dana.id)
    assert summary[:4] == (dana.id, Subject.AUTHKEY, staged.change_count, staged.key_count)
    assert summary.at
    lines = await console.presence.staged_lines(dana.id, Subject.AUTHKEY, 50)
    assert [(line.ip, line.service) for line in lines] == [
        ("10.0.0.2", "billing"),
        ("10.0.0.5", "new one"),
        ("10.0.0.10", "billing"),
    ]
    assert lines[0].entry.removal
    assert lines[1].entry.new == NewKey("10.0.0.5", "new one", issues=True)
    assert len(await console.presence.staged_lines(dana.id, Subject.AUTHKEY, 2)) == 2
    assert await console.presence.staged_by([]) == []


async def test_of_a_key_that_was_removed_meanwhile_the_name_is_still_told(console: Console) -> None:
    dana = await an_admin("dana")
    (row,) = await add_keys(console, *new_keys(1))
    await console.staging.stage(dana.id, row.id, SEARCH, True)
    await submit(console, Removal(row.id, row.revision))
    assert row.id not in await all_keys()
    (line,) = await console.presence.staged_lines(dana.id, Subject.AUTHKEY, 50)
    assert line == (row.ip, row.service, StagedRow(grants=SEARCH.mask))


async def test_after_a_submission_nothing_is_told_of_what_was_staged(console: Console) -> None:
    await add_keys(console, *new_keys(3))
    await stage_all(console.staging, console.admin.id, View(), ADD, True)
    assert [each.change_count for each in await console.presence.staged_by([console.admin.id])] == [3]
    await console.staging.submit(console.admin, uuid.uuid4())
    assert await console.presence.staged_by([console.admin.id]) == []
