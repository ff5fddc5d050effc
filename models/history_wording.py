"""Entries of the history in plain words: one line for each, and what was done to a row."""

from collections.abc import Iterable

from models.history import Entry, EntryKind, SubmissionPart, read_kinds
from models.privileges import privileges_in
from models.submissions import Kind, Modification
from models.wording import GOT_NEW_KEY, count_of, text_changed

_SAID = {
    EntryKind.SIGNED_IN: "signed in",
    EntryKind.LAUNCHED: "signed in by a launch link",
    EntryKind.SIGNED_IN_BY_PROVIDER: "signed in by single sign-on",
    EntryKind.REFUSED: "sign-in refused",
    EntryKind.LINK_REFUSED: "a launch link was refused",
    EntryKind.SLOWED: "too many attempts to sign in",
    EntryKind.SIGNED_OUT: "signed out",
    EntryKind.SIGNED_OUT_EVERYWHERE: "signed out everywhere",
    EntryKind.SIGNED_OUT_BY_PROVIDER: "signed out by single sign-on",
    EntryKind.ADDED: "account added",
    EntryKind.PASSWORD_CHANGED: "password changed",
    EntryKind.ROLE_CHANGED: "role changed",
    EntryKind.DISABLED: "account disabled",
    EntryKind.ENABLED: "account enabled",
    EntryKind.LINKED: "account linked to single sign-on",
    EntryKind.NAME_ERASED: "a name was erased",
    EntryKind.INVITED: "invited by a link",
    EntryKind.JOINED: "chose a password by an invitation",
    EntryKind.INVITE_REFUSED: "an invitation was refused",
    EntryKind.RESET: "password reset",
    EntryKind.SESSION_ENDED: "ended a session elsewhere",
    EntryKind.FACTOR_ADDED: "second factor added",
    EntryKind.FACTOR_REMOVED: "second factor removed",
    EntryKind.FACTOR_RESET: "second factors reset",
    EntryKind.FACTOR_REFUSED: "second factor refused",
    EntryKind.RECOVERY_MADE: "new recovery codes made",
    EntryKind.RECOVERY_USED: "recovery code used",
    EntryKind.PHRASE_ADDED: "added a pickup passphrase",
    EntryKind.PHRASE_CHANGED: "changed a pickup passphrase",
    EntryKind.PHRASE_REMOVED: "removed a pickup passphrase",
    EntryKind.PHRASE_REFUSED: "a pickup passphrase was refused",
    EntryKind.EXPORTED: "exported",
    EntryKind.PRUNED: "pruned the history",
    EntryKind.BACKED_UP: "made a backup",
    EntryKind.RESTORED: "restored a backup",
    EntryKind.SECRET_REPLACED: "replaced the server's secret",
    EntryKind.APPROVAL_ASKED: "asked for approval",
    EntryKind.APPROVAL_REJECTED: "rejected what waited for approval",
    EntryKind.APPROVAL_WITHDRAWN: "withdrew what waited for approval",
    EntryKind.APPROVAL_EXPIRED: "waited too long for approval",
}
_DID = {
    Kind.CHANGED: "changed",
    Kind.REMOVED: "removed",
    Kind.ADDED: "added",
    Kind.RESTORED: "restored",
    Kind.REKEYED: "issued a new key for",
    Kind.REGISTERED: "let a server register",
    Kind.REREGISTERED: "let a server register again",
}
_KEYED = {
    Kind.REKEYED: GOT_NEW_KEY,
    Kind.REREGISTERED: "Registered again by its server, with a new key",
}


def sentence(entry: Entry, only: Modification | None = None) -> str:
    """What happened, without who and when; `only` is what its submission did, if that was one thing."""
    if entry.submission is None:
        detail = "" if entry.kind is EntryKind.PRUNED else entry.detail
        said = _SAID.get(entry.kind, entry.kind)
        return f"{said}: {detail}" if detail else said
    approved = "" if entry.submission.approver is None else f", approved by {entry.approved_by or 'somebody'}"
    return f"{_of_submission(entry.submission, only)}{approved}"


def _of_submission(part: SubmissionPart, only: Modification | None) -> str:
    kinds = read_kinds(part.kinds)
    parts = []
    for kind in sorted(kinds, key=lambda each: each is not Kind.CHANGED):
        did = _DID[kind]
        if kind is Kind.CHANGED and len(kinds) == 1:
            turned = " and ".join(filter(None, (_some("granted", part.granted), _some("revoked", part.revoked))))
            did = f"{turned} on" if turned else "changed the owner or note of"
        parts.append(f"{did} {name_of(only) if only else count_of(part.subject, kinds[kind])}")
    return ", ".join(parts) or "changed nothing"


def _some(verb: str, mask: int) -> str:
    labels = [each.label for each in privileges_in(mask)]
    if not labels:
        return ""
    more = f" and {len(labels) - 1} more" if len(labels) > 1 else ""
    return f"{verb} {labels[0]}{more}"


def name_of(done: Modification) -> str:
    """Which row it was done to: `192.0.2.7, billing`."""
    return ", ".join(filter(None, (done.ip, done.service)))


def effects(done: Modification) -> list[tuple[str, str]]:
    """What was done to a row: the mark and the words of each effect, as the review has them."""
    texts = [("✎", text_changed(each)) for each in done.texts]
    match done.kind:
        case Kind.REMOVED:
            return [("×", f"Removed; it had {_list(done.before)}")]
        case Kind.ADDED | Kind.REGISTERED | Kind.RESTORED:
            said = {Kind.ADDED: "Added", Kind.REGISTERED: "Registered by its server", Kind.RESTORED: "Restored"}
            return [("+", f"{said[done.kind]} with {_list(done.after)}"), *texts]
    return [
        *([("↻", _KEYED[done.kind])] if done.kind in _KEYED else []),
        *(("+", f"{each.label}: not granted → granted") for each in privileges_in(done.after & ~done.before)),
        *(("−", f"{each.label}: granted → not granted") for each in privileges_in(done.before & ~done.after)),
        *texts,
    ]


def _list(mask: int) -> str:
    return ", ".join(each.label for each in privileges_in(mask)) or "no privileges"


def lasted(seconds: float) -> str:
    """For how long something stood: `3 days`, in the largest unit that fits."""
    for name, length in (("year", 31_557_600), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if (count := int(seconds // length)) >= 1:
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


def listed(words: Iterable[str], limit: int = 3) -> str:
    """Some words with commas, and how many more there are."""
    all_ = list(words)
    more = f" and {len(all_) - limit:,} more" if len(all_) > limit else ""
    return ", ".join(all_[:limit]) + more
