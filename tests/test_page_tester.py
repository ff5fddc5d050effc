"""The access check tester, without a browser: what it answers, what it is opened with, and what it refuses."""

from ipaddress import IPv6Address

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User, UserInteraction

from models.access_checks import Reason
from models.authkeys import Authkey
from models.denials import denial
from models.secrets import Secret
from services.console import Console
from storage.database import DatabaseLocation
from tests.denied import IP, SEARCH, asks, looks, may_add_only
from tests.page import claims, is_told, says, sign_in
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


@pytest.fixture
async def tester(page: User) -> User:
    """The same admin, who has opened the access check tester."""
    page.find(marker="try").click()
    await page.should_see(marker="test-key")
    return page


@pytest.mark.parametrize("by", ["key", "service"])
async def test_the_tester_answers_for_now_and_for_after_my_staged_changes(
    tester: User, console: Console, authkey: tuple[Authkey, Secret], by: str
) -> None:
    key, secret = authkey
    await console.staging.stage(console.admin.id, key.id, SEARCH, True)
    tester.find(marker="test-key").type(secret.text if by == "key" else key.service)
    tester.find(marker="test-ip").type(IP)
    tester.find(marker="test-ask").click()
    await says(tester, "test-now", "Now: denied. The authkey does not have this privilege.")
    await says(tester, "test-then", "With my staged changes submitted: allowed")
    await console.staging.stage_removal(console.admin.id, key.id)
    tester.find(marker="test-ask").click()
    await says(tester, "test-then", "With my staged changes submitted: denied. This authkey was removed.")
    await tester.should_see("No request was denied")


@pytest.mark.parametrize("spelled", [f"  ::ffff:{IP} ", f"::FFFF:{IPv6Address(f'::ffff:{IP}').exploded[-9:]}"])
async def test_the_tester_takes_any_spelling_of_the_address_and_the_name(
    tester: User, authkey: tuple[Authkey, Secret], spelled: str
) -> None:
    key, _ = authkey
    tester.find(marker="test-key").type(f" {key.service}\u00a0")
    tester.find(marker="test-ip").type(spelled)
    tester.find(marker="test-ask").click()
    await says(tester, "test-now", "Now: denied. The authkey does not have this privilege.")


async def test_the_tester_refuses_in_words_what_is_no_address(tester: User) -> None:
    tester.find(marker="test-key").type("billing")
    tester.find(marker="test-ip").type("192.0.2.0/24")
    tester.find(marker="test-ask").click()
    await is_told(tester, "'192.0.2.0/24' is a network")


async def test_the_tester_refuses_a_forged_privilege_in_words(tester: User) -> None:
    with tester:
        select = next(iter(ElementFilter(marker="test-privilege", local_scope=False)))
    assert isinstance(select, ui.select)
    tester.find(marker="test-ip").type(IP)
    select.value = None
    UserInteraction(tester, set(tester.find(marker="test-ask").elements), None).trigger("click")
    await is_told(tester, "is not a privilege")


async def test_a_verdict_goes_with_the_question_that_it_answered(tester: User, authkey: tuple[Authkey, Secret]) -> None:
    tester.find(marker="test-key").type(authkey[0].service)
    tester.find(marker="test-ip").type(IP)
    tester.find(marker="test-key").trigger("keydown.enter")
    await says(tester, "test-now", "Now: denied. The authkey does not have this privilege.")
    tester.find(marker="test-ip").type("1")
    await says(tester, "test-now", "")
    await says(tester, "test-then", "")


async def test_a_line_is_tried_again_with_its_own_authkey_and_no_secret(
    page: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    key, secret = authkey
    await asks(console, secret.text, ip="192.0.2.51")
    await page.should_see("Try it again")
    page.find("Try it again").click()
    await page.should_see(marker="test-now")
    await says(page, "test-now", "Now: denied. The key is right, but it belongs to another IP address.")
    (field,) = page.find(kind=ui.input, marker="test-key").elements
    assert field.value == key.service
    page.find(marker="test-key").type(" elsewhere")
    page.find(marker="test-ask").click()
    await says(page, "test-now", "Now: denied. No authkey has the key that it brought.")


async def test_the_tester_has_an_address_and_is_closed_by_escape(
    user: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    key, _ = authkey
    register_pages(console)
    await sign_in(user, console, console.admin)
    await user.open(f"/denied?try=1&key={key.id}&ip={IP}&privilege=addlicense")
    await user.should_see(marker="test-now")
    await says(user, "test-now", "Now: allowed")
    claims(user, "shortcut", {"name": "close"})
    await user.should_not_see(marker="test-now")


async def test_an_authkey_that_is_no_longer_there_is_said_to_be(
    user: User, console: Console, authkey: tuple[Authkey, Secret]
) -> None:
    register_pages(console)
    await sign_in(user, console, console.admin)
    await user.open(f"/denied?try=1&key={authkey[0].id + 1}&ip={IP}")
    await user.should_see("That authkey is no longer there.")


async def test_a_refused_registration_is_not_offered_to_be_tried(page: User, console: Console) -> None:
    console.uses.note_denial(denial(Reason.PHRASE_EXPIRED, IP, 0, "billing", "addlicense"))
    await console.uses.write()
    await console.uses.refresh()
    await page.should_see("The pickup passphrase has expired.")
    await page.should_not_see("Try it again")
