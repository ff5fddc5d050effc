"""The page without a browser: what it says, and what it makes of whatever a browser claims."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from models.errors import DatabaseUnavailable
from models.privileges import PRIVILEGES, privilege
from models.staged_rows import StagedRow
from models.submissions import Assignment, Removal
from models.tables import Submission
from services.console import Console
from storage.database import DatabaseLocation
from tests.elsewhere import assign, key, start_over, stored
from tests.page import (
    ADD,
    BILLING,
    KEYS,
    MAIL,
    PORTAL,
    SEARCH,
    claims,
    id_of,
    is_told,
    says,
    selection,
    text,
    ticks,
)
from tests.support import an_admin, submit
from tests.waiting import eventually
from ui.authkeys.page import ASKED_BEYOND


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


# -- what it says ------------------------------------------------------------------------------------------------------


async def test_without_keys_it_says_so_in_the_seeds_words_and_how_the_first_one_comes_to_be(empty_page: User) -> None:
    await empty_page.open("/")
    assert text(empty_page, "count") == "0 keys"
    titles = [label.text for label in empty_page.find(kind=ui.label).elements if "empty-title" in label.classes]
    assert titles == ["There are no authorization keys"]
    for way in ("Add one", "Import a file", "Let servers register"):
        await empty_page.should_see(way)


@pytest.mark.parametrize(("keys", "words"), [(KEYS[:1], "1 key"), (KEYS, "3 keys")])
async def test_it_counts_the_keys(console: Console, empty_page: User, keys: tuple[Assignment, ...], words: str) -> None:
    await start_over(console, keys)
    await empty_page.open("/")
    assert text(empty_page, "count") == words
    await empty_page.should_not_see("There are no authorization keys")


async def test_keys_that_come_and_go_are_counted_at_once(page: User, console: Console) -> None:
    await assign(console, key("198.51.100.1", "new"))
    await says(page, "count", "4 keys")
    await start_over(console)
    await says(page, "count", "0 keys")
    await page.should_see("There are no authorization keys")


async def test_a_search_is_counted_and_one_without_a_match_says_something_else(page: User) -> None:
    page.find(marker="search").type("192.0.2.")
    await says(page, "count", "2 of 3 keys")
    page.find(marker="search").type("99")
    await says(page, "count", "0 of 3 keys")
    await page.should_see("No key matches this view")
    await page.should_not_see("There are no authorization keys")
    page.find("Show all keys").click()
    await says(page, "count", "3 keys")


async def test_what_is_staged_is_counted_in_changes_and_keys(page: User) -> None:
    assert text(page, "staged-count") == "No staged changes"
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    await ticks(page, 2, BILLING, "search", False)
    await says(page, "staged-count", "2 changes to 1 key")
    await ticks(page, 3, MAIL, "remove", True)
    await says(page, "staged-count", "3 changes to 2 keys")
    page.find(marker="search").type("2001:")
    await says(page, "staged-hidden", "· 2 not in view")


async def test_ticking_a_box_twice_leaves_nothing_staged(page: User) -> None:
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    await ticks(page, 2, BILLING, "modlisc", False)
    await says(page, "staged-count", "No staged changes")


async def test_after_a_submission_without_an_answer_the_next_one_is_not_taken_for_it(
    page: User, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = console.submissions.submit

    async def without_an_answer(*order: Any, **how: Any) -> None:
        await submit(*order, **how)
        raise DatabaseUnavailable("The database does not answer.")

    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    with monkeypatch.context() as lost:
        lost.setattr(console.submissions, "submit", without_an_answer)
        page.find(marker="submit").click()
        await is_told(page, "The database does not answer.")
    await says(page, "staged-count", "No staged changes")  # the change feed has heard of it
    await ticks(page, 2, PORTAL, "search", True)
    await says(page, "staged-count", "1 change to 1 key")
    page.find(marker="submit").click()
    await says(page, "staged-count", "Applied 1 change to 1 key")
    assert (await stored(console))[PORTAL.ip, PORTAL.service] == SEARCH.mask


async def test_two_clicks_on_submit_say_what_the_first_applied(page: User) -> None:
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    for _ in range(2):
        page.find(marker="submit").click()
    await says(page, "staged-count", "Applied 1 change to 1 key")
    claims(page, "shortcut", {"name": "undo"})  # waits for both
    await is_told(page, "There is no staging step to undo.")
    assert text(page, "staged-count") == "Applied 1 change to 1 key"


async def test_a_change_that_another_admin_made_first_is_told_as_in_force(page: User, console: Console) -> None:
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    await assign(console, key(BILLING.ip, BILLING.service, ADD, SEARCH, privilege("modlisc")))
    await is_told(page, "Already in force: 1 key no longer needs your change.")
    await says(page, "staged-count", "No staged changes")


async def test_what_another_admin_applied_is_announced_and_what_i_applied_is_not(page: User, console: Console) -> None:
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    page.find(marker="submit").click()
    await says(page, "staged-count", "Applied 1 change to 1 key")
    assert text(page, "announced") == ""
    dana = await an_admin("dana")
    for change, said in (
        (SEARCH.mask, "dana applied 1 change to 1 key."),
        (0, "dana applied 1 change to 1 key.\u00a0"),
    ):
        await submit(console, Assignment(PORTAL.ip, PORTAL.service, change), admin=dana)
        await says(page, "announced", said)


async def test_what_is_typed_and_opened_in_the_review_stays_while_others_submit(page: User, console: Console) -> None:
    keys = [key(f"192.0.2.{number}", "billing") for number in range(1, 11)]
    await start_over(console, keys)
    for sequence, each in enumerate(keys[:6], 1):
        await ticks(page, sequence, each, "remove", True)
    await says(page, "staged-count", "6 changes to 6 keys")
    page.find(marker="submit").click()
    await page.should_see("6 removals")
    page.find(marker="review-submit").click()
    assert len(await stored(console)) == 10, "without the number nothing happens"
    page.find(marker="review-typed").type("6")
    await assign(console, key("192.0.2.99", "new"))
    await says(page, "count", "11 keys")
    (typed,) = page.find(marker="review-typed").elements
    assert isinstance(typed, ui.input)
    assert typed.value == "6"
    page.find(marker="review-submit").click()
    await says(page, "staged-count", "Applied 6 changes to 6 keys")
    assert len(await stored(console)) == 5


# -- steps for many keys ---------------------------------------------------------------------------------------------------


async def corners(first: Assignment = BILLING, last: Assignment = MAIL) -> tuple[int, int]:
    return await id_of(first), await id_of(last)


async def test_a_selection_says_what_it_holds_and_is_granted_as_one_step(page: User, console: Console) -> None:
    claims(page, "selected", selection(0, 2, "search", "modlisc", ids=await corners()))
    await page.should_see("3 rows, 2 columns selected")
    await page.should_see("2 of 6 boxes granted")
    page.find(marker="selection-grant").click()
    await says(page, "staged-count", "4 changes to 3 keys")
    await is_told(page, "Staged: grants 4 of 6 boxes; 2 have it")
    await page.should_see("6 of 6 boxes granted")
    claims(page, "shortcut", {"name": "undo"})
    await says(page, "staged-count", "No staged changes")


async def test_whole_rows_are_asked_which_privilege_is_meant(page: User) -> None:
    columns = ("ip", "service", *(each.id for each in PRIVILEGES), "remove")
    claims(page, "selected", selection(0, 1, *columns, ids=await corners(last=PORTAL)))
    await page.should_see("2 rows, 12 columns selected")
    page.find(marker="selection-revoke").click()
    await page.should_see("Search for a License: revokes 1 of 2 boxes; 1 lack it")
    page.find(marker="choice-search").click()
    await says(page, "staged-count", "1 change to 1 key")
    page.find(marker="selection-remove").click()
    await says(page, "staged-count", "2 changes to 2 keys")
    await page.should_see("Keep")
    page.find(marker="selection-remove").click()
    await says(page, "staged-count", "No staged changes")


async def test_what_nobody_has_seen_at_a_corner_is_not_touched(page: User, console: Console) -> None:
    claims(page, "selected", selection(0, 2))
    await page.should_see("3 rows, 1 column selected")
    claims(page, "act", {"act": "remove"})
    await is_told(page, "Not all of the selection has come yet, so nothing was done.")
    assert not len(await console.staging.of(console.admin.id))


async def test_nothing_is_staged_from_the_table_as_it_was(page: User, console: Console) -> None:
    newest = (await console.history.newest(1))[0].number
    await page.open(f"/?as_of={newest}")
    claims(page, "selected", selection(0, 2))
    await page.should_see("3 rows, 1 column selected")
    claims(page, "act", {"act": "grant"})
    await is_told(page, "The table as it was cannot be changed.")
    assert not len(await console.staging.of(console.admin.id))


async def test_the_menu_of_a_heading_grants_its_privilege_to_all_keys_of_the_view(page: User) -> None:
    page.find(marker="search").type("192.0.2.0/24")
    await says(page, "count", "2 of 3 keys")
    claims(page, "heading", {"column": "search"})
    await page.should_see("Grant all: grants 1 of 2 boxes; 1 have it")
    page.find(marker="column-grant").click()
    await says(page, "staged-count", "1 change to 1 key")


async def test_what_is_done_to_nothing_is_said(page: User) -> None:
    page.find(marker="search").type("203.0.113.1")
    await says(page, "count", "0 of 3 keys")
    claims(page, "heading", {"column": "search"})
    await page.should_see("Grant all: grants 0 of 0 boxes")
    page.find(marker="column-grant").click()
    await is_told(page, "No box is selected, so nothing was staged")
    claims(page, "selected", selection(0, 0, whole=True))
    claims(page, "act", {"act": "remove"})
    await is_told(page, "No row is selected, so nothing was staged")


async def test_a_selection_keeps_its_rows_and_does_nothing_if_one_at_its_corners_is_gone(
    page: User, console: Console
) -> None:
    first, last = await id_of(BILLING), await id_of(PORTAL)
    claims(page, "selected", selection(0, 1, ids=(first, last)))
    await page.should_see("2 rows, 1 column selected")
    await assign(console, key("192.0.2.1", "billing"))
    claims(page, "act", {"act": "grant"})
    await says(page, "staged-count", "1 change to 1 key")
    assert dict((await console.staging.of(console.admin.id)).entries) == {last: StagedRow(grants=SEARCH.mask)}
    await submit(console, Removal(last, 10**6))
    claims(page, "act", {"act": "revoke"})
    await is_told(page, "The rows moved under the selection, so nothing was done.")


async def test_unused_is_not_claimed_for_days_in_which_uses_were_not_counted(
    console: Console, empty_page: User
) -> None:
    await start_over(console, KEYS)
    await empty_page.open("/?unused=30")
    await empty_page.should_see("Uses are not counted for that long yet")
    await empty_page.should_see("What was not used for 30 days can be told 30 days after that.")
    await empty_page.should_not_see("No key matches this view")


async def test_revoking_very_many_unused_privileges_is_asked_first(console: Console, empty_page: User) -> None:
    await start_over(console, [key(f"10.0.0.{n}", "billing", ADD) for n in range(ASKED_BEYOND + 1)])
    long_ago = datetime.now(UTC) - timedelta(days=100)
    console.uses.since = long_ago
    await Submission.all().update(at=long_ago)
    await empty_page.open("/?unused=30")
    await says(empty_page, "count", f"{ASKED_BEYOND + 1} of {ASKED_BEYOND + 1} keys")
    empty_page.find(marker="revoke-unused").click()
    await empty_page.should_see(f"This stages {ASKED_BEYOND + 1} changes to {ASKED_BEYOND + 1} keys in one step.")
    assert len(await console.staging.of(console.admin.id)) == 0
    empty_page.find(marker="revoke-unused-confirm").click()
    await says(empty_page, "staged-count", f"{ASKED_BEYOND + 1} changes to {ASKED_BEYOND + 1} keys")


# -- order: what a person does right after a tick comes after it ---------------------------------------------------------


async def test_submitting_right_after_a_tick_submits_that_tick_too(page: User, console: Console) -> None:
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    await ticks(page, 2, PORTAL, "search", True)
    page.find(marker="submit").click()
    await says(page, "staged-count", "Applied 2 changes to 2 keys")
    assert (await stored(console))[PORTAL.ip, PORTAL.service] == SEARCH.mask


async def test_undoing_right_after_a_tick_undoes_that_tick(page: User, console: Console) -> None:
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    await ticks(page, 2, PORTAL, "search", True)
    claims(page, "shortcut", {"name": "undo"})
    await eventually(lambda: to_redo(console))
    assert list(await console.staging.of(console.admin.id)) == [await id_of(BILLING)]
    await says(page, "staged-count", "1 change to 1 key")


async def to_redo(console: Console) -> bool:
    return (await console.staging.of(console.admin.id)).to_redo is not None


# -- the address bar -------------------------------------------------------------------------------------------------------


async def test_a_bad_bookmark_shows_all_keys_and_says_why(console: Console, empty_page: User) -> None:
    await start_over(console, KEYS)
    for query, problem in (
        ("has=drop", "'drop' is not a privilege"),
        ("lacks=addlicense,x", "'x' is not a privilege"),
        ("sort=secret_digest", "'secret_digest' is not a column to sort by"),
        ("sort=--ip", "'-ip' is not a column to sort by"),
        (f"search={'x' * 2001}", "The search has 2001 characters"),
        ("search=%00", "The search holds a character that no row can have"),
    ):
        await empty_page.open(f"/?{query}")
        assert text(empty_page, "count") == "3 keys"
        assert problem in empty_page.notify.messages[-1]
        assert "in the address is left out" in empty_page.notify.messages[-1]
    await empty_page.open("/?has=drop&search=192.0.2.0/24&sort=service")
    assert text(empty_page, "count") == "2 of 3 keys"


async def test_a_bookmark_opens_its_view(console: Console, empty_page: User) -> None:
    await start_over(console, KEYS)
    await empty_page.open("/?search=192.0.2.0/24&lacks=addlicense")
    assert text(empty_page, "count") == "1 of 3 keys"


def test_the_nine_privileges_are_the_columns_of_the_page(page: User) -> None:
    (grid,) = page.find(kind=ui.aggrid).elements
    headings = [column["headerName"] for column in grid.options["columnDefs"] if not column.get("hide")]
    assert headings == ["IP", "Service", *(each.label for each in PRIVILEGES), "Remove?", ""]
