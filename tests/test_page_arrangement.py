"""Columns and saved views on the page, without a browser: what the menus do, and what a browser may claim of either."""

import uuid
from typing import Any

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from models.accounts import AdminIdentity, Role
from models.arrangements import Arrangement, Density
from models.privileges import PRIVILEGES
from models.staged_rows import Wanted
from models.subjects import Subject
from models.views import View
from services.arrangements import arrangement_of, keep_arrangement
from services.console import Console
from services.saved_views import delete_view, save_view, views_seen_by
from storage.database import DatabaseLocation
from tests.elsewhere import start_over
from tests.page import BILLING, KEYS, claims, id_of, is_told, says, selection, sign_in, text, ticks
from tests.support import an_admin
from tests.waiting import comes_true, eventually
from ui.authkeys.columns import AUTHKEYS_GRID

NATURAL = AUTHKEYS_GRID.natural
IDS = [each.id for each in NATURAL.columns]


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


def layout(*ids: str, **widths: Any) -> dict[str, Any]:
    """What the page's own script says when a heading was moved or sized."""
    return {"columns": [{"id": id_, "width": widths.get(id_)} for id_ in ids]}


async def remembers(console: Console, arrangement: Arrangement) -> None:
    """Wait until the server remembers exactly this for the local admin."""

    async def holds() -> bool:
        return await arrangement_of(console.admin, Subject.AUTHKEY, NATURAL) == arrangement

    await eventually(holds)


def opens(user: User, marker: str) -> None:
    user.find(marker=marker).click()


# -- columns -------------------------------------------------------------------------------------------------------------


async def test_hiding_moving_and_density_are_remembered_and_reset_forgets_them(page: User, console: Console) -> None:
    opens(page, "columns")
    await page.should_see("IP stays at the left.")
    page.find(marker="column: Expire a License").click()
    hidden = NATURAL.with_shown("explisc", False)
    await remembers(console, hidden)
    page.find(marker="left: Search for a License").click()
    moved = hidden.moved("search", -1)
    await remembers(console, moved)
    await says(page, "announced", "Search for a License is column 9 of 10")
    page.find(marker="density").elements.pop().set_value("compact")  # type: ignore[attr-defined]
    await remembers(console, moved._replace(density=Density.COMPACT))
    opens(page, "columns-reset")
    await remembers(console, NATURAL)


async def test_what_was_done_to_a_heading_is_remembered_and_the_hidden_ones_stay_hidden(
    page: User, console: Console
) -> None:
    opens(page, "columns")
    page.find(marker="column: Expire a License").click()
    await remembers(console, NATURAL.with_shown("explisc", False))
    claims(page, "arranged", layout("ip", *reversed(IDS[1:]), service=300))
    kept = Arrangement((NATURAL.columns[0], *reversed(NATURAL.columns[1:])))
    widened = tuple(each._replace(width=300) if each.id == "service" else each for each in kept.columns)
    await remembers(console, Arrangement(widened).with_shown("explisc", False))


async def test_the_next_page_begins_as_the_last_one_was(page: User, console: Console) -> None:
    arranged = NATURAL.moved("search", -20).with_shown("explisc", False)._replace(density=Density.COMPACT)
    await keep_arrangement(console.admin, Subject.AUTHKEY, arranged)
    await page.open("/")
    (grid,) = page.find(marker="grid").elements
    assert isinstance(grid, ui.aggrid)
    columns = grid.options["columnDefs"]
    assert [each["colId"] for each in columns][:3] == ["ip", "search", "service"]
    assert [each["colId"] for each in columns][-2:] == ["remove", "menu"]
    assert {each["colId"] for each in columns if each.get("hide")} == {"explisc", "card"}
    assert grid.options[":rowHeight"].startswith(f"authkeys.rowHeight({AUTHKEYS_GRID.compact_height}, ")
    await page.open("/passphrases")  # which is arranged by itself
    (grid,) = page.find(marker="grid").elements
    assert isinstance(grid, ui.aggrid)
    assert {each["colId"] for each in grid.options["columnDefs"] if each.get("hide")} == {"card"}


@pytest.mark.parametrize(
    "forged",
    [
        None, "x", {}, {"columns": [1] * len(IDS)}, {"columns": list(range(100_000))},
        layout(*IDS[:-1]), layout(*IDS, "remove"), layout(*IDS[:-1], "service"), layout(*IDS[:-1], "drop"),
        layout(*reversed(IDS)), layout(*IDS, service=39), layout(*IDS, service=801), layout(*IDS, service="300"),
        layout(*IDS, ip=True), layout(*IDS, ip=1e308),
    ],
)  # fmt: skip
async def test_a_forged_arrangement_is_refused_and_nothing_is_remembered(
    page: User, console: Console, forged: object
) -> None:
    claims(page, "arranged", forged)
    await is_told(page, "The columns cannot be arranged like that.")
    assert await arrangement_of(console.admin, Subject.AUTHKEY, NATURAL) == NATURAL


async def test_a_forged_width_of_the_window_is_refused(page: User, console: Console) -> None:
    for claim in (None, "x", {}, {"narrow": 1}):
        claims(page, "narrow", claim)
    assert await comes_true(lambda: len(page.notify.messages) == 4)
    assert set(page.notify.messages) == {"That is nothing that this page sends."}
    assert await arrangement_of(console.admin, Subject.AUTHKEY, NATURAL) == NATURAL


async def test_whose_session_is_over_arranges_nothing(page: User, console: Console) -> None:
    await console.sessions.end_all(console.admin, "127.0.0.1")
    claims(page, "arranged", layout("ip", *reversed(IDS[1:])))
    await is_told(page, "You are signed out")
    assert await arrangement_of(console.admin, Subject.AUTHKEY, NATURAL) == NATURAL


async def test_what_is_staged_in_a_hidden_column_is_not_in_view_until_show_brings_it(
    page: User, console: Console
) -> None:
    await keep_arrangement(console.admin, Subject.AUTHKEY, NATURAL.with_shown("search", False))
    await page.open("/")
    await ticks(page, 1, BILLING, "search", False)
    await ticks(page, 2, BILLING, "modlisc", True)
    await says(page, "staged-count", "2 changes to 1 key")
    await says(page, "staged-hidden", "· 1 not in view")
    claims(page, "narrow", {"narrow": True})  # a phone's cards show all of it
    await says(page, "staged-hidden", "")
    claims(page, "narrow", {"narrow": False})
    await says(page, "staged-hidden", "· 1 not in view")
    page.find(marker="search").type("2001:")
    await says(page, "staged-hidden", "· 2 not in view")
    opens(page, "show-hidden")
    await says(page, "staged-hidden", "")
    await says(page, "count", "1 of 3 keys")
    await remembers(console, NATURAL)
    with page:
        assert [each.value for each in ElementFilter(kind=ui.input, marker="search", local_scope=False)] == [""]


async def test_show_opens_the_review_for_what_no_row_shows(page: User, console: Console) -> None:
    row_id = await id_of(BILLING)
    await console.staging.stage_removal(console.admin.id, row_id)
    await console.staging.submit(console.admin, uuid.uuid4())
    await console.staging.stage_wanted(console.admin.id, Wanted(restored=[row_id]))
    await says(page, "staged-hidden", "· 1 not in view")
    opens(page, "show-hidden")
    await page.should_see(marker="review-totals")
    await page.should_see("1 restoration")


# -- a selection of whole rows -------------------------------------------------------------------------------------------


async def test_whole_rows_still_ask_which_privilege_is_meant_and_offer_the_shown_ones(
    page: User, console: Console
) -> None:
    await keep_arrangement(
        console.admin, Subject.AUTHKEY, NATURAL.with_shown("search", False).with_shown("modlisc", False)
    )
    await page.open("/")
    shown = [each for each in IDS if each not in ("search", "modlisc")]
    claims(page, "selected", selection(0, 0, *shown, "remove", ids=(await id_of(BILLING),) * 2))
    await page.should_see("1 row, 10 columns selected")
    opens(page, "selection-grant")
    await page.should_see(marker="choice-addlicense")
    await page.should_not_see(marker="choice-search")
    page.find(marker="choice-secverify").click()
    await says(page, "staged-count", "1 change to 1 key")


async def test_where_every_privilege_is_hidden_whole_rows_offer_all_of_them(page: User, console: Console) -> None:
    hidden = NATURAL
    for each in PRIVILEGES:
        hidden = hidden.with_shown(each.id, False)
    await keep_arrangement(console.admin, Subject.AUTHKEY, hidden)
    await page.open("/")
    claims(page, "selected", selection(0, 0, "ip", "service", "remove", ids=(await id_of(BILLING),) * 2))
    await page.should_see("1 row, 3 columns selected")
    opens(page, "selection-grant")
    await page.should_see(marker="choice-search")
    page.find(marker="choice-secverify").click()
    await says(page, "staged-count", "1 change to 1 key")


async def test_space_on_whole_rows_ticks_what_is_shown_and_no_hidden_box(page: User, console: Console) -> None:
    shown = [each for each in IDS if each != "modlisc"]
    claims(page, "selected", selection(0, 0, *shown, ids=(await id_of(BILLING),) * 2))
    claims(page, "act", {"act": "toggle"})
    await says(page, "staged-count", "6 changes to 1 key")
    staged = (await console.staging.of(console.admin.id))[await id_of(BILLING)]
    assert staged.grants.bit_count() == len(PRIVILEGES) - 3


# -- saved views ---------------------------------------------------------------------------------------------------------


async def test_a_view_is_saved_opened_renamed_replaced_and_deleted(page: User, console: Console) -> None:
    await page.open("/?search=billing&sort=-service")
    opens(page, "views")
    await page.should_see("Search, filter and sort the rows")
    opens(page, "view-save")
    assert text(page, "view-shows") == "Shows “billing”, by service, descending."
    page.find(marker="view-name").type("  Billing ")
    opens(page, "view-submit")
    await is_told(page, "Saved as “Billing”")
    opens(page, "views")
    await page.should_see(marker="view: Billing")
    (link,) = page.find(marker="view: Billing").elements
    assert link.props["href"] == "/?search=billing&sort=-service"
    assert link.props["aria-current"] == "true"

    await page.open("/?has=search")
    opens(page, "views")
    await page.should_see(marker="view: Billing")
    opens(page, "edit-view: Billing")
    page.find(marker="view-name").clear().type("Search")
    page.find(marker="view-replace").click()
    opens(page, "view-submit")
    await is_told(page, "“Search” is changed")
    (kept,) = await views_seen_by(console.admin, Subject.AUTHKEY)
    assert (kept.name, kept.query, kept.is_shared) == ("Search", "has=search", False)

    await page.open("/?has=search")
    opens(page, "views")
    await page.should_see(marker="view: Search")
    opens(page, "edit-view: Search")
    await page.should_not_see(marker="view-replace")
    opens(page, "view-delete")
    await is_told(page, "“Search” is deleted")
    assert not await views_seen_by(console.admin, Subject.AUTHKEY)


async def test_what_is_wrong_with_a_name_is_said_in_the_dialog_and_nothing_is_lost(
    page: User, console: Console
) -> None:
    await save_view(console.admin, Subject.AUTHKEY, "Mine", View(), is_shared=False)
    opens(page, "views")
    await page.should_see(marker="view: Mine")
    opens(page, "view-save")
    for name, problem in (
        ("", "Give the view a name."),
        ("MINE", "There is already a view 'Mine'."),
        ("x" * 61, "has 61 characters; at most 60 are allowed"),
        ("a\u200bb", "invisible character"),
    ):
        page.find(marker="view-name").clear().type(name)
        opens(page, "view-submit")
        await page.should_see(problem)
    assert len(await views_seen_by(console.admin, Subject.AUTHKEY)) == 1


async def test_what_others_share_is_a_link_with_their_name_and_cannot_be_changed(page: User, console: Console) -> None:
    lee = await an_admin("lee")
    await save_view(lee, Subject.AUTHKEY, "Office", View(search="192.0.2."), is_shared=True)
    await save_view(lee, Subject.AUTHKEY, "My own", View(), is_shared=False)
    opens(page, "views")
    await page.should_see("Shared by others")
    await page.should_see("lee")
    await page.should_not_see("My own")
    await page.should_not_see(marker="edit-view: Office")
    (link,) = page.find(marker="view: Office").elements
    await page.open(link.props["href"])
    await says(page, "count", "2 of 3 keys")


async def test_an_old_view_says_what_of_it_cannot_be_any_more_and_opens_without_it(
    page: User, console: Console
) -> None:
    class Old(View):
        def to_query(self) -> str:
            return "search=billing&has=flyhigh"

    await save_view(console.admin, Subject.AUTHKEY, "Old", Old(), is_shared=False)
    opens(page, "views")
    await page.should_see("'has' in the address is left out: 'flyhigh' is not a privilege")
    (link,) = page.find(marker="view: Old").elements
    await page.open(link.props["href"])
    await says(page, "count", "1 of 3 keys")
    await is_told(page, "'flyhigh' is not a privilege")


async def test_a_view_that_went_meanwhile_is_said_to_be_gone(page: User, console: Console) -> None:
    await save_view(console.admin, Subject.AUTHKEY, "Mine", View(), is_shared=False)
    opens(page, "views")
    await page.should_see(marker="view: Mine")
    opens(page, "edit-view: Mine")
    await page.should_see(marker="view-name")
    (mine,) = await views_seen_by(console.admin, Subject.AUTHKEY)
    await delete_view(console.admin, mine.id)
    opens(page, "view-submit")
    await page.should_see("This view is not there any more.")


async def test_an_auditor_arranges_and_saves_for_herself_and_shares_nothing(console: Console, empty_page: User) -> None:
    await start_over(console, KEYS)
    ada = (await an_admin("ada"))._replace(role=Role.AUDITOR)
    await console.admins.set_role("ada", Role.AUDITOR, "alice")
    await sign_in(empty_page, console, AdminIdentity(*ada))
    await empty_page.open("/")
    claims(empty_page, "arranged", layout("ip", *reversed(IDS[1:])))

    async def is_remembered() -> bool:
        return (await arrangement_of(ada, Subject.AUTHKEY, NATURAL)).columns[1].id == "search"

    await eventually(is_remembered)
    opens(empty_page, "views")
    await empty_page.should_see(marker="view-save")
    opens(empty_page, "view-save")
    await empty_page.should_not_see("Share with everybody")
    with empty_page:
        (box,) = ElementFilter(kind=ui.checkbox, marker="view-shared", local_scope=False)
    box.value = True  # as a forged event would have it
    empty_page.find(marker="view-name").type("mine")
    opens(empty_page, "view-submit")
    await empty_page.should_see("your views are your own, and cannot be shared")
    box.value = False
    opens(empty_page, "view-submit")
    await is_told(empty_page, "Saved as “mine”")
