"""What has to be decided before a submission: who did what to a row after something was staged for it, and what one can do."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from models.amendments import Amendment, TextChange
from models.privileges import privileges_in
from models.subjects import Row
from models.submissions import ChangesSince, Conflict, ConflictKind, Kind, LastChange
from models.wording import GOT_NEW_KEY, several, text_changed

_NEW_SECRET = (Kind.REKEYED, Kind.REREGISTERED)
_WORDS = {
    ConflictKind.CHANGED: (
        "Changed by",
        "Changed {times:,} times, last by",
        ", after you staged its removal:",
        "It is the same as before",
        "Remove it anyway",
    ),
    ConflictKind.TAKEN: (
        "Made by",
        "Made by somebody else, and last changed by",
        ", after you staged it:",
        "It has no privileges",
        "Grant these to it",
    ),
}
"""What happened once, and several times; how it goes on; what is said if nothing is left of it; what can be done"""
_OVER_IT, _KEY_STAYS = "Write mine over it", "Leave it its key"


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


def decision(conflict: Conflict, since: ChangesSince | None, row: Row | None, amendment: Amendment) -> Decision:
    """What the review says of a conflict.

    `since` is what became of the row, which is so now, as far as the history still knows; `amendment` is staged for it.
    """
    if conflict.kind is ConflictKind.REMOVED:
        return _decision("Removed by", _last(since), ". Your changes to it cannot be submitted.", "", (), "")
    if conflict.kind is ConflictKind.AMENDED and row is not None:
        return _of_amended(since, row, amendment)
    once, often, rest, nothing, confirmation = _WORDS[conflict.kind]
    if since is None:
        return _decision(once, None, rest.rstrip(":"), "", (), confirmation)
    did = once if since.times == 1 else often.format(times=since.times)
    effects = _effects(since) or [Effect("±", nothing)]
    if conflict.kind is ConflictKind.TAKEN and row is not None and any(amendment):
        effects, confirmation = [*effects, *_key_by_now(row, amendment)], "Give it all of this"
    return _decision(did, since.last, rest, _summary(since), effects, confirmation)


def _last(since: ChangesSince | None) -> LastChange | None:
    return since.last if since else None


def _decision(
    did: str, by: LastChange | None, rest: str, summary: str, effects: Sequence[Effect], confirmation: str
) -> Decision:
    head = f"{did} {by.admin_name if by else 'somebody else'}"
    return Decision(head, by.at if by else None, rest, summary, effects, confirmation)


def _of_amended(since: ChangesSince | None, row: Row, amendment: Amendment) -> Decision:
    texts, keyed = amendment.overtaken_texts(row), _key_by_now(row, amendment)
    names = {each.name for each in texts}
    by = next((each for each in (since.newest if since else ()) if _is_about(each, names, bool(keyed))), _last(since))
    effects = [*(Effect("✎", text_changed(each)) for each in texts), *keyed]
    return _decision("Changed by", by, ", after you staged yours:", "", effects, _OVER_IT if texts else _KEY_STAYS)


def _key_by_now(row: Row, amendment: Amendment) -> list[Effect]:
    return [Effect("↻", "It has a key by now")] if amendment.is_late_for_key(row) else []


def _is_about(change: LastChange, texts: Iterable[str], secret: bool) -> bool:
    return any(each.name in texts for each in change.done.texts) or (secret and change.done.kind in _NEW_SECRET)


def _granted(since: ChangesSince) -> int:
    return since.last.done.after & ~since.before


def _revoked(since: ChangesSince) -> int:
    return since.before & ~since.last.done.after


def _texts(since: ChangesSince) -> list[TextChange]:
    """What became of each text, all in all."""
    net: dict[str, TextChange] = {}
    for change in reversed(since.newest):
        for each in change.done.texts:
            net[each.name] = each._replace(before=net[each.name].before) if each.name in net else each
    return [each for each in net.values() if each.before != each.after]


def _effects(since: ChangesSince) -> list[Effect]:
    """All that was done, as if it had been done at once."""
    has_new_secret = any(each.done.kind in _NEW_SECRET for each in since.newest)
    return [
        *([Effect("↻", GOT_NEW_KEY)] if has_new_secret else []),
        *(Effect("+", f"Granted {each.label}") for each in privileges_in(_granted(since))),
        *(Effect("−", f"Revoked {each.label}") for each in privileges_in(_revoked(since))),
        *(Effect("✎", text_changed(each)) for each in _texts(since)),
    ]


def _summary(since: ChangesSince) -> str:
    counts = (
        (_granted(since).bit_count(), "privilege", "granted"),
        (_revoked(since).bit_count(), "privilege", "revoked"),
        (len(_texts(since)), "text", "changed"),
    )
    return ", ".join(f"{several(count, what)} {verb}" for count, what, verb in counts if count)
