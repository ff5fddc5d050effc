"""Which granted privileges are unused: marked, found by a filter, and revoked in one step; never for days without tracking."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from models.authkeys import Authkey
from models.staged_rows import StagedRow
from models.submissions import CellChange
from models.tables import KeyUse, Submission
from models.usage import NO_PRIVILEGE
from models.views import View, parse_view
from services.console import Console
from services.supervisor import Supervisor
from storage.database import writer
from tests.support import ADD, SEARCH, add_keys, cells, new_keys, submit

DAY = timedelta(days=1)
BOTH = ADD.mask | SEARCH.mask


async def long_ago(console: Console, days: int = 100) -> datetime:
    """Uses are counted, and everything was submitted, since then."""
    since = datetime.now(UTC) - days * DAY
    console.uses.since = since
    await Submission.all().using_db(writer()).update(at=since)
    return since


async def was_used(key: Authkey, bit: int, days_ago: int) -> None:
    at = datetime.now(UTC) - days_ago * DAY
    await KeyUse.create(authkey_id=key.id, privilege=bit, count=1, last_at=at, using_db=writer())


@pytest.fixture
async def keys(console: Console) -> list[Authkey]:
    keys = await add_keys(console, *new_keys(3, cells("addlicense", "search")))
    await long_ago(console)
    return keys


async def found(console: Console, days: int) -> list[int]:
    view = View(unused_days=days)
    rows = await console.authkeys.block(view, console.admin.id, 0, 100)
    assert await console.authkeys.count(view, console.admin.id) == len(rows)
    return [row.id for row in rows]


async def test_what_was_not_used_for_so_many_days_is_found(console: Console, keys: list[Authkey]) -> None:
    never, partly, fully = keys
    await was_used(partly, SEARCH.bit, 1)
    await was_used(partly, ADD.bit, 60)
    for privilege in (SEARCH, ADD):
        await was_used(fully, privilege.bit, 1)
    assert await found(console, 30) == [never.id, partly.id]
    assert await found(console, 90) == [never.id]
    assert await console.uses.unused(keys, 30) == {never.id: BOTH, partly.id: ADD.mask}


async def test_days_before_uses_were_counted_never_count_as_unused(console: Console, keys: list[Authkey]) -> None:
    await long_ago(console, days=20)
    assert await found(console, 30) == []
    assert await console.uses.unused(keys, 30) == {}


async def test_what_was_changed_lately_is_not_yet_unused(console: Console, keys: list[Authkey]) -> None:
    await submit(console, CellChange(keys[0].id, 0, SEARCH.mask))
    assert await found(console, 30) == [key.id for key in keys[1:]]


async def test_one_step_stages_the_revocation_of_all_that_is_unused(console: Console, keys: list[Authkey]) -> None:
    never, partly, fully = keys
    await was_used(partly, SEARCH.bit, 1)
    for privilege in (SEARCH, ADD):
        await was_used(fully, privilege.bit, 1)
    assert await console.staging.revoke_unused(console.admin.id, View(unused_days=30)) == 2
    staged = await console.staging.of(console.admin.id)
    assert dict(staged.entries) == {never.id: StagedRow(0, BOTH), partly.id: StagedRow(0, ADD.mask)}
    await console.staging.undo(console.admin.id)
    assert len(await console.staging.of(console.admin.id)) == 0


async def test_the_beginning_of_tracking_is_remembered(console: Console) -> None:
    first = console.uses.since
    async with console.uses.running(Supervisor()):
        assert console.uses.since == first


def test_the_filter_fits_into_the_address_bar() -> None:
    assert parse_view({"unused": "90"}) == View(unused_days=90)
    assert View(unused_days=30).to_query() == "unused=30"


async def test_uses_that_needed_no_privilege_make_none_used(console: Console, keys: list[Authkey]) -> None:
    await was_used(keys[0], NO_PRIVILEGE, 1)
    assert (await console.uses.unused(keys[:1], 30)) == {keys[0].id: BOTH}


async def test_drawing_the_same_rows_again_within_a_minute_asks_nothing(
    console: Console, keys: list[Authkey], caplog: pytest.LogCaptureFixture
) -> None:
    async def asked() -> tuple[int, int]:
        caplog.clear()
        assert await console.uses.unused_marks(keys) == await console.uses.unused(keys, 30)
        said = "".join(record.getMessage() for record in caplog.records)
        return said.count('"at"<='), said.count("FROM key_use")

    await was_used(keys[0], ADD.bit, 1)
    with caplog.at_level(logging.DEBUG, logger="tortoise.db_client"):
        assert await asked() == (1, 2)
        assert await asked() == (0, 1)  # `unused` itself always looks: what it says is revoked


async def test_marks_are_drawn_for_the_row_as_it_is(console: Console, keys: list[Authkey]) -> None:
    assert await console.uses.unused_marks(keys) == {key.id: BOTH for key in keys}
    changed = keys[0]._replace(revision=keys[0].revision + 1_000)
    assert await console.uses.unused_marks([changed, keys[1]]) == {keys[1].id: BOTH}
