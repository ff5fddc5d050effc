"""Views under a name: what they may be called, who sees and changes them, and what becomes of old ones."""

import asyncio
from typing import Any

import pytest

from models.accounts import AdminIdentity, Role
from models.errors import InvalidValue, NotAllowed, RowNotFound
from models.moments import moment
from models.saved_views import MAX_VIEWS, SavedView, in_words, reading, view_name
from models.subjects import Subject
from models.tables import SavedView as SavedViewTable
from models.views import PassphraseView, State, View, parse_passphrase_view, parse_view
from services.console import Console
from services.saved_views import change_view, delete_view, save_view, views_seen_by
from tests.support import ADD, SEARCH, an_admin, came_in

BILLING = View(search="billing", has=SEARCH.mask, sort="service", descending=True)
ALL = View()
KEYS = Subject.AUTHKEY


async def save(admin: AdminIdentity, name: str, view: View = BILLING, *, shared: bool = False) -> None:
    await save_view(admin, KEYS, name, view, is_shared=shared)


async def seen(admin: AdminIdentity, subject: Subject = KEYS) -> list[str]:
    return [each.name for each in await views_seen_by(admin, subject)]


async def find(admin: AdminIdentity, name: str) -> SavedView:
    return next(each for each in await views_seen_by(admin, KEYS) if each.name == name)


# -- names ---------------------------------------------------------------------------------------------------------------


def test_a_name_is_stored_as_it_is_seen() -> None:
    assert view_name("  The \u00a0 office  keys ") == "The office keys"
    assert view_name("Bu\u0308ro") == "Büro"
    assert view_name("x" * 60) == "x" * 60


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Give the view a name"), (" \u00a0 ", "Give the view a name"), ("x" * 61, "has 61 characters"),
        ("a\u200bb", "invisible character"), ("a\x00b", "control character"), ("a\u202eb", "control character"),
    ],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidValue, match=problem):
        view_name(text)


async def test_an_admin_has_a_name_once_without_case_and_another_admin_may_have_it_too(console: Console) -> None:
    lee = await an_admin("lee")
    await save(console.admin, "Straße")
    for taken in ("Straße", " STRASSE ", "strasse"):
        with pytest.raises(InvalidValue, match="There is already a view 'Straße'"):
            await save(console.admin, taken)
    await save(lee, "strasse")
    await save_view(console.admin, Subject.PASSPHRASE, "strasse", PassphraseView.natural(), is_shared=False)
    assert await seen(console.admin) == ["Straße"]
    assert await seen(console.admin, Subject.PASSPHRASE) == await seen(lee) == ["strasse"]


async def test_of_many_windows_that_save_one_name_at_once_one_succeeds(console: Console) -> None:
    done = await asyncio.gather(*(save(console.admin, "mine") for _ in range(8)), return_exceptions=True)
    assert sum(each is None for each in done) == 1
    assert all(each is None or "already a view" in str(each) for each in done)


async def test_an_admin_keeps_a_hundred_of_them(console: Console) -> None:
    rows = [
        SavedViewTable(admin_id=console.admin.id, subject=KEYS, name=f"{n}", name_key=f"{n}", query="", shared=False)
        for n in range(MAX_VIEWS)
    ]
    await SavedViewTable.bulk_create(rows)
    with pytest.raises(InvalidValue, match="You have 100 saved views; more than 100 are not kept"):
        await save(console.admin, "one more")
    with pytest.raises(InvalidValue, match="more than 100"):
        await save_view(console.admin, Subject.PASSPHRASE, "one more", PassphraseView.natural(), is_shared=False)
    await delete_view(console.admin, (await find(console.admin, "7")).id)
    await save(console.admin, "one more")


# -- who sees and changes them --------------------------------------------------------------------------------------------


async def test_a_view_is_private_until_it_is_shared_and_then_everybody_reads_it(console: Console) -> None:
    lee = await an_admin("lee")
    await save(console.admin, "office")
    mine = await find(console.admin, "office")
    assert (mine.owner, mine.query, mine.is_shared) == (console.admin.name, BILLING.to_query(), False)
    assert await seen(lee) == []
    await change_view(console.admin, mine.id, "Office", is_shared=True)
    theirs = await find(lee, "Office")
    assert (theirs.owner, theirs.query) == (console.admin.name, BILLING.to_query())
    assert not theirs.may_be_changed_by(lee)
    await change_view(console.admin, mine.id, "Office", is_shared=False, view=ALL)
    assert await seen(lee) == []
    assert (await find(console.admin, "Office")).query == ""


@pytest.mark.parametrize(
    ("shared", "refusal", "words"), [(True, NotAllowed, "only its owner"), (False, RowNotFound, "not there")]
)
async def test_another_admin_changes_none_of_it_and_learns_nothing_of_private_ones(
    console: Console, shared: bool, refusal: Any, words: str
) -> None:
    lee = await an_admin("lee")
    await save(console.admin, "office", shared=shared)
    before = await find(console.admin, "office")
    with pytest.raises(refusal, match=words):
        await change_view(lee, before.id, "mine now", is_shared=False, view=ALL)
    with pytest.raises(refusal, match=words):
        await delete_view(lee, before.id)
    assert await find(console.admin, "office") == before


async def test_an_auditor_keeps_private_views_and_shares_none(console: Console) -> None:
    ada = (await an_admin("ada"))._replace(role=Role.AUDITOR)
    with pytest.raises(NotAllowed, match="auditor"):
        await save(ada, "mine", shared=True)
    await save(ada, "mine")
    mine = await find(ada, "mine")
    with pytest.raises(NotAllowed, match="auditor"):
        await change_view(ada, mine.id, "mine", is_shared=True)
    await change_view(ada, mine.id, "still mine", is_shared=False)
    await delete_view(ada, mine.id)
    assert await seen(ada) == []


async def test_what_is_gone_is_said_to_be_gone(console: Console) -> None:
    with pytest.raises(RowNotFound, match="not there any more"):
        await change_view(console.admin, 99, "x", is_shared=False)
    with pytest.raises(RowNotFound, match="not there any more"):
        await delete_view(console.admin, 99)


async def test_what_a_colleague_who_left_has_shared_stays_and_any_admin_may_delete_it(console: Console) -> None:
    await console.admins.add("lee", "vexing-marble-otter", Role.ADMIN, "alice")
    lee, ada = await an_admin("lee"), (await an_admin("ada"))._replace(role=Role.AUDITOR)
    await save(lee, "office", shared=True)
    await save(lee, "my own")
    await came_in(console)
    await console.admins.set_disabled("lee", True, "alice")
    office = await find(console.admin, "office")
    assert office.is_orphan
    with pytest.raises(NotAllowed, match="only its owner"):
        await delete_view(ada, office.id)
    await console.admins.erase_name("lee", "alice")
    assert [each.name for each in await views_seen_by(lee, KEYS)] == ["office"], "what nobody else saw is forgotten"
    await delete_view(console.admin, office.id)
    assert await seen(console.admin) == []


# -- what they say -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (View(), "all rows"),
        (BILLING, "“billing”, has Search for a License, by service, descending"),
        (View(has=ADD.mask | SEARCH.mask), "has Add a New License, Search for a License"),
        (View(lacks=ADD.mask, staged_only=True, sort="search"), "lacks Add a New License, only what you have staged, by Search for a License"),
        (View(unused_days=90), "unused for 90 days"),
        (View(as_of=412), "as of #412"),
        (View(as_of=moment("2026-01-01T10:00Z")), "as of 2026-01-01T10:00:00Z"),
        (PassphraseView.natural(), "all rows"),
        (PassphraseView(descending=True, state=State.REMOVED), "removed"),
    ],
)  # fmt: skip
def test_a_view_is_told_in_words_and_read_again_from_its_query(view: View | PassphraseView, words: str) -> None:
    assert in_words(view) == words
    parse = parse_view if isinstance(view, View) else parse_passphrase_view
    assert reading(view.to_query(), parse) == (view, [])


def test_an_old_view_says_what_of_it_cannot_be_any_more() -> None:
    view, problems = reading("search=billing&has=flyhigh&sort=colour", parse_view)
    assert view == View(search="billing")
    assert len(problems) == 2
    assert "'flyhigh' is not a privilege" in problems[0]
    assert "'colour' is not a column to sort by" in problems[1]
