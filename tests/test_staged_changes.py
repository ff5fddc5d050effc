"""Staged changes: examples to read, and a machine that tries everything against a simple model of its own."""

from collections.abc import Mapping

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from models.authkeys import Authkey
from models.errors import NotStaged
from models.privileges import PRIVILEGES, Privilege, privilege
from models.staged_changes import MAX_STEPS, Conflict, ConflictKind, StagedChanges, StagedRow

ADD, MODIFY, SEARCH = privilege("addlicense"), privilege("modlisc"), privilege("search")


def key(id_: int = 1, privileges: int = 0, revision: int = 1) -> Authkey:
    return Authkey(id_, f"192.0.2.{id_}", "billing", privileges, revision)


# -- one cell ----------------------------------------------------------------------------------------------------------


def test_at_first_nothing_is_staged() -> None:
    staged = StagedChanges()
    assert (staged.change_count, staged.key_count, staged.conflicts) == (0, 0, {})
    assert not staged.can_undo
    assert not staged.can_redo


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
    assert not staged.can_undo


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
    assert staged.take_back_cell(1, ADD) == {1}
    assert staged[1] == StagedRow(grants=SEARCH.mask)


def test_taking_back_a_cell_does_not_take_back_a_removal() -> None:
    staged = StagedChanges()
    staged.stage_removal([key()])
    assert staged.take_back_cell(1, ADD) == set()
    assert staged[1].removal


def test_taking_back_what_is_not_staged_is_no_step() -> None:
    staged = StagedChanges()
    assert staged.take_back([1, 2]) == staged.take_back_cell(1, ADD) == staged.discard() == set()
    assert not staged.can_undo


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
    assert not staged.can_redo
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
    assert not staged.can_undo


def test_huge_steps_are_forgotten_earlier_but_the_last_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.staged_changes.MAX_STEP_ENTRIES", 10)
    staged = StagedChanges()
    rows = [key(id_) for id_ in range(6)]
    staged.stage_all(rows, ADD, True)
    staged.stage_all(rows, SEARCH, True)
    staged.undo()
    assert not staged.can_undo
    assert staged[1] == StagedRow(grants=ADD.mask)


def test_a_copy_goes_its_own_way() -> None:
    staged = StagedChanges()
    staged.stage(key(), ADD, True)
    copy = staged.copy()
    copy.undo()
    copy.stage_removal([key(2)])
    assert dict(staged.entries) == {1: StagedRow(grants=ADD.mask)}
    assert staged.can_undo
    assert not staged.can_redo


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
    assert not staged.can_undo, "nothing is left of both steps"


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


# -- everything against a model ------------------------------------------------------------------------------------------

IDS = st.integers(1, 4)
ID_SETS = st.sets(IDS, min_size=1)
CELLS = st.sampled_from(PRIVILEGES[:3])
MASKS = st.integers(0, 7)

Cells = dict[tuple[int, Privilege], bool]
Removals = dict[int, int]


class StagedChangesMachine(RuleBasedStateMachine):
    """One admin stages while others change, remove and restore authkeys.

    The model knows no grants and no revocations: it holds what is stored, the wanted value of each staged cell, and the
    revision at which each removal was marked.
    """

    def __init__(self) -> None:
        super().__init__()
        self.staged = StagedChanges()
        self.stored: dict[int, Authkey] = {}
        self.removed: dict[int, Authkey] = {}
        self.revision = 1
        self.cells: Cells = {}
        self.removals: Removals = {}
        self.touched: set[int] = set()
        self.past: list[tuple[int, Cells, Removals]] = []
        """For each step the revision at which it was taken, and what was staged before."""

    @initialize(privileges=st.lists(MASKS, min_size=4, max_size=4))
    def begin(self, privileges: list[int]) -> None:
        self.stored = {id_: key(id_, mask) for id_, mask in enumerate(privileges, 1)}

    # -- the admin

    @rule(ids=ID_SETS, cell=CELLS, granted=st.booleans())
    def stage(self, ids: set[int], cell: Privilege, granted: bool) -> None:
        rows = [self.stored[id_] for id_ in sorted(ids) if id_ in self.stored]
        if len(rows) == 1 and rows[0].id in self.removals:
            with pytest.raises(NotStaged):
                self.staged.stage(rows[0], cell, granted)
            return
        with self.one_step():
            touched = self.staged.stage_all(rows, cell, granted)
            for row in rows:
                if row.id not in self.removals:
                    self.cells[row.id, cell] = granted
                    self.forget_what_is_stored(row.id)
        assert touched == self.touched

    @rule(ids=ID_SETS)
    def stage_removal(self, ids: set[int]) -> None:
        rows = [self.stored[id_] for id_ in sorted(ids) if id_ in self.stored]
        with self.one_step():
            touched = self.staged.stage_removal(rows)
            for row in rows:
                if row.id not in self.removals:
                    self.drop(row.id)
                    self.removals[row.id] = row.revision
        assert touched == self.touched

    @rule(id_=IDS, cell=CELLS)
    def take_back_cell(self, id_: int, cell: Privilege) -> None:
        with self.one_step():
            touched = self.staged.take_back_cell(id_, cell)
            self.cells.pop((id_, cell), None)
        assert touched == self.touched

    @rule(ids=ID_SETS)
    def take_back(self, ids: set[int]) -> None:
        with self.one_step():
            touched = self.staged.take_back(ids)
            for id_ in ids:
                self.drop(id_)
        assert touched == self.touched

    @rule()
    def discard(self) -> None:
        with self.one_step():
            touched = self.staged.discard()
            self.cells, self.removals = {}, {}
        assert touched == self.touched

    @rule(ids=ID_SETS)
    def confirm(self, ids: set[int]) -> None:
        with self.one_step():
            touched = self.staged.confirm(ids)
            for id_ in ids & self.removals.keys():
                self.removals[id_] = self.stored[id_].revision
        assert touched == self.touched

    @precondition(lambda self: self.staged.can_undo)
    @rule()
    def undo(self) -> None:
        self.staged.undo()
        revision, *before = self.past.pop() if self.past else (0, {}, {})
        self.look()
        if revision == self.revision:
            assert [self.cells, self.removals] == before, "undo brings back what was staged before the step"

    @precondition(lambda self: self.staged.can_redo)
    @rule()
    def redo(self) -> None:
        before = dict(self.cells), dict(self.removals)
        self.staged.redo()
        self.look()
        self.past.append((self.revision, *before))

    @precondition(lambda self: self.staged.can_undo)
    @rule()
    def undo_and_redo_at_once(self) -> None:
        before = dict(self.staged.entries)
        self.staged.undo()
        self.staged.redo()
        assert self.of_existing(self.staged.entries) == self.of_existing(before)
        self.look()

    # -- the others

    @rule(id_=IDS, privileges=MASKS)
    def somebody_else_changes(self, id_: int, privileges: int) -> None:
        if id_ in self.stored:
            self.revision += 1
            self.stored[id_] = key(id_, privileges, self.revision)
            self.tell(id_)

    @rule(id_=IDS)
    def somebody_else_removes(self, id_: int) -> None:
        if id_ in self.stored:
            self.revision += 1
            self.removed[id_] = self.stored.pop(id_)
            self.removals.pop(id_, None)
            self.tell(id_)

    @rule(id_=IDS)
    def somebody_else_restores(self, id_: int) -> None:
        if id_ in self.removed:
            self.revision += 1
            self.stored[id_] = self.removed.pop(id_)._replace(revision=self.revision)
            self.tell(id_)

    @rule(ids=ID_SETS)
    def tell_what_is_known(self, ids: set[int]) -> None:
        assert self.staged.rebase({id_: self.stored.get(id_) for id_ in ids}) == set()

    # -- what always holds

    @invariant()
    def a_cell_is_staged_if_and_only_if_it_shall_differ_from_what_is_stored(self) -> None:
        assert self.seen() == (self.cells, self.removals)
        for (id_, cell), wanted in self.cells.items():
            if id_ in self.stored:
                assert bool(self.stored[id_].privileges & cell.mask) != wanted
        for id_ in self.cells_by_key().keys() & self.stored.keys():
            stored = self.stored[id_].privileges
            wanted_cells = {cell.mask: wanted for (each, cell), wanted in self.cells.items() if each == id_}
            wanted_set = sum(wanted_cells.get(bit, bool(stored & bit)) * bit for bit in (1, 2, 4))
            assert self.staged[id_].applied_to(stored) == wanted_set

    @invariant()
    def the_counts_are_right(self) -> None:
        keys = self.cells_by_key().keys() | self.removals.keys()
        assert set(self.staged) == keys
        assert self.staged.key_count == len(self.staged) == len(keys)
        assert self.staged.change_count == len(self.cells) + len(self.removals)
        for id_ in range(1, 5):
            assert self.staged.count_in([id_]) == self.cells_by_key().get(id_, 0) + (id_ in self.removals)

    @invariant()
    def only_what_others_removed_or_changed_under_a_removal_is_a_conflict(self) -> None:
        removed = {id_: Conflict(ConflictKind.REMOVED, 0) for id_ in self.cells_by_key() if id_ not in self.stored}
        changed = {
            id_: Conflict(ConflictKind.CHANGED, self.stored[id_].revision)
            for id_, seen in self.removals.items()
            if self.stored[id_].revision > seen
        }
        assert self.staged.conflicts == removed | changed

    # -- the model

    def one_step(self) -> "_OneStep":
        return _OneStep(self)

    def tell(self, id_: int) -> None:
        before = self.cells_by_key().get(id_, 0), id_ in self.staged.entries
        self.forget_what_is_stored(id_)
        after = self.cells_by_key().get(id_, 0), id_ in self.cells_by_key() or id_ in self.removals
        assert self.staged.rebase({id_: self.stored.get(id_)}) == ({id_} if before != after else set())

    def forget_what_is_stored(self, id_: int) -> None:
        if id_ in self.stored:
            stored = self.stored[id_].privileges
            same = [c for c, wanted in self.cells.items() if c[0] == id_ and bool(stored & c[1].mask) == wanted]
            for cell in same:
                del self.cells[cell]

    def drop(self, id_: int) -> None:
        self.cells = {cell: wanted for cell, wanted in self.cells.items() if cell[0] != id_}
        self.removals.pop(id_, None)

    def cells_by_key(self) -> dict[int, int]:
        counts: dict[int, int] = {}
        for id_, _ in self.cells:
            counts[id_] = counts.get(id_, 0) + 1
        return counts

    def seen(self) -> tuple[Cells, Removals]:
        """What is really staged, in the model's words."""
        cells: Cells = {}
        removals: Removals = {}
        for id_, entry in self.staged.entries.items():
            if entry.removal:
                assert not entry.grants | entry.revocations
                removals[id_] = entry.revision
            for cell in PRIVILEGES:
                assert not entry.grants & entry.revocations
                if entry.grants & cell.mask:
                    cells[id_, cell] = True
                if entry.revocations & cell.mask:
                    cells[id_, cell] = False
        return cells, removals

    def look(self) -> None:
        """Take over what an undo or redo staged: the invariants judge it."""
        self.cells, self.removals = self.seen()

    def of_existing(self, entries: Mapping[int, StagedRow]) -> dict[int, StagedRow]:
        return {id_: entry for id_, entry in entries.items() if id_ in self.stored}


class _OneStep:
    """What the admin does inside is one step, if it does anything."""

    def __init__(self, machine: StagedChangesMachine) -> None:
        self.machine = machine

    def __enter__(self) -> None:
        self.before = dict(self.machine.cells), dict(self.machine.removals)

    def __exit__(self, *error: object) -> None:
        machine, (cells, removals) = self.machine, self.before
        different = {id_ for id_, _ in dict(cells.items() ^ machine.cells.items())}
        different |= {id_ for id_, _ in removals.items() ^ machine.removals.items()}
        machine.touched = different
        if different:
            machine.past.append((machine.revision, cells, removals))
            assert not machine.staged.can_redo


TestStagedChangesMachine = StagedChangesMachine.TestCase
TestStagedChangesMachine.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
