"""The chain of the history: whatever is changed in it behind the program's back is found, and the right entry named."""

import asyncio
import random
import sqlite3
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from models import chain
from models.accounts import Role
from models.amendments import Amendment, TextChange, TextName
from models.chain import Fault, canonical
from models.errors import ChainBroken, InvalidValue
from models.history import EntryKind
from models.submissions import CellChange, NewAuthkey, Removal, Restoration
from models.tables import Entry, Modification
from services.console import Console, open_console
from storage import history
from storage.database import DatabaseLocation
from tests.approvals import MANAGE, approved
from tests.other_process import OtherProcess, tell
from tests.support import ADD, MODIFY, SEARCH, add_keys, all_keys, an_admin, came_in, new_keys, submit
from tests.tampering import Tamperer
from tests.waiting import comes_true

TAMPERINGS = 500
"""On each database"""


async def make_history(console: Console) -> None:
    """A bit of everything that happens."""
    dana = await an_admin("dana")
    keys = await add_keys(console, *new_keys(12, SEARCH.mask))
    await console.history.put(EntryKind.REFUSED, "nobody knows me", "192.0.2.1")
    for number, key in enumerate(keys[:6]):
        await submit(console, CellChange(key.id, ADD.mask, 0), admin=dana if number % 2 else None)
        await console.sessions.begin(dana, f"192.0.2.{number}")
    await submit(console, *(CellChange(key.id, MODIFY.mask, SEARCH.mask) for key in keys))
    revision = (await submit(console, *(Removal(key.id, 1_000) for key in keys[-3:]))).revision
    await submit(console, Restoration(keys[-1].id))
    await console.passphrases.add(dana, "correct horse battery", SEARCH.mask)
    await console.admins.add("lee", "five words that do not belong", Role.AUDITOR, "a test")
    owner = TextChange(TextName.OWNER, "", 'Größe, 📠 \\ "x"')
    await submit(console, NewAuthkey("2001:db8::7", 'Büro, 📠 \\ "x"', 257, texts=(owner,)))
    await submit(console, *(CellChange(key.id, 0, 0, Amendment(texts=(owner,))) for key in keys[:3]))
    await approved(console, dana, console.admin, CellChange(keys[0].id, MANAGE.mask, 0))
    assert revision


async def check(console: Console, checkpoint: str = "") -> Fault | None:
    return (await console.chain.check(checkpoint)).fault


# -- what is digested ----------------------------------------------------------------------------------------------------

_VALUES = st.recursive(
    st.none() | st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="ascii"), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_the_standard_library_writes_the_canonical_json_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**53 - 1), st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 511))
    )
)
def test_so_does_the_library_that_writes_many_rows(rows: list[tuple[int, str, int]]) -> None:
    assert orjson.dumps(rows) == rfc8785.dumps([list(row) for row in rows])


# -- a chain that is whole -----------------------------------------------------------------------------------------------


async def test_a_chain_of_everything_that_happens_is_whole(console: Console) -> None:
    assert await check(console) is None
    await make_history(console)
    found = await console.chain.check()
    assert found.fault is None
    assert found.number == await Entry.all().count()
    assert found.modification_count == await Modification.all().count()
    assert (await console.chain.last_check())[1:] == (found.number, "")


async def test_a_name_can_be_erased_and_the_chain_still_holds(console: Console) -> None:
    await make_history(console)
    await came_in(console)
    await console.admins.erase_name("dana", "a test")
    await console.admins.erase_name("nobody knows me", "a test")
    assert await check(console) is None
    names = {entry.name for entry in await console.history.newest(1_000)}
    assert not names & {"dana", "nobody knows me"}
    with pytest.raises(InvalidValue, match="nothing is on record"):
        await console.admins.erase_name("whoever", "a test")


async def test_a_chain_that_grows_while_it_is_checked_is_whole(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_history(console)
    key, *_ = (await all_keys()).values()
    monkeypatch.setattr(history, "PORTION", 3)
    finding = asyncio.create_task(console.chain.check())
    for number in range(20):
        await submit(console, CellChange(key.id, *((SEARCH.mask, 0) if number % 2 else (0, SEARCH.mask))))
    assert (await finding).fault is None


# -- a chain that somebody wrote into ------------------------------------------------------------------------------------


@pytest.mark.timeout(600)
async def test_hundreds_of_random_tamperings_are_all_found_and_the_right_entry_is_named(console: Console) -> None:
    await make_history(console)
    checkpoint = await console.chain.checkpoint()
    tamperer = Tamperer(random.Random(20261126))
    await tamperer.load()
    wrong = []
    for _ in range(TAMPERINGS):
        kind, number = await tamperer.do()
        fault = await check(console, checkpoint)
        if fault is None or fault.number != number:
            wrong.append((kind, number, fault))
        await tamperer.put_back()
    assert wrong == []
    assert await check(console, checkpoint) is None


async def test_of_several_checkpoints_the_last_that_agrees_says_where_a_chain_was_written_anew(
    console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "checkpoints"
    await submit(console, *new_keys(2))
    assert await console.chain.append_checkpoint(file)
    assert not await console.chain.append_checkpoint(file), "nothing is new"
    await make_history(console)
    assert await console.chain.append_checkpoint(file)
    tamperer = Tamperer(random.Random(1))
    await tamperer.load()
    tamperer.entries = tamperer.entries[3:4]
    await tamperer.restamp()
    fault = await check(console, file.read_text())
    assert str(fault).endswith("the chain was written anew at or before it, after #1.")
    with pytest.raises(ChainBroken, match="is not the one that was signed before"):
        await console.chain.append_checkpoint(file)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("\n2\n", "\n3\n", 1).replace("\n1\n", "\n7\n", 1), "is not signed with this key"),
        (lambda text: text[:-20], "damaged|cut off|not signed"),
        (lambda text: text.split("\n\n")[0], "cut off"),
        (lambda text: "a letter to a friend", "cut off"),
    ],
)
async def test_a_damaged_checkpoint_is_refused_in_words(console: Console, change: Any, said: str) -> None:
    await submit(console, *new_keys(1))
    with pytest.raises(InvalidValue, match=said):
        await console.chain.check(change(await console.chain.checkpoint()))


async def test_a_checkpoint_of_another_key_is_refused_in_words(console: Console) -> None:
    await submit(console, *new_keys(1))
    note = await console.chain.checkpoint()
    other = chain.verifier_key("authkeys", bytes(range(32)))
    with pytest.raises(InvalidValue, match="is not signed with this key"):
        await console.chain.check(note, other)
    with pytest.raises(InvalidValue, match="no verifier key"):
        await console.chain.check(note, "rubbish")


# -- many who write, and one that dies -----------------------------------------------------------------------------------


async def write_much(console: Console, name: str) -> None:
    for number in range(25):
        await submit(console, NewAuthkey(f"192.0.2.{number}", name, SEARCH.mask))
        await console.sessions.begin(console.admin, "192.0.2.1")


async def test_three_processes_that_write_at_once_make_one_unbroken_chain(database: DatabaseLocation) -> None:
    processes = [OtherProcess(database, "ada") for _ in range(3)]
    try:
        assert await asyncio.gather(*(process.told() for process in processes)) == ["open"] * 3
        await asyncio.gather(*(process.do(write_much, str(n)) for n, process in enumerate(processes)))
        await asyncio.gather(*(process.end() for process in processes))
    finally:
        for process in processes:
            process.kill()
    async with open_console(database) as console:
        found = await console.chain.check()
        assert (found.fault, found.number) == (None, 150)


async def write_for_ever(console: Console) -> None:
    await write_much(console, "first")
    tell("writing")
    for number in range(10_000):
        await submit(console, NewAuthkey(f"10.0.{number >> 8}.{number & 255}", "second", SEARCH.mask))


async def test_after_kill_9_in_the_middle_the_chain_is_whole(sqlite_database: DatabaseLocation) -> None:
    killed = OtherProcess(sqlite_database, "ada")
    assert await killed.told() == "open"
    killed.begin(write_for_ever)
    assert await killed.told() == "writing"
    with sqlite3.connect(sqlite_database.path) as file:
        assert await comes_true(lambda: file.execute("SELECT MAX(number) FROM entry").fetchone()[0] > 80)
    killed.kill()
    async with open_console(sqlite_database) as console:
        assert await check(console) is None
        await submit(console, NewAuthkey("2001:db8::8", "third", 0))
        assert await check(console) is None


async def test_a_server_with_a_checkpoint_file_appends_one_when_it_starts(
    sqlite_database: DatabaseLocation, tmp_path: Path
) -> None:
    file = tmp_path / "checkpoints"
    async with open_console(sqlite_database) as console:
        await submit(console, *new_keys(1))
    async with open_console(sqlite_database, None, file) as console:
        assert await comes_true(lambda: file.exists() and file.read_text().endswith("\n"))
        assert await check(console, file.read_text()) is None
        await submit(console, *new_keys(2))
        assert (await console.chain.check()).compared == 1, "by itself it is compared with its own file"
