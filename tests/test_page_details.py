"""The details of a row in the side panel, without a browser: what they tell, to whom, and how they follow what happens."""

from datetime import UTC, datetime, timedelta

import pytest
from nicegui import ui
from nicegui.testing import User

from models.access_checks import Reason
from models.accounts import AdminIdentity, Role
from models.denials import denial
from models.manage2_functions import Requirement
from models.submissions import CellChange, Removal, Restoration
from models.tables import Admin, Authkey
from models.wording import day_name
from services.console import Console
from services.keymaking import issue_new_key
from storage.database import DatabaseLocation
from tests.elsewhere import start_over
from tests.page import ADD, BILLING, KEYS, PORTAL, SEARCH, claims, id_of, is_told, opens_menu, says, sign_in, text
from tests.panel import is_shown, line, only, panel, tells, texts
from tests.support import add_key, an_admin, submit
from tests.waiting import comes_true
from ui.shell.routes import register_pages


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


async def opens_details(user: User) -> None:
    """From the menu of the first key's row."""
    await opens_menu(user, BILLING)
    await user.should_see(marker="row-details")
    user.find(marker="row-details").click()
    await tells(user, "Details", BILLING.ip, BILLING.service)


# -- what they tell ------------------------------------------------------------------------------------------------------


async def test_they_say_how_a_key_is_called_who_changed_it_and_what_it_was_used_for(
    page: User, console: Console
) -> None:
    for _ in range(2):
        console.uses.note_use(await id_of(BILLING), SEARCH)
    await console.uses.write()
    await opens_details(page)
    await tells(page, "No key issued yet", f"Added by {console.admin.name} just now")
    assert line(page, SEARCH.label).startswith(f"{SEARCH.label} granted 2× just now")
    assert line(page, ADD.label).startswith(f"{ADD.label} granted never used")
    assert "not granted" in line(page, "Expire a License")
    assert text(page, "details-uses") == f"2 uses in the last 30 days, most on {day_name(datetime.now(UTC).date())}: 2."


async def test_the_line_for_a_shell_asks_this_server_for_something_that_is_granted_and_holds_no_key(
    page: User, console: Console
) -> None:
    row = (await console.authkeys.find([await id_of(BILLING)])).popitem()[1]
    secret = await issue_new_key(console.submissions, console.admin, row)
    await opens_details(page)
    await tells(page, f"Key ends in {secret.hint}", f"New key issued by {console.admin.name}")
    command = "".join(texts(page).values())
    assert 'curl -i -H "X-Api-Key: $AUTHKEY" http://test/authorize/addlicense' in command
    assert secret.text not in command


async def test_a_denied_request_with_this_key_is_told_as_soon_as_it_is_written(page: User, console: Console) -> None:
    await opens_details(page)
    await tells(page, "No request with this key was denied lately.")
    mine, other = await id_of(BILLING), await id_of(PORTAL)
    for number, what in ((mine, "explisc"), (mine, "explisc"), (other, "modlisc")):
        console.uses.note_denial(denial(Reason.PRIVILEGE_MISSING, BILLING.ip, number, BILLING.service, what))
    await console.uses.write()
    await console.uses.refresh()
    await tells(page, "2 requests denied · the last just now · Privilege missing: Expire a License")
    (link,) = page.find(content="2 requests denied", kind=ui.link).elements
    assert link.props["href"] == f"/denied?search={BILLING.ip}"


async def test_calls_that_need_no_privilege_are_told_apart(page: User, console: Console) -> None:
    console.uses.note_use(await id_of(BILLING), Requirement.ANY_KEY)
    await console.uses.write()
    await opens_details(page)
    await tells(page, "Calls that need no privilege: 1, the last just now")


# -- the address ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["192.0.2.7,billing", "::ffff:192.0.2.7,billing", "192.0.2.7,%20billing%20", "id"])
async def test_an_address_names_a_key_by_its_number_or_by_ip_and_service_however_spelled(
    page: User, named: str
) -> None:
    await page.open(f"/?key={await id_of(BILLING) if named == 'id' else named}")
    await tells(page, "Details", BILLING.ip, BILLING.service)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("192.0.2.7,mail", "There is no key 192.0.2.7 (mail), and none is on record as removed."),
        ("4711", "There is no such key, and nothing is on record of it."),
        ("billing", "names no key; write IP and service"),
        ("²", "names no key; write IP and service"),
        ("192.0.2.777,billing", "is not an IP address"),
        ("192.0.2.7,", "A service name is needed"),
        ("192.0.2.7,a%00b", "control character"),
        ("9" * 400, "names no key; write IP and service"),
    ],
)
async def test_an_address_that_names_no_key_says_so_and_shows_the_grid(page: User, named: str, said: str) -> None:
    await page.open(f"/?key={named}")
    await is_told(page, said)
    await says(page, "count", "3 keys")
    assert panel(page) == ""


async def test_the_address_of_a_removed_key_says_who_removed_it(page: User, console: Console) -> None:
    row = await Authkey.get(ip=BILLING.ip)
    await submit(console, Removal(row.id, row.revision), admin=await an_admin("dana"))
    await page.open("/?key=192.0.2.7,billing")
    await tells(page, "192.0.2.7", "billing", "Removed: it authorises nothing any more.", "Removed by dana just now")
    assert "Mark for removal" not in panel(page)
    assert "Issue new key" not in panel(page)
    await console.submissions.purge_removed(datetime.now(UTC) + timedelta(days=60))
    await page.open("/?key=192.0.2.7,billing")
    await tells(page, "Removed by dana")


async def test_back_and_forward_show_what_the_address_says_and_forged_ones_are_refused(page: User) -> None:
    claims(page, "address", {"query": "?key=192.0.2.7,billing&search=x"})
    await tells(page, "Details", "billing")
    claims(page, "address", {"query": f"?history={await id_of(BILLING)}.search"})
    await tells(page, "History", "Search for a License")
    claims(page, "address", {"query": "?review=1"})
    assert await comes_true(lambda: is_shown(only(page, "review-panel")))
    assert panel(page) == ""
    claims(page, "address", {"query": "?key=192.0.2.7,billing"})
    await tells(page, "Details")
    assert not is_shown(only(page, "review-panel"))
    claims(page, "address", {"query": ""})
    assert await comes_true(lambda: panel(page) == "")
    for forged in (None, {}, {"query": 7}, {"query": "x" * 20_000}, "?key=1"):
        claims(page, "address", forged)
    assert await comes_true(lambda: len(page.notify.messages) == 5)
    assert set(page.notify.messages) == {"That is no address of this page."}


async def test_the_table_as_it_was_has_no_details_only_history(page: User) -> None:
    await page.open("/?as_of=1&key=192.0.2.7,billing")
    await page.should_see("As it was after #1")
    assert panel(page) == ""
    claims(page, "open", {"id": await id_of(BILLING), "column": "ip"})
    await tells(page, "History", "Added with")


# -- beside the grid -----------------------------------------------------------------------------------------------------


async def test_a_key_pressed_on_the_name_shows_the_details_and_on_a_box_its_history(page: User) -> None:
    claims(page, "open", {"id": await id_of(BILLING), "column": "service"})
    await tells(page, "Details", "No key issued yet")
    claims(page, "open", {"id": await id_of(BILLING), "column": "search"})
    await tells(page, "History", "It stands until now.")
    page.find(content="Details", kind=ui.button).click()
    await tells(page, "No key issued yet")
    page.find(marker="details-history").click()
    await tells(page, "History", "It stands until now.")


async def test_the_panel_shows_the_review_or_a_row_and_never_both(page: User, console: Console) -> None:
    await opens_details(page)
    claims(page, "shortcut", {"name": "review"})
    assert await comes_true(lambda: is_shown(only(page, "review-panel")))
    assert panel(page) == ""
    await opens_details(page)
    assert not is_shown(only(page, "review-panel"))
    claims(page, "shortcut", {"name": "close"})
    assert await comes_true(lambda: panel(page) == "")


async def test_a_removal_is_marked_and_taken_back_from_there(page: User, console: Console) -> None:
    await opens_details(page)
    page.find(marker="details-remove").click()
    await tells(page, "× removal staged", "Take back the removal")
    assert (await console.staging.of(console.admin.id))[await id_of(BILLING)].removal
    page.find(marker="details-remove").click()
    await tells(page, "Mark for removal")
    assert "removal staged" not in panel(page)
    assert not len(await console.staging.of(console.admin.id))


async def test_a_new_key_is_asked_for_made_and_told_of(page: User, console: Console) -> None:
    await opens_details(page)
    page.find(marker="details-issue").click()
    await page.should_see("This authkey has no key yet.")
    page.find(marker="issue-confirm").click()
    await page.should_see(marker="secret")
    secret = text(page, "secret")
    await tells(page, f"Key ends in {secret[-4:]}", f"New key issued by {console.admin.name}")
    assert secret not in panel(page)


# -- live ----------------------------------------------------------------------------------------------------------------


async def test_what_is_staged_and_committed_shows_at_once_and_touches_nothing_else(
    page: User, console: Console
) -> None:
    await opens_details(page)
    before = texts(page)
    number = await id_of(BILLING)
    await console.staging.stage(console.admin.id, number, SEARCH, False)
    await tells(page, "− staged")
    assert "− staged" in line(page, SEARCH.label)
    changed = {before.get(id_) for id_ in before.keys() - texts(page).keys()}
    assert changed <= {"✓", SEARCH.label, "granted", "never used"}
    await submit(console, CellChange(number, 0, SEARCH.mask), admin=await an_admin("dana"))
    await tells(page, "Privileges changed by dana just now")
    assert "not granted" in line(page, SEARCH.label)
    assert "staged" not in panel(page)
    kept = before.keys() & texts(page).keys()
    assert {BILLING.ip, BILLING.service, ADD.label} <= {before[id_] for id_ in kept}


async def test_what_happens_to_another_row_changes_nothing(page: User, console: Console) -> None:
    await opens_details(page)
    before = texts(page)
    await submit(console, CellChange(await id_of(PORTAL), SEARCH.mask, 0), admin=await an_admin("dana"))
    assert await comes_true(lambda: "dana applied 1 change" in text(page, "announced"))
    assert texts(page) == before


async def test_a_removal_by_somebody_else_is_said_and_so_is_that_it_came_back(page: User, console: Console) -> None:
    await opens_details(page)
    row, dana = await Authkey.get(ip=BILLING.ip), await an_admin("dana")
    await submit(console, Removal(row.id, row.revision), admin=dana)
    await tells(page, "Removed: it authorises nothing any more.", "Removed by dana just now")
    assert SEARCH.label not in panel(page)
    assert "Mark for removal" not in panel(page)
    await submit(console, Restoration(row.id), admin=dana)
    await tells(page, "Restored after its removal by dana", SEARCH.label, "Mark for removal")


async def test_the_panel_says_nothing_more_once_it_is_closed(page: User, console: Console) -> None:
    await opens_details(page)
    claims(page, "shortcut", {"name": "close"})
    assert await comes_true(lambda: panel(page) == "")
    await submit(console, CellChange(await id_of(BILLING), 0, SEARCH.mask), admin=await an_admin("dana"))
    assert await comes_true(lambda: "dana applied 1 change" in text(page, "announced"))
    assert panel(page) == ""


# -- who may only look ---------------------------------------------------------------------------------------------------


async def test_an_auditor_sees_all_of_it_and_no_way_to_change_anything(user: User, console: Console) -> None:
    await start_over(console, KEYS)
    register_pages(console)
    row = await Admin.create(name="olga", role=Role.AUDITOR.value)
    await sign_in(user, console, AdminIdentity(row.id, row.name, Role.AUDITOR))
    await user.open("/?key=192.0.2.7,billing")
    await tells(user, "Details", "No key issued yet", SEARCH.label, "History")
    assert "Mark for removal" not in panel(user)
    assert "Issue new key" not in panel(user)
    await user.open("/?review=1")
    await says(user, "count", "3 keys")
    assert not is_shown(only(user, "review-panel"))


async def test_after_the_session_ended_nothing_more_is_opened(page: User, console: Console) -> None:
    await console.sessions.end_all(console.admin, "127.0.0.1")
    claims(page, "open", {"id": await id_of(BILLING), "column": "ip"})
    await is_told(page, "You are signed out, so nothing was changed.")
    assert panel(page) == ""


# -- from elsewhere ------------------------------------------------------------------------------------------------------


async def test_the_history_leads_to_the_details_of_a_key(page: User, console: Console) -> None:
    row = await add_key(console, SEARCH.mask)
    (entry,) = await console.history.newest(1)
    await page.open(f"/history?entry={entry.number}")
    await tells(page, "Its history")
    (link,) = page.find(content="Details", kind=ui.link).elements
    assert link.props["href"] == f"/?key={row.ip},{row.service}"
