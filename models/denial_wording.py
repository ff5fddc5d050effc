"""Denied requests in plain words: whose they were, what was asked for, why they were denied, and how many lately."""

from collections.abc import Sequence

from models.access_checks import Reason, Verdict
from models.denial_hours import DAYS, DeniedDay
from models.denials import DeniedRequests
from models.errors import InvalidValue
from models.manage2_functions import function_at
from models.privileges import Privilege, privilege
from models.wording import day_name

REASON_NAMES = {
    Reason.NO_KEY: "No key",
    Reason.UNKNOWN_KEY: "Unknown key",
    Reason.REMOVED: "Removed authkey",
    Reason.REPLACED: "Replaced key",
    Reason.WRONG_IP: "Wrong address",
    Reason.PRIVILEGE_MISSING: "Privilege missing",
    Reason.NOT_FOR_KEYS: "Only with a password",
    Reason.UNKNOWN_WHAT: "Unknown function",
    Reason.UNCLEAR: "Proxy set up wrong",
    Reason.BACKEND: "Backend failed",
    Reason.PHRASE_UNKNOWN: "Passphrase unknown",
    Reason.PHRASE_REMOVED: "Passphrase removed",
    Reason.PHRASE_USED_UP: "Passphrase used up",
    Reason.PHRASE_EXPIRED: "Passphrase expired",
    Reason.PHRASE_WRONG_NETWORK: "Passphrase elsewhere",
    Reason.PHRASE_MAKER_DISABLED: "Passphrase's maker gone",
    Reason.TOO_MANY_PHRASES: "Passphrases guessed",
}
"""As one looks for them"""

REASON_SENTENCES = {
    Reason.NO_KEY: "The call brought no key.",
    Reason.UNKNOWN_KEY: "No authkey has the key that it brought.",
    Reason.REMOVED: "This authkey was removed.",
    Reason.REPLACED: "This key was replaced by a new one.",
    Reason.WRONG_IP: "The key is right, but it belongs to another IP address.",
    Reason.PRIVILEGE_MISSING: "The authkey does not have this privilege.",
    Reason.NOT_FOR_KEYS: "No privilege covers this: only an admin's password opens it, and only through the gateway.",
    Reason.UNKNOWN_WHAT: "Neither a privilege nor a function that Authkeys knows was asked for.",
    Reason.UNCLEAR: (
        "The proxy in front did not say what it asks for, or handed the caller's own query on. Its file must name the "
        "privilege in the path, as in /authorize/search, or tell the original URI; see deploy/."
    ),
    Reason.BACKEND: "The call was allowed, but the licensing backend gave no answer that could be passed on.",
    Reason.PHRASE_UNKNOWN: "There is no such pickup passphrase.",
    Reason.PHRASE_REMOVED: "The pickup passphrase was removed.",
    Reason.PHRASE_USED_UP: "The pickup passphrase is used up.",
    Reason.PHRASE_EXPIRED: "The pickup passphrase has expired.",
    Reason.PHRASE_WRONG_NETWORK: "The pickup passphrase may not be used from this address.",
    Reason.PHRASE_MAKER_DISABLED: "The account that made the pickup passphrase may no longer make any.",
    Reason.TOO_MANY_PHRASES: "Too many wrong pickup passphrases came from this address in a minute.",
}


def verdict_text(verdict: Verdict) -> str:
    """`allowed`, or `denied.` and why."""
    return "allowed" if verdict.reason is None else f"denied. {REASON_SENTENCES[verdict.reason]}"


def who(group: DeniedRequests) -> str:
    """Whose call it was, as far as that is known."""
    if group.service:
        return group.service
    match group.reason:
        case Reason.NO_KEY:
            return "No key"
        case Reason.UNKNOWN_WHAT | Reason.UNCLEAR | Reason.BACKEND:
            return "Not known"
    return "Unknown key"


def privilege_asked(what: str) -> Privilege | None:
    """The privilege that was asked for by its id or by a function's name."""
    try:
        return privilege(what)
    except InvalidValue:
        pass
    try:
        needs = function_at(f"/{what}.cgi").needs
    except InvalidValue:
        return None
    return needs if isinstance(needs, Privilege) else None


def asked(what: str) -> str:
    """What was asked for: `Search for a License (XMLlookup)`."""
    needed = privilege_asked(what)
    return f"{needed.label} ({what})" if needed and needed.id != what else needed.label if needed else what


def day_text(day: DeniedDay) -> str:
    """What a day's bars say: `Tue 24 Nov: 420 denied, most from 14:00 to 15:00 UTC`."""
    if not day.total:
        return f"{day_name(day.day)}: none denied"
    return f"{day_name(day.day)}: {day.total:,} denied, most from {_hour(day.busiest)}"


def days_text(days: Sequence[DeniedDay]) -> str:
    """What all bars say: `1,240 denied in 7 days, most on Tue 24 Nov, from 14:00 to 15:00 UTC: 84`."""
    total = sum(day.total for day in days)
    if not total:
        return f"None denied in {DAYS} days"
    busiest = max(days, key=lambda day: max(day.hours))
    when = f"{day_name(busiest.day)}, from {_hour(busiest.busiest)}"
    return f"{total:,} denied in {DAYS} days, most on {when}: {max(busiest.hours):,}"


def _hour(hour: int) -> str:
    return f"{hour:02}:00 to {hour + 1:02}:00 UTC"
