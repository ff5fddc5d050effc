"""Staged changes as a service: stored at every step, the same for every process, never half a step."""

import asyncio
import random
import uuid

import pytest

from models.errors import NotStaged, RowNotFound, SubmissionRefused
from models.marks import Marks, StagingChange
from models.staged_rows import StagedRow
from models.submissions import CellChange, ConflictKind, Removal
from models.views import View
from services.console import Console, open_console
from services.imports import import_file
from storage.database import DatabaseLocation
from storage.staging import versions
from tests.other_process import another_process
from tests.program import write_csv
from tests.support import (
    ADD,
    MODIFY,
    SEARCH,
    add_key,
    add_keys,
    all_keys,
    an_admin,
    new_keys,
    stage_all,
    staged_in_database,
    submissions,
    submit,
)
from tests.waiting import eventually


async def stage_elsewhere(console: Console, authkey_id: int) -> None:
    await console.staging.stage(console.admin.id, authkey_id, SEARCH, True)


async def test_staged_changes_survive_a_restart(database: DatabaseLocation) -> None:
    async with open_console(database) as console:
        row = await add_key(console)
        await console.staging.stage(console.admin.id, row.id, SEARCH, True)
    async with open_console(database) as console:
        assert (await console.staging.of(console.admin.id))[row.id] == StagedRow(grants=SEARCH.mask)


async def test_every_step_is_in_the_database_and_can_be_undone_and_redone(console: Console) -> None:
    mine, staging = console.admin.id, console.staging
    first, second = await add_keys(console, *new_keys(2, ADD.mask))
    await staging.stage(mine, first.id, SEARCH, True)
    await staging.stage_removal(mine, second.id)
    both = {first.id: StagedRow(grants=SEARCH.mask), second.id: StagedRow(removal=True, revision=second.revision)}
    assert await staged_in_database(mine) == both
    await staging.discard(mine)
    assert await staged_in_database(mine) == {}
    await staging.undo(mine)
    assert await staged_in_database(mine) == both
    await staging.undo(mine)
    assert await staged_in_database(mine) == {first.id: StagedRow(grants=SEARCH.mask)}
    await staging.redo(mine)
    assert await staged_in_database(mine) == both


async def test_what_does_not_exist_cannot_be_staged_or_undone(console: Console) -> None:
    with pytest.raises(RowNotFound):
        await console.staging.stage(console.admin.id, 999, SEARCH, True)
    with pytest.raises(NotStaged):
        await console.staging.undo(console.admin.id)
    assert await staged_in_database(console.admin.id) == {}


async def test_a_whole_view_or_ip_is_one_step(console: Console) -> None:
    rows = await add_keys(console, *new_keys(300))
    assert await stage_all(console.staging, console.admin.id, View(), MODIFY, True) == 300
    await console.staging.undo(console.admin.id)
    assert await staged_in_database(console.admin.id) == {}
    await console.staging.stage_removal_of_ip(console.admin.id, rows[0].ip)
    assert set(await staged_in_database(console.admin.id)) == {rows[0].id}


async def test_submitting_applies_everything_once_and_leaves_nothing_staged(console: Console) -> None:
    row = await add_key(console)
    await console.staging.stage(console.admin.id, row.id, SEARCH, True)
    same = uuid.uuid4()
    first = await console.staging.submit(console.admin, same)
    assert (first.change_count, first.key_count) == (1, 1)
    assert await console.staging.submit(console.admin, same) == first
    assert (await all_keys())[row.id].privileges == SEARCH.mask
    assert await staged_in_database(console.admin.id) == {}


async def test_a_refused_submission_keeps_everything_and_says_what_conflicts(console: Console) -> None:
    changed, removed, free = await add_keys(console, *new_keys(3))
    mine = console.admin.id
    await console.staging.stage_removal(mine, changed.id)
    await console.staging.stage(mine, removed.id, SEARCH, True)
    await console.staging.stage(mine, free.id, SEARCH, True)
    dana = await an_admin("dana")
    await submit(console, CellChange(changed.id, ADD.mask, 0), Removal(removed.id, removed.revision), admin=dana)

    with pytest.raises(SubmissionRefused):
        await console.staging.submit(console.admin, uuid.uuid4())
    assert (await all_keys())[free.id].privileges == 0, "nothing at all was written"
    staged = await console.staging.of(mine)
    kinds = {id_: conflict.kind for id_, conflict in staged.conflicts.items()}
    assert kinds == {changed.id: ConflictKind.CHANGED, removed.id: ConflictKind.REMOVED}
    assert len(await staged_in_database(mine)) == 3

    await console.staging.confirm(mine, [changed.id])
    await console.staging.take_back(mine, [removed.id])
    assert (await console.staging.submit(console.admin, uuid.uuid4())).key_count == 2
    assert set(await all_keys()) == {free.id}


async def test_what_somebody_else_made_so_is_no_longer_staged(console: Console) -> None:
    row = await add_key(console)
    await console.staging.stage(console.admin.id, row.id, SEARCH, True)
    told: list[StagingChange] = []
    console.staging.changed.subscribe(told.append, expect_args=True)
    await submit(console, CellChange(row.id, SEARCH.mask, 0), admin=await an_admin("dana"))
    await eventually(lambda: any(change.fell_away for change in told))
    assert told[-1] == StagingChange(
        console.admin.id, Marks(console.admin.name, frozenset(), frozenset({row.id})), fell_away=1
    )
    assert await staged_in_database(console.admin.id) == {}


async def test_another_process_of_the_same_admin_is_followed(database: DatabaseLocation, console: Console) -> None:
    first, second = await add_keys(console, *new_keys(2))
    await console.staging.stage(console.admin.id, first.id, SEARCH, True)
    async with another_process(database) as other:
        await other.do(stage_elsewhere, second.id)
        await eventually(lambda: has_staged(console, {first.id, second.id}))
        # And a step here right after one there loses neither.
        await console.staging.stage(console.admin.id, first.id, ADD, True)
    assert set(await staged_in_database(console.admin.id)) == {first.id, second.id}


async def has_staged(console: Console, ids: set[int]) -> bool:
    return set(await console.staging.of(console.admin.id)) == ids


async def test_callers_that_are_cancelled_at_any_moment_leave_nothing_locked_or_half_done(console: Console) -> None:
    rows = await add_keys(console, *new_keys(20))
    chance = random.Random(5)
    for number in range(200):
        step = console.staging.stage(console.admin.id, rows[number % 20].id, SEARCH, number % 3 > 0)
        task = asyncio.create_task(step)
        await asyncio.sleep(chance.random() * 0.004)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(20):
        await console.staging.stage(console.admin.id, rows[0].id, MODIFY, True)
        await eventually(lambda: memory_is_database(console))


async def memory_is_database(console: Console) -> bool:
    staged = await console.staging.of(console.admin.id)
    return dict(staged.entries) == await staged_in_database(console.admin.id)


async def test_an_import_is_one_submission_that_adds_and_updates(console: Console, tmp_path) -> None:
    row = await add_key(console, ADD.mask)
    keys = [key._replace(privileges=SEARCH.mask) for key in new_keys(3)]
    receipt = await import_file(write_csv(tmp_path / "keys.csv", keys), console.admin, console.submissions)
    assert receipt.key_count == 3
    stored = await all_keys()
    assert {each.privileges for each in stored.values()} == {SEARCH.mask}
    assert {each.revision for each in stored.values()} == {receipt.revision}
    assert row.id in stored


async def test_submitting_nothing_writes_nothing_and_is_no_step(console: Console) -> None:
    before, known = await versions(), await submissions()
    receipt = await console.staging.submit(console.admin, uuid.uuid4())
    assert (receipt.revision, receipt.change_count) == (None, 0)
    assert (await versions(), await submissions()) == (before, known)


async def test_a_version_that_was_read_before_a_step_of_this_process_lets_no_page_read_anew(console: Console) -> None:
    row = await add_key(console)
    await console.staging.stage(console.admin.id, row.id, SEARCH, True)
    before = await versions()
    await console.staging.stage(console.admin.id, row.id, SEARCH, False)
    told: list[StagingChange] = []
    console.staging.changed.subscribe(told.append, expect_args=True)
    await console.staging.refresh(before)
    await console.staging.refresh(await versions())
    await asyncio.sleep(0)  # an event is told in a task of its own
    assert told == []


async def test_a_step_is_undone_by_its_number_only_while_it_is_the_latest(console: Console) -> None:
    first, second = await add_keys(console, *new_keys(2))
    mine = console.admin.id
    await console.staging.stage(mine, first.id, SEARCH, True)
    number = console.staging.latest_step(mine)
    await console.staging.stage(mine, second.id, SEARCH, True)
    with pytest.raises(NotStaged, match="something else was staged"):
        await console.staging.undo(mine, number)
    assert await has_staged(console, {first.id, second.id})
    await console.staging.undo(mine, console.staging.latest_step(mine))
    await console.staging.undo(mine, number)
    assert await has_staged(console, set())


async def test_no_later_step_ever_has_the_number_of_an_earlier_one(
    database: DatabaseLocation, console: Console
) -> None:
    row, mine = await add_key(console), console.admin.id
    numbers = []

    async def stage(value: bool) -> None:
        await console.staging.stage(mine, row.id, SEARCH, value)
        numbers.append(console.staging.latest_step(mine))

    await stage(True)
    await console.staging.undo(mine)
    await stage(True)  # in the place of the one that was undone
    await console.staging.submit(console.admin, uuid.uuid4())
    await stage(False)  # after a submission there are no steps
    async with another_process(database) as other:
        await other.do(stage_elsewhere, row.id)
    await eventually(lambda: has_staged(console, set()))
    await stage(False)
    assert numbers == sorted(set(numbers))
