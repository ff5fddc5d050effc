"""The view of pickup passphrases, without a browser: making one, staging, submitting, and what others do meanwhile."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from nicegui import ui
from nicegui.testing import User

from models.accounts import AdminIdentity, Role
from models.errors import RegistrationRefused
from models.grid_rows import GridRow
from models.privileges import privilege
from models.tables import Admin, PickupPassphrase
from models.views import PassphraseView, State
from services.console import Console
from storage.database import DatabaseLocation
from tests.page import claims, is_told, says, sign_in, text, undoes
from tests.support import an_admin, kept_passphrases
from ui.shell.routes import register_pages

ADD, SEARCH = privilege("addlicense"), privilege("search")
PHRASE, OTHER = "open sesame please", "another one, please"


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


async def looks(user: User, console: Console, admin: AdminIdentity | None = None, query: str = "") -> User:
    register_pages(console)
    await sign_in(user, console, admin or console.admin)
    await user.open(f"/passphrases{query}")
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


@pytest.fixture
async def form(page: User) -> User:
    """The same at a console without passphrases, with the form open."""
    page.find(marker="add").click()
    await page.should_see(marker="phrase")
    return page


async def rows(console: Console, state: State = State.ACTIVE) -> list[GridRow]:
    """What the local admin's grid would be sent."""
    view = PassphraseView(descending=True, state=state)
    block = await console.passphrases.block(view, console.admin.id, 0, 100)
    assert await console.passphrases.count(view, console.admin.id) == len(block)
    return await console.passphrase_staging.overlaid(console.admin.id, block)


def ticks(user: User, sequence: int, passphrase_id: int, column: str, value: bool) -> None:
    """An honest tick, as the page's own script sends it."""
    claims(user, "tick", {"seq": sequence, "id": passphrase_id, "column": column, "value": value})


async def fills_in(user: User, **fields: str) -> None:
    """Write into the fields and send the form."""
    for name, value in fields.items():
        user.find(marker=name.replace("_", "-")).clear().type(value)
    user.find(marker="phrase-add").click()


# -- making one --------------------------------------------------------------------------------------------------------


async def test_without_passphrases_it_says_how_the_first_one_comes_to_be(page: User) -> None:
    await page.should_see("There are no pickup passphrases")
    assert text(page, "count") == "0 passphrases"


async def test_a_suggested_passphrase_is_shown_once_and_registers_a_server(form: User, console: Console) -> None:
    form.find(kind=ui.checkbox, content=SEARCH.label).click()
    form.find(marker="phrase-suggest").click()
    form.find(marker="phrase-add").click()
    await form.should_see(marker="secret")
    phrase = text(form, "secret")
    form.find(marker="phrase-done").click()
    await says(form, "count", "1 passphrase")
    await console.passphrases.register(phrase, "billing", "192.0.2.7")
    (row,) = await console.authkeys.of_ip("192.0.2.7")
    assert row.privileges == SEARCH.mask
    await says(form, "count", "0 passphrases")  # used up: no longer among the active ones


async def test_a_mistake_is_said_in_the_form_and_nothing_typed_is_lost(form: User) -> None:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    for fields, words in (
        ({"phrase": "short"}, "at least 8 are needed"),
        ({"phrase": PHRASE, "phrase_uses": "none"}, "a whole number from 1"),
        ({"phrase_uses": "1", "phrase_expiry": "tomorrow"}, "is not a date"),
        ({"phrase_expiry": yesterday}, "is already over"),
        ({"phrase_expiry": "", "phrase_networks": "192.0.2.0/99"}, "is not a network"),
        ({"phrase_networks": "", "phrase_note": "bell\a"}, "holds the control character U+0007"),
    ):
        await fills_in(form, **fields)
        await form.should_see(marker="phrase-problem", content=words)
    await fills_in(form, phrase_networks="192.0.2.0/24", phrase_note="rack 4")
    await form.should_see(marker="secret")
    assert text(form, "secret") == PHRASE
    assert [each.note for each in await kept_passphrases()] == ["rack 4"]


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
    form: User, marker: str, value: str
) -> None:
    await fills_in(form, **{"phrase": PHRASE, marker: value})
    await form.should_see(marker="phrase-problem")
    (problem,) = form.find(marker="phrase-problem").elements
    marked = {each: _field(form, each).props.get("aria-describedby") for each in FIELDS}
    assert marked == {**dict.fromkeys(FIELDS), marker: problem.html_id}
    assert _field(form, marker).props["aria-invalid"] == "true"
    await fills_in(form, **{**{"phrase": PHRASE}, marker: VALID[marker]})
    await form.should_see(marker="phrase-done")


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


# -- staging and submitting --------------------------------------------------------------------------------------------


async def test_a_passphrase_is_staged_and_submitted_like_a_key(page_of_one: User, console: Console) -> None:
    ticks(page_of_one, 1, 1, "search", True)
    ticks(page_of_one, 2, 1, "addlicense", False)
    await says(page_of_one, "staged-count", "2 changes to 1 passphrase")
    (row,) = await rows(console)
    assert (row["stored"], row["staged"]) == (ADD.mask, SEARCH.mask)
    assert (await kept_passphrases())[0].privileges == ADD.mask
    page_of_one.find(marker="submit").click()
    await says(page_of_one, "staged-count", "Applied 2 changes to 1 passphrase")
    assert (await kept_passphrases())[0].privileges == SEARCH.mask
    await undoes(page_of_one, "Applied 2 changes to 1 passphrase")
    await says(page_of_one, "staged-count", "Undone: 2 changes to 1 passphrase")
    assert (await kept_passphrases())[0].privileges == ADD.mask


async def test_the_keyboards_undo_and_redo_take_back_a_step_and_take_it_again(page_of_one: User) -> None:
    ticks(page_of_one, 1, 1, "search", True)
    await says(page_of_one, "staged-count", "1 change to 1 passphrase")
    claims(page_of_one, "shortcut", {"name": "undo"})
    await says(page_of_one, "staged-count", "No staged changes")
    claims(page_of_one, "shortcut", {"name": "redo"})
    await says(page_of_one, "staged-count", "1 change to 1 passphrase")


async def test_a_removed_passphrase_goes_at_the_submission_lets_nobody_in_and_stays_on_record(
    page_of_one: User, console: Console
) -> None:
    ticks(page_of_one, 1, 1, "remove", True)
    await says(page_of_one, "staged-count", "1 change to 1 passphrase")
    page_of_one.find(marker="submit").click()
    await page_of_one.should_see("1 removal")
    page_of_one.find(marker="review-submit").click()
    await says(page_of_one, "count", "0 passphrases")
    with pytest.raises(RegistrationRefused):
        await console.passphrases.register(PHRASE, "billing", "192.0.2.7")
    (row,) = await rows(console, State.REMOVED)
    assert (row["removed"], row["until"]) == (True, "Removed")
    ticks(page_of_one, 2, 1, "search", True)  # a removed one cannot be changed
    await is_told(page_of_one, "This passphrase was removed in the meantime")


async def test_of_what_is_staged_the_review_drops_what_somebody_else_made_impossible(
    page_of_one: User, console: Console
) -> None:
    await console.passphrases.add(console.admin, OTHER, 0)
    ticks(page_of_one, 1, 1, "search", True)
    ticks(page_of_one, 2, 2, "search", True)
    await says(page_of_one, "staged-count", "2 changes to 2 passphrases")
    dana = await an_admin("dana")
    await console.passphrase_staging.stage_removal(dana.id, 1)
    await console.passphrase_staging.submit(dana, uuid.uuid4())
    await says(page_of_one, "staged-conflicts", "· 1 change to decide")
    page_of_one.find(marker="submit").click()
    await is_told(page_of_one, "Nothing was submitted: 1 passphrase was changed or removed by somebody else")
    await page_of_one.should_see("1 passphrase needs a decision before anything can be submitted.")
    page_of_one.find("Drop these lines").click()
    await says(page_of_one, "staged-count", "1 change to 1 passphrase")
    page_of_one.find(marker="submit").click()
    await says(page_of_one, "staged-count", "Applied 1 change to 1 passphrase")


async def test_what_is_discarded_is_as_before(page_of_one: User, console: Console) -> None:
    ticks(page_of_one, 1, 1, "search", True)
    await says(page_of_one, "staged-count", "1 change to 1 passphrase")
    page_of_one.find(marker="discard").click()
    await says(page_of_one, "staged-count", "No staged changes")
    assert not len(await console.passphrase_staging.of(console.admin.id))


async def test_one_step_stages_something_for_all_passphrases_of_a_view(user: User, console: Console) -> None:
    for number in range(3):
        await console.passphrases.add(console.admin, f"{PHRASE} {number}", 0, note=f"rack {number}")
    page = await looks(user, console, query="?search=rack")
    claims(page, "heading", {"column": "addlicense"})
    await page.should_see("Grant all: grants 3 of 3 boxes")
    page.find(marker="column-grant").click()
    await says(page, "staged-count", "3 changes to 3 passphrases")
    claims(page, "shortcut", {"name": "undo"})
    await says(page, "staged-count", "No staged changes")


# -- who and what is shown ---------------------------------------------------------------------------------------------


async def test_an_auditor_sees_passphrases_and_can_change_none(user: User, console: Console) -> None:
    await console.passphrases.add(console.admin, PHRASE, ADD.mask)
    row = await Admin.create(name="ada", role=Role.AUDITOR)
    page = await looks(user, console, AdminIdentity(row.id, "ada", Role.AUDITOR))
    await says(page, "count", "1 passphrase")
    await page.should_not_see(marker="add")
    claims(page, "heading", {"column": "search"})
    await page.should_see("Select this column")
    await page.should_not_see(marker="column-grant")
    ticks(page, 1, 1, "search", True)
    await is_told(page, "You are signed in as an auditor")
    assert not len(await console.passphrase_staging.of(row.id))


async def test_those_that_are_over_are_apart_from_the_active_ones_and_say_why(page: User, console: Console) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    await console.passphrases.add(console.admin, PHRASE, ADD.mask)
    await console.passphrases.add(console.admin, OTHER, ADD.mask, expires_at=soon)
    await console.passphrases.add(console.admin, "a third one, please", 0, uses=2)
    await console.passphrases.register(PHRASE, "billing", "192.0.2.7")
    await PickupPassphrase.filter(id=2).update(expires_at=datetime.now(UTC) - timedelta(days=1))
    mallory = await an_admin("mallory")
    await console.passphrases.add(mallory, "a fourth one, please", 0)
    await console.admins.set_disabled("mallory", True, "alice")
    assert [(row["id"], row["used"], row["until"]) for row in await rows(console)] == [(3, "0 of 2 used", "no expiry")]
    assert [(row["id"], row["until"]) for row in await rows(console, State.OVER)] == [
        (4, "Maker disabled"),
        (2, "Expired"),
        (1, "Used up"),
    ]


async def test_a_search_without_a_match_says_something_else_than_an_empty_state(user: User, console: Console) -> None:
    await console.passphrases.add(console.admin, PHRASE, ADD.mask)
    page = await looks(user, console, query="?search=nothing")
    await page.should_see("No passphrase matches this view")
    assert text(page, "count") == "0 of 1 passphrase"


async def test_an_address_that_names_an_impossible_state_shows_the_active_ones_and_says_so(
    user: User, console: Console
) -> None:
    await console.passphrases.add(console.admin, PHRASE, ADD.mask)
    page = await looks(user, console, query="?state=lost")
    await is_told(page, "'lost' is not a state of passphrases")
    await says(page, "count", "1 passphrase")
