"""What the history holds: one entry for each submission, sign-in, change of an account and whatever else must be answered for."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from models.chain import Anchor, ModificationsDigest, Record, Row
from models.subjects import Subject
from models.submissions import Kind, Modification, Source


class EntryKind(StrEnum):
    """What an entry tells of."""

    SUBMITTED = "submission"
    SIGNED_IN = "signed in"
    LAUNCHED = "launch link used"
    SIGNED_IN_BY_PROVIDER = "signed in by SSO"
    REFUSED = "sign-in refused"
    LINK_REFUSED = "launch link refused"
    SLOWED = "attempts slowed"
    SIGNED_OUT = "signed out"
    SIGNED_OUT_EVERYWHERE = "signed out all"
    SIGNED_OUT_BY_PROVIDER = "signed out by SSO"
    ADDED = "account added"
    PASSWORD_CHANGED = "password changed"
    ROLE_CHANGED = "role changed"
    DISABLED = "account disabled"
    ENABLED = "account enabled"
    LINKED = "account linked"
    """To a person at the provider of single sign-on"""
    NAME_ERASED = "name erased"
    INVITED = "invited"
    """A link with which its owner chooses a password was made"""
    JOINED = "invitation used"
    INVITE_REFUSED = "invitation refused"
    RESET = "password reset"
    """The password no longer holds, and a link for a new one was made"""
    SESSION_ENDED = "session ended"
    """One of several, by its owner"""
    FACTOR_ADDED = "factor added"
    FACTOR_REMOVED = "factor removed"
    FACTOR_RESET = "factors reset"
    FACTOR_REFUSED = "factor refused"
    RECOVERY_MADE = "recovery codes made"
    RECOVERY_USED = "recovery code used"
    PHRASE_ADDED = "phrase added"
    PHRASE_CHANGED = "phrase changed"
    """Of earlier releases: passphrases have submissions now"""
    PHRASE_REMOVED = "phrase removed"
    """Of earlier releases, likewise"""
    PHRASE_REFUSED = "phrase refused"
    EXPORTED = "exported"
    PRUNED = "history pruned"
    BACKED_UP = "backup made"
    RESTORED = "backup restored"
    SECRET_REPLACED = "secret replaced"
    APPROVAL_ASKED = "approval asked"
    """That it was approved is said by its submission"""
    APPROVAL_REJECTED = "approval rejected"
    APPROVAL_WITHDRAWN = "approval withdrawn"
    APPROVAL_EXPIRED = "approval expired"


class Totals(NamedTuple):
    """What a submission comes to, over all its rows."""

    granted: int = 0
    """The privileges that it granted to any of its rows"""
    revoked: int = 0
    kinds: Mapping[Kind, int] = {}
    """How many rows it did what to"""

    def plus(self, rows: Sequence[Row]) -> "Totals":
        """With these modifications (`chain.Row`) too."""
        granted, revoked, kinds = self.granted, self.revoked, Counter(dict(self.kinds))
        # Most rows are alike: counted by columns, which takes a third of the time of a loop over the rows.
        _, each_kind, _, _, each_before, each_after = islice(zip(*rows, strict=False), 6) if rows else [()] * 6
        for (kind, before, after), count in Counter(zip(each_kind, each_before, each_after, strict=True)).items():
            granted |= int(after) & ~int(before)
            revoked |= int(before) & ~int(after)
            kinds[Kind(str(kind))] += count
        return Totals(granted, revoked, kinds)


class Written:
    """What a submission has done so far: to be told of each modification, in the order in which they are written."""

    def __init__(self) -> None:
        self._digest = ModificationsDigest()
        self.totals = Totals()

    def add(self, rows: Sequence[Row], encoded: bytes) -> None:
        """These come next, and this is their canonical JSON."""
        self._digest.add(rows, encoded)
        self.totals = self.totals.plus(rows)

    @property
    def digest(self) -> str:
        """Of all of them, as the chain has it."""
        return self._digest.hexdigest()


def digested_row(columns: Sequence[int | str | None]) -> Row:
    """A modification as it is digested, from its columns: without the changed texts if there are none, as before there were any."""
    return columns[:-1] if columns[-1] is None else columns  # type: ignore[return-value]


def kinds_text(kinds: Mapping[Kind, int]) -> str:
    """The kinds of a submission's modifications as they are stored: `changed:5 removed:1`."""
    return " ".join(f"{kind.value}:{kinds[kind]}" for kind in sorted(kinds))


def read_kinds(text: str) -> dict[Kind, int]:
    """What `kinds_text` wrote; without what somebody else wrote, which following the chain finds."""
    parts = (part.rpartition(":") for part in text.split())
    return {Kind(kind): int(count) for kind, _, count in parts if kind in set(Kind) and count.isdecimal()}


class SubmissionPart(NamedTuple):
    """What an entry says of its submission."""

    revision: int
    uuid: str
    admin_id: int
    at: datetime
    source: Source
    subject: Subject
    change_count: int
    row_count: int
    granted: int
    revoked: int
    kinds: str
    """`kinds_text`"""
    digest: str
    """`chain.ModificationsDigest` of what it did"""
    approver: int | None = None
    """The account of the other admin who approved it, where it waited for one"""

    def to_record(self) -> Record:
        """As it is digested: without an approver if there was none, as before there were any."""
        approved = {} if self.approver is None else {"approver": self.approver}
        return {
            **approved,
            "revision": self.revision,
            "uuid": self.uuid,
            "admin": self.admin_id,
            "at": timestamp(self.at),
            "source": self.source,
            "subject": self.subject,
            "changes": self.change_count,
            "rows": self.row_count,
            "granted": self.granted,
            "revoked": self.revoked,
            "kinds": self.kinds,
            "modifications": self.digest,
        }


class Entry(NamedTuple):
    """One record of the history."""

    number: int
    at: datetime
    kind: EntryKind
    admin_id: int | None
    """Who did it, or whose account it is about; None for nobody whom we know"""
    name: str
    """The account's as it is now, or as it was given; empty for nobody, and for one that was erased"""
    name_digest: str | None
    """Only of a name that is no account's"""
    address: str
    detail: str
    submission: SubmissionPart | None
    digest: str = ""
    approved_by: str = ""
    """The name of who approved its submission, as it is now"""

    def to_record(self) -> Record:
        """As it is digested, but for the digest of the entry before. Accounts are numbers in it, so a name can be erased."""
        return {
            "number": self.number,
            "at": timestamp(self.at),
            "kind": self.kind,
            "admin": self.admin_id,
            "name": self.name_digest,
            "address": self.address,
            "detail": self.detail,
            "submission": self.submission.to_record() if self.submission else None,
        }


class Change(NamedTuple):
    """What one submission did to one row, with who, when and how."""

    number: int
    """Of the entry"""
    revision: int
    at: datetime
    admin_name: str
    source: str
    done: Modification


class Moment(NamedTuple):
    """A place in the history: an entry, and the newest submission up to it."""

    number: int
    """0 for the time before the first entry"""
    revision: int
    at: datetime | None


class Check(NamedTuple):
    """How the chain was found when it was checked last."""

    at: datetime
    number: int
    """Up to which entry nothing was wrong"""
    fault: str
    """Empty if nothing was"""


def timestamp(at: datetime) -> str:
    """A moment as records hold it: RFC 3339 in UTC, always with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def prune_text(anchor: Anchor, archive: str) -> str:
    """What the entry of a prune says: the last entry that went, its digest, and that of the archive."""
    return json.dumps({"after": anchor.number, "archive": archive, "digest": anchor.digest}, separators=(",", ":"))


def read_prune(text: str) -> Anchor:
    """Where the chain goes on after a prune; at the beginning, if this is not what a prune says."""
    try:
        told = json.loads(text)
        return Anchor(int(told["after"]), str(told["digest"]))
    except (ValueError, KeyError, TypeError):
        return Anchor()
