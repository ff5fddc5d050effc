"""Staged changes against a model: whatever is done in whatever order, each cell is staged if and only if it differs."""

from collections.abc import Mapping

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from models.authkeys import Authkey
from models.errors import NotStaged
from models.privileges import PRIVILEGES, Privilege
from models.staged_changes import StagedChanges
from models.staged_rows import StagedRow
from models.submissions import Conflict, ConflictKind


def key(id_: int = 1, privileges: int = 0, revision: int = 1) -> Authkey:
    return Authkey(id_, f"192.0.2.{id_}", "billing", privileges, revision)


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
    def take_back_part(self, id_: int, cell: Privilege) -> None:
        with self.one_step():
            touched = self.staged.take_back_part(id_, cell)
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

    @precondition(lambda self: self.staged.to_undo)
    @rule()
    def undo(self) -> None:
        self.staged.undo()
        revision, *before = self.past.pop() if self.past else (0, {}, {})
        self.look()
        if revision == self.revision:
            assert [self.cells, self.removals] == before, "undo brings back what was staged before the step"

    @precondition(lambda self: self.staged.to_redo)
    @rule()
    def redo(self) -> None:
        before = dict(self.cells), dict(self.removals)
        self.staged.redo()
        self.look()
        self.past.append((self.revision, *before))

    @precondition(lambda self: self.staged.to_undo)
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
            assert not machine.staged.to_redo


TestStagedChangesMachine = StagedChangesMachine.TestCase
TestStagedChangesMachine.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
