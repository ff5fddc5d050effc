"""The command palette without a browser: what it lists for whom and when, what it finds, and that choosing does it."""

import pytest
from nicegui import ui
from nicegui.testing import User, UserInteraction

from models.accounts import AdminIdentity, Role
from models.subjects import Subject
from models.tables import Admin
from models.views import View
from services.console import Console
from services.saved_views import save_view
from storage.database import DatabaseLocation
from tests.page import ADD, BILLING, MAIL, claims, is_told, says, sign_in, ticks, told
from tests.support import an_admin, stage_all
from tests.waiting import comes_true, eventually
from ui.shell.palette import MAX_SHOWN


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


def listed(user: User) -> list[str]:
    """The options, from the top."""
    with user.client:
        options = sorted(user.find(marker="palette-option").elements, key=lambda each: each.id)
    labels = [each for option in options for each in option.descendants() if isinstance(each, ui.label)]
    return [label.text for label in labels if "palette-name" in label.classes]


async def opens(user: User) -> list[str]:
    claims(user, "palette", None)
    await user.should_see(marker="palette")
    return listed(user)


def types(user: User, query: str) -> None:
    (field,) = user.find(marker="palette").elements
    UserInteraction(user, {field}, None).trigger("input", query)


async def finds(user: User, query: str, *expected: str) -> None:
    """Type it, and wait until these are the first of what is found."""
    types(user, query)
    assert await comes_true(lambda: listed(user)[: len(expected)] == list(expected)), listed(user)


async def enters(user: User, value: str) -> None:
    """Press Enter with this in the field; what is chosen closes the palette."""
    (field,) = user.find(marker="palette").elements
    dialog = next(each for each in field.ancestors() if isinstance(each, ui.dialog))
    UserInteraction(user, {field}, None).trigger("keydown.enter", value)
    await eventually(lambda: not dialog.value)
    UserInteraction(user, {dialog}, None).trigger("hide", None)
    await user.should_not_see(marker="palette")


async def test_it_lists_what_can_be_done_now_and_nothing_else(page: User, console: Console) -> None:
    offered = await opens(page)
    assert offered[:3] == ["Pickup passphrases", "Denied requests", "History"]
    assert {"Add authkey", "Import a file", "Has Manage Authkeys", "Unused for 90 days", "Sign out"} <= set(offered)
    assert not [each for each in offered if each.startswith(("Review", "Undo", "Redo", "Discard", "Submit"))]
    await enters(page, "keyboard")
    await page.should_see("Search")

    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    offered = await opens(page)
    assert {"Review 1 change to 1 key", "Discard 1 change to 1 key"} <= set(offered)
    assert [each for each in offered if each.startswith("Undo granting")]
    assert "Submit: review first" in offered
    assert not [each for each in offered if each.startswith("Redo")]


async def test_an_auditor_is_offered_nothing_that_changes_anything(console: Console, page: User) -> None:
    row = await Admin.create(name="ada", role=Role.AUDITOR)
    await sign_in(page, console, AdminIdentity(row.id, row.name, Role.AUDITOR))
    await page.open("/")
    offered = await opens(page)
    assert {"History", "Export this view"} <= set(offered)
    assert not {"Add authkey", "Import a file", "Quit Authkeys"} & set(offered)
    await page.open("/passphrases")
    assert "Add pickup passphrase" not in await opens(page)


async def test_it_opens_in_every_view(page: User) -> None:
    for path, own in (
        ("/passphrases", "Add pickup passphrase"),
        ("/denied", "Try an access check"),
        ("/history", "Show all entries"),
    ):
        await page.open(path)
        offered = await opens(page)
        assert {"Authorization keys", own} <= set(offered)
        claims(page, "palette", None)  # a second press while it is open
        assert len(page.find(marker="palette").elements) == 1


async def test_enter_means_what_was_typed_though_its_list_is_not_there_yet(page: User) -> None:
    assert (await opens(page))[0] == "Pickup passphrases"
    types(page, "has man")
    await enters(page, "has man")
    await page.should_see("Filter · 1")


async def test_what_is_typed_finds_commands_first_and_keys_by_address_or_service(page: User) -> None:
    await opens(page)
    await finds(page, "has man", "Has Manage Authkeys")
    await finds(page, "2001:", f"{MAIL.ip} ({MAIL.service})")
    await finds(page, "bill", f"{BILLING.ip} ({BILLING.service})")
    assert len(listed(page)) == 1
    types(page, "no such thing")
    await says(page, "palette-status", "Nothing is found")
    types(page, "")
    await page.should_see("Pickup passphrases")


async def test_enter_means_what_stands_in_the_field_by_then(page: User) -> None:
    await opens(page)
    await enters(page, "has add a")
    await says(page, "count", "1 of 3 keys")


async def test_a_filter_that_is_chosen_is_set_in_the_toolbar(page: User) -> None:
    await opens(page)
    await enters(page, "lacks add a")
    await says(page, "count", "2 of 3 keys")
    await page.should_see("Lacks Add a New License")
    offered = await opens(page)
    assert "Lacks Add a New License" not in offered
    await enters(page, "clear search")
    await says(page, "count", "3 keys")


async def test_undo_and_discard_by_the_palette_are_the_windows_steps(page: User, console: Console) -> None:
    await stage_all(console.staging, console.admin.id, View(), ADD, True)
    await says(page, "staged-count", "2 changes to 2 keys")
    await opens(page)
    await enters(page, "undo")
    await says(page, "staged-count", "No staged changes")
    await opens(page)
    await enters(page, "redo")
    await says(page, "staged-count", "2 changes to 2 keys")
    await opens(page)
    await enters(page, "discard")
    await is_told(page, "Discarded for 2 keys")


async def test_a_key_that_the_view_leaves_out_is_shown_in_the_view_of_all(page: User) -> None:
    page.find(marker="search").type("billing")
    await says(page, "count", "1 of 3 keys")
    await opens(page)
    await finds(page, "2001:", f"{MAIL.ip} ({MAIL.service})")
    await enters(page, "2001:")
    await says(page, "count", "3 keys")


async def test_from_another_view_a_key_is_found_in_the_view_of_the_keys(page: User) -> None:
    await page.open("/history")
    await opens(page)
    await enters(page, "2001:db8::1")
    await says(page, "count", "1 of 3 keys")


async def test_who_is_signed_out_chooses_nothing(page: User, console: Console) -> None:
    await opens(page)
    await console.sessions.end_all(console.admin, "")
    await enters(page, "add authkey")
    await eventually(lambda: "You are signed out" in " ".join(told(page)))
    await page.should_not_see(marker="add-ip")


async def test_saved_views_are_offered_in_every_view_also_those_that_others_share(page: User, console: Console) -> None:
    lee = await an_admin("lee")
    await save_view(console.admin, Subject.AUTHKEY, "Mine of billing", View(search="billing"), is_shared=False)
    await save_view(lee, Subject.AUTHKEY, "Lee's mails", View(search="mail"), is_shared=True)
    await save_view(lee, Subject.AUTHKEY, "Lee's own", View(search="portal"), is_shared=False)
    await page.open("/history")
    offered = await opens(page)
    assert offered[-2:] == ["Lee's mails", "Mine of billing"]
    await finds(page, "saved lee", "Lee's mails")
    await enters(page, "saved lee")
    await says(page, "count", "1 of 3 keys")


async def test_of_very_many_saved_views_the_first_are_listed_and_all_are_found(page: User, console: Console) -> None:
    for number in range(MAX_SHOWN):
        view = View(search=f"rack{number}")
        await save_view(console.admin, Subject.AUTHKEY, f"Rack {number}", view, is_shared=False)
    assert len(await opens(page)) == MAX_SHOWN
    last = f"Rack {MAX_SHOWN - 1}"
    await finds(page, last, last)
