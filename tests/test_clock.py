"""What deletes does not believe one reading of the clock: a wrong start, a jump, two machines that disagree."""

import logging
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.access import ABSOLUTE
from models.clock import LARGEST_STEP, SETTLED_AFTER, ClockReading, next_reading
from models.plans import KEEP_REMOVED
from models.submissions import Removal
from models.tables import Session, StoredClockReading, Submission
from services.clock import read_clock
from services.console import Console, open_console
from storage.database import DatabaseLocation
from tests.program import running
from tests.requirements import INSTALL_HINT
from tests.support import add_key, all_keys, removed_keys, submit
from tests.waiting import eventually

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIX_HOURS = timedelta(hours=6)
steps = st.timedeltas(min_value=-LARGEST_STEP, max_value=LARGEST_STEP)
jumps = st.timedeltas(timedelta(days=1, seconds=1), timedelta(days=9_000)).flatmap(
    lambda by: st.sampled_from([by, -by])
)


# -- the decision --------------------------------------------------------------------------------------------------------


def test_the_first_reading_alone_is_not_believed() -> None:
    assert next_reading(None, NOON) == ClockReading(NOON, NOON)
    assert not next_reading(None, NOON).is_settled


def test_a_clock_that_ran_for_a_day_without_a_jump_is_believed() -> None:
    reading = next_reading(None, NOON)
    for _ in range(3):
        reading = next_reading(reading, reading.at + SIX_HOURS)
        assert not reading.is_settled
    assert next_reading(reading, reading.at + SIX_HOURS).is_settled


@given(jumps)
def test_after_a_jump_in_either_direction_it_must_run_for_a_day_anew(by: timedelta) -> None:
    settled = ClockReading(NOON, NOON - 100 * SETTLED_AFTER)
    assert next_reading(settled, NOON + by) == ClockReading(NOON + by, NOON + by)


@given(st.lists(steps))
def test_small_steps_are_no_jumps(by: list[timedelta]) -> None:
    reading = first = ClockReading(NOON, NOON - SETTLED_AFTER)
    for step in by:
        reading = next_reading(reading, reading.at + step)
    assert reading.since == first.since


# -- the services --------------------------------------------------------------------------------------------------------


async def test_machines_whose_clocks_disagree_never_come_to_believe_one(console: Console) -> None:
    right = datetime.now(UTC)
    for _ in range(6):
        right += SIX_HOURS
        assert not (await read_clock(right)).is_settled
        assert not (await read_clock(right + timedelta(days=40))).is_settled


async def test_a_jump_is_told_with_both_times_and_what_follows(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    await read_clock(NOON)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        await read_clock(NOON + timedelta(days=40))
    [said] = caplog.messages
    assert said.startswith("The clock says 2026-04-10 12:00 UTC, and said 2026-03-01 12:00 UTC when it was read last.")
    assert "no removed authkey and no old session is deleted" in said


async def leave_what_is_due(console: Console) -> None:
    """A removal, and a session, of too long ago to be kept."""
    key = await add_key(console)
    await submit(console, Removal(key.id, key.revision))
    now = datetime.now(UTC)
    await Submission.all().update(at=now - KEEP_REMOVED - timedelta(minutes=1))
    await console.sessions.begin(console.admin, "192.0.2.200")
    await Session.all().update(created_at=now - ABSOLUTE - timedelta(minutes=1))


async def test_with_a_settled_clock_a_start_deletes_what_is_due(database: DatabaseLocation) -> None:
    async with open_console(database) as console:
        await leave_what_is_due(console)
        now = datetime.now(UTC)
        await read_clock(now)
        await StoredClockReading.all().update(at=now - SIX_HOURS, since=now - SETTLED_AFTER)
    async with open_console(database):

        async def all_is_gone() -> bool:
            return not await removed_keys() and not await Session.all().count()

        await eventually(all_is_gone)


# -- the program ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def faketime() -> str:
    """The library that shows another time to a program."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip(INSTALL_HINT)
    return str(found[0])


async def test_a_start_with_the_clock_forty_days_ahead_forgets_no_removed_key_and_no_session(
    database: DatabaseLocation, faketime: str
) -> None:
    async with open_console(database) as console:
        key = await add_key(console)
        done = await submit(console, Removal(key.id, key.revision))
        cookie = await console.sessions.begin(console.admin, "192.0.2.200")
    with running(
        database=database.text, LD_PRELOAD=faketime, FAKETIME="+40d", FAKETIME_DONT_FAKE_MONOTONIC="1"
    ) as ahead:
        assert ahead.cookie is not None  # it has answered, and stored a session: what it does first is done
    async with open_console(database) as console:
        assert set(await removed_keys()) == {key.id}
        assert await console.sessions.find(cookie) is not None
        assert done.revision is not None
        await console.submissions.undo(done.revision, console.admin, uuid.uuid4())
        assert set(await all_keys()) == {key.id}
    assert "no removed authkey and no old session is deleted" in ahead.complaints()
