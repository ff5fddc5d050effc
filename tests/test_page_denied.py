"""The view of denied requests, without a browser: why, how often, when, and the remedy."""

from datetime import UTC, datetime, timedelta

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from models.access_checks import Reason
from models.accounts import AdminIdentity, Role
from models.authkeys import Authkey
from models.denials import denial
from models.manage2_functions import Requirement
from models.privileges import privilege
from models.secrets import Secret
from models.submissions import CellChange
from models.tables import Admin
from services.authorizer import Question
from services.console import Console
from storage.database import DatabaseLocation
from tests.denied import IP, SEARCH, asks, looks, may_add_only
from tests.page import claims, is_told, says, sign_in, undoes
from tests.support import submit
from tests.waiting import comes_true
from ui.shell.routes import register_pages


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


@pytest.fixture
async def authkey(console: Console) -> tuple[Authkey, Secret]:
    """An authkey that may add licenses, and nothing else."""
    return await may_add_only(console)


@pytest.fixture
async def page(console: Console, user: User) -> User:
    """The local admin, who looks at the denied requests."""
    return await looks(user, console, console.admin)


def rows(user: User) -> list[ui.element]:
    with user:
        bodies = list(ElementFilter(kind=ui.element, local_scope=False))
    return [each for each in bodies if each.tag == "tr" and each.parent_slot and each.parent_slot.parent.tag == "tbody"]


async def test_a_refusal_appears_with_its_reason_and_the_missing_grant_is_staged_with_one_click(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    key, secret = authkey
    await asks(console, secret.text)
    await page.should_see("The authkey does not have this privilege.")
    page.find("Stage this grant").click()
    await is_told(page, f"Staged: {SEARCH.label} for {IP} (billing)")
    assert (await console.staging.of(console.admin.id))[key.id].grants == SEARCH.mask
    await page.should_not_see("Stage this grant")

    await undoes(page, f"Staged: {SEARCH.label} for {IP} (billing)")
    await page.should_see("Stage this grant")
    assert not len(await console.staging.of(console.admin.id))


async def test_what_is_staged_already_is_said_and_its_undo_takes_back_nothing_else(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    key, secret = authkey
    await asks(console, secret.text)
    await page.should_see("Stage this grant")
    await console.staging.stage(console.admin.id, key.id, SEARCH, True)
    await console.staging.stage(console.admin.id, key.id, privilege("modlisc"), True)
    page.find("Stage this grant").click()
    await is_told(page, f"Staged already: {SEARCH.label} for {IP} (billing)")
    assert "Staged already" in page.notify.messages[-1], "without an offer to undo what was done elsewhere"
    assert (await console.staging.of(console.admin.id))[key.id].grants == SEARCH.mask | privilege("modlisc").mask


async def test_more_of_the_same_is_counted_in_the_same_row_and_the_newest_is_on_top(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    _, secret = authkey
    await asks(console, secret.text)
    await page.should_see("The authkey does not have this privilege.")
    (first,) = rows(page)
    await asks(console, "unknown")
    await page.should_see("No authkey has the key that it brought.")
    assert await comes_true(lambda: rows(page)[1:] == [first])
    await asks(console, secret.text)
    assert await comes_true(lambda: rows(page)[:1] == [first])


async def test_a_stolen_key_is_told_apart_here_and_offers_no_grant(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    _, secret = authkey
    await asks(console, secret.text, ip="192.0.2.51")
    await page.should_see("The key is right, but it belongs to another IP address.")
    await page.should_not_see("Stage this grant")


async def test_an_auditor_sees_refusals_and_is_offered_no_remedy(
    user: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    row = await Admin.create(name="ada", role=Role.AUDITOR)
    page = await looks(user, console, AdminIdentity(row.id, "ada", Role.AUDITOR))
    await asks(console, authkey[1].text)
    await page.should_see("The authkey does not have this privilege.")
    await page.should_not_see("Stage this grant")


async def test_a_key_that_is_known_is_named_also_when_it_asks_for_an_unknown_function(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    await console.authorizer.deny_unknown(
        Question(authkey[1].text, IP, Requirement.ANY_KEY, "XMLnothing"), Reason.UNKNOWN_WHAT
    )
    await console.uses.write()
    await console.uses.refresh()
    await page.should_see("Neither a privilege nor a function that Authkeys knows was asked for.")
    await page.should_see("billing")
    await page.should_not_see("Unknown key")


async def test_the_remedy_is_offered_once_and_says_what_is_so(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    key, secret = authkey
    await asks(console, secret.text)
    await page.should_see("Stage this grant")
    await submit(console, CellChange(key.id, SEARCH.mask, 0))
    page.find("Stage this grant").click()
    await is_told(page, f"{IP} (billing) has {SEARCH.label} by now: nothing to stage.")
    await page.should_see("Has it now")
    await page.should_not_see("Stage this grant")
    assert not len(await console.staging.of(console.admin.id))


async def test_the_address_that_the_view_had_before_leads_to_it(page: User) -> None:
    answer = await page.http_client.get("/refusals", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "/denied")


# -- search, filters, and the address ------------------------------------------------------------------------------------


async def three_denied(console: Console, secret: Secret) -> None:
    """One of a known key, one of a stolen one, and one of an unknown one from elsewhere."""
    await asks(console, secret.text)
    await asks(console, secret.text, ip="192.0.2.51")
    await asks(console, "unknown", ip="2001:db8::7")


async def shows(user: User, *ips: str) -> None:
    """Wait until the list has just these addresses, the newest first."""

    def shown() -> list[str]:
        return [
            label.text
            for row in rows(user)
            for cell in row.default_slot.children
            if "address" in cell.classes
            for label in cell.default_slot.children
            if isinstance(label, ui.label)
        ]

    assert await comes_true(lambda: shown() == list(ips)), shown()


async def test_a_search_and_a_reason_narrow_the_list_and_stand_in_the_address(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    await three_denied(console, authkey[1])
    await says(page, "count", "3 lines")
    page.find(marker="search").type("192.0.2.0/24")
    await shows(page, "192.0.2.51", IP)
    await says(page, "count", "2 lines")
    with page:
        select = next(iter(ElementFilter(kind=ui.select, marker="filter-reason", local_scope=False)))
    select.value = Reason.WRONG_IP.value
    await shows(page, "192.0.2.51")
    await page.open("/denied?search=192.0.2.0/24&reason=wrong+IP")
    await shows(page, "192.0.2.51")
    page.find(marker="search").clear()
    page.find(marker="search").type("nowhere")
    await page.should_see("No denied request matches this view")
    page.find("Show all denied requests").click()
    await shows(page, "2001:db8::7", "192.0.2.51", IP)


async def test_what_is_denied_while_the_list_is_narrowed_shows_only_if_it_matches(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    page.find(marker="search").type("2001:db8::")
    await page.should_see("No denied request matches this view")
    await three_denied(console, authkey[1])
    await shows(page, "2001:db8::7")


async def test_parts_of_an_address_that_cannot_be_are_left_out_and_named(
    user: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    register_pages(console)
    await sign_in(user, console, console.admin)
    await three_denied(console, authkey[1])
    await user.open("/denied?search=192.0.2.&reason=bad+luck&day=someday&try=1&privilege=all")
    await shows(user, "192.0.2.51", IP)
    for words in ("'bad luck' is not a reason", "'someday' is no time", "'all' is not a privilege"):
        await is_told(user, words)


# -- the chart -----------------------------------------------------------------------------------------------------------


async def test_the_chart_says_in_words_what_it_draws_and_stays_live(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    await says(page, "chart-said", "None denied in 7 days")
    await asks(console, authkey[1].text)
    now = datetime.now(UTC)
    today = f"{now:%a} {now.day} {now:%b}"
    said = f"most on {today}, from {now.hour:02}:00 to {now.hour + 1:02}:00 UTC"
    await says(page, "chart-said", f"1 denied in 7 days, {said}: 1")
    (day,) = page.find(marker="chart-day-6").elements
    assert day.props["aria-label"].startswith(f"{today}: 1 denied")


async def test_a_day_of_the_chart_narrows_the_list_to_it_and_again_shows_all(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    console.uses.note_denials(denial(Reason.UNKNOWN_KEY, "198.51.100.9", 0, "", "search"), 5, yesterday)
    await console.uses.write()
    await three_denied(console, authkey[1])
    await says(page, "count", "4 lines")
    page.find(marker="chart-day-5").click()
    await shows(page, "198.51.100.9")
    await says(page, "count", f"1 line of {yesterday:%a} {yesterday.day} {yesterday:%b}")
    (day,) = page.find(marker="chart-day-5").elements
    assert day.props["aria-pressed"] == "true"
    page.find(marker="chart-day-5").click()
    await says(page, "count", "4 lines")


async def test_what_a_browser_forges_changes_nothing(page: User, authkey: tuple[Authkey, Secret]) -> None:
    for event in ("shortcut", "open", "tick"):
        for args in (None, "close", {"name": ["close"]}, {"name": "close", "more": 1}):
            claims(page, event, args)
    await page.should_see("No request was denied")
    assert not page.notify.messages
