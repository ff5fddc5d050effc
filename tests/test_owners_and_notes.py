"""Owners and notes of authkeys: staged like a tick, submitted, searched, on record, undone; and nobody's is overwritten unseen."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

import storage.staging
from models.amendments import MAX_LENGTHS, Amendment, TextChange, TextName
from models.authkeys import Authkey
from models.chain import check_lines
from models.errors import InvalidValue, NotStaged, RowNotFound, SubmissionRefused
from models.exports import ExportFormat
from models.history_views import HistoryView
from models.history_wording import effects, sentence
from models.reversals import Outcome
from models.selections import Selection
from models.staged_changes import StagedChanges
from models.staging_plans import PlanPart
from models.staging_steps import from_text, to_texts
from models.submissions import CellChange, ConflictKind, NewAuthkey, Removal, Restoration
from models.tables import AuthkeyText
from models.views import View
from models.wording import consequences, step_name
from services.console import Console
from services.planning import plan_paste, stage_plan
from storage.database import reader
from tests.support import ADD, SEARCH, add_key, add_keys, an_admin, new_keys, submit

OWNER, NOTE = TextName.OWNER, TextName.NOTE
NO_SELECTION = Selection(())


async def stored(console: Console, key: Authkey) -> tuple[str, str]:
    """The owner and the note that a key has."""
    now = (await console.authkeys.find([key.id]))[key.id]
    return now.owner, now.note


async def give(console: Console, key: Authkey, owner: str = "", note: str = "") -> None:
    """Let the console's admin give a key these."""
    await console.staging.stage_texts(console.admin.id, [key.id], {OWNER: owner, NOTE: note})
    await console.staging.submit(console.admin, uuid.uuid4())


async def found(console: Console, search: str) -> set[str]:
    """The addresses that a search finds."""
    view = View(search=search)
    rows = await console.authkeys.block(view, console.admin.id, 0, 100)
    assert await console.authkeys.count(view, console.admin.id) == len(rows)
    assert {row.id for row in await console.authkeys.matching(view, console.admin.id)} == {row.id for row in rows}
    return {row.ip for row in rows}


# -- staged ----------------------------------------------------------------------------------------------------------------


async def test_a_text_is_staged_like_a_tick_shown_and_submitted(console: Console) -> None:
    key, mine = await add_key(console, SEARCH.mask), console.admin.id
    await console.staging.stage(mine, key.id, ADD, True)
    await console.staging.stage_texts(mine, [key.id], {OWNER: "  Ana  Ruiz ", NOTE: "rack 4"})
    staged = await console.staging.of(mine)
    assert (staged.change_count, staged.key_count) == (3, 1)
    (shown,) = await console.staging.overlaid(mine, [key])
    assert (shown["owner"], shown["note"], shown["amended"]) == ("Ana Ruiz", "rack 4", ["note", "owner"])
    said = [each.text for each in consequences(console.staging.subject, staged[key.id])]
    assert said == [f"Grant {ADD.label}", "Note: none → rack 4", "Owner: none → Ana Ruiz"]
    assert await stored(console, key) == ("", "")

    receipt = await console.staging.submit(console.admin, uuid.uuid4())
    assert (receipt.change_count, receipt.key_count) == (3, 1)
    assert await stored(console, key) == ("Ana Ruiz", "rack 4")
    assert not len(await console.staging.of(mine))


async def test_the_stored_text_is_nothing_staged(console: Console) -> None:
    key = await add_key(console)
    await give(console, key, "Ana")
    await console.staging.stage_texts(console.admin.id, [key.id], {OWNER: "Ben"})
    await console.staging.stage_texts(console.admin.id, [key.id], {OWNER: "Ana"})
    assert not len(await console.staging.of(console.admin.id))


async def test_a_text_is_taken_back_undone_and_redone_by_itself(console: Console) -> None:
    key, mine = await add_key(console), console.admin.id
    await console.staging.stage_texts(mine, [key.id], {OWNER: "Ana", NOTE: "x"})
    await console.staging.take_back_part(mine, key.id, NOTE)
    assert [each.name for each in (await console.staging.of(mine))[key.id].amendment.texts] == [OWNER]
    await console.staging.undo(mine)
    await console.staging.undo(mine)
    assert not len(await console.staging.of(mine))
    await console.staging.redo(mine)
    staged = await console.staging.of(mine)
    assert staged.to_undo
    assert step_name(console.staging.subject, staged.to_undo) == "changing the owner or note of 1 key"
    assert len(staged[key.id].amendment.texts) == 2


async def test_many_get_an_owner_in_one_step_and_those_marked_for_removal_do_not(console: Console) -> None:
    keys, mine = await add_keys(console, *new_keys(5)), console.admin.id
    await console.staging.stage_removal(mine, keys[0].id)
    assert await console.staging.stage_texts(mine, [key.id for key in keys], {OWNER: "Ana"}) == 4
    await console.staging.undo(mine)
    assert (await console.staging.of(mine)).change_count == 1
    with pytest.raises(NotStaged, match="staged for removal"):
        await console.staging.stage_texts(mine, [keys[0].id], {OWNER: "Ana"})


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({OWNER: "x" * (MAX_LENGTHS[OWNER] + 1)}, "The owner has 101 characters; at most 100"),
        ({NOTE: "x" * (MAX_LENGTHS[NOTE] + 1)}, "The note has 501 characters; at most 500"),
        ({NOTE: "a\u202eb"}, r"control character U\+202E"),
        ({OWNER: "a\u200bb"}, r"invisible character U\+200B"),
    ],
    ids=["long owner", "long note", "direction", "invisible"],
)
async def test_what_cannot_be_a_text_is_refused_in_words(
    console: Console, texts: dict[TextName, str], said: str
) -> None:
    key = await add_key(console)
    with pytest.raises(InvalidValue, match=said):
        await console.staging.stage_texts(console.admin.id, [key.id], texts)
    assert not len(await console.staging.of(console.admin.id))


async def test_others_are_told_how_many_there_are(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2))
    mine = console.admin.id
    await console.staging.stage(mine, one.id, ADD, True)
    await console.staging.stage_texts(mine, [one.id, two.id], {OWNER: 'an ["owner", in quotes', NOTE: ""})
    await console.staging.stage_texts(mine, [two.id], {NOTE: "x"})
    await console.staging.stage_addition(mine, "192.0.2.7", "billing", 3, {OWNER: "Ana", NOTE: "x"})
    (summary,) = await storage.staging.summaries([mine])
    staged = await console.staging.of(mine)
    assert (summary.change_count, summary.key_count) == (staged.change_count, staged.key_count) == (5, 3)


async def test_a_text_for_a_key_that_is_gone_is_refused(console: Console) -> None:
    with pytest.raises(RowNotFound, match="removed in the meantime"):
        await console.staging.stage_texts(console.admin.id, [4711], {OWNER: "Ana"})


async def test_a_new_authkey_has_them_from_the_beginning(console: Console) -> None:
    await console.staging.stage_addition(
        console.admin.id, "192.0.2.7", "billing", SEARCH.mask, {OWNER: "Ana", NOTE: " "}
    )
    await console.staging.stage_addition(console.admin.id, "192.0.2.8", "billing", SEARCH.mask)
    await console.staging.submit(console.admin, uuid.uuid4())
    rows = {row.ip: row for row in await console.authkeys.block(View(), console.admin.id, 0, 9)}
    assert [(rows[ip].owner, rows[ip].note) for ip in ("192.0.2.7", "192.0.2.8")] == [("Ana", ""), ("", "")]
    assert (await console.chain.check()).fault is None


# -- two admins ------------------------------------------------------------------------------------------------------------


async def test_two_admins_who_change_different_texts_of_one_key_both_win(console: Console) -> None:
    key, dana = await add_key(console), await an_admin("dana")
    await console.staging.stage_texts(console.admin.id, [key.id], {OWNER: "Ana"})
    await console.staging.stage_texts(dana.id, [key.id], {NOTE: "rack 4"})
    await console.staging.submit(console.admin, uuid.uuid4())
    await console.staging.rebase({key.id})
    await console.staging.submit(dana, uuid.uuid4())
    assert await stored(console, key) == ("Ana", "rack 4")


@pytest.mark.parametrize("was_heard", [True, False], ids=["heard of it", "not heard of it yet"])
async def test_the_text_of_another_admin_is_never_overwritten_unseen(console: Console, was_heard: bool) -> None:
    key, dana, mine = await add_key(console), await an_admin("dana"), console.admin.id
    await console.staging.stage_texts(mine, [key.id], {OWNER: "Ana"})
    await submit(console, CellChange(key.id, 0, 0, Amendment(texts=(TextChange(OWNER, "", "Dana"),))), admin=dana)
    if was_heard:
        await console.staging.rebase({key.id})
        conflict = (await console.staging.of(mine)).conflicts[key.id]
        assert conflict.kind is ConflictKind.AMENDED
    with pytest.raises(SubmissionRefused):
        await console.staging.submit(console.admin, uuid.uuid4())
    assert await stored(console, key) == ("Dana", "")

    await console.staging.confirm(mine, [key.id])
    assert not (await console.staging.of(mine)).conflicts
    await console.staging.submit(console.admin, uuid.uuid4())
    assert await stored(console, key) == ("Ana", "")


async def test_the_same_text_by_both_is_no_conflict(console: Console) -> None:
    key, dana, mine = await add_key(console), await an_admin("dana"), console.admin.id
    await console.staging.stage_texts(mine, [key.id], {OWNER: "Ana"})
    await submit(console, CellChange(key.id, 0, 0, Amendment(texts=(TextChange(OWNER, "", "Ana"),))), admin=dana)
    assert (await console.staging.submit(console.admin, uuid.uuid4())).revision is None
    assert await stored(console, key) == ("Ana", "")


# -- found, kept and forgotten ---------------------------------------------------------------------------------------------


async def test_a_search_finds_owner_and_note_without_case_and_with_other_terms(console: Console) -> None:
    keys = await add_keys(console, *new_keys(3))
    await give(console, keys[0], "Ana Ruiz", "Straße 4")
    await give(console, keys[1], "Ben", "100%_off")
    assert await found(console, "ana") == {keys[0].ip}
    assert await found(console, "STRASSE") == {keys[0].ip}
    assert await found(console, "ana billing") == {keys[0].ip}
    assert await found(console, "ruiz ben") == set()
    assert await found(console, "0%_o") == {keys[1].ip}
    assert await found(console, "billing") == {key.ip for key in keys}
    assert await console.authkeys.place(View(search="ben"), console.admin.id, keys[1].id) == 0


@pytest.mark.parametrize("count", [1, 100, 101, 150])
async def test_a_search_finds_all_of_few_and_of_many(console: Console, count: int) -> None:
    team = (TextChange(OWNER, "", "Team Ä"),)
    keys = [NewAuthkey(each.ip, "billing", 0, texts=team if n < count else ()) for n, each in enumerate(new_keys(160))]
    await add_keys(console, *keys)
    view = View(search="team ä")
    assert await console.authkeys.count(view, console.admin.id) == count
    assert len(await console.authkeys.stretch(view, console.admin.id, 0, 200)) == count


async def test_they_come_back_with_a_removed_key_and_go_with_one_that_is_forgotten(console: Console) -> None:
    key = await add_key(console)
    await give(console, key, "Ana", "rack 4")
    await submit(console, Removal(key.id, 10**6))
    assert await found(console, "ana") == set()
    await submit(console, Restoration(key.id))
    assert await stored(console, key) == ("Ana", "rack 4")
    await submit(console, Removal(key.id, 10**6))
    await console.submissions.purge_removed(datetime.now(UTC) + timedelta(days=31))
    assert await AuthkeyText.all().using_db(reader()).count() == 0


# -- on record -------------------------------------------------------------------------------------------------------------


async def test_it_is_on_record_in_words_and_the_chain_holds(console: Console) -> None:
    key = await add_key(console)
    await give(console, key, 'Ana "the boss" \\ Größe 📠')
    entry = (await console.history.newest(1))[0]
    (done,) = (await console.reversals.of_entry(entry.number)).lines
    assert done.text == "Give back its owner: none"
    last = await console.authkeys.last_change(key.id)
    assert last
    assert effects(last.done) == [("✎", 'Owner: none → Ana "the boss" \\ Größe 📠')]
    assert sentence(entry, last.done) == f"changed the owner or note of {key.ip}, billing"
    assert (await console.chain.check()).fault is None


async def test_an_export_of_the_history_is_checked_with_them(console: Console) -> None:
    key = await add_key(console)
    await give(console, key, "Größe", "x")
    pieces = await console.exports.of_history(HistoryView(), ExportFormat.JSONL, console.admin)
    lines = "".join([piece async for piece in pieces]).splitlines()
    checker, whole = check_lines(lines, {})
    assert whole
    assert checker.end() is None
    forged = [line.replace("Größe", "Kleine") for line in lines]
    checker, _ = check_lines(forged, {})
    assert checker.end() is not None
    (told,) = [json.loads(line) for line in lines if "Größe" in line]
    assert json.loads(told["modification"]["texts"]) == [["note", "", "x"], ["owner", "", "Größe"]]


async def test_undoing_gives_the_text_back_unless_somebody_changed_it_since(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2))
    for key in (one, two):
        await give(console, key, "Ana")
    await console.staging.stage_texts(console.admin.id, [one.id, two.id], {OWNER: "Ben"})
    await console.staging.submit(console.admin, uuid.uuid4())
    number = (await console.history.newest(1))[0].number
    await give(console, two, "Cho")
    preview = await console.reversals.of_entry(number)
    assert [line.outcome for line in preview.lines] == [Outcome.UNDONE, Outcome.CHANGED]
    await console.reversals.stage(console.admin.id, preview, {0})
    await console.staging.submit(console.admin, uuid.uuid4())
    assert [await stored(console, key) for key in (one, two)] == [("Ana", ""), ("Cho", "")]
    again = await console.reversals.of_entry(number)
    assert [line.outcome for line in again.lines] == [Outcome.ALREADY, Outcome.CHANGED]
    await console.reversals.stage(console.admin.id, again, {1})
    await console.staging.submit(console.admin, uuid.uuid4())
    assert await stored(console, two) == ("Ana", "")


async def test_the_undo_of_a_receipt_gives_them_back(console: Console) -> None:
    key = await add_key(console)
    await give(console, key, "Ana", "rack 4")
    revision = (await console.authkeys.find([key.id]))[key.id].revision
    await console.submissions.undo(revision, console.admin, uuid.uuid4())
    assert await stored(console, key) == ("", "")


# -- pasted ----------------------------------------------------------------------------------------------------------------


async def test_columns_of_a_paste_give_owners_and_notes(console: Console) -> None:
    key = await add_key(console, SEARCH.mask)
    text = f"ip\tservice\tsearch\towner\tnote\n{key.ip}\tbilling\t1\tAna\t'=x\n192.0.2.9\tnew\t1\tBen\t\n"
    plan = await plan_paste(console.staging, console.admin.id, text, View(), NO_SELECTION, (0, [ADD]))
    assert dict(plan.totals) == {PlanPart.NEW: 1, PlanPart.TEXTS: 2}
    await stage_plan(console.staging, console.admin.id, plan, {PlanPart.NEW})
    assert (await console.staging.of(console.admin.id)).change_count == 1
    plan = await plan_paste(console.staging, console.admin.id, text, View(), NO_SELECTION, (0, [ADD]))
    await stage_plan(console.staging, console.admin.id, plan, set(PlanPart))
    await console.staging.submit(console.admin, uuid.uuid4())
    rows = {row.ip: (row.owner, row.note) for row in await console.authkeys.block(View(), console.admin.id, 0, 9)}
    assert rows == {key.ip: ("Ana", "=x"), "192.0.2.9": ("Ben", "")}


# -- steps as they are stored ----------------------------------------------------------------------------------------------


def test_a_step_is_stored_with_its_texts() -> None:
    staged = StagedChanges()
    keys = [Authkey(7, "192.0.2.7", "billing", 0, 1), Authkey(-3, "192.0.2.8", "billing", 0, 0)]
    staged.stage_texts(keys, {OWNER: "Ana"})
    step = staged.to_undo
    assert step
    assert from_text(next(to_texts(step))) == step.entries
