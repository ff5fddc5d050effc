"""What of the history is shown: a value that fits into the address bar, as the views of grids do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from models.accounts import MAX_NAME_LENGTH
from models.errors import InvalidValue
from models.history import EntryKind
from models.moments import moment, moment_text
from models.privileges import privilege
from models.submissions import Kind, Source
from models.texts import trim_unseen
from models.views import MAX_SEARCH_LENGTH

T = TypeVar("T", bound=StrEnum)


class What(StrEnum):
    """Kinds of entries, as one looks for them."""

    KEYS = "keys"
    """Submissions, whatever they did"""
    GRANTS = "grants"
    REVOCATIONS = "revocations"
    ADDITIONS = "additions"
    REMOVALS = "removals"
    RESTORATIONS = "restorations"
    NEW_KEYS = "new-keys"
    SIGN_INS = "sign-ins"
    REFUSED = "refused"
    APPROVALS = "approvals"
    """What was approved, and what became of the rest that waited for it"""
    ACCOUNTS = "accounts"
    RECORDS = "records"
    ACCESS = "access"
    """Whatever is no submission"""


WHAT_NAMES = {
    What.KEYS: "Submissions",
    What.GRANTS: "Grants",
    What.REVOCATIONS: "Revocations",
    What.ADDITIONS: "Additions",
    What.REMOVALS: "Removals",
    What.RESTORATIONS: "Restorations",
    What.NEW_KEYS: "New keys issued",
    What.SIGN_INS: "Sign-ins",
    What.REFUSED: "Refused sign-ins",
    What.APPROVALS: "Approvals",
    What.ACCOUNTS: "Accounts",
    What.RECORDS: "Exports and prunes",
    What.ACCESS: "Access record",
}
SOURCE_NAMES = {
    Source.GRID: "Grid",
    Source.DIALOG: "Dialog",
    Source.IMPORT: "Import",
    Source.UNDO: "Undo",
    Source.REGISTERED: "Registration",
}
KINDS_OF = {
    What.ADDITIONS: (Kind.ADDED, Kind.REGISTERED),
    What.REMOVALS: (Kind.REMOVED,),
    What.RESTORATIONS: (Kind.RESTORED,),
    What.NEW_KEYS: (Kind.REKEYED, Kind.REREGISTERED),
}
ENTRIES_OF = {
    What.KEYS: (EntryKind.SUBMITTED,),
    What.SIGN_INS: (
        EntryKind.SIGNED_IN,
        EntryKind.LAUNCHED,
        EntryKind.SIGNED_IN_BY_PROVIDER,
        EntryKind.SIGNED_OUT,
        EntryKind.SIGNED_OUT_EVERYWHERE,
        EntryKind.SESSION_ENDED,
        EntryKind.JOINED,
        EntryKind.SIGNED_OUT_BY_PROVIDER,
    ),
    What.REFUSED: (
        EntryKind.REFUSED,
        EntryKind.LINK_REFUSED,
        EntryKind.SLOWED,
        EntryKind.INVITE_REFUSED,
        EntryKind.FACTOR_REFUSED,
        EntryKind.PHRASE_REFUSED,
    ),
    What.ACCOUNTS: (
        EntryKind.ADDED,
        EntryKind.PASSWORD_CHANGED,
        EntryKind.ROLE_CHANGED,
        EntryKind.DISABLED,
        EntryKind.ENABLED,
        EntryKind.LINKED,
        EntryKind.NAME_ERASED,
        EntryKind.INVITED,
        EntryKind.RESET,
        EntryKind.FACTOR_ADDED,
        EntryKind.FACTOR_REMOVED,
        EntryKind.FACTOR_RESET,
        EntryKind.RECOVERY_MADE,
        EntryKind.RECOVERY_USED,
    ),
    What.RECORDS: (
        EntryKind.EXPORTED,
        EntryKind.PRUNED,
        EntryKind.BACKED_UP,
        EntryKind.RESTORED,
        EntryKind.SECRET_REPLACED,
    ),
    What.ACCESS: tuple(kind for kind in EntryKind if kind is not EntryKind.SUBMITTED),
    What.APPROVALS: (
        EntryKind.APPROVAL_ASKED,
        EntryKind.APPROVAL_REJECTED,
        EntryKind.APPROVAL_WITHDRAWN,
        EntryKind.APPROVAL_EXPIRED,
    ),
}


@dataclass(frozen=True, kw_only=True)
class HistoryView:
    """Which entries are shown; always the newest first."""

    search: str = ""
    """A key: IP, network, beginning of an address, or part of a service; also the address of who came in"""
    admin: str = ""
    privilege: str = ""
    what: What | None = None
    source: Source | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        """Raises InvalidValue for what cannot be looked for."""
        object.__setattr__(self, "search", trim_unseen(self.search))
        if len(self.search) > MAX_SEARCH_LENGTH or not self.search.isprintable():
            raise InvalidValue(f"The search holds what no key can have, or more than {MAX_SEARCH_LENGTH} characters.")
        if len(self.admin) > MAX_NAME_LENGTH or not self.admin.isprintable():
            raise InvalidValue("There can be no admin of that name.")
        if self.privilege:
            privilege(self.privilege)
        if self.since and self.until and self.since > self.until:
            raise InvalidValue("The time from which on is after the time until which.")

    @property
    def is_filtered(self) -> bool:
        """Whether entries are left out."""
        return self != HistoryView()

    def to_query(self) -> str:
        """The view as a URL query without its `?`."""
        parts = {
            "search": self.search,
            "admin": self.admin,
            "privilege": self.privilege,
            "what": self.what or "",
            "source": self.source or "",
            "since": moment_text(self.since) if self.since else "",
            "until": moment_text(self.until) if self.until else "",
        }
        return urlencode({name: value for name, value in parts.items() if value}, safe=",/:")


def parse_history_view(query: Mapping[str, str]) -> HistoryView:
    """The view that a URL query names. Raises InvalidValue, with words."""
    return HistoryView(
        search=query.get("search", ""),
        admin=query.get("admin", ""),
        privilege=query.get("privilege", ""),
        what=_one_of(What, query.get("what"), "a kind of entries"),
        source=_one_of(Source, query.get("source"), "a source of submissions"),
        since=_optional_moment(query.get("since"), time.min),
        until=_optional_moment(query.get("until"), time.max),
    )


def _optional_moment(text: str | None, day_means: time) -> datetime | None:
    return moment(text, day_means=day_means) if text else None


def _one_of(kinds: type[T], text: str | None, what: str) -> T | None:
    try:
        return kinds(text) if text else None
    except ValueError:
        raise InvalidValue(f"{text!r:.20} is not {what}; known are {', '.join(kinds)}.") from None
