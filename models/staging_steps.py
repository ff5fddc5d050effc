"""Staging steps: what is left of one when rows change underneath, as texts for the database, and what must be written of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from models.amendments import Amendment
from models.staged_rows import NewKey, StagedRow, rebased
from models.subjects import Row

MAX_STORED_ENTRIES = 200_000
"""A step with more entries is not stored: it can be undone until the server stops."""
ENTRIES_IN_A_PART = 5_000
"""So many are written or read at once, so that a large step does not hold up everybody's pages."""


class Step(NamedTuple):
    """A staging step. It is never changed, only replaced, so that one sees by identity whether it is another one."""

    number: int
    """Of this step alone, for ever: those that came later have higher ones."""
    undone: bool
    entries: Mapping[int, tuple[StagedRow, StagedRow]]
    """For each row, what was staged before it and after it."""


def rebased_steps(steps: Iterable[Step], rows: Mapping[int, Row | None]) -> list[Step]:
    """The steps against the rows as they are now, without those that would do nothing any more."""
    rebased = (_rebased_step(step, rows) for step in steps)
    return [step for step in rebased if any(before != after for before, after in step.entries.values())]


def _rebased_step(step: Step, rows: Mapping[int, Row | None]) -> Step:
    changed = {}
    for id_ in step.entries.keys() & rows.keys():
        before, after = step.entries[id_]
        now = (rebased(before, rows[id_]), rebased(after, rows[id_]))
        if now != (before, after):
            changed[id_] = now
    return step._replace(entries={**step.entries, **changed}) if changed else step


def to_texts(step: Step) -> Iterator[str]:
    """The parts of a step, one after the other as they are asked for; a single empty one if it is too large."""
    if len(step.entries) > MAX_STORED_ENTRIES:
        yield ""
        return
    entries = iter(step.entries.items())
    while part := [_flat(*entry) for entry in islice(entries, ENTRIES_IN_A_PART)]:
        yield json.dumps(part, separators=(",", ":"))


def from_text(text: str) -> dict[int, tuple[StagedRow, StagedRow]]:
    """The entries of one part."""
    return {row[0]: _before_and_after(row[1:]) for row in json.loads(text)}


def _flat(row_id: int, entries: tuple[StagedRow, StagedRow]) -> list[Any]:
    amended = [entry.amendment.to_text() for entry in entries]
    new = [list(entry.new or ()) for entry in entries] if row_id < 0 else []
    numbers = [number for entry in entries for number in entry.numbers]
    told = [dict(zip(("before", "after"), amended, strict=True))] if any(amended) else []
    return [row_id, *numbers, *new, *told]


def _before_and_after(values: list[Any]) -> tuple[StagedRow, StagedRow]:
    if isinstance(values[-1], dict):
        *values, amended = values
        before, after = (
            entry._replace(amendment=Amendment.from_text(amended[name]))
            for entry, name in zip(_before_and_after(values), ("before", "after"), strict=True)
        )
        return before, after
    if isinstance(values[-1], list):
        *values, new_before, new_after = values
        before, after = _before_and_after(values)
        return before._replace(new=_new(new_before)), after._replace(new=_new(new_after))
    half = len(values) // 2  # earlier releases knew of no restorations
    return _entry(*values[:half]), _entry(*values[half:])


def _new(fields: list[Any]) -> NewKey | None:
    return NewKey(*fields) if fields else None


def _entry(grants: int, revocations: int, removal: int, revision: int, restoration: int = 0) -> StagedRow:
    return StagedRow(grants, revocations, bool(removal), revision, bool(restoration))


class StepChanges(NamedTuple):
    """What must be written so that the stored steps are those in memory."""

    kept: list[int]
    """Numbers of the steps that stay as they are stored; all other stored ones go"""
    new: list[Step]
    turned: list[Step]
    """Steps that were undone or redone, and are the same otherwise"""
    gone: bool
    """Whether stored steps go"""

    @property
    def any(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.new or self.turned or self.gone)


def changes_between(before: Mapping[int, Step], after: Mapping[int, Step]) -> StepChanges:
    """Compare the steps, by number, before and after something was done."""
    kept = [number for number, step in after.items() if number in before and step.entries is before[number].entries]
    kept_numbers = set(kept)
    return StepChanges(
        kept,
        [step for number, step in after.items() if number not in kept_numbers],
        [after[number] for number in kept if after[number].undone is not before[number].undone],
        len(kept) < len(before),
    )


def reachable(steps: Iterable[Step]) -> list[Step]:
    """The stored steps that can be undone or redone one after the other: not those beyond one that was not stored.

    Such a step is known by having no entries.
    """
    steps = list(steps)
    holes = [step for step in steps if not step.entries]
    first = max((hole.number for hole in holes if not hole.undone), default=-1)
    last = min((hole.number for hole in holes if hole.undone), default=2**31)
    return [step for step in steps if first < step.number < last]
