"""What undoing would do: for each change of a submission, or of a stretch of time, whether it can be taken back now.

The same decision for an undo, for a row as it was, and for a part of a diff. Everything it needs is handed in; what comes
out is shown, and exactly what is shown is staged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from models.amendments import TextChange, text_of
from models.privileges import Privilege, privileges_in
from models.subjects import Row
from models.submissions import Kind, Modification


class Outcome(Enum):
    """What becomes of one change."""

    UNDONE = "will be undone"
    ALREADY = "is already so"
    CHANGED = "was changed since"
    """By somebody, who may have had a reason: only on demand"""
    GONE = "cannot be undone any more"


class Later(NamedTuple):
    """Something that happened to a row afterwards."""

    number: int
    """Of the entry"""
    admin_name: str
    done: Modification


class Line(NamedTuple):
    """One change, and what becomes of it."""

    row_id: int
    ip: str
    service: str
    text: str
    """What undoing does: `Revoke Search for a License`"""
    outcome: Outcome
    why: str = ""
    """Who changed it since, in which submission; or why it cannot be undone"""
    privilege: Privilege | None = None
    """None for what happens to the whole row"""
    grants: bool = False
    """Whether undoing grants the privilege"""
    written: TextChange | None = None
    """The owner or note that undoing writes, in the place of what is there now"""

    @property
    def can_be_forced(self) -> bool:
        """Whether it can be taken back although it was changed since."""
        return self.outcome is Outcome.CHANGED


class RowsNow(NamedTuple):
    """The rows as they are now, as far as a reversal is about them."""

    by_id: Mapping[int, Row]
    removed: Mapping[int, Row]
    """Removed ones that can still come back"""
    taken: Mapping[tuple[str, str], int]
    """The rows that have the names of removed ones now, by IP and service"""
    later: Mapping[int, Sequence[Later]]
    """What happened to each row since, oldest first"""


@dataclass(slots=True)
class Reversal:
    """What is staged, by ids; `staged_rows.Wanted` has it with the rows as they are then."""

    cells: dict[int, tuple[int, int]] = field(default_factory=dict)
    """The privileges to grant and to revoke, by row"""
    removals: list[int] = field(default_factory=list)
    restorations: list[int] = field(default_factory=list)
    texts: dict[int, tuple[TextChange, ...]] = field(default_factory=dict)


def lines(done: Iterable[Modification], now: RowsNow) -> list[Line]:
    """What undoing each of these would do now, change by change."""
    return [line for each in done for line in _lines(each, now)]


def reversal(found: Iterable[Line], *, forced: bool = False) -> Reversal:
    """What these lines come to; `forced` with those that were changed since."""
    result = Reversal()
    for line in found:
        if line.outcome is not Outcome.UNDONE and not (forced and line.can_be_forced):
            continue
        if line.privilege is not None:
            grants, revocations = result.cells.get(line.row_id, (0, 0))
            mask = line.privilege.mask
            result.cells[line.row_id] = (grants | mask, revocations) if line.grants else (grants, revocations | mask)
        elif line.written is not None:
            result.texts[line.row_id] = (*result.texts.get(line.row_id, ()), line.written)
        elif line.grants:
            result.restorations.append(line.row_id)
        else:
            result.removals.append(line.row_id)
    return result


def towards(row_id: int, ip: str, service: str, wanted: int | None, now: Row | None) -> Modification | None:
    """The modification whose undoing gives a row the privileges that it had (None: it was not there); None if it has them."""
    before, after = wanted or 0, now.privileges if now else 0
    if (wanted is None) == (now is None):
        kind = Kind.CHANGED
        if before == after:
            return None
    else:
        kind = Kind.ADDED if wanted is None else Kind.REMOVED
    return Modification(row_id, kind, ip, service, before, after)


def _lines(done: Modification, now: RowsNow) -> list[Line]:
    match done.kind:
        case Kind.REMOVED:
            return [_restoration(done, now)]
        case Kind.ADDED | Kind.RESTORED | Kind.REGISTERED:
            return [_removal(done, now)]
    why = "A key that was replaced does not come back"
    rekeyed = [Line(done.row_id, done.ip, done.service, "Bring the old key back", Outcome.GONE, why)]
    granted, revoked = done.after & ~done.before, done.before & ~done.after
    return [
        *(rekeyed if done.kind is Kind.REKEYED else []),
        *(_cell(done, each, now, grants=False) for each in privileges_in(granted)),
        *(_cell(done, each, now, grants=True) for each in privileges_in(revoked)),
        *(_text(done, each, now) for each in done.texts),
    ]


def _cell(done: Modification, privilege: Privilege, now: RowsNow, *, grants: bool) -> Line:
    text = f"{'Grant' if grants else 'Revoke'} {privilege.label}"
    row, later = now.by_id.get(done.row_id), now.later.get(done.row_id, ())
    outcome, why = Outcome.UNDONE, ""
    if row is None:
        outcome, why = Outcome.GONE, _by("removed it", later)
    elif bool(row.privileges & privilege.mask) is grants:
        outcome = Outcome.ALREADY
    elif touched := [each for each in later if _changed(each.done) & privilege.mask]:
        outcome, why = Outcome.CHANGED, _by("changed it", touched)
    return Line(done.row_id, done.ip, done.service, text, outcome, why, privilege, grants)


def _text(done: Modification, change: TextChange, now: RowsNow) -> Line:
    row, later = now.by_id.get(done.row_id), now.later.get(done.row_id, ())
    does = f"Give back its {change.name}: {change.before or 'none'}"
    stored = text_of(row, change.name) if row else ""
    outcome, why = Outcome.UNDONE, ""
    if row is None:
        outcome, why = Outcome.GONE, _by("removed it", later)
    elif stored == change.before:
        outcome = Outcome.ALREADY
    elif stored != change.after:
        touched = [each for each in later if any(text.name is change.name for text in each.done.texts)]
        outcome, why = Outcome.CHANGED, _by("changed it", touched)
    back = TextChange(change.name, stored, change.before)
    return Line(done.row_id, done.ip, done.service, does, outcome, why, written=back)


def _changed(done: Modification) -> int:
    """The privileges that were changed for their own sake: a row that was removed and restored has what it had."""
    return done.before ^ done.after if done.alters_row else 0


def _removal(done: Modification, now: RowsNow) -> Line:
    row, later = now.by_id.get(done.row_id), now.later.get(done.row_id, ())
    outcome, why = Outcome.UNDONE, ""
    if row is None:
        outcome = Outcome.ALREADY
    elif later:
        outcome, why = Outcome.CHANGED, _by("changed it", later)
    return Line(done.row_id, done.ip, done.service, "Remove it", outcome, why)


def _restoration(done: Modification, now: RowsNow) -> Line:
    later = now.later.get(done.row_id, ())
    outcome, why = Outcome.UNDONE, ""
    if done.row_id in now.by_id:
        outcome = Outcome.ALREADY
    elif done.row_id not in now.removed:
        outcome, why = Outcome.GONE, "It was removed more than 30 days ago, and its key is forgotten"
    elif (done.ip, done.service) in now.taken:
        outcome, why = Outcome.GONE, f"{done.ip} has a new authkey for {done.service}"
    elif later:
        outcome, why = Outcome.CHANGED, _by("changed it", later)
    return Line(done.row_id, done.ip, done.service, "Restore it, with its key", outcome, why, None, True)


def _by(did: str, later: Sequence[Later]) -> str:
    return f"{later[-1].admin_name} {did} since, in #{later[-1].number}" if later else "It is gone since"
