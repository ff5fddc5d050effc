"""What an admin has ticked and not yet submitted, as pure values.

A cell is staged if and only if its staged value differs from the stored one. So an entry never holds a grant that the
row already has or a revocation of what it lacks, and nothing else records "dirty": counts, marks and the review are
all computed from the entries. `rebase` keeps it so when the rows change underneath.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from models.amendments import TextName
from models.errors import NotStaged
from models.privileges import Privilege
from models.staged_rows import (
    NOTHING,
    Addition,
    StagedRow,
    Wanted,
    change_of,
    put_back,
    rebased,
    with_amendment,
    with_both,
    with_cell,
    with_removal,
    with_revocations,
    with_texts,
)
from models.staging_conflicts import KnownRows
from models.staging_steps import Step, rebased_steps
from models.subjects import Row
from models.submissions import Change, Conflict, ConflictKind

MAX_STEPS = 200
"""How many staging steps can be undone."""
MAX_STEP_ENTRIES = 500_000
"""How many entries all remembered steps may hold together, so that huge steps do not fill the memory."""


class StagedChanges:
    """All that one admin has staged for the rows of one subject, with undo and redo.

    Each method that stages something makes one step and returns the ids of the rows that it touched.
    """

    def __init__(
        self, entries: Mapping[int, StagedRow] | None = None, steps: Iterable[Step] = (), newest: int = 0
    ) -> None:
        """What is staged already, and the steps that led there or were undone; no step after `newest` was ever taken."""
        self._entries: dict[int, StagedRow] = {id_: entry for id_, entry in (entries or {}).items() if entry != NOTHING}
        self._addition_count = sum(1 for id_ in self._entries if id_ < 0)
        in_order = sorted(steps)
        self._newest = max(newest, in_order[-1].number if in_order else 0)
        self._done = [step for step in in_order if not step.undone]
        self._undone = [step for step in reversed(in_order) if step.undone]
        self._known = KnownRows()

    def copy(self) -> "StagedChanges":
        """The same staged changes and steps, independent of further steps here."""
        other = StagedChanges(newest=self._newest)
        other._entries, other._addition_count = dict(self._entries), self._addition_count
        other._done, other._undone = list(self._done), list(self._undone)
        other._known = self._known.copy()
        return other

    # -- what is staged ------------------------------------------------------------------------------------------

    @property
    def entries(self) -> Mapping[int, StagedRow]:
        """What is staged, by row."""
        return self._entries

    def __getitem__(self, row_id: int) -> StagedRow:
        return self._entries.get(row_id, NOTHING)

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._entries

    def __iter__(self) -> Iterator[int]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def changes(self) -> list[Change]:
        """What a submission of all this asks for."""
        return [change_of(id_, entry) for id_, entry in self._entries.items()]

    @property
    def key_count(self) -> int:
        """How many rows have staged changes."""
        return len(self._entries)

    @property
    def change_count(self) -> int:
        """How many changes are staged: cells and removals."""
        return sum(entry.change_count for entry in self._entries.values())

    @property
    def additions(self) -> dict[tuple[str, str], int]:
        """The numbers of the authkeys that shall be made, by IP and service."""
        return {(entry.new.ip, entry.new.service): id_ for id_, entry in self._entries.items() if entry.new}

    @property
    def addition_count(self) -> int:
        """How many authkeys shall be made."""
        return self._addition_count

    def count_in(self, row_ids: Iterable[int], without: int = 0) -> int:
        """How many changes are staged for these rows, but for those in the columns of a set of privileges."""
        return sum(self[id_].change_count - self[id_].count_of(without) for id_ in row_ids)

    @property
    def conflicts(self) -> dict[int, Conflict]:
        """The staged changes that a submission would refuse, by row, as far as `rebase` was told."""
        return {id_: conflict for id_ in self._known if (conflict := self.conflict_of(id_))}

    def conflict_of(self, row_id: int) -> Conflict | None:
        """Why a submission would refuse what is staged for a row."""
        entry = self._entries.get(row_id)
        return None if entry is None else self._known.conflict_of(row_id, entry)

    @property
    def taken(self) -> Mapping[int, Row]:
        """The rows that have the names of additions by now, by the numbers of these."""
        return self._known.taken

    @property
    def to_undo(self) -> Step | None:
        """The step that `undo` takes back, if there is one."""
        return self._done[-1] if self._done else None

    @property
    def to_redo(self) -> Step | None:
        """The undone step that `redo` takes again, if there is one."""
        return self._undone[-1] if self._undone else None

    @property
    def steps(self) -> dict[int, Step]:
        """The steps that can be undone or redone, by number."""
        return {step.number: step for step in (*self._done, *self._undone)}

    # -- steps ---------------------------------------------------------------------------------------------------

    def stage(self, row: Row, privilege: Privilege, granted: bool) -> set[int]:
        """Stage one cell. Staging the stored value leaves nothing staged.

        Raises NotStaged if the row is staged for removal: the removal would win, so the tick would mean nothing.
        """
        return self.stage_all([row], privilege, granted)

    def stage_all(self, rows: Iterable[Row], privilege: Privilege, granted: bool) -> set[int]:
        """Stage one privilege of many rows in one step. Of several, those staged for removal are left as they are."""
        rows = self._changeable(rows)
        return self._take_step({row.id: with_cell(self[row.id], row, privilege, granted) for row in rows})

    def _changeable(self, rows: Iterable[Row]) -> list[Row]:
        """Those that are not staged for removal. Raises NotStaged if that is the only one."""
        rows = list(rows)
        kept = [row for row in rows if not self[row.id].removal]
        if len(rows) == 1 and not kept:
            raise NotStaged(f"{rows[0].name} is staged for removal. Take the removal back to change its cells.")
        return kept

    def stage_texts(self, rows: Iterable[Row], texts: Mapping[TextName, str]) -> set[int]:
        """Stage texts of many rows in one step. Of several, those staged for removal are left as they are."""
        rows = self._changeable(rows)
        for row in rows:
            self._known.learn_amended(row)
        return self._take_step({row.id: with_texts(self[row.id], row, texts) for row in rows})

    def revoke(self, rows: Iterable[Row], masks: Mapping[int, int]) -> set[int]:
        """Stage the revocation of a set of privileges for each of these in one step; those staged for removal stay so."""
        return self._take_step(
            {row.id: with_revocations(self[row.id], row, masks[row.id]) for row in rows if not self[row.id].removal}
        )

    def stage_removal(self, rows: Iterable[Row]) -> set[int]:
        """Stage the removal of rows in one step; it replaces what was staged for their cells."""
        return self._take_step({row.id: with_removal(row) for row in rows if not self[row.id].removal})

    def stage_wanted(self, wanted: Wanted) -> set[int]:
        """Stage all that is wanted in one step, beside what is staged already."""
        cells = {
            id_: with_both(self[id_], wanted.rows[id_], *both)
            for id_, both in wanted.cells.items()
            if not self[id_].removal
        }
        for id_, amendment in wanted.amendments.items():
            if not self[id_].removal:
                self._known.learn_amended(wanted.rows[id_])
                cells[id_] = with_amendment(cells.get(id_, self[id_]), amendment)
        removals = {row.id: with_removal(row) for row in wanted.removals if not self[row.id].removal}
        restored = dict.fromkeys(wanted.restored, StagedRow(restoration=True))
        taken_back = dict.fromkeys(wanted.taken_back, NOTHING)
        return self._take_step(cells | removals | restored | taken_back | self._added(wanted))

    def put_back(self, entries: Mapping[int, StagedRow]) -> set[int]:
        """Stage again, in one step, what was staged before and held elsewhere, beside what is staged by now. To be rebased then."""
        wanted = {id_: put_back(self[id_], entry) for id_, entry in entries.items() if not entry.new}
        new = [Addition(entry.new, entry.grants, entry.amendment) for entry in entries.values() if entry.new]
        return self._take_step(wanted | self._added(Wanted(additions=new)))

    def _added(self, wanted: Wanted) -> dict[int, StagedRow]:
        """Under numbers that neither a staged row nor one in a step has."""
        there = self.additions if wanted.additions else {}
        named = {(each.new.ip, each.new.service): each for each in wanted.additions}
        additions = [each for name, each in named.items() if name not in there]
        if not additions:
            return {}
        lowest = min((id_ for here in self._all_entries() for id_ in here), default=0)
        first = min(lowest, 0) - 1
        return {
            first - n: StagedRow(each.privileges, new=each.new, amendment=each.amendment)
            for n, each in enumerate(additions)
        }

    def _all_entries(self) -> Iterator[Mapping[int, object]]:
        yield self._entries
        yield from (step.entries for step in (*self._done, *self._undone))

    def take_back_part(self, row_id: int, part: Privilege | TextName) -> set[int]:
        """Take back what is staged for one cell, or one text."""
        entry = self[row_id]
        if entry.removal:
            return set()
        if isinstance(part, TextName):
            return self._take_step({row_id: entry._replace(amendment=entry.amendment.without_text(part))})
        kept = ~part.mask
        return self._take_step(
            {row_id: entry._replace(grants=entry.grants & kept, revocations=entry.revocations & kept)}
        )

    def take_back(self, row_ids: Iterable[int]) -> set[int]:
        """Take back everything that is staged for these rows, removals too."""
        return self._take_step(dict.fromkeys(row_ids, NOTHING))

    def discard(self) -> set[int]:
        """Take back everything. Like every step it can be undone."""
        return self.take_back(list(self._entries))

    def confirm(self, row_ids: Iterable[int]) -> set[int]:
        """Confirm what conflicts with the rows as they are now: a removal although the row changed since it was marked, texts
        although others stand there by now, and the privileges of an addition whose name is taken by now as grants to the row
        that has it, with its texts, and its secret if that row has none."""
        conflicts = self.conflicts
        wanted: dict[int, StagedRow] = {}
        for id_ in row_ids:
            if id_ not in conflicts:
                continue
            if conflicts[id_].kind is ConflictKind.CHANGED:
                wanted[id_] = self[id_]._replace(revision=conflicts[id_].revision)
            elif conflicts[id_].kind is ConflictKind.AMENDED:
                wanted[id_] = self[id_]._replace(amendment=self[id_].amendment.confirmed(self._known.amended(id_)))
            elif conflicts[id_].kind is ConflictKind.TAKEN:
                row = self.taken[id_]
                wanted[id_] = NOTHING
                if not self[row.id].removal:
                    self._known.learn_amended(row)
                    granted = with_both(self[row.id], row, self[id_].grants, 0)
                    wanted[row.id] = with_amendment(granted, self[id_].amendment.confirmed(row))
        return self._take_step(wanted)

    def undo(self, number: int | None = None) -> set[int]:
        """Undo the latest step. Raises NotStaged if there is none, or if it is not the one with this number."""
        if number is not None and (not self._done or self._done[-1].number != number):
            raise NotStaged("Not undone: something else was staged, or all of it submitted, since then.")
        if not self._done:
            raise NotStaged("There is no staging step to undo.")
        step = self._done.pop()
        self._undone.append(step._replace(undone=True))
        return self._put({id_: before for id_, (before, _) in step.entries.items()})

    def redo(self) -> set[int]:
        """Redo the latest undone step. Raises NotStaged if there is none."""
        if not self._undone:
            raise NotStaged("There is no staging step to redo.")
        step = self._undone.pop()
        self._done.append(step._replace(undone=False))
        return self._put({id_: after for id_, (_, after) in step.entries.items()})

    # -- the rows change underneath ---------------------------------------------------------------------------

    def ids_to_rebase(self, changed: set[int] | None = None) -> set[int]:
        """Of the changed rows (None: of all) those that matter here: staged, or in a step to undo or to redo."""
        ids: set[int] = set()
        for here in self._all_entries():
            ids |= here.keys() if changed is None else here.keys() & changed
        return {id_ for id_ in ids if id_ > 0}

    def rebase(self, rows: Mapping[int, Row | None]) -> set[int]:
        """Adjust to rows as they are stored now (None: no longer there); returns the ids whose entry fell away.

        Cells that are already so are no longer staged; the removal of what is already removed neither. What conflicts
        stays staged and shows in `conflicts`.
        """
        fell_away = set()
        for id_, row in rows.items():
            self._known.learn(id_, row, self[id_])
            entry = self._entries.get(id_)
            if entry is not None:
                self._set(id_, rebased(entry, row))
                if self[id_] != entry:
                    fell_away.add(id_)
        self._done = rebased_steps(self._done, rows)
        self._undone = rebased_steps(self._undone, rows)
        return fell_away

    def learn_names(self, taken: Mapping[tuple[str, str], Row], changed: Collection[int] | None = None) -> None:
        """Which rows have the names of additions now, of those that changed or (None) of all."""
        self._known.learn_names(self.additions, taken, changed)

    # -- the machinery of steps -----------------------------------------------------------------------------------

    def _take_step(self, wanted: Mapping[int, StagedRow]) -> set[int]:
        entries = {id_: (self[id_], entry) for id_, entry in wanted.items() if self[id_] != entry}
        if not entries:
            return set()
        self._newest += 1
        self._done.append(Step(self._newest, False, entries))
        self._undone.clear()
        while len(self._done) > MAX_STEPS or (len(self._done) > 1 and self._remembered() > MAX_STEP_ENTRIES):
            del self._done[0]
        return self._put({id_: after for id_, (_, after) in entries.items()})

    def _remembered(self) -> int:
        return sum(len(step.entries) for step in self._done)

    def _put(self, entries: Mapping[int, StagedRow]) -> set[int]:
        for id_, entry in entries.items():
            self._set(id_, entry)
        return set(entries)

    def _set(self, id_: int, entry: StagedRow) -> None:
        was_there = id_ in self._entries
        if entry == NOTHING:
            self._entries.pop(id_, None)
        else:
            self._entries[id_] = entry
        if id_ < 0:
            self._addition_count += (entry != NOTHING) - was_there
