"""The view of denied requests, without a browser: why, how often, the remedy, and the form that tries an access check."""

from ipaddress import IPv6Address

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User, UserInteraction

from models.access_checks import Reason
from models.accounts import AdminIdentity, Role
from models.authkeys import Authkey
from models.manage2_functions import Requirement
from models.privileges import Privilege, privilege
from models.secrets import Secret, new_secret
from models.submissions import CellChange, NewAuthkey
from models.tables import Admin
from services.authorizer import Question
from services.console import Console
from storage.database import DatabaseLocation
from tests.page import is_told, says, sign_in
from tests.support import add_keys, submit
from tests.waiting import comes_true
from ui.shell.routes import register_pages

ADD, SEARCH = privilege("addlicense"), privilege("search")
IP = "192.0.2.50"


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


@pytest.fixture
async def authkey(console: Console) -> tuple[Authkey, Secret]:
    """An authkey that may add licenses, and nothing else."""
    secret = new_secret()
    return (await add_keys(console, NewAuthkey(IP, "billing", ADD.mask, secret.kept)))[0], secret


@pytest.fixture
async def page(console: Console, user: User) -> User:
    """The local admin, who looks at the denied requests."""
    return await looks(user, console, console.admin)


async def looks(user: User, console: Console, admin: AdminIdentity) -> User:
    register_pages(console)
    await sign_in(user, console, admin)
    await user.open("/denied")
    await user.should_see("No request was denied")
    return user


async def asks(console: Console, secret: str | None, what: Privilege = SEARCH, ip: str = IP) -> None:
    """Ask the authorizer, and let what it noted be written, and told to the pages."""
    await console.authorizer.ask(Question(secret, ip, what, what.id))
    await console.uses.write()
    await console.uses.refresh()


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


@pytest.mark.parametrize("by", ["key", "service"])
async def test_the_tester_answers_for_now_and_for_after_my_staged_changes(
    page: User, console: Console, authkey: tuple[Authkey, Secret], by: str
) -> None:
    key, secret = authkey
    await console.staging.stage(console.admin.id, key.id, SEARCH, True)
    page.find(marker="test-key").type(secret.text if by == "key" else key.service)
    page.find(marker="test-ip").type(IP)
    page.find(marker="test-ask").click()
    await says(page, "test-now", "Now: denied. The authkey does not have this privilege.")
    await says(page, "test-then", "With my staged changes submitted: allowed")
    await console.staging.stage_removal(console.admin.id, key.id)
    page.find(marker="test-ask").click()
    await says(page, "test-then", "With my staged changes submitted: denied. This authkey was removed.")
    await page.should_see("No request was denied")


@pytest.mark.parametrize("spelled", [f"  ::ffff:{IP} ", f"::FFFF:{IPv6Address(f'::ffff:{IP}').exploded[-9:]}"])
async def test_the_tester_takes_any_spelling_of_the_address_and_the_name(
    page: User, authkey: tuple[Authkey, Secret], spelled: str
) -> None:
    key, _ = authkey
    page.find(marker="test-key").type(f" {key.service}\u00a0")
    page.find(marker="test-ip").type(spelled)
    page.find(marker="test-ask").click()
    await says(page, "test-now", "Now: denied. The authkey does not have this privilege.")


async def test_the_tester_refuses_in_words_what_is_no_address(page: User) -> None:
    page.find(marker="test-key").type("billing")
    page.find(marker="test-ip").type("192.0.2.0/24")
    page.find(marker="test-ask").click()
    await is_told(page, "'192.0.2.0/24' is a network")


async def test_the_tester_refuses_a_forged_privilege_in_words(page: User) -> None:
    with page:
        select = next(iter(ElementFilter(marker="test-privilege", local_scope=False)))
    assert isinstance(select, ui.select)
    page.find(marker="test-ip").type(IP)
    select.value = None
    UserInteraction(page, set(page.find(marker="test-ask").elements), None).trigger("click")
    await is_told(page, "is not a privilege")


async def test_a_key_that_is_known_is_named_also_when_it_asks_for_an_unknown_function(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    await console.authorizer.deny_unknown(
        Question(authkey[1].text, IP, Requirement.ANY_KEY, "XMLnothing"), Reason.UNKNOWN_WHAT
    )
    await console.uses.write()
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


async def test_a_verdict_goes_with_the_question_that_it_answered(page: User, authkey: tuple[Authkey, Secret]) -> None:
    page.find(marker="test-key").type(authkey[0].service)
    page.find(marker="test-ip").type(IP)
    page.find(marker="test-key").trigger("keydown.enter")
    await says(page, "test-now", "Now: denied. The authkey does not have this privilege.")
    page.find(marker="test-ip").type("1")
    await says(page, "test-now", "")
    await says(page, "test-then", "")


async def test_the_address_that_the_view_had_before_leads_to_it(page: User) -> None:
    answer = await page.http_client.get("/refusals", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "/denied")
