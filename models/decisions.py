"""What has to be decided before a submission: who did what to a row after something was staged for it, and what one can do."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from models.privileges import privileges_in
from models.submissions import ChangesSince, Conflict, ConflictKind, Kind
from models.wording import several, text_changed

_NOTHING = {
    ConflictKind.CHANGED: "Its privileges are the same as before",
    ConflictKind.TAKEN: "It has no privileges",
    ConflictKind.AMENDED: "Its privileges are the same as before",
}


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
    head, rest, confirmation = _words(conflict, since)
    if since is None:
        return Decision(head, None, rest, "", (), confirmation)
    effects = []
    if conflict.kind is not ConflictKind.REMOVED:
        effects = _effects(since) or [Effect("±", _NOTHING[conflict.kind])]
    return Decision(head, since.last.at, rest, _summary(since), effects, confirmation)


def _words(conflict: Conflict, since: ChangesSince | None) -> tuple[str, str, str]:
    who, times = (since.last.admin_name, since.times) if since else ("somebody else", 1)
    match conflict.kind:
        case ConflictKind.REMOVED:
            return f"Removed by {who}", ". Your changes to it cannot be submitted.", ""
        case ConflictKind.TAKEN:
            head = f"Made by {who}" if times == 1 else f"Made by somebody else, and last changed by {who}"
            return head, ", after you staged it:", "Grant these to it"
        case ConflictKind.AMENDED:
            return f"Changed by {who}", ", after you staged yours:", "Write mine over it"
        case ConflictKind.CHANGED:
            head = f"Changed by {who}" if times == 1 else f"Changed {times:,} times, last by {who}"
            all_in_all = ":" if times == 1 else ". All in all:"
            return head, f", after you staged its removal{all_in_all}", "Remove it anyway"


def _granted(since: ChangesSince) -> int:
    return since.last.done.after & ~since.before


def _revoked(since: ChangesSince) -> int:
    return since.before & ~since.last.done.after


def _effects(since: ChangesSince) -> list[Effect]:
    """All that was done, as if it had been done at once."""
    has_new_secret = since.last.done.kind in (Kind.REKEYED, Kind.REREGISTERED)
    return [
        *([Effect("↻", "A new key was issued; the one before stopped working")] if has_new_secret else []),
        *(Effect("+", f"Granted {each.label}") for each in privileges_in(_granted(since))),
        *(Effect("−", f"Revoked {each.label}") for each in privileges_in(_revoked(since))),
        *(Effect("✎", text_changed(each)) for each in since.last.done.texts),
    ]


def _summary(since: ChangesSince) -> str:
    counts = ((_granted(since).bit_count(), "granted"), (_revoked(since).bit_count(), "revoked"))
    return ", ".join(f"{several(count, 'privilege')} {verb}" for count, verb in counts if count)
