"""The history as it is read: found by what one remembers of it, told in words, exported, and pruned."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models import chain
from models.accounts import Role
from models.errors import ArchiveRefused, InvalidValue
from models.exports import ExportFormat, csv_text
from models.history import EntryKind
from models.history_views import HistoryView, What, parse_history_view
from models.submissions import CellChange, NewAuthkey, Removal, Source
from models.views import View
from services.console import Console
from services.pruning import prune
from tests.generated_history import generate
from tests.support import ADD, MODIFY, SEARCH, add_keys, all_keys, an_admin, new_keys, submit


async def sentences(console: Console, view: HistoryView) -> list[str]:
    """Who did what, newest first."""
    return [f"{told.entry.name} {told.sentence}" for told in await console.history.block(view, 0, 100)]


@pytest.fixture
async def filled(console: Console) -> Console:
    """Some admins at work on two keys."""
    dana, lee = await an_admin("dana"), await an_admin("lee")
    await submit(console, NewAuthkey("192.0.2.7", "billing", 0), NewAuthkey("2001:db8::7", "Büro 100%", 0))
    one, other = (await all_keys()).values()
    await submit(console, CellChange(one.id, ADD.mask | SEARCH.mask, 0), admin=dana)
    await submit(console, CellChange(one.id, MODIFY.mask, ADD.mask), CellChange(other.id, SEARCH.mask, 0), admin=lee)
    await console.sessions.begin(dana, "198.51.100.1")
    await console.history.put(EntryKind.REFUSED, "mallory", "203.0.113.9")
    await submit(console, Removal(other.id, 10**6), admin=lee)
    await console.passphrases.add(dana, "correct horse battery", SEARCH.mask, note="for the new rack")
    return console


ADDED = "root added 2 keys"
GRANTED = f"dana granted {ADD.label} and 1 more on 192.0.2.7, billing"
CHANGED = f"lee granted {MODIFY.label} and 1 more and revoked {ADD.label} on 2 keys"
REMOVED = "lee removed 2001:db8::7, Büro 100%"
PHRASE = "dana added #1 for the new rack"


async def test_each_entry_is_a_line_in_words(filled: Console) -> None:
    me = filled.admin.name
    assert await sentences(filled, HistoryView()) == [
        PHRASE, REMOVED, "mallory sign-in refused", "dana signed in", CHANGED, GRANTED, ADDED.replace("root", me),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"admin": "dana"}, [PHRASE, "dana signed in", GRANTED]),
        ({"admin": "nobody"}, []),
        ({"search": "192.0.2.7"}, [CHANGED, GRANTED, ADDED]),
        ({"search": "2001:db8::/48"}, [REMOVED, CHANGED, ADDED]),
        ({"search": "büro"}, [REMOVED, CHANGED, ADDED]),
        ({"search": "100%"}, [REMOVED, CHANGED, ADDED]),
        ({"search": "0%0"}, []),
        ({"search": "new rack"}, [PHRASE]),
        ({"search": "203.0.113.9"}, ["mallory sign-in refused"]),
        ({"search": "203.0.113.0/24"}, ["mallory sign-in refused"]),
        ({"search": "198.51."}, ["dana signed in"]),
        ({"search": "198.51.100.0/32"}, []),
        ({"what": "access"}, ["mallory sign-in refused", "dana signed in"]),
        ({"privilege": MODIFY.id}, [CHANGED]),
        ({"privilege": ADD.id}, [CHANGED, GRANTED]),
        ({"what": "removals"}, [REMOVED]),
        ({"what": "additions", "search": "192.0.2.0/24"}, [ADDED]),
        ({"what": "revocations"}, [CHANGED]),
        ({"what": "grants", "admin": "dana"}, [GRANTED]),
        ({"what": "refused"}, ["mallory sign-in refused"]),
        ({"what": "sign-ins"}, ["dana signed in"]),
        ({"source": "dialog"}, [PHRASE]),
        ({"since": "2999-01-01"}, []),
        ({"until": "2001-01-01"}, []),
        ({"since": "2001-01-01", "admin": "lee"}, [REMOVED, CHANGED]),
    ],
)
async def test_entries_are_found_by_what_one_remembers(
    filled: Console, query: dict[str, str], found: list[str]
) -> None:
    view = parse_history_view(query)
    assert await sentences(filled, view) == [line.replace("root", filled.admin.name) for line in found]
    assert await filled.history.count(view) == len(found)
    assert parse_history_view(dict(part.split("=") for part in view.to_query().split("&") if "%" not in part) or query)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"what": "miracles"}, "is not a kind of entries"),
        ({"source": "heaven"}, "is not a source"),
        ({"privilege": "fly"}, "fly"),
        ({"since": "2026-13-01"}, "is no time"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "is after the time until which"),
        ({"search": "x" * 2001}, "more than 2,?000"),
        ({"admin": "a\x00b"}, "no admin of that name"),
    ],
)
def test_a_view_that_cannot_be_is_refused_in_words(query: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        parse_history_view(query)


async def test_a_day_alone_means_all_of_it() -> None:
    view = parse_history_view({"since": "2026-11-20", "until": "2026-11-20"})
    assert view.since == datetime(2026, 11, 20, tzinfo=UTC)
    assert view.until == datetime(2026, 11, 20, 23, 59, 59, 999999, tzinfo=UTC)
    assert parse_history_view(dict(p.split("=") for p in view.to_query().split("&"))) == view


async def test_blocks_follow_each_other_without_a_gap_with_filters_and_without(console: Console) -> None:
    await generate(500, set())
    for view in (HistoryView(), HistoryView(admin="dana"), HistoryView(search="10.0.0.1")):
        count = await console.history.count(view)
        numbers = [
            told.entry.number
            for start in range(0, count, 100)
            for told in await console.history.block(view, start, start + 100)
        ]
        assert len(numbers) == count
        assert numbers == sorted(set(numbers), reverse=True)


async def test_the_history_of_a_box_is_who_changed_it_and_for_how_long_it_stood(console: Console) -> None:
    lee = await an_admin("lee")
    (key,) = await add_keys(console, *new_keys(1))
    await submit(console, CellChange(key.id, ADD.mask, 0), admin=lee)
    await submit(console, CellChange(key.id, SEARCH.mask, 0))
    await submit(console, CellChange(key.id, 0, ADD.mask))
    await submit(console, Removal(key.id, 10**6), admin=lee)
    changes = await console.history.changes_of(key.subject, key.id, ADD.mask)
    assert [(change.admin_name, change.done.after & ADD.mask) for change in changes] == [
        (console.admin.name, 0), ("lee", ADD.mask),
    ]  # fmt: skip
    assert len(await console.history.changes_of(key.subject, key.id)) == 5, "a removed key is found too"
    assert len(await console.history.changes_of(key.subject, key.id, before=changes[0].revision, count=2)) == 2


# -- exports -------------------------------------------------------------------------------------------------------------


async def text_of(pieces: AsyncIterator[str]) -> str:
    return "".join([piece async for piece in pieces])


async def test_an_export_is_checked_by_a_program_that_needs_nothing_but_python(filled: Console, tmp_path: Path) -> None:
    text = await text_of(await filled.exports.of_history(HistoryView(), ExportFormat.JSONL, filled.admin))
    export, checkpoints, program = tmp_path / "e.jsonl", tmp_path / "c", tmp_path / "verify.py"
    export.write_text(text)
    program.write_text(Path(chain.__file__).read_text())
    await filled.chain.append_checkpoint(checkpoints)

    def check(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(program), str(export), *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert check().stdout == "Nothing is wrong, up to entry #7.\n"
    late = check("--checkpoint", str(checkpoints), "--key", filled.chain.verifier_key)
    assert "Entry #8: it is missing: a checkpoint says that there were 8." in late.stderr
    export.write_text(text.replace('"granted":["search"]', '"granted":[]').replace('"after":256', '"after":0'))
    assert check().returncode == 1
    assert "Entry #3: what its submission did is not what was written then." in check().stderr
    export.write_text("\n".join(line for line in text.splitlines() if '"number":4' not in line))
    assert "Entry #4: it is missing." in check().stderr
    export.write_text(text + "a letter\n")
    assert "is not one of an export" in check().stderr


async def test_an_export_of_a_part_is_checked_entry_by_entry(filled: Console) -> None:
    view = HistoryView(admin="lee")
    text = await text_of(await filled.exports.of_history(view, ExportFormat.JSONL, filled.admin))
    checker, whole = chain.check_lines(text.splitlines(), {})
    assert (checker.fault, whole) == (None, False)
    checker, _ = chain.check_lines(text.replace("removed", "renamed").splitlines(), {})
    assert checker.fault is not None


async def test_an_export_is_on_record_itself(filled: Console) -> None:
    await text_of(
        await filled.exports.of_history(HistoryView(what=What.REMOVALS), ExportFormat.CSV, filled.admin, "192.0.2.1")
    )
    entry = (await filled.history.newest(1))[0]
    assert (entry.kind, entry.name, entry.address) == (EntryKind.EXPORTED, filled.admin.name, "192.0.2.1")
    assert entry.detail == "history as csv: what=removals"


async def test_a_csv_has_a_line_for_each_modification(filled: Console) -> None:
    text = await text_of(await filled.exports.of_history(HistoryView(), ExportFormat.CSV, filled.admin))
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [line["entry"] for line in lines] == ["1", "1", "2", "3", "3", "4", "5", "6", "7"]
    assert [line["granted"] for line in lines if line["entry"] == "3"] == ["modlisc", "search"]
    assert lines[6]["who"] == "mallory"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1"])
def test_no_cell_of_a_csv_is_run_by_a_spreadsheet(cell: str) -> None:
    (read,) = csv.reader(io.StringIO(csv_text([[cell, "plain", -1]])))
    assert read == [f"'{cell}", "plain", "-1"]


async def test_the_table_is_exported_as_it_was_and_can_be_imported(console: Console) -> None:
    await add_keys(console, *new_keys(12_000, SEARCH.mask))
    then = (await console.past.now()).number
    keys = list((await all_keys()).values())
    await submit(console, *(Removal(key.id, 10**6) for key in keys[:7_000]))
    text = await text_of(await console.exports.of_table(View(as_of=then), ExportFormat.CSV, console.admin))
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [line["ip"] for line in lines] == [key.ip for key in keys]
    assert {line["search"] for line in lines} == {"1"}
    now = await text_of(await console.exports.of_table(View(), ExportFormat.JSONL, console.admin))
    assert [json.loads(line)["ip"] for line in now.splitlines()] == [key.ip for key in keys[7_000:]]
    with pytest.raises(InvalidValue, match="no entry #999"):
        await console.exports.of_table(View(as_of=999), ExportFormat.CSV, console.admin)


# -- pruning -------------------------------------------------------------------------------------------------------------


async def middle(console: Console) -> datetime:
    """A time between the fourth and the fifth entry."""
    entries = {entry.number: entry.at for entry in await console.history.newest(10)}
    return entries[4] + (entries[5] - entries[4]) / 2


async def test_pruned_entries_are_in_the_archive_and_the_chain_goes_on(filled: Console, tmp_path: Path) -> None:
    archive = tmp_path / "archive.jsonl"
    keys = await all_keys()
    pruned = await prune(await middle(filled), archive, filled.admin)
    assert pruned.entry_count == 4
    found = await filled.chain.check()
    assert (found.fault, found.number) == (None, 8)
    checker, whole = chain.check_lines(archive.read_text().splitlines(), {})
    assert (checker.fault, checker.number, whole) == (None, 4, True)
    assert [each.number for each in await filled.history.newest(10)] == [8, 7, 6, 5]
    assert await all_keys() == keys
    with pytest.raises(InvalidValue, match="There is no entry #2 on record"):
        await filled.past.moment(2)
    assert len(await filled.authkeys.block(View(as_of=5), 1, 0, 10)) == 2, "what follows the prune is still known"
    await submit(filled, CellChange(next(iter(keys)), 0, SEARCH.mask))
    assert (await filled.chain.check()).fault is None
    text = await text_of(await filled.exports.of_history(HistoryView(), ExportFormat.JSONL, filled.admin))
    checker, _ = chain.check_lines(text.splitlines(), {})
    assert (checker.fault, checker.number) == (None, 9)


async def test_a_checkpoint_of_pruned_entries_is_not_counted_as_compared(filled: Console, tmp_path: Path) -> None:
    old = await filled.chain.checkpoint()
    assert (await filled.chain.check(old)).compared == 1
    await submit(filled, CellChange(next(iter(await all_keys())), 0, SEARCH.mask))
    await filled.history.put(EntryKind.REFUSED, "mallory", "192.0.2.1")
    await prune(datetime.now(UTC), tmp_path / "archive.jsonl", filled.admin)
    assert (await filled.chain.check(old)).compared == 0


async def test_a_prune_that_cannot_be_changes_nothing(filled: Console, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("something else")
    when = await middle(filled)
    with pytest.raises(ArchiveRefused, match="exists already"):
        await prune(when, there, filled.admin)
    with pytest.raises(ArchiveRefused, match="cannot be written"):
        await prune(when, tmp_path / "no" / "folder", filled.admin)
    with pytest.raises(InvalidValue, match="has not come yet"):
        await prune(datetime.now(UTC) + timedelta(days=1), tmp_path / "new", filled.admin)
    with pytest.raises(InvalidValue, match="No entry that could go is older"):
        await prune(datetime(2001, 1, 1, tzinfo=UTC), tmp_path / "new", filled.admin)
    assert there.read_text() == "something else"
    assert sorted(tmp_path.glob("n*")) == []
    assert (await filled.chain.check()).number == 7


async def test_what_somebody_wrote_into_is_not_pruned(filled: Console, tmp_path: Path) -> None:
    from models.tables import Entry  # noqa: PLC0415

    await Entry.filter(number=3).update(detail="never mind")
    with pytest.raises(Exception, match=r"Entry #3: it is not what was written then\. Nothing was pruned"):
        await prune(await middle(filled), tmp_path / "archive", filled.admin)
    assert list(tmp_path.glob("archive*")) == []
    assert await Entry.all().count() == 7


async def test_the_newest_submission_always_stays(console: Console, tmp_path: Path) -> None:
    await submit(console, *new_keys(2))
    await submit(console, *new_keys(3))
    await console.admins.add("lee", "five words that do not belong", Role.ADMIN, "a test")
    assert (await prune(datetime.now(UTC), tmp_path / "a", console.admin)).entry_count == 1
    assert (await submit(console, *new_keys(4))).revision == 3


def test_a_source_of_every_submission_has_a_name() -> None:
    from models.history_views import SOURCE_NAMES  # noqa: PLC0415

    assert set(SOURCE_NAMES) == set(Source)
