"""What a search finds: words, alternatives, lists of addresses, wildcards, and the last four characters of a key; today as in the past."""

from collections.abc import Sequence

import pytest

from models.history_views import HistoryView
from models.searches import alternatives
from models.secrets import KnownSecret
from models.submissions import NewAuthkey
from models.views import View
from services.console import Console, open_console
from storage import authkey_texts, authkeys
from storage.database import DatabaseLocation, reader
from tests.support import add_keys

KEYS = {
    "a": ("192.0.2.7", "billing rack 4", "wxYZ"),
    "b": ("192.0.2.8", "Billing, old", "0001"),
    "c": ("10.0.0.5", "rack 4 mail", "0002"),
    "d": ("10.0.1.5", "10.0.0.5 relay", "0003"),
    "e": ("2001:db8::7", "wxyz", "0004"),
    "f": ("10.0.0.50", "Büro", "0005"),
}

SEARCHES = [
    ("billing", "ab"),
    ("billing rack", "a"),
    ("rack  4", "ac"),
    ("4 rack", "ac"),
    ("billing old", "b"),
    ("Billing, old", "ab"),
    ("mail, büro", "cf"),
    ("192.0.2.7", "a"),
    ("192.0.2.7 10.0.1.5", "ad"),
    ("192.0.2.7,10.0.0.5\n2001:db8::7", "ace"),
    ("192.0.2.0/24; 2001:db8::/32", "abe"),
    ("10.0.0.*", "cf"),
    ("10.0.*", "cdf"),
    ("10.*", "cdf"),
    ("10.0.0.* rack", "c"),
    ("10.0.0", "cdf"),
    ("192.0.2.", "ab"),
    ("wxYZ", "ae"),
    ("wxyz", "e"),
    ("0003", "d"),
    ("10.0.0.5 relay", "d"),
    ("10.0.1.5 relay", "d"),
    (", ;", ""),
    ("100%", ""),
    ("_", ""),
    ("nothing", ""),
]  # fmt: skip


@pytest.fixture
async def filled(console: Console) -> Console:
    await add_keys(
        console, *(NewAuthkey(ip, service, 0, KnownSecret(f"{hint:0>64}", hint)) for ip, service, hint in KEYS.values())
    )
    return console


@pytest.mark.parametrize(("search", "expected"), SEARCHES)
async def test_a_search_finds_the_same_today_and_in_the_table_as_it_was(
    filled: Console, search: str, expected: str
) -> None:
    names = {(ip, service): letter for letter, (ip, service, _) in KEYS.items()}
    newest = (await filled.history.newest(1))[0].number
    for view in (View(search=search), View(search=search, as_of=newest)):
        rows = await filled.authkeys.block(view, filled.admin.id, 0, 100)
        assert "".join(sorted(names[row.ip, row.service] for row in rows)) == expected, view
        assert await filled.authkeys.count(view, filled.admin.id) == len(expected)


@pytest.mark.parametrize(
    ("search", "expected"), [("rack mail", 1), ("192.0.2.7 10.0.1.5", 1), ("nothing", 0), ("wxYZ", 1), (",", 1)]
)
async def test_the_history_is_searched_like_it_but_for_what_it_does_not_know(
    filled: Console, search: str, expected: int
) -> None:
    assert await filled.history.count(HistoryView(search=search)) == expected


@pytest.mark.parametrize(
    ("search", "expected"), [("web mail", 1), ("192.0.2.1 192.0.2.2", 2), ("mail", 2), ("192.0.2.*", 2)]
)
async def test_so_are_authkeys_that_shall_be_made(console: Console, search: str, expected: int) -> None:
    for number, service in ((1, "web mail"), (2, "mail")):
        await console.staging.stage_addition(console.admin.id, f"192.0.2.{number}", service, 0)
    assert await console.staging.shown.count(View(search=search), console.admin.id) == expected


def test_a_single_address_is_looked_up_and_nothing_else() -> None:
    ((term,),) = alternatives("192.0.2.7")
    assert term.addresses
    assert len(alternatives("192.0.2.7 192.0.2.8")) == 2, "so that an index serves a list of them"


@pytest.mark.parametrize("many", [False, True], ids=["of a few keys", "of more than are named"])
async def test_the_end_of_a_key_is_found_however_many_end_so(console: Console, many: bool) -> None:
    count = 130 if many else 3
    await add_keys(
        console, *(NewAuthkey(f"192.0.2.{n}", "mail", 0, KnownSecret(f"{n:0>64}", "wxYZ")) for n in range(count))
    )
    await add_keys(console, NewAuthkey("::1", "wxyz", 0, KnownSecret("a" * 64, "0000")))
    assert await console.authkeys.count(View(search="wxYZ"), console.admin.id) == count + 1
    assert await console.authkeys.count(View(search="wxYZ 192.0.2."), console.admin.id) == count


async def test_for_the_end_of_a_key_an_index_is_asked_and_no_table_read(sqlite_database: DatabaseLocation) -> None:
    async with open_console(sqlite_database) as console:
        rows = (await authkeys._matching(View(search="wxYZ"), console.admin.id, None)).values_list("id")
        ends = authkeys._all().filter(secret_hint="wxYZ").values_list("id")
        for query, way in ((rows, "INDEX"), (ends, "SEARCH authkey USING COVERING INDEX")):
            _, plan = await reader().execute_query(f"EXPLAIN QUERY PLAN {query.sql(params_inline=True)}")
            assert [row["detail"] for row in plan if way not in row["detail"]] == []


async def test_a_word_that_is_said_again_and_again_is_looked_up_once(
    filled: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    holding = authkey_texts.holding

    async def noted(text: str) -> Sequence[int] | None:
        asked.append(text)
        return await holding(text)

    monkeypatch.setattr(authkey_texts, "holding", noted)
    assert await filled.authkeys.count(View(search="mail " * 300), filled.admin.id) == 1
    assert len(asked) <= 2, "the word, and all of it as the name of a service"
