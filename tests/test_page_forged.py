"""What the page makes of whatever a browser claims, and of those who may change nothing."""

from typing import Any

import pytest
from nicegui import ElementFilter
from nicegui.testing import User, UserInteraction

from models.accounts import AdminIdentity, Role
from models.errors import DatabaseUnavailable
from models.tables import Admin, StagedChange
from services.console import Console
from storage.database import DatabaseLocation
from storage.staging import versions
from tests.elsewhere import start_over, stored
from tests.page import BILLING, KEYS, MAIL, PORTAL, SEARCH, claims, id_of, is_told, says, selection, sign_in, ticks
from tests.waiting import comes_true


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


# -- forged events -------------------------------------------------------------------------------------------------------

HONEST = {"seq": 1, "id": 1, "column": "addlicense", "value": False}
HUGE = list(range(100_000))
NOT_FROM_THIS_PAGE = "That change was refused"
REMOVED = "This authkey was removed in the meantime"
UNKNOWN = "is not a privilege; known are addlicense"


@pytest.mark.parametrize(
    ("refusal", "forged"),
    [
        (NOT_FROM_THIS_PAGE, ["DROP TABLE authkey", HUGE, {}, {"seq": 1}]),
        (NOT_FROM_THIS_PAGE, [{**HONEST, "seq": value} for value in (True, "1", 1.5, None, HUGE)]),
        (NOT_FROM_THIS_PAGE, [{**HONEST, "id": value} for value in (True, "1", "1 OR 1=1", 1.0, HUGE, {"id": 1})]),
        (NOT_FROM_THIS_PAGE, [{**HONEST, "id": value} for value in (0, -(2**63), 2**63, 2**64, 10**100)]),
        (NOT_FROM_THIS_PAGE, [{**HONEST, "value": value} for value in (1, 0, "true", None, HUGE)]),
        (REMOVED, [{**HONEST, "id": value, "seq": n} for n, value in enumerate((2**63 - 1, -1), 1)]),
        (UNKNOWN, [{**HONEST, "column": value, "seq": n} for n, value in enumerate(("drop", "", ":alert(1)", "p0"), 1)]),
        (UNKNOWN, [{**HONEST, "column": value, "seq": n} for n, value in enumerate((None, 0, HUGE, "x" * 10**6), 1)]),
    ],
    ids=["no claim", "sequence", "type of id", "range of id", "value", "unknown id", "privilege", "type of privilege"],
)  # fmt: skip
async def test_a_forged_tick_is_refused_with_a_message_and_harms_nobody(
    page: User, console: Console, refusal: str, forged: list[Any]
) -> None:
    bob = await Admin.create(name="bob")
    await console.staging.stage(bob.id, await id_of(PORTAL), SEARCH, True)
    before = await stored(console)

    for claim in forged:
        claims(page, "tick", claim)
    assert await comes_true(lambda: len(page.notify.messages) == len(forged))
    for message in page.notify.messages:
        assert refusal in message
        assert len(message) < 500

    assert await stored(console) == before
    assert len(await console.staging.of(console.admin.id)) == 0
    assert list(await console.staging.of(bob.id)) == [await id_of(PORTAL)]
    for sequence in (1, 2, 3):  # whichever of these is the next one
        await ticks(page, sequence, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")


async def test_the_rows_that_a_forged_tick_brings_along_are_not_believed(page: User, console: Console) -> None:
    forged = {"seq": 1, "id": await id_of(MAIL), "column": "search", "value": False, "stored": 0, "data": {"id": 1}}
    claims(page, "tick", {**forged, "admin_id": 2, "privileges": 511})
    await says(page, "staged-count", "1 change to 1 key")
    assert (await console.staging.of(console.admin.id))[await id_of(MAIL)].revocations == SEARCH.mask


@pytest.mark.parametrize(
    ("event", "refusal", "forged"),
    [
        ("sorted", "cannot be sorted like that", ["x", HUGE, {}, {"column": "1; DROP TABLE authkey"}, {"column": HUGE}]),
        ("menu", "no such row", ["x", HUGE, {}, {"id": True}, {"id": "1"}, {"id": -(2**63)}, {"id": 2**64}]),
        ("selected", "selected", ["x", HUGE, {}, {"stretches": HUGE}, {"stretches": [{}]}, selection(-1, 2), selection(3, 1)]),
        ("selected", "selected", [selection(0, 2**40), selection(0, 1, ids=("1", None)), selection(0, 1, ids=(True, None))]),
        ("act", "cannot be done", ["x", HUGE, {}, {"act": "drop"}, {"act": HUGE}]),
        ("heading", "no such column", ["x", HUGE, {}, {"column": HUGE}]),
        ("review", "no such line", ["x", HUGE, {}, {"act": "drop", "id": 1}, {"act": "take-back", "id": "1", "column": None}]),
        ("review", "no such line", [{"act": "take-back", "id": 1, "column": HUGE}, {"act": "confirm", "id": 2**64}]),
        ("shortcut", None, ["x", HUGE, {}, {"name": None}, {"name": "drop"}, {"name": HUGE}]),
    ],
)  # fmt: skip
async def test_other_forged_events_do_nothing(
    page: User, console: Console, event: str, refusal: str | None, forged: list[Any]
) -> None:
    before = await stored(console)
    for claim in forged:
        claims(page, event, claim)
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    assert all(refusal and refusal in message for message in page.notify.messages)
    assert len(page.notify.messages) == (len(forged) if refusal else 0)
    assert await stored(console) == before


async def test_the_same_tick_sent_twice_counts_once(page: User) -> None:
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    claims(page, "shortcut", {"name": "undo"})
    await says(page, "staged-count", "No staged changes")
    await ticks(page, 1, BILLING, "modlisc", True)  # sent again after a lost connection
    await ticks(page, 2, MAIL, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")


async def test_a_tick_that_the_database_did_not_take_may_be_sent_again(
    page: User, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*_: object) -> None:
        raise DatabaseUnavailable("The database does not answer.")

    with monkeypatch.context() as lost:
        lost.setattr(console.staging, "stage", unreachable)
        await ticks(page, 1, BILLING, "modlisc", True)
        await is_told(page, "The tick is kept and will be sent again.")
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")


# -- who may change nothing ------------------------------------------------------------------------------------------------


@pytest.fixture
async def auditor(console: Console, empty_page: User) -> User:
    """An auditor who looks at the three authkeys, and has something staged from when she was an admin."""
    await start_over(console, KEYS)
    row = await Admin.create(name="ada")
    await console.staging.stage(row.id, await id_of(PORTAL), SEARCH, True)
    await console.admins.set_role("ada", Role.AUDITOR, "alice")
    await console.staging.refresh(await versions())
    await sign_in(empty_page, console, AdminIdentity(row.id, row.name, Role.AUDITOR))
    await empty_page.open("/")
    await says(empty_page, "staged-count", "1 change to 1 key")
    return empty_page


def forges_a_click(user: User, marker: str) -> None:
    """A click on a button that is hidden or disabled, as a browser can claim it."""
    with user:
        elements = set(ElementFilter(marker=marker, local_scope=False))
    assert elements
    UserInteraction(user, elements, None).trigger("click")


TICKS = [("search", False), ("modlisc", True), ("remove", True), ("remove", False)]


@pytest.mark.parametrize(("column", "value"), TICKS)
async def test_an_auditors_tick_is_refused_in_words(auditor: User, column: str, value: bool) -> None:
    before = await StagedChange.all().values()
    await ticks(auditor, 1, PORTAL, column, value)
    await is_told(auditor, "You are signed in as an auditor: you see everything and change nothing.")
    assert await StagedChange.all().values() == before


@pytest.mark.parametrize("name", ["undo", "redo"])
async def test_an_auditors_shortcut_is_refused_in_words(auditor: User, name: str) -> None:
    before = await StagedChange.all().values()
    claims(auditor, "shortcut", {"name": name})
    await is_told(auditor, "You are signed in as an auditor")
    assert await StagedChange.all().values() == before


@pytest.mark.parametrize("marker", ["submit", "discard"])
async def test_an_auditors_forged_click_is_refused_in_words(auditor: User, console: Console, marker: str) -> None:
    keys, before = await stored(console), await StagedChange.all().values()
    forges_a_click(auditor, marker)
    await is_told(auditor, "You are signed in as an auditor")
    assert await stored(console) == keys
    assert await StagedChange.all().values() == before


async def test_an_auditor_is_given_nothing_that_adds_replaces_or_stages_many(auditor: User) -> None:
    claims(auditor, "menu", {"id": await id_of(BILLING)})
    await auditor.should_see("No key issued yet")
    await auditor.should_not_see("Issue new key")
    with auditor:
        assert not list(ElementFilter(marker="add", local_scope=False))
    claims(auditor, "selected", selection(0, 2, ids=(await id_of(BILLING), await id_of(MAIL))))
    await auditor.should_see("3 rows, 1 column selected")
    await auditor.should_not_see(marker="selection-grant")
    claims(auditor, "heading", {"column": "search"})
    await auditor.should_see("Select this column")
    await auditor.should_not_see(marker="column-grant")
    claims(auditor, "act", {"act": "grant"})
    await is_told(auditor, "You are signed in as an auditor")


async def test_what_a_page_claims_after_its_session_ended_is_refused_in_words(page: User, console: Console) -> None:
    await ticks(page, 1, BILLING, "modlisc", True)
    await says(page, "staged-count", "1 change to 1 key")
    before = await stored(console)
    await console.sessions.end_all(console.admin, "127.0.0.1")
    await ticks(page, 2, PORTAL, "search", True)
    claims(page, "shortcut", {"name": "undo"})
    page.find(marker="submit").click()
    assert await comes_true(lambda: len(page.notify.messages) == 3)
    assert all("You are signed out, so nothing was changed." in message for message in page.notify.messages)
    assert await stored(console) == before
    assert list(await console.staging.of(console.admin.id)) == [await id_of(BILLING)]


@pytest.mark.parametrize("path", ["/", "/history"])
async def test_a_forged_wish_to_open_something_is_refused_in_words(page: User, path: str) -> None:
    await page.open(path)
    forged = [None, {}, HUGE, {"id": True}, {"id": "1"}, {"id": 0}, {"id": 2**63}, {"id": -1, "column": "search"}]
    for claim in forged:
        claims(page, "open", claim)
    assert await comes_true(lambda: len(page.notify.messages) == len(forged))
    assert set(page.notify.messages) == {"There is no such row."}
    claims(page, "open", {"id": 2**62, "column": HUGE})
    assert await comes_true(lambda: len(page.notify.messages) == len(forged) + 1)


@pytest.mark.parametrize(
    "query",
    [
        "entry=²",
        "entry=99999",
        "history=x",
        "history=1.fly",
        "undo=-1",
        "restore=1",
        "restore=1@²",
        "compare=x..",
        "what=x",
    ],
)
async def test_an_address_that_cannot_be_opens_the_history_and_says_so(page: User, query: str) -> None:
    await page.open(f"/history?{query}")
    assert await comes_true(lambda: len(page.notify.messages) == 1)
    await page.should_see("Verify now")
