"""The demonstration: alive, and gone without a trace."""

import asyncio

import pytest

from models.views import PassphraseView, State, View
from services import demo
from services.console import Console
from storage.database import DatabaseLocation
from tests.support import stage_all
from tests.waiting import eventually


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """A demonstration is always SQLite."""
    return sqlite_database


async def test_there_is_something_of_everything(console: Console) -> None:
    colleague = await demo.fill(console)
    mine = console.admin.id
    assert await console.authkeys.count(View(), mine) == demo.DEMO_KEYS + 1
    for state in (State.ACTIVE, State.OVER):
        assert await console.passphrases.count(PassphraseView(state=state, descending=True), mine)
    assert await console.uses.denied_requests()
    await stage_all(console.staging, mine, View(), None, True)
    assert (await console.uses.lost_calls(mine)).calls > 1_000
    assert colleague.name in {account.name for account in await console.admins.accounts()}
    assert len(await console.history.newest(50)) > 8


async def test_a_colleague_stages_and_submits_now_and_then(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    colleague = await demo.fill(console)
    monkeypatch.setattr(demo, "FIRST_ACT_SECONDS", 0.02)
    before = (await console.history.newest(1))[0].number
    working = asyncio.create_task(demo.work_as_colleague(console, colleague))

    async def has_submitted() -> bool:
        newest = (await console.history.newest(1))[0]
        return newest.number > before + 1 and newest.name == colleague.name

    await eventually(has_submitted)

    async def is_here() -> bool:
        return [each.name for each in console.presence.others(console.admin.id)] == [colleague.name]

    await eventually(is_here)
    working.cancel()
    assert (await console.chain.check()).fault is None
