"""A staging plan: what pasted or imported lines would stage, decided line by line before anything is staged."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from models.staged_changes import StagedChanges
from models.staged_rows import NewKey, Wanted
from models.subjects import Row


class WantedRow(NamedTuple):
    """What one line wants of one row: some boxes granted, some not; the others stay as they are."""

    line: int
    ip: str
    service: str
    grants: int
    revocations: int
    row_id: int | None = None
    """Which row is meant, where it was pointed at; None where it is known by its name"""


class PlanPart(StrEnum):
    """What of a plan can be chosen."""

    NEW = "new"
    GRANTS = "grants"
    REVOCATIONS = "revocations"


class LineOutcome(StrEnum):
    """What becomes of one line."""

    NEW = "a new key"
    CHANGED = "changes"
    ALREADY = "is already so"
    UNKNOWN = "there is no such key"
    REMOVAL = "is marked for removal, and left alone"


class PlanLine(NamedTuple):
    """A line, what becomes of it, and what it would stage beside what is staged already."""

    wanted: WantedRow
    outcome: LineOutcome
    row: Row | None = None
    grants: int = 0
    revocations: int = 0

    @property
    def effect(self) -> tuple[LineOutcome, int, int]:
        """What the admin was shown of it."""
        return self.outcome, self.grants, self.revocations


class StagingPlan(NamedTuple):
    """All lines in their order, and what was wrong with those that cannot be read."""

    lines: Sequence[PlanLine]
    problems: Sequence[str] = ()
    """At most some; one sentence each"""
    problem_count: int = 0
    remarks: Sequence[str] = ()
    """What else is good to know, such as that cells were left out"""

    def count(self, outcome: LineOutcome) -> int:
        """How many lines meet this end."""
        return sum(line.outcome is outcome for line in self.lines)

    @property
    def totals(self) -> Counter[PlanPart]:
        """How many new keys, grants and revocations it would stage."""
        changed = [line for line in self.lines if line.outcome is LineOutcome.CHANGED]
        return Counter(
            {
                PlanPart.NEW: self.count(LineOutcome.NEW),
                PlanPart.GRANTS: sum(line.grants.bit_count() for line in changed),
                PlanPart.REVOCATIONS: sum(line.revocations.bit_count() for line in changed),
            }
        )


def decide_lines(
    wanted: Iterable[WantedRow], rows: Mapping[int, Row], named: Mapping[tuple[str, str], Row], staged: StagedChanges
) -> list[PlanLine]:
    """What these lines would stage. `rows` are those that are pointed at, `named` those that have the names, staged additions
    among them. A line that names no row wants a new one, if it says which boxes it has."""
    return [_decide(each, rows, named, staged) for each in wanted]


def _decide(
    wanted: WantedRow, rows: Mapping[int, Row], named: Mapping[tuple[str, str], Row], staged: StagedChanges
) -> PlanLine:
    if wanted.row_id is not None:
        row = rows.get(wanted.row_id)
        if row is None:
            return PlanLine(wanted, LineOutcome.UNKNOWN)
    else:
        row = named.get((wanted.ip, wanted.service))
        if row is None:
            return PlanLine(wanted, LineOutcome.NEW, None, wanted.grants)
    entry = staged[row.id]
    if entry.removal:
        return PlanLine(wanted, LineOutcome.REMOVAL, row)
    shown = entry.applied_to(row.privileges)
    grants, revocations = wanted.grants & ~shown, wanted.revocations & shown
    outcome = LineOutcome.CHANGED if grants or revocations else LineOutcome.ALREADY
    return PlanLine(wanted, outcome, row, grants, revocations)


def wanted_of(lines: Iterable[PlanLine], parts: Collection[PlanPart], *, issues: bool = False) -> Wanted:
    """What the chosen parts of a plan stage. `issues`: secrets are made for new keys when they are submitted."""
    lines = list(lines)
    cells = {
        line.row.id: (
            line.grants if PlanPart.GRANTS in parts else 0,
            line.revocations if PlanPart.REVOCATIONS in parts else 0,
        )
        for line in lines
        if line.row is not None and line.outcome is LineOutcome.CHANGED
    }
    new = [line.wanted for line in lines if line.outcome is LineOutcome.NEW and PlanPart.NEW in parts]
    return Wanted(
        {id_: both for id_, both in cells.items() if any(both)},
        {line.row.id: line.row for line in lines if line.row is not None},
        additions=[(NewKey(each.ip, each.service, issues=issues), each.grants) for each in new],
    )
