"""The view of pickup passphrases, without a browser: making one, staging, submitting, and what others do meanwhile."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from models.accounts import AdminIdentity, Role
from models.errors import RegistrationRefused
from models.privileges import privilege
from models.tables import Admin, PickupPassphrase
from services.console import Console
from storage.database import DatabaseLocation
from tests.page import is_told, says, sign_in, text
from tests.support import an_admin
from tests.waiting import comes_true
from ui.page import register_pages

ADD, SEARCH = privilege("addlicense"), privilege("search")
PHRASE = "open sesame please"


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


async def looks(user: User, console: Console, admin: AdminIdentity | None = None) -> User:
    register_pages(console)
    await sign_in(user, console, admin or console.admin)
    await user.open("/passphrases")
    return user


@pytest.fixture
async def page(console: Console, user: User) -> User:
    """The local admin, at a console without passphrases."""
    return await looks(user, console)


@pytest.fixture
async def page_of_one(console: Console, user: User) -> User:
    """The local admin, who looks at one passphrase that hands on one privilege."""
    await console.passphrases.add(console.admin, PHRASE, ADD.mask)
    return await looks(user, console)


def box(user: User, name: str) -> ui.checkbox:
    (element,) = user.find(marker=f"phrase-{name}").elements
    assert isinstance(element, ui.checkbox)
    return element


async def fills_in(user: User, **fields: str) -> None:
    """Write into the fields and send the form."""
    for name, value in fields.items():
        user.find(marker=name.replace("_", "-")).clear().type(value)
    user.find(marker="phrase-add").click()


async def test_a_suggested_passphrase_is_shown_once_and_registers_a_server(page: User, console: Console) -> None:
    await page.should_see("There are no pickup passphrases")
    page.find(SEARCH.label).click()
    page.find(marker="phrase-suggest").click()
    page.find(marker="phrase-add").click()
    await page.should_see(marker="secret")
    phrase = text(page, "secret")
    page.find(marker="phrase-done").click()
    await page.should_see("used 0 of 1")
    await console.passphrases.register(phrase, "billing", "192.0.2.7")
    await page.should_see("used 1 of 1")
    await page.should_see("192.0.2.7 (billing)")
    (row,) = await console.authkeys.of_ip("192.0.2.7")
    assert row.privileges == SEARCH.mask


async def test_a_mistake_is_said_in_the_form_and_nothing_typed_is_lost(page: User) -> None:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    for fields, words in (
        ({"phrase": "short"}, "at least 8 are needed"),
        ({"phrase": PHRASE, "phrase_uses": "none"}, "a whole number from 1"),
        ({"phrase_uses": "1", "phrase_expiry": "tomorrow"}, "is not a date"),
        ({"phrase_expiry": yesterday}, "is already over"),
        ({"phrase_expiry": "", "phrase_networks": "192.0.2.0/99"}, "is not a network"),
        ({"phrase_networks": "", "phrase_note": "bell\a"}, "holds the control character U+0007"),
    ):
        await fills_in(page, **fields)
        await page.should_see(marker="phrase-problem", content=words)
    await fills_in(page, phrase_networks="192.0.2.0/24", phrase_note="rack 4")
    await page.should_see(marker="secret")
    assert text(page, "secret") == PHRASE
    await page.should_see("rack 4")


async def test_a_passphrase_is_staged_and_submitted_like_a_key(page_of_one: User, console: Console) -> None:
    assert box(page_of_one, "1-addlicense").value is True
    page_of_one.find(marker="phrase-1-search").click()
    page_of_one.find(marker="phrase-1-addlicense").click()
    await says(page_of_one, "staged-count", "2 changes to 1 passphrase")
    assert (await console.passphrases.active())[0].privileges == ADD.mask
    page_of_one.find(marker="submit").click()
    await says(page_of_one, "staged-count", "Applied 2 changes to 1 passphrase")
    assert (await console.passphrases.active())[0].privileges == SEARCH.mask
    page_of_one.find(marker="undo-submission").click()
    await says(page_of_one, "staged-count", "Undone: 2 changes to 1 passphrase")
    assert (await console.passphrases.active())[0].privileges == ADD.mask


async def test_a_removed_passphrase_goes_at_the_submission_and_lets_nobody_in(
    page_of_one: User, console: Console
) -> None:
    page_of_one.find(marker="phrase-1-remove").click()
    await says(page_of_one, "staged-count", "1 change to 1 passphrase")
    assert not box(page_of_one, "1-search").enabled
    page_of_one.find(marker="submit").click()
    await page_of_one.should_see("There are no pickup passphrases")
    with pytest.raises(RegistrationRefused):
        await console.passphrases.register(PHRASE, "billing", "192.0.2.7")


async def test_of_what_is_staged_only_that_is_dropped_which_somebody_else_made_impossible(
    page_of_one: User, console: Console
) -> None:
    await console.passphrases.add(console.admin, "another one, please", 0)
    await page_of_one.should_see(marker="phrase-2-search")
    page_of_one.find(marker="phrase-1-search").click()
    page_of_one.find(marker="phrase-2-search").click()
    await says(page_of_one, "staged-count", "2 changes to 2 passphrases")
    dana = await an_admin("dana")
    await console.passphrase_staging.stage_removal(dana.id, 1)
    await console.passphrase_staging.submit(dana, uuid.uuid4())
    await says(page_of_one, "staged-conflicts", "· 1 change to decide")
    page_of_one.find(marker="submit").click()
    await is_told(page_of_one, "Nothing was submitted: 1 passphrase was changed or removed by somebody else")
    page_of_one.find(marker="drop-conflicts").click()
    await says(page_of_one, "staged-count", "1 change to 1 passphrase")
    page_of_one.find(marker="submit").click()
    await says(page_of_one, "staged-count", "Applied 1 change to 1 passphrase")


async def test_what_is_discarded_is_as_before(page_of_one: User) -> None:
    page_of_one.find(marker="phrase-1-search").click()
    await says(page_of_one, "staged-count", "1 change to 1 passphrase")
    page_of_one.find(marker="discard").click()
    await says(page_of_one, "staged-count", "No staged changes")
    assert await comes_true(lambda: box(page_of_one, "1-search").value is False)


async def test_an_auditor_sees_passphrases_and_can_change_none(user: User, console: Console) -> None:
    await console.passphrases.add(console.admin, PHRASE, ADD.mask)
    row = await Admin.create(name="ada", role=Role.AUDITOR)
    page = await looks(user, console, AdminIdentity(row.id, "ada", Role.AUDITOR))
    await page.should_see("used 0 of 1")
    await page.should_not_see("Add Pickup Passphrase")
    box(page, "1-search").set_value(True)
    await is_told(page, "You are signed in as an auditor")
    assert await comes_true(lambda: box(page, "1-search").value is False)
    assert not len(await console.passphrase_staging.of(row.id))


async def test_a_passphrase_that_is_over_says_so_and_when_in_utc(page: User, console: Console) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    await console.passphrases.add(console.admin, PHRASE, ADD.mask)
    await console.passphrases.add(console.admin, "another one, please", ADD.mask, expires_at=soon)
    await page.should_see(f"used 0 of 1, expires {soon:%Y-%m-%d %H:%M} UTC")
    await console.passphrases.register(PHRASE, "billing", "192.0.2.7")
    await page.should_see("Used up: used 1 of 1")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await PickupPassphrase.filter(id=2).update(expires_at=yesterday)
    await console.passphrases.add(console.admin, "a third one, please", 0)
    await page.should_see(f"Expired: used 0 of 1, expires {yesterday:%Y-%m-%d %H:%M} UTC")


async def test_after_a_passphrase_was_added_every_field_is_empty_again(page: User) -> None:
    page.find(SEARCH.label).click()
    await fills_in(
        page,
        phrase=PHRASE,
        phrase_uses="7",
        phrase_expiry="2999-12-31",
        phrase_networks="192.0.2.0/24",
        phrase_note="x",
    )
    await page.should_see(marker="phrase-done")
    fields = {marker: _field(page, marker).value for marker in FIELDS}
    assert fields == {**dict.fromkeys(FIELDS, ""), "phrase-uses": "1"}
    with page:
        boxes = [box for box in ElementFilter(kind=ui.checkbox, local_scope=False) if box.text == SEARCH.label]
    assert [box.value for box in boxes] == [False]


@pytest.mark.parametrize(
    ("marker", "value"),
    [
        ("phrase", "short"),
        ("phrase-uses", "none"),
        ("phrase-expiry", "tomorrow"),
        ("phrase-expiry", "9999-12-31T23:59-23:59"),
        ("phrase-expiry", "0001-01-01T00:00+23:59"),
        ("phrase-networks", "192.0.2.0/99"),
        ("phrase-note", "bell\a"),
    ],
)
async def test_the_field_that_is_wrong_is_marked_and_names_what_is_wrong_with_it(
    page: User, marker: str, value: str
) -> None:
    await fills_in(page, **{"phrase": PHRASE, marker: value})
    await page.should_see(marker="phrase-problem")
    (problem,) = page.find(marker="phrase-problem").elements
    marked = {each: _field(page, each).props.get("aria-describedby") for each in FIELDS}
    assert marked == {**dict.fromkeys(FIELDS), marker: problem.html_id}
    assert _field(page, marker).props["aria-invalid"] == "true"
    await fills_in(page, **{**{"phrase": PHRASE}, marker: VALID[marker]})
    await page.should_see(marker="phrase-done")
    assert not any("aria-invalid" in _field(page, each).props for each in FIELDS)


VALID = {
    "phrase": PHRASE,
    "phrase-uses": "1",
    "phrase-expiry": "2999-12-31",
    "phrase-networks": "192.0.2.0/24",
    "phrase-note": "rack 4",
}
FIELDS = tuple(VALID)


def _field(user: User, marker: str) -> ui.input:
    (element,) = user.find(marker=marker).elements
    assert isinstance(element, ui.input)
    return element
