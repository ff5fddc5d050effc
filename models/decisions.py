"""What has to be decided before a submission: who did what to a row after something was staged for it, and what one can do."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from models.privileges import privileges_in
from models.submissions import ChangesSince, Conflict, ConflictKind, Kind, Modification

_KINDS_OF_NEW_SECRETS = (Kind.REKEYED, Kind.REREGISTERED)


class Effect(NamedTuple):
    """One thing that was done to a row."""

    mark: str
    text: str


class Decision(NamedTuple):
    """In words: `head`, how long ago that was, and `rest`; then what was done."""

    head: str
    at: datetime | None
    rest: str
    summary: str
    """What was done, all in one: `9 privileges granted`"""
    effects: Sequence[Effect]
    confirmation: str
    """What one can do beside dropping the own change; empty for nothing"""


def decision(conflict: Conflict, since: ChangesSince | None) -> Decision:
    """What the review says of a conflict; `since` is what became of the row, as far as that is known."""
    done = _net(since) if since else None
    effects = _effects(done) if done and conflict.kind is not ConflictKind.REMOVED else []
    if since and conflict.kind is ConflictKind.CHANGED and since.last.done.kind in _KINDS_OF_NEW_SECRETS:
        effects = [Effect("↻", "A new key was issued; the one before stopped working"), *effects]
    head, rest, confirmation = _words(conflict, since)
    summary = _summary(done) if done and effects else ""
    return Decision(head, since.last.at if since else None, rest, summary, effects, confirmation)


def _words(conflict: Conflict, since: ChangesSince | None) -> tuple[str, str, str]:
    who = since.last.admin_name if since else "somebody else"
    match conflict.kind:
        case ConflictKind.REMOVED:
            return f"Removed by {who}", ". Your changes to it cannot be submitted.", ""
        case ConflictKind.TAKEN:
            return f"Made by {who}", ", after you staged it.", "Grant these to it"
    if since and since.times > 1:
        head = f"Changed {since.times:,} times, last by {who}"
        return head, ", after you staged its removal. All in all:", "Remove it anyway"
    return f"Changed by {who}", ", after you staged its removal:", "Remove it anyway"


def _net(since: ChangesSince) -> Modification:
    """All that was done as one change."""
    return since.last.done._replace(before=since.before)


def _effects(done: Modification) -> list[Effect]:
    return [
        *(Effect("+", f"Granted {each.label}") for each in privileges_in(done.after & ~done.before)),
        *(Effect("−", f"Revoked {each.label}") for each in privileges_in(done.before & ~done.after)),
    ]


def _summary(done: Modification) -> str:
    counts = [
        ((done.after & ~done.before).bit_count(), "granted"),
        ((done.before & ~done.after).bit_count(), "revoked"),
    ]
    said = [f"{count} {'privilege' if count == 1 else 'privileges'} {verb}" for count, verb in counts if count]
    return ", ".join(said) or "No privilege is other than it was"
