"""Undo and redo outlive the process: a restart, kill -9, and another process of the same admin know the same steps."""

import uuid

import pytest

from models.errors import NotStaged
from models.staged_changes import MAX_STEPS
from models.staged_rows import StagedRow
from models.staging_steps import Step, changes_between, from_text, reachable, to_texts
from models.submissions import CellChange
from models.tables import StagingStep
from models.views import View
from services.console import Console, open_console
from storage.database import DatabaseLocation, reader
from tests.other_process import OtherProcess, another_process
from tests.support import ADD, MODIFY, SEARCH, add_keys, an_admin, new_keys, stage_all, staged_in_database, submit
from tests.waiting import eventually

GRANT, OTHER = StagedRow(grants=ADD.mask), StagedRow(removal=True, revision=7)


async def entries(console: Console) -> dict[int, StagedRow]:
    """What the console's admin has staged, which must be the same in memory and in the database."""
    staged = dict((await console.staging.of(console.admin.id)).entries)
    assert staged == await staged_in_database(console.admin.id)
    return staged


async def stored_steps() -> list[tuple[int, bool]]:
    rows = await StagingStep.all().using_db(reader()).order_by("number")
    return [(row.number, bool(row.undone)) for row in rows]


# -- over restarts and processes -----------------------------------------------------------------------------------------


async def test_after_a_restart_every_step_can_still_be_undone_and_redone(database: DatabaseLocation) -> None:
    async with open_console(database) as console:
        first, second = await add_keys(console, *new_keys(2, ADD.mask))
        mine, staging = console.admin.id, console.staging
        await staging.stage(mine, first.id, SEARCH, True)
        await staging.stage_removal(mine, second.id)
        await staging.stage(mine, first.id, ADD, False)
        await staging.undo(mine)
    removal = StagedRow(removal=True, revision=second.revision)
    async with open_console(database) as console:
        await console.staging.redo(mine)
        assert (await entries(console))[first.id] == StagedRow(SEARCH.mask, ADD.mask)
        await console.staging.undo(mine)
        await console.staging.undo(mine)
        assert await entries(console) == {first.id: StagedRow(grants=SEARCH.mask)}
        await console.staging.redo(mine)
    async with open_console(database) as console:
        assert await entries(console) == {first.id: StagedRow(grants=SEARCH.mask), second.id: removal}
        await console.staging.undo(mine)
        await console.staging.undo(mine)
        assert await entries(console) == {}
        with pytest.raises(NotStaged, match="no staging step to undo"):
            await console.staging.undo(mine)


async def stage_some_and_discard(console: Console) -> dict[int, StagedRow]:
    await add_keys(console, *new_keys(6_000))
    await stage_all(console.staging, console.admin.id, View(), SEARCH, True)
    before = await entries(console)
    await console.staging.discard(console.admin.id)
    return before


async def test_a_discard_is_undone_after_kill_9(database: DatabaseLocation) -> None:
    killed = OtherProcess(database, None)
    assert await killed.told() == "open"
    staged = await killed.do(stage_some_and_discard)
    killed.kill()
    async with open_console(database) as console:
        assert await entries(console) == {}
        await console.staging.undo(console.admin.id)
        assert await entries(console) == staged
        assert len(staged) == 6_000


async def undo(console: Console) -> None:
    await console.staging.undo(console.admin.id)


async def test_another_process_undoes_what_was_staged_here_and_both_agree(
    database: DatabaseLocation, console: Console
) -> None:
    first, second = await add_keys(console, *new_keys(2))
    mine = console.admin.id
    async with another_process(database) as other:
        await console.staging.stage(mine, first.id, SEARCH, True)
        await console.staging.stage(mine, second.id, SEARCH, True)
        await other.do(undo)
        await eventually(lambda: has_staged(console, {first.id}))
        await console.staging.redo(mine)
        assert set(await entries(console)) == {first.id, second.id}
        await other.do(undo)
        # Right away, whether or not it was heard of here yet.
        await console.staging.undo(mine)
    assert await entries(console) == {}


async def has_staged(console: Console, ids: set[int]) -> bool:
    return set(await console.staging.of(console.admin.id)) == ids


# -- what is stored ------------------------------------------------------------------------------------------------------


async def test_a_new_step_forgets_what_was_undone_for_good(database: DatabaseLocation) -> None:
    async with open_console(database) as console:
        rows = await add_keys(console, *new_keys(3))
        mine = console.admin.id
        for row in rows:
            await console.staging.stage(mine, row.id, SEARCH, True)
        await console.staging.undo(mine)
        await console.staging.undo(mine)
        assert await stored_steps() == [(1, False), (2, True), (3, True)]
        await console.staging.stage(mine, rows[0].id, MODIFY, True)
        assert [undone for _, undone in await stored_steps()] == [False, False]
    async with open_console(database) as console:
        with pytest.raises(NotStaged):
            await console.staging.redo(mine)


async def test_a_submission_leaves_no_step_behind(console: Console) -> None:
    (row,) = await add_keys(console, *new_keys(1))
    await console.staging.stage(console.admin.id, row.id, SEARCH, True)
    await console.staging.submit(console.admin, uuid.uuid4())
    assert await stored_steps() == []
    with pytest.raises(NotStaged):
        await console.staging.undo(console.admin.id)


async def test_a_step_that_somebody_else_made_pointless_goes_also_when_nobody_was_there_to_see(
    database: DatabaseLocation,
) -> None:
    async with open_console(database) as console:
        first, second = await add_keys(console, *new_keys(2))
        mine, dana = console.admin.id, await an_admin("dana")
        await console.staging.stage(mine, first.id, SEARCH, True)
        await console.staging.stage(mine, second.id, SEARCH, True)
        await submit(console, CellChange(second.id, SEARCH.mask, 0), admin=dana)
        await eventually(lambda: has_staged(console, {first.id}))
        assert await stored_steps() == [(1, False)]
    async with another_process(database, "dana") as other:
        await other.do(submit, CellChange(first.id, SEARCH.mask, 0))
    async with open_console(database) as console:
        with pytest.raises(NotStaged):
            await console.staging.undo(mine)
        await console.staging.stage(mine, second.id, ADD, True)
        assert [undone for _, undone in await stored_steps()] == [False], "the pointless one was replaced"
        await console.staging.undo(mine)


async def test_the_last_200_steps_are_stored(console: Console) -> None:
    (row,) = await add_keys(console, *new_keys(1))
    for number in range(MAX_STEPS + 5):
        await console.staging.stage(console.admin.id, row.id, SEARCH, number % 2 == 0)
    assert await stored_steps() == [(number, False) for number in range(6, MAX_STEPS + 6)]


async def test_a_step_too_large_to_be_stored_is_where_undo_ends_after_a_restart(
    database: DatabaseLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.staging_steps.MAX_STORED_ENTRIES", 5)
    async with open_console(database) as console:
        rows = await add_keys(console, *new_keys(6))
        mine = console.admin.id
        await console.staging.stage(mine, rows[0].id, ADD, True)
        await stage_all(console.staging, mine, View(), SEARCH, True)
        await console.staging.stage(mine, rows[1].id, MODIFY, True)
        await console.staging.undo(mine)
        await console.staging.undo(mine)
        assert await entries(console) == {rows[0].id: StagedRow(grants=ADD.mask)}, "in memory it is known"
        await console.staging.redo(mine)
        await console.staging.redo(mine)
    async with open_console(database) as console:
        await console.staging.undo(mine)
        assert all(entry.grants & SEARCH.mask for entry in (await entries(console)).values())
        with pytest.raises(NotStaged):
            await console.staging.undo(mine)
        assert len(await entries(console)) == 6, "what is staged is there all the same"


# -- as values -----------------------------------------------------------------------------------------------------------


def test_a_step_is_the_same_after_it_was_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.staging_steps.ENTRIES_IN_A_PART", 2)
    step = Step(1, False, {id_: (GRANT, OTHER) if id_ % 2 else (OTHER, GRANT) for id_ in range(1, 6)})
    texts = list(to_texts(step))
    assert len(texts) == 3
    read = {id_: pair for text in texts for id_, pair in from_text(text).items()}
    assert read == step.entries
    assert type(read[1][1].removal) is bool


def test_only_what_is_different_is_written() -> None:
    one, two, three = (Step(number, False, {number: (OTHER, GRANT)}) for number in (1, 2, 3))
    nothing = changes_between({1: one, 2: two}, {1: one, 2: two})
    assert not nothing.any
    undone = changes_between({1: one, 2: two}, {1: one, 2: two._replace(undone=True)})
    assert (undone.new, undone.turned, undone.gone) == ([], [two._replace(undone=True)], False)
    replaced = changes_between({1: one, 2: two}, {1: one, 3: three})
    assert (replaced.kept, replaced.new, replaced.gone) == ([1], [three], True)


@pytest.mark.parametrize(
    ("stored", "known"), [("d d", "1 2"), ("d D d", "3"), ("D u", "2"), ("d U u", "1"), ("d D d u U u", "3 4")]
)
def test_undo_and_redo_end_at_a_step_that_was_not_stored(stored: str, known: str) -> None:
    """`d` done, `u` undone; `D` and `U` too, but not stored."""
    steps = [
        Step(number, word in "uU", {} if word in "DU" else {1: (OTHER, GRANT)})
        for number, word in enumerate(stored.split(), 1)
    ]
    assert [str(step.number) for step in reachable(steps)] == known.split()
