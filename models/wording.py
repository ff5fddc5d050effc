"""Counts and changes in plain words, the same ones wherever they appear."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import escape
from itertools import islice
from typing import NamedTuple

from models.accounts import Role
from models.amendments import TextChange, TextName
from models.authkeys import Authkey
from models.privileges import Privilege, privileges_in
from models.risks import StagedTotals
from models.staged_rows import NOTHING, StagedRow
from models.staging_steps import Step
from models.subjects import Subject
from models.usage import KEPT_USE_DAYS, LostCalls

_REMOVED = {
    Subject.AUTHKEY: "it loses every privilege and the key stops working",
    Subject.PASSPHRASE: "no server can register with it any more",
}
_RESTORED = {
    Subject.AUTHKEY: "it comes back with the privileges and the key that it had",
    Subject.PASSPHRASE: "servers can register with it again",
}
GOT_NEW_KEY = "It got a new key; one that it had before stopped working"
"""Said of an authkey"""
ROLE_WORDS = {
    Role.ADMIN: "Admin: sees and changes everything",
    Role.AUDITOR: "Auditor: sees everything, changes nothing",
}
_LOOKED_AT = 1_000
"""Entries of a step by which it is named; all of a larger one are alike"""
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_NOUNS = {Subject.AUTHKEY: "key", Subject.PASSPHRASE: "passphrase"}


def noun(subject: Subject) -> str:
    """What one row is called: `key`, `passphrase`."""
    return _NOUNS[subject]


def several(count: int, what: str, many: str = "") -> str:
    """`1 removal`, `5,000 removals`; `many` is the plural where it is no plain one."""
    return f"1 {what}" if count == 1 else f"{count:,} {many or f'{what}s'}"


def changes(count: int) -> str:
    """`1 change`, `5 changes`."""
    return several(count, "change")


def count_of(subject: Subject, count: int) -> str:
    """`1 key`, `5,000 passphrases`."""
    return several(count, noun(subject))


def keys(count: int) -> str:
    """`1 key`, `5,000 keys`."""
    return count_of(Subject.AUTHKEY, count)


def changes_to(subject: Subject, change_count: int, count: int) -> str:
    """`5 changes to 3 passphrases`."""
    return f"{changes(change_count)} to {count_of(subject, count)}"


def changes_to_keys(change_count: int, key_count: int) -> str:
    """`5 changes to 3 keys`."""
    return changes_to(Subject.AUTHKEY, change_count, key_count)


class Consequence(NamedTuple):
    """One thing that a submission would do to a row."""

    mark: str
    kind: str
    """`grant`, `revoke` or `remove`."""
    text: str
    part: Privilege | TextName | None
    """None for what happens to the whole row"""


def consequences(subject: Subject, entry: StagedRow) -> list[Consequence]:
    """What a submission would do to one row, in plain words."""
    if entry.removal:
        return [Consequence("×", "remove", f"Remove: {_REMOVED[subject]}", None)]
    if entry.restoration:
        return [Consequence("↺", "grant", f"Restore: {_RESTORED[subject]}", None)]
    takes_over = entry.amendment.secret is not None and entry.new is None
    return [
        *([Consequence("+", "grant", f"Add this key, {_secret_of(entry)}", None)] if entry.new else []),
        *([Consequence("↻", "grant", "Take over the key that it has elsewhere", None)] if takes_over else []),
        *(Consequence("+", "grant", f"Grant {each.label}", each) for each in privileges_in(entry.grants)),
        *(Consequence("−", "revoke", f"Revoke {each.label}", each) for each in privileges_in(entry.revocations)),
        *(Consequence("✎", "grant", text_changed(each), each.name) for each in entry.amendment.texts),
    ]


def text_changed(change: TextChange) -> str:
    """What becomes of a text: `Owner: none → Ana`."""
    return f"{change.name.title()}: {change.before or 'none'} → {change.after or 'none'}"


def _secret_of(entry: StagedRow) -> str:
    if entry.amendment.secret:
        return "with the secret that it has elsewhere"
    return (
        "whose secret is made and shown when you submit" if entry.new and entry.new.issues else "without a secret yet"
    )


def boxes(count: int) -> str:
    """`1 box`, `9,000 boxes`."""
    return several(count, "box", "boxes")


def granting(changed: int, total: int) -> str:
    """What granting a set of boxes comes to: `grants 8,120 of 9,000 boxes; 880 have it`."""
    return f"grants {changed:,} of {boxes(total)}" + (f"; {total - changed:,} have it" if changed < total else "")


def revoking(changed: int, total: int) -> str:
    """What revoking a set of boxes comes to: `revokes 880 of 9,000 boxes; 8,120 lack it`."""
    return f"revokes {changed:,} of {boxes(total)}" + (f"; {total - changed:,} lack it" if changed < total else "")


_STEPS: tuple[tuple[Callable[[StagedRow, StagedRow], bool], str], ...] = (
    (lambda _, after: after == NOTHING, "taking back what was staged for"),
    (lambda _, after: after.removal, "removing"),
    (lambda before, after: after.new is not None and before == NOTHING, "adding"),
    (lambda _, after: after.restoration, "restoring"),
    (lambda before, after: before._replace(amendment=after.amendment) == after, "changing the owner or note of"),
)
"""What a step is called that did this to each of its rows"""


def step_name(subject: Subject, step: Step) -> str:
    """What a staging step did, for the buttons that undo and redo it: `granting Search for a License`, `12 changes to 4 keys`."""
    rows = len(step.entries)
    some = list(islice(step.entries.values(), _LOOKED_AT))
    what = count_of(subject, rows)
    for is_so, doing in _STEPS:
        if all(is_so(*each) for each in some):
            return f"{doing} {what}"
    if rows == 1:
        before, after = some[0]
        turned = [
            *(
                f"granting {each.label}"
                for each in privileges_in(after.grants & ~before.grants | before.revocations & ~after.revocations)
            ),
            *(
                f"revoking {each.label}"
                for each in privileges_in(after.revocations & ~before.revocations | before.grants & ~after.grants)
            ),
        ]
        if len(turned) == 1 and before.amendment == after.amendment:
            return turned[0]
    return f"changing {what}"


def totals(subject: Subject, counted: StagedTotals) -> list[tuple[str, str]]:
    """What staged changes come to, the riskiest first: the kind of each (as `Consequence` has it), and its words."""
    said = [
        (counted.removals, "remove", several(counted.removals, "removal")),
        (counted.grants_of_manage, "remove", f"{several(counted.grants_of_manage, 'grant')} of Manage Authkeys"),
        (counted.revocations, "revoke", several(counted.revocations, "revocation")),
        (counted.grants, "grant", several(counted.grants, "grant")),
        (counted.texts, "grant", several(counted.texts, "owner or note", "owners and notes")),
        (counted.secrets, "grant", f"{several(counted.secrets, 'key')} taken over"),
        (counted.additions, "grant", several(counted.additions, f"new {noun(subject)}")),
        (counted.restorations, "grant", several(counted.restorations, "restoration")),
    ]
    return [(kind, text) for count, kind, text in said if count]


def lost_calls(lost: LostCalls) -> str:
    """What of that would have been missed lately: `1,240 calls of the last 30 days would have been refused, …`."""
    if not lost.calls:
        return f"None of what is revoked or removed was used in the last {KEPT_USE_DAYS} days, as far as uses were counted."
    calls = several(lost.calls, "call")
    last = f"; the last one {minute(lost.last_at)}, from {lost.last_ip}" if lost.last_at else ""
    return f"It would have refused {calls} of the last {KEPT_USE_DAYS} days, by {keys(lost.key_count)}{last}."


def key_hint(key: Authkey) -> str:
    """How one knows the secret of an authkey: `Key ends in wxyz`."""
    if not key.has_key:
        return "No key issued yet"
    return f"Key ends in {key.secret_hint}" if key.secret_hint else "Key taken over as a digest"


def minute(at: datetime) -> str:
    """A moment as it is told in sentences: `2026-11-26 18:08 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def short_day_name(day: date) -> str:
    """`Tue 24`."""
    return f"{day:%a} {day.day}"


def day_name(day: date) -> str:
    """`Tue 24 Nov`."""
    return f"{short_day_name(day)} {day:%b}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago a moment was: `just now`, `3 min ago`, `2 h ago`, `5 d ago`; from 30 days on its date, in UTC.

    `ago` in ui/static/times.js says the same. What a clock that runs ahead puts into the future is just now.
    """
    passed = now - at
    if passed < _MINUTE:
        return "just now"
    for limit, length, unit in ((_HOUR, _MINUTE, "min"), (_DAY, _HOUR, "h"), (30 * _DAY, _DAY, "d")):
        if passed < limit:
            return f"{passed // length} {unit} ago"
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def unavailable_html(error: Exception) -> str:
    """What a browser shows instead of a page while the database does not answer; it asks again by itself."""
    return _asks_again("Database unavailable", str(error), "This page opens by itself when the database answers again.")


def unsent_html(error: Exception) -> str:
    """What a browser shows after a form was sent while the database does not answer: asking again would send nothing."""
    return plain_html(
        "Database unavailable",
        f'<p role="alert">{escape(str(error))}</p><p>Go back, and send it once more in a moment.</p>',
    )


def waiting_html() -> str:
    """What a browser shows instead of a page that takes very long to build; it asks again by itself."""
    takes_long = "The server is busy, or you have staged very much. What you staged is safe."
    return _asks_again("This takes longer than usual", takes_long, "This page opens by itself when it is ready.")


def _asks_again(title: str, status: str, then: str) -> str:
    return plain_html(
        title,
        f'<p role="status">{escape(status)}</p><p>{then}</p>',
        head='<meta http-equiv="refresh" content="3">',
    )


def plain_html(title: str, content: str, head: str = "") -> str:
    """A page without script, style sheet or socket, for when the others cannot be shown. `content` and `head` are HTML."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{head}'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)} · Authkeys</title>"
        '<main style="max-width: 34rem; margin: 20vh auto; padding: 0 1rem; font: 16px/1.5 system-ui">'
        f'<h1 style="font-size: 1.4rem">{escape(title)}</h1>{content}</main></html>'
    )
