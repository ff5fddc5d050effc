"""Who else is here, in the header, and what they have staged, to be read."""

import re

import pytest
from nicegui import ui
from nicegui.testing import User, UserInteraction

from models.accounts import AdminIdentity
from models.privileges import privilege
from models.views import View
from services import presence
from services.console import Console
from storage.database import DatabaseLocation
from tests.elsewhere import start_over
from tests.page import BILLING, MAIL, PORTAL, SEARCH, id_of, says, sign_in
from tests.support import an_admin, new_keys, stage_all
from tests.waiting import comes_true, eventually
from ui.shell.presence import SHOWN_ROWS


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


@pytest.fixture
async def lee(console: Console) -> AdminIdentity:
    return await an_admin("lee")


def others(user: User) -> str:
    """What the button says; empty while there is none."""
    buttons = list(user.find(marker="others").elements) if _shows(user) else []
    return str(buttons[0].props["aria-label"]) if buttons else ""


def _shows(user: User) -> bool:
    with user.client:
        return any("who-is-here" in each.classes and each.visible for each in user.client.layout.descendants())


async def are_here(user: User, expected: str) -> None:
    assert await comes_true(lambda: others(user) == expected), others(user)


async def opens_list(user: User) -> None:
    (button,) = user.find(marker="others").elements
    next(each for each in button.descendants() if isinstance(each, ui.menu)).open()  # in a browser the click does
    await user.should_see(marker="other")


def unfolds(user: User) -> None:
    """Open what somebody has staged, as a browser tells it."""
    boxes = {each for each in user.find(marker="other-box").elements if each.visible}
    UserInteraction(user, boxes, None).trigger("toggle", True)


def lines(user: User) -> list[str]:
    with user.client:
        (box,) = [each for each in user.find(marker="other-lines").elements if each.parent_slot.parent.visible]
        return [each.text for each in box.descendants() if isinstance(each, ui.label)]


async def test_who_comes_and_goes_is_told_in_the_header_with_the_view(
    page: User, console: Console, lee: AdminIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "LINGER_SECONDS", 0.0)
    assert others(page) == ""
    console.presence.enter(lee.id, "/history")
    await are_here(page, "1 other here: lee")
    await opens_list(page)
    await page.should_see("History")
    await page.should_see("Nothing staged")
    console.presence.enter((await an_admin("ada")).id, "/")
    await are_here(page, "2 others here: ada, lee")
    console.presence.leave(lee.id, "/history")
    await are_here(page, "1 other here: ada")


async def test_a_window_is_here_while_it_is_connected(
    page: User, create_user, console: Console, lee: AdminIdentity
) -> None:
    other = create_user()
    await sign_in(other, console, lee)
    await other.open("/passphrases")
    await are_here(page, "1 other here: lee")
    await are_here(other, f"1 other here: {console.admin.name}")
    other.client.delete()
    await are_here(page, "")


async def test_what_others_have_staged_is_listed_and_kept_up_to_date(
    page: User, console: Console, lee: AdminIdentity
) -> None:
    console.presence.enter(lee.id, "/")
    await are_here(page, "1 other here: lee")
    await console.staging.stage(lee.id, await id_of(PORTAL), SEARCH, True)
    await opens_list(page)
    await says(page, "other-staged", "1 change to 1 key")
    unfolds(page)
    await eventually(lambda: lines(page) == ["192.0.2.16 portal", "+", "Grant Search for a License"])
    await console.staging.stage_removal(lee.id, await id_of(MAIL))
    await eventually(lambda: len(lines(page)) == 6)
    assert lines(page)[3:5] == ["2001:db8::1 mail", "×"]
    await console.staging.discard(lee.id)
    await page.should_see("Nothing staged")


async def test_of_very_much_the_first_rows_are_listed_and_the_rest_is_counted(
    page: User, console: Console, lee: AdminIdentity
) -> None:
    await start_over(console, new_keys(SHOWN_ROWS + 7))
    await says(page, "count", "57 keys")
    await stage_all(console.staging, lee.id, View(), privilege("search"), True)
    console.presence.enter(lee.id, "/")
    await are_here(page, "1 other here: lee")
    await opens_list(page)
    unfolds(page)
    await page.should_see("and 7 keys more")
    assert len([each for each in lines(page) if re.match(r"10\.", each)]) == SHOWN_ROWS


async def test_my_own_other_windows_are_nobody_else(page: User, create_user, console: Console) -> None:
    other = create_user()
    await sign_in(other, console, console.admin)
    await other.open("/history")
    console.presence.enter((await an_admin("ada")).id, "/")
    await are_here(page, "1 other here: ada")
    await console.staging.stage(console.admin.id, await id_of(BILLING), SEARCH, False)
    await are_here(other, "1 other here: ada")
