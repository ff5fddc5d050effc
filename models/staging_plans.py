"""A staging plan: what pasted or imported lines would stage, decided line by line before anything is staged."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from models.amendments import (
    UNAMENDED,
    Amendment,
    SecretOutcome,
    SecretOwner,
    TextChange,
    TextName,
    decide_secret,
    first_texts,
    text_of,
)
from models.secrets import KnownSecret
from models.staged_changes import StagedChanges
from models.staged_rows import Addition, NewKey, Wanted
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
    texts: tuple[tuple[TextName, str], ...] = ()
    """That it shall have; others stay"""
    secret: KnownSecret | None = None
    """That it has elsewhere"""


class PlanPart(StrEnum):
    """What of a plan can be chosen."""

    NEW = "new"
    GRANTS = "grants"
    REVOCATIONS = "revocations"
    TEXTS = "texts"
    SECRETS = "secrets"


class LineOutcome(StrEnum):
    """What becomes of one line."""

    NEW = "a new key"
    CHANGED = "changes"
    ALREADY = "is already so"
    UNKNOWN = "there is no such key"
    REMOVAL = "is marked for removal, and left alone"
    TAKEN = "its secret is or was that of another key; left alone"
    KEYED = "has another key already; left alone"


class PlanLine(NamedTuple):
    """A line, what becomes of it, and what it would stage beside what is staged already."""

    wanted: WantedRow
    outcome: LineOutcome
    row: Row | None = None
    grants: int = 0
    revocations: int = 0
    amendment: Amendment = UNAMENDED
    why: str = ""
    """More about its outcome"""

    @property
    def effect(self) -> tuple[LineOutcome, int, int, Amendment]:
        """What the admin was shown of it."""
        return self.outcome, self.grants, self.revocations, self.amendment


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
        """How many new keys, and how many changes of each kind to others, it would stage."""
        changed = [line for line in self.lines if line.outcome is LineOutcome.CHANGED]
        return +Counter(
            {
                PlanPart.NEW: self.count(LineOutcome.NEW),
                PlanPart.GRANTS: sum(line.grants.bit_count() for line in changed),
                PlanPart.REVOCATIONS: sum(line.revocations.bit_count() for line in changed),
                PlanPart.TEXTS: sum(len(line.amendment.texts) for line in changed),
                PlanPart.SECRETS: sum(line.amendment.secret is not None for line in changed),
            }
        )


class PresentRows(NamedTuple):
    """What is there now, as far as lines are about it."""

    rows: Mapping[int, Row]
    """Those that are pointed at"""
    named: Mapping[tuple[str, str], Row]
    """Those that have the names, staged additions among them"""
    secret_owners: Mapping[str, SecretOwner]
    """Whose the secrets are, by digest, where they are anybody's"""


def decide_lines(wanted: Iterable[WantedRow], found: PresentRows, staged: StagedChanges) -> list[PlanLine]:
    """What these lines would stage. A line that names no row wants a new one, if it says which boxes it has."""
    holders = {secret.digest: id_ for id_, entry in staged.entries.items() if (secret := entry.amendment.secret)}
    return [_decide(each, found, staged, holders) for each in wanted]


def _decide(wanted: WantedRow, found: PresentRows, staged: StagedChanges, holders: Mapping[str, int]) -> PlanLine:
    """`holders` are the rows for which secrets are staged, by digest."""
    if wanted.row_id is not None:
        row = found.rows.get(wanted.row_id)
        if row is None:
            return PlanLine(wanted, LineOutcome.UNKNOWN)
    else:
        row = found.named.get((wanted.ip, wanted.service))
    secret = wanted.secret
    if secret:
        owner = found.secret_owners.get(secret.digest)
        match decide_secret(row, owner):
            case SecretOutcome.TAKEN:
                return PlanLine(wanted, LineOutcome.TAKEN, row, why=owner.said if owner else "")
            case SecretOutcome.KEYED:
                return PlanLine(wanted, LineOutcome.KEYED, row)
            case SecretOutcome.ALREADY:
                secret = None
            case SecretOutcome.NEW if secret.digest in holders and (row is None or holders[secret.digest] != row.id):
                return PlanLine(wanted, LineOutcome.TAKEN, row, why="it is staged for another key")
    return _decide_known(wanted, row, secret, staged) if row else _decide_new(wanted)


def _decide_new(wanted: WantedRow) -> PlanLine:
    amendment = Amendment(wanted.secret, first_texts(wanted.texts))
    return PlanLine(wanted, LineOutcome.NEW, None, wanted.grants, 0, amendment)


def _decide_known(wanted: WantedRow, row: Row, secret: KnownSecret | None, staged: StagedChanges) -> PlanLine:
    entry = staged[row.id]
    if entry.removal:
        return PlanLine(wanted, LineOutcome.REMOVAL, row)
    shown = entry.applied_to(row.privileges)
    grants, revocations = wanted.grants & ~shown, wanted.revocations & shown
    shown_texts = entry.amendment.texts_of(row)
    texts = [
        TextChange(name, text_of(row, name), text) for name, text in sorted(wanted.texts) if text != shown_texts[name]
    ]
    amendment = Amendment(secret if secret != entry.amendment.secret else None, tuple(texts))
    is_different = grants or revocations or any(amendment)
    outcome = LineOutcome.CHANGED if is_different else LineOutcome.ALREADY
    return PlanLine(wanted, outcome, row, grants, revocations, amendment)


def wanted_of(lines: Iterable[PlanLine], parts: Collection[PlanPart], *, issues: bool = False) -> Wanted:
    """What the chosen parts of a plan stage. `issues`: secrets are made for new keys when they are submitted."""
    lines = list(lines)
    changed = [(line.row.id, line) for line in lines if line.row is not None and line.outcome is LineOutcome.CHANGED]
    cells = {
        id_: (
            line.grants if PlanPart.GRANTS in parts else 0,
            line.revocations if PlanPart.REVOCATIONS in parts else 0,
        )
        for id_, line in changed
    }
    amendments = {
        id_: Amendment(
            line.amendment.secret if PlanPart.SECRETS in parts else None,
            line.amendment.texts if PlanPart.TEXTS in parts else (),
        )
        for id_, line in changed
    }
    new = [line for line in lines if line.outcome is LineOutcome.NEW and PlanPart.NEW in parts]
    return Wanted(
        {id_: both for id_, both in cells.items() if any(both)},
        {line.row.id: line.row for line in lines if line.row is not None},
        additions=[_addition(line, issues=issues) for line in new],
        amendments={id_: each for id_, each in amendments.items() if any(each)},
    )


def _addition(line: PlanLine, *, issues: bool) -> Addition:
    new = NewKey(line.wanted.ip, line.wanted.service, issues=issues and not line.amendment.secret)
    return Addition(new, line.grants, line.amendment)
