"""Staged changes: examples to read, and a machine that tries everything against a simple model of its own."""

import pytest

from models.authkeys import Authkey
from models.errors import NotStaged
from models.privileges import privilege
from models.staged_changes import MAX_STEPS, StagedChanges
from models.staged_rows import StagedRow
from models.submissions import Conflict, ConflictKind

ADD, MODIFY, SEARCH = privilege("addlicense"), privilege("modlisc"), privilege("search")


def key(id_: int = 1, privileges: int = 0, revision: int = 1) -> Authkey:
    return Authkey(id_, f"192.0.2.{id_}", "billing", privileges, revision)


# -- one cell ----------------------------------------------------------------------------------------------------------


def test_at_first_nothing_is_staged() -> None:
    staged = StagedChanges()
    assert (staged.change_count, staged.key_count, staged.conflicts) == (0, 0, {})
    assert not staged.to_undo
    assert not staged.to_redo


def test_ticking_a_privilege_that_the_authkey_lacks_stages_a_grant() -> None:
    staged = StagedChanges()
    assert staged.stage(key(), SEARCH, True) == {1}
    assert staged[1] == StagedRow(grants=SEARCH.mask)


def test_unticking_a_privilege_that_it_has_stages_a_revocation() -> None:
    staged = StagedChanges()
    staged.stage(key(privileges=SEARCH.mask), SEARCH, False)
    assert staged[1] == StagedRow(revocations=SEARCH.mask)


@pytest.mark.parametrize("stored", [0, SEARCH.mask])
def test_ticking_a_cell_back_to_what_is_stored_leaves_nothing_staged(stored: int) -> None:
    staged = StagedChanges()
    staged.stage(key(privileges=stored), SEARCH, not stored)
    staged.stage(key(privileges=stored), SEARCH, bool(stored))
    assert dict(staged.entries) == {}


def test_staging_what_is_stored_is_no_step() -> None:
    staged = StagedChanges()
    assert staged.stage(key(privileges=SEARCH.mask), SEARCH, True) == set()
    assert not staged.to_undo


def test_cells_of_one_authkey_are_staged_independently() -> None:
    staged, row = StagedChanges(), key(privileges=SEARCH.mask)
    staged.stage(row, ADD, True)
    staged.stage(row, MODIFY, True)
    staged.stage(row, SEARCH, False)
    staged.stage(row, ADD, False)
    assert staged[1] == StagedRow(grants=MODIFY.mask, revocations=SEARCH.mask)
    assert (staged.change_count, staged.key_count) == (2, 1)


def test_an_entry_is_applied_cell_by_cell_and_leaves_the_others_as_they_are() -> None:
    entry = StagedRow(grants=ADD.mask, revocations=SEARCH.mask)
    assert entry.applied_to(SEARCH.mask | MODIFY.mask) == ADD.mask | MODIFY.mask


def test_changes_are_counted_for_some_of_the_authkeys() -> None:
    staged = StagedChanges()
    staged.stage(key(1), ADD, True)
    staged.stage(key(1), SEARCH, True)
    staged.stage_removal([key(2)])
    assert [staged.count_in(ids) for ids in ([1], [2], [1, 2], [3], [])] == [2, 1, 3, 0, 0]


# -- removals, and several authkeys at once ----------------------------------------------------------------------------


def test_a_removal_replaces_what_was_staged_for_the_cells_and_counts_as_one_change() -> None:
    staged = StagedChanges()
    staged.stage(key(), ADD, True)
    staged.stage(key(), SEARCH, True)
    staged.stage_removal([key(revision=7)])
    assert staged[1] == StagedRow(removal=True, revision=7)
    assert staged.change_count == 1


def test_undoing_a_removal_brings_the_staged_cells_back() -> None:
    staged = StagedChanges()
    staged.stage(key(), SEARCH, True)
    staged.stage_removal([key()])
    staged.undo()
    assert staged[1] == StagedRow(grants=SEARCH.mask)


def test_a_cell_of_an_authkey_that_is_staged_for_removal_cannot_be_staged() -> None:
    staged = StagedChanges()
    staged.stage_removal([key()])
    with pytest.raises(NotStaged, match=r"192\.0\.2\.1 \(billing\) is staged for removal\. Take the removal back"):
        staged.stage(key(), SEARCH, True)
    assert staged[1].removal


def test_several_authkeys_are_staged_in_one_step_and_those_marked_for_removal_left_alone() -> None:
    staged, rows = StagedChanges(), [key(1), key(2), key(3, SEARCH.mask)]
    staged.stage_removal([rows[0]])
    assert staged.stage_all(rows, SEARCH, True) == {2}
    assert staged[1].removal
    staged.undo()
    assert list(staged) == [1]


def test_marking_an_authkey_for_removal_again_keeps_the_revision_that_was_seen_first() -> None:
    staged = StagedChanges()
    staged.stage_removal([key(revision=1)])
    assert staged.stage_removal([key(revision=2)]) == set()
    assert staged[1].revision == 1


# -- taking back -------------------------------------------------------------------------------------------------------


def test_one_cell_is_taken_back_without_the_others() -> None:
    staged = StagedChanges()
    staged.stage(key(), ADD, True)
    staged.stage(key(), SEARCH, True)
    assert staged.take_back_part(1, ADD) == {1}
    assert staged[1] == StagedRow(grants=SEARCH.mask)


def test_taking_back_a_cell_does_not_take_back_a_removal() -> None:
    staged = StagedChanges()
    staged.stage_removal([key()])
    assert staged.take_back_part(1, ADD) == set()
    assert staged[1].removal


def test_taking_back_what_is_not_staged_is_no_step() -> None:
    staged = StagedChanges()
    assert staged.take_back([1, 2]) == staged.take_back_part(1, ADD) == staged.discard() == set()
    assert not staged.to_undo


def test_all_that_is_staged_for_some_authkeys_is_taken_back_in_one_step() -> None:
    staged = StagedChanges()
    staged.stage(key(1), ADD, True)
    staged.stage_removal([key(2)])
    staged.stage(key(3), ADD, True)
    assert staged.take_back([1, 2]) == {1, 2}
    assert list(staged) == [3]
    staged.undo()
    assert set(staged) == {1, 2, 3}


def test_a_discard_can_be_undone() -> None:
    staged = StagedChanges()
    staged.stage(key(1), ADD, True)
    staged.stage_removal([key(2)])
    before = dict(staged.entries)
    assert staged.discard() == {1, 2}
    assert len(staged) == 0
    staged.undo()
    assert dict(staged.entries) == before


# -- undo and redo -----------------------------------------------------------------------------------------------------


def test_steps_are_undone_and_redone_one_by_one() -> None:
    staged = StagedChanges()
    staged.stage(key(), ADD, True)
    staged.stage(key(), SEARCH, True)
    assert staged.undo() == {1}
    assert staged[1] == StagedRow(grants=ADD.mask)
    staged.undo()
    assert len(staged) == 0
    staged.redo()
    staged.redo()
    assert staged[1] == StagedRow(grants=ADD.mask | SEARCH.mask)


def test_a_new_step_forgets_what_was_undone() -> None:
    staged = StagedChanges()
    staged.stage(key(), ADD, True)
    staged.undo()
    staged.stage(key(), SEARCH, True)
    assert not staged.to_redo
    with pytest.raises(NotStaged, match="no staging step to redo"):
        staged.redo()


def test_without_a_step_there_is_nothing_to_undo() -> None:
    with pytest.raises(NotStaged, match="no staging step to undo"):
        StagedChanges().undo()


def test_the_last_200_steps_can_be_undone() -> None:
    staged = StagedChanges()
    for number in range(MAX_STEPS + 10):
        staged.stage(key(), SEARCH, number % 2 == 0)
    for _ in range(MAX_STEPS):
        staged.undo()
    assert not staged.to_undo


def test_huge_steps_are_forgotten_earlier_but_the_last_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.staged_changes.MAX_STEP_ENTRIES", 10)
    staged = StagedChanges()
    rows = [key(id_) for id_ in range(6)]
    staged.stage_all(rows, ADD, True)
    staged.stage_all(rows, SEARCH, True)
    staged.undo()
    assert not staged.to_undo
    assert staged[1] == StagedRow(grants=ADD.mask)


def test_a_copy_goes_its_own_way() -> None:
    staged = StagedChanges()
    staged.stage(key(), ADD, True)
    copy = staged.copy()
    copy.undo()
    copy.stage_removal([key(2)])
    assert dict(staged.entries) == {1: StagedRow(grants=ADD.mask)}
    assert staged.to_undo
    assert not staged.to_redo


# -- the authkeys change underneath ------------------------------------------------------------------------------------


def test_a_cell_that_somebody_else_changed_alike_falls_away() -> None:
    staged = StagedChanges()
    staged.stage(key(), ADD, True)
    staged.stage(key(), SEARCH, True)
    assert staged.rebase({1: key(privileges=ADD.mask, revision=2)}) == {1}
    assert staged[1] == StagedRow(grants=SEARCH.mask)
    assert staged.conflicts == {}


def test_a_cell_stays_staged_when_somebody_else_changed_another_cell() -> None:
    staged = StagedChanges()
    staged.stage(key(), SEARCH, True)
    assert staged.rebase({1: key(privileges=ADD.mask, revision=2)}) == set()
    assert staged[1] == StagedRow(grants=SEARCH.mask)


def test_a_removal_of_what_is_already_removed_falls_away() -> None:
    staged = StagedChanges()
    staged.stage_removal([key()])
    assert staged.rebase({1: None}) == {1}
    assert (dict(staged.entries), staged.conflicts) == ({}, {})


def test_cells_of_an_authkey_that_somebody_else_removed_stay_as_a_conflict() -> None:
    staged = StagedChanges()
    staged.stage(key(), SEARCH, True)
    assert staged.rebase({1: None}) == set()
    assert staged[1] == StagedRow(grants=SEARCH.mask)
    assert staged.conflicts == {1: Conflict(ConflictKind.REMOVED, 0)}
    staged.take_back([1])
    assert staged.conflicts == {}


def test_that_conflict_ends_when_the_authkey_comes_back() -> None:
    staged = StagedChanges()
    staged.stage(key(), SEARCH, True)
    staged.rebase({1: None})
    staged.rebase({1: key(revision=3)})
    assert staged.conflicts == {}
    assert staged[1] == StagedRow(grants=SEARCH.mask)


def test_a_removal_of_an_authkey_that_changed_after_it_was_marked_is_a_conflict_until_confirmed() -> None:
    staged = StagedChanges()
    staged.stage_removal([key(revision=1)])
    staged.rebase({1: key(privileges=ADD.mask, revision=2)})
    assert staged.conflicts == {1: Conflict(ConflictKind.CHANGED, 2)}
    assert staged.confirm([1]) == {1}
    assert staged.conflicts == {}
    assert staged[1] == StagedRow(removal=True, revision=2)


def test_confirming_changes_nothing_where_there_is_no_such_conflict() -> None:
    staged = StagedChanges()
    staged.stage_removal([key(1)])
    staged.stage(key(2), ADD, True)
    staged.rebase({2: None})
    assert staged.confirm([1, 2, 3]) == set()


def test_undo_never_stages_what_is_stored_by_now() -> None:
    staged = StagedChanges()
    staged.stage(key(), SEARCH, True)
    staged.take_back([1])
    staged.rebase({1: key(privileges=SEARCH.mask, revision=2)})
    assert not staged.to_undo, "nothing is left of both steps"


def test_undo_brings_back_cells_of_an_authkey_that_is_gone_as_a_conflict_to_decide_on() -> None:
    staged = StagedChanges()
    staged.stage_all([key(1), key(2)], SEARCH, True)
    staged.discard()
    staged.rebase({1: None})
    staged.undo()
    assert set(staged) == {1, 2}
    assert staged.conflicts == {1: Conflict(ConflictKind.REMOVED, 0)}


def test_authkeys_that_are_only_in_steps_are_rebased_too() -> None:
    staged = StagedChanges()
    staged.stage(key(1), SEARCH, True)
    staged.stage(key(2), SEARCH, True)
    staged.undo()
    staged.take_back([1])
    assert staged.ids_to_rebase() == {1}
    staged.undo()
    assert staged.ids_to_rebase() == {1}
