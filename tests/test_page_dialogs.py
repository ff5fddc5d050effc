"""The dialogs of the page, without a browser: adding a key, and issuing new ones."""

import asyncio
import gc
import hashlib
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from models.amendments import TextName
from models.secrets import Secret
from models.tables import Authkey
from services.console import Console
from services.keymaking import issue_new_key
from storage.database import DatabaseLocation
from tests.elsewhere import stored
from tests.page import BILLING, MAIL, PORTAL, SEARCH, claims, id_of, is_told, opens_menu, says, selection, text
from tests.waiting import eventually
from ui.authkeys import actions


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


# -- the dialog that adds a key --------------------------------------------------------------------------------------------


async def fills_in(user: User, ip: str, service: str) -> None:
    for marker, value in (("add-ip", ip), ("add-service", service)):
        user.find(marker=marker).clear().type(value)
    user.find(marker="add-submit").click()


async def test_a_bad_or_taken_address_is_refused_in_the_dialog_in_words_and_can_be_corrected(
    page: User, console: Console
) -> None:
    page.find(marker="add").click()
    await page.should_see(marker="add-ip")
    for ip, service, problem in (
        ("192.0.2.016", "new", "Leading zeros are not permitted"),
        ("300.1.2.3", "new", "Octet 300 (> 255) not permitted"),
        ("fe80::1%eth0", "new", "has a zone id"),
        ("example.com", "new", "it looks like a name"),
        ("192.0.2.0/24", "new", "is a network"),
        ("", "new", "An IP address is needed"),
        ("192.0.2.1", " ", "A service name is needed"),
        ("192.0.2.1", "x" * 101, "at most 100 are allowed"),
        ("192.0.2.7", "billing", "192.0.2.7 already has an authkey for the service 'billing'"),
        ("192.0.2.1", "bell\a", "control character U+0007"),
        ("::ffff:192.0.2.7", " billing ", "192.0.2.7 already has an authkey for the service 'billing'"),
    ):
        await fills_in(page, ip, service)
        await page.should_see(marker="add-problem", content=problem)
    assert len(await stored(console)) == 3
    await fills_in(page, "192.0.2.99", "corrected")
    await says(page, "staged-count", "1 change to 1 key")
    await says(page, "count", "4 keys")
    assert len(await stored(console)) == 3, "it is only staged"
    page.find(marker="add").click()
    await page.should_see(marker="add-ip")
    await fills_in(page, "192.0.2.99", "corrected")
    await page.should_see(marker="add-problem", content="is staged already")
    claims(page, "shortcut", {"name": "undo"})
    await says(page, "count", "3 keys")


async def test_a_new_key_is_shown_once_and_kept_only_as_a_digest(page: User, console: Console) -> None:
    page.find(marker="add").click()
    await page.should_see(marker="add-ip")
    page.find(kind=ui.checkbox, content=SEARCH.label).click()
    await fills_in(page, "2001:DB8:0::5", "new")
    await says(page, "staged-count", "1 change to 1 key")
    await page.should_not_see(marker="secret")
    page.find(marker="submit").click()
    await page.should_see(marker="secret")
    secret = text(page, "secret")
    assert len(secret) == 20
    assert secret.isalnum()
    row = await Authkey.get(ip="2001:db8::5", service="new")
    assert (row.privileges, row.secret_hint) == (SEARCH.mask, secret[-4:])
    assert row.secret_digest == hashlib.sha256(secret.encode()).hexdigest()
    assert not any(secret in str(value) for value in await Authkey.all().values_list())


# -- a new key -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clicks", [1, 2])
async def test_a_replaced_key_is_one_shown_once_and_the_menu_tells_how_it_ends(
    page: User, console: Console, clicks: int
) -> None:
    before = (await console.history.newest(1))[0].number
    await opens_menu(page, BILLING)
    await page.should_see(marker="row-issue")
    page.find(marker="row-issue").click()
    await page.should_see("This authkey has no key yet.")
    for _ in range(clicks):
        page.find(marker="issue-confirm").click()
    await page.should_see(marker="secret")
    secret = text(page, "secret")
    page.find(marker="secret-done").click()
    await opens_menu(page, BILLING)
    await page.should_see(f"Key ends in {secret[-4:]}")
    assert (await console.history.newest(1))[0].number == before + 1


async def confirms_and_the_question_goes(page: User) -> None:
    [question] = [each for each in page.find(kind=ui.dialog).elements if each.value]
    page.find(marker="issue-confirm").click()
    await eventually(lambda: not question.value)
    question.delete()  # as its closing does, which takes some 0.3 s in a browser


async def test_on_a_slow_machine_the_new_key_is_shown_although_the_question_is_gone_by_then(
    page: User, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_closed = asyncio.Event()

    async def issue_slowly(*about: Any) -> Secret:
        await has_closed.wait()
        return await issue_new_key(*about)

    monkeypatch.setattr(actions, "issue_new_key", issue_slowly)
    await opens_menu(page, BILLING)
    await page.should_see(marker="row-issue")
    page.find(marker="row-issue").click()
    await page.should_see(marker="issue-confirm")
    await confirms_and_the_question_goes(page)
    gc.collect()
    has_closed.set()
    await page.should_see(marker="secret")


# -- many new keys -------------------------------------------------------------------------------------------------------


async def test_keys_are_issued_for_all_that_is_selected_and_handed_out_once(page: User, console: Console) -> None:
    claims(page, "selected", selection(0, 2, ids=(await id_of(BILLING), await id_of(MAIL))))
    await page.should_see("3 rows, 1 column selected")
    page.find(marker="selection-issue").click()
    await page.should_see("3 keys selected. None of them has one yet.")
    page.find(marker="issue-keys-confirm").click()
    await page.should_see("3 keys were made.")
    page.find(marker="handout-show").click()
    await page.should_see(marker="handout-list")
    heading, *lines = text(page, "handout-list").splitlines()
    assert heading == "ip,service,secret"
    told = [line.split(",") for line in lines]
    assert [(ip, service) for ip, service, _ in told] == [(each.ip, each.service) for each in (BILLING, PORTAL, MAIL)]
    for ip, service, secret in told:
        row = await Authkey.get(ip=ip, service=service)
        assert row.secret_digest == hashlib.sha256(secret.encode()).hexdigest()
    page.find(marker="handout-show").click()
    await is_told(page, "These keys were handed out already")
    (entry,) = await console.history.newest(1)
    assert entry.submission
    assert entry.submission.row_count == 3


async def test_of_a_selection_only_those_without_a_key_get_one_unless_it_is_said_otherwise(
    page: User, console: Console
) -> None:
    await issue_new_key(console.submissions, console.admin, (await console.authkeys.of_ip(MAIL.ip))[0])
    hint = (await Authkey.get(ip=MAIL.ip)).secret_hint
    claims(page, "selected", selection(0, 2, ids=(await id_of(BILLING), await id_of(MAIL))))
    await page.should_see("3 rows, 1 column selected")
    page.find(marker="selection-issue").click()
    await page.should_see("1 has one already, which stops working at once.")
    await page.should_see("Only for the 2 that have none")
    page.find(marker="issue-keys-confirm").click()
    await page.should_see("2 keys were made.")
    assert (await Authkey.get(ip=MAIL.ip)).secret_hint == hint
    assert await Authkey.filter(secret_hint=None).count() == 0


# -- owner and note --------------------------------------------------------------------------------------------------------


async def test_owner_and_note_are_asked_with_what_is_stored_or_staged_and_staged(page: User, console: Console) -> None:
    await opens_menu(page, BILLING)
    await page.should_see(marker="row-texts")
    page.find(marker="row-texts").click()
    await page.should_see(marker="text-owner")
    page.find(marker="text-owner").type("Ana Ruiz")
    page.find(marker="texts-stage").click()
    await says(page, "staged-count", "1 change to 1 key")
    await opens_menu(page, BILLING)
    await page.should_see(marker="row-texts")
    page.find(marker="row-texts").click()
    await page.should_see(marker="text-owner")
    assert [field.value for field in page.find(kind=ui.input, marker="text-owner").elements] == ["Ana Ruiz"]
    page.find(marker="text-owner").clear().type("x" * 101)
    page.find(marker="texts-stage").click()
    await page.should_see(marker="texts-problem", content="The owner has 101 characters; at most 100 are allowed.")
    page.find(marker="text-owner").clear()
    page.find(marker="texts-stage").click()
    await says(page, "staged-count", "No staged changes")


async def test_a_selection_gets_an_owner_and_what_is_left_empty_stays(page: User, console: Console) -> None:
    await console.staging.stage_texts(console.admin.id, [await id_of(MAIL)], {TextName.NOTE: "rack 4"})
    claims(page, "selected", selection(0, 2, "ip", whole=True))
    await page.should_see(marker="selection-texts")
    page.find(marker="selection-texts").click()
    await page.should_see("3 keys selected. What you leave empty stays as it is.")
    page.find(marker="text-owner").type("Ana Ruiz")
    page.find(marker="texts-stage").click()
    await says(page, "staged-count", "4 changes to 3 keys")


async def test_a_new_key_has_its_owner_from_the_beginning(page: User, console: Console) -> None:
    page.find(marker="add").click()
    await page.should_see(marker="add-ip")
    page.find(marker="text-owner").type("Ana Ruiz")
    await fills_in(page, "192.0.2.99", "new")
    await says(page, "staged-count", "1 change to 1 key")
    page.find(marker="submit").click()
    await page.should_see(marker="secret")
    (key,) = list(await console.authkeys.of_ip("192.0.2.99"))
    assert (await console.authkeys.find([key.id]))[key.id].owner == "Ana Ruiz"
