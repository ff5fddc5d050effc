"""What a step came to is said with the way back from it: from that step, and from no other."""

from collections.abc import Callable
from typing import Any

import pytest
from nicegui.testing import User

from models.staged_rows import StagedRow
from models.submissions import CellChange
from services.console import Console
from storage.database import DatabaseLocation
from tests.elsewhere import stored
from tests.page import ADD, BILLING, PORTAL, SEARCH, claims, id_of, is_told, says, selection, ticks, told, undoes
from tests.support import an_admin, submit
from tests.waiting import eventually

Entries = dict[int, StagedRow]


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


async def staged(console: Console) -> Entries:
    return dict((await console.staging.of(console.admin.id)).entries)


async def is_staged(console: Console, expected: Entries) -> bool:
    return await staged(console) == expected


def acts(act: str) -> Callable[[User], None]:
    return lambda page: claims(page, "act", {"act": act})


def presses(mark: str) -> Callable[[User], Any]:
    return lambda page: page.find(marker=mark).click()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (acts("grant"), "Staged: grants 1 of 3 boxes"),
        (acts("toggle"), "Staged: grants 1 of 3 boxes"),
        (acts("remove"), "3 keys marked for removal"),
        (acts("fill"), "Filled down: 1 key changed"),
        (presses("discard"), "Discarded for 1 key"),
    ],
    ids=["grant", "toggle", "removal", "fill", "discard"],
)
async def test_a_step_for_many_keys_is_said_with_its_undo(
    page: User, console: Console, step: Callable[[User], Any], said: str
) -> None:
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    before = await staged(console)
    claims(page, "selected", selection(0, 2, whole=True))
    await page.should_see("3 rows, 1 column selected")
    step(page)
    await is_told(page, said)
    assert await staged(console) != before
    await undoes(page, said)
    await eventually(lambda: is_staged(console, before))


async def test_a_step_that_changed_nothing_offers_no_undo(page: User) -> None:
    claims(page, "selected", selection(0, 0, "addlicense", ids=(None, None), whole=True))
    await page.should_see("3 rows, 1 column selected")
    claims(page, "act", {"act": "revoke"})
    await is_told(page, "Staged: revokes 1 of 3 boxes")
    claims(page, "act", {"act": "revoke"})
    await is_told(page, "Staged: revokes 0 of 3 boxes")
    assert page.notify.messages == ["Staged: revokes 0 of 3 boxes; 3 lack it"]


async def test_when_another_step_came_since_its_undo_undoes_nothing(page: User, console: Console) -> None:
    claims(page, "selected", selection(0, 2, whole=True))
    await page.should_see("3 rows, 1 column selected")
    claims(page, "act", {"act": "grant"})
    await says(page, "staged-count", "1 change to 1 key")
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "2 changes to 2 keys")
    before = await staged(console)
    await undoes(page, "Staged: grants")
    await ticks(page, 2, BILLING, "liscreact", True)  # comes after it
    await says(page, "staged-count", "3 changes to 2 keys")
    assert len(await staged(console)) == len(before)


async def test_what_another_admin_submits_leaves_the_undo_of_my_step(page: User, console: Console) -> None:
    claims(page, "selected", selection(0, 2, whole=True))
    await page.should_see("3 rows, 1 column selected")
    claims(page, "act", {"act": "grant"})
    await says(page, "staged-count", "1 change to 1 key")
    await submit(console, CellChange(await id_of(BILLING), SEARCH.mask, ADD.mask), admin=await an_admin("dana"))
    await eventually(lambda: console.feed.revision == 2)
    await undoes(page, "Staged: grants")
    await says(page, "staged-count", "No staged changes")


@pytest.mark.parametrize("forged", [True, None, "1", 0, -1, 2, 10**30, [1], {"number": 1}])
async def test_an_undo_that_nobody_was_offered_does_nothing(page: User, console: Console, forged: object) -> None:
    claims(page, "selected", selection(0, 2, whole=True))
    await page.should_see("3 rows, 1 column selected")
    claims(page, "act", {"act": "grant"})
    await says(page, "staged-count", "1 change to 1 key")
    claims(page, "undo", forged)
    await ticks(page, 1, BILLING, "modlisc", True)  # comes after it
    await says(page, "staged-count", "2 changes to 2 keys")


async def test_a_submission_is_confirmed_in_numbers_and_can_be_undone(page: User, console: Console) -> None:
    before = await stored(console)
    await ticks(page, 1, BILLING, "modlisc", True)
    await ticks(page, 2, PORTAL, "modlisc", True)
    await ticks(page, 3, PORTAL, "search", True)
    await says(page, "staged-count", "3 changes to 2 keys")
    page.find(marker="submit").click()
    await says(page, "staged-count", "Applied 3 changes to 2 keys")
    assert await stored(console) != before
    await undoes(page, "Applied 3 changes to 2 keys")
    await says(page, "staged-count", "Undone: 3 changes to 2 keys")
    assert await stored(console) == before


async def test_undo_that_is_pressed_twice_undoes_once_and_says_nothing_else(page: User, console: Console) -> None:
    before = await stored(console)
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    page.find(marker="submit").click()
    await says(page, "staged-count", "Applied 1 change to 1 key")
    for _ in range(2):
        await undoes(page, "Applied 1 change to 1 key")
    await says(page, "staged-count", "Undone: 1 change to 1 key")
    assert await stored(console) == before
    assert told(page) == ["Applied 1 change to 1 key"]
