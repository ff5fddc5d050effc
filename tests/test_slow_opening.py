"""A page that takes long to build: it is waited for, then asks again by itself, and what was read meanwhile is not lost."""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from models.authkeys import Authkey
from models.subjects import Subject
from models.views import View
from services.authkeys import Authkeys
from services.console import Console
from services.desks import Desks
from tests.support import SEARCH, add_keys, new_keys, stage_all
from ui.shell import building
from ui.shell.building import BUILDING_SECONDS, built

NICEGUIS_LIMIT_SECONDS = 3


async def test_a_page_that_is_not_ready_in_time_says_so_and_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "BUILDING_SECONDS", 0)
    response = await built(_for_ever())
    assert response
    assert response.status_code == 503
    assert b"What you staged is safe" in response.body
    assert b'<meta http-equiv="refresh"' in response.body


async def _for_ever() -> None:
    await asyncio.Event().wait()


def test_no_page_is_given_up_by_nicegui_before() -> None:
    assert BUILDING_SECONDS > NICEGUIS_LIMIT_SECONDS
    ui = Path(building.__file__).parents[1]
    registering = [file for file in ui.rglob("*.py") if re.search(r"\bui\.page\(", file.read_text())]
    assert registering == [Path(building.__file__)]


class SlowAuthkeys(Authkeys):
    """The authkeys, of a database that answers when it is told to."""

    def __init__(self, console: Console) -> None:
        super().__init__(console.uses, console.past)
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self.count_of_questions = 0

    async def find(self, authkey_ids: Iterable[int], /) -> dict[int, Authkey]:
        self.count_of_questions += 1
        self.asked.set()
        await self.answers.wait()
        return await super().find(authkey_ids)


async def test_what_one_window_gave_up_waiting_for_opens_in_the_next(console: Console) -> None:
    await add_keys(console, *new_keys(3))
    await stage_all(console.staging, console.admin.id, View(), SEARCH, True)
    authkeys = SlowAuthkeys(console)
    desks = Desks(Subject.AUTHKEY, authkeys)

    first = asyncio.create_task(desks.open(console.admin.id))
    await authkeys.asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    second = asyncio.create_task(desks.open(console.admin.id))
    authkeys.answers.set()
    assert (await second).staged.change_count == 3
    assert authkeys.count_of_questions == 1
    assert await desks.open(console.admin.id) is await second
