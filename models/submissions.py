"""What a submission may ask for, and the decision what each request does to a row as it is now.

Every change of privileges in the product is one of these requests, whoever makes it: grid, import, dialog or undo.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, StrEnum
from typing import NamedTuple

from models.amendments import UNAMENDED, Amendment, TextChange, TextName
from models.secrets import KnownSecret
from models.subjects import Row, Subject


class Source(StrEnum):
    """From where a submission came."""

    GRID = "grid"
    DIALOG = "dialog"
    IMPORT = "import"
    UNDO = "undo"
    REGISTERED = "register"
    """A server registered its own key with a pickup passphrase."""


class Kind(StrEnum):
    """What a modification did to its row."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    RESTORED = "restored"
    REKEYED = "rekeyed"
    """It has another secret, or its first one."""
    REGISTERED = "registered"
    """A server made it for itself."""
    REREGISTERED = "again"
    """A server registered once more: a new secret, and the privileges of the passphrase."""


class ConflictKind(Enum):
    """Why a change cannot be submitted as it is."""

    REMOVED = "removed"
    """Somebody else removed the row whose privileges were to change."""
    CHANGED = "changed"
    """Somebody else changed the row after it was marked for removal."""
    TAKEN = "taken"
    """Somebody else made an authkey of the same name as one that shall be made."""
    AMENDED = "amended"
    """Somebody else changed a text that was to change, or gave it a key."""


class Conflict(NamedTuple):
    """A change that needs a decision; `revision` is the one that the row has now."""

    kind: ConflictKind
    revision: int


class CellChange(NamedTuple):
    """Set and clear cells of one row, as it is at that moment, and amend it, unless that was amended otherwise since."""

    row_id: int
    grants: int
    revocations: int
    amendment: Amendment = UNAMENDED


class Removal(NamedTuple):
    """Remove one row, unless it changed after `seen_revision`."""

    row_id: int
    seen_revision: int


class Restoration(NamedTuple):
    """Bring a removed row back as it was: with its secret, and the privileges that it had."""

    row_id: int


class NewAuthkey(NamedTuple):
    """Create an authkey; (ip, service) must be free."""

    ip: str
    service: str
    privileges: int
    secret: KnownSecret | None = None
    texts: tuple[TextChange, ...] = ()
    """In the place of none"""


class Assignment(NamedTuple):
    """Make the authkey (ip, service) have exactly these privileges, creating it if it does not exist."""

    ip: str
    service: str
    privileges: int
    secret: KnownSecret | None = None
    """That it shall have, if it has none yet"""
    texts: tuple[tuple[TextName, str], ...] = ()
    """That it shall have; others stay"""


class NewSecret(NamedTuple):
    """Replace the secret of one authkey."""

    row_id: int
    secret_digest: str
    secret_hint: str


class Registration(NamedTuple):
    """Make the authkey (ip, service) have this secret and exactly these privileges, creating it if it does not exist."""

    ip: str
    service: str
    privileges: int
    secret_digest: str
    secret_hint: str


class NewPassphrase(NamedTuple):
    """Add a pickup passphrase, of which only the digest is kept; it must be free."""

    digest: str
    privileges: int
    uses: int = 1
    expires_at: datetime | None = None
    networks: tuple[str, ...] = ()
    note: str = ""


Change = CellChange | Removal | Restoration | NewAuthkey | Assignment | NewSecret | Registration | NewPassphrase


class Modification(NamedTuple):
    """What one submission did to one row. `before` and `after` are sets of privileges."""

    row_id: int
    kind: Kind
    ip: str
    service: str
    before: int
    after: int
    subject: Subject = Subject.AUTHKEY
    texts: tuple[TextChange, ...] = ()
    """Its owner or note, if they were changed"""

    @property
    def change_count(self) -> int:
        """Changes as the bar counts them: cells and texts, or one for what happened to the whole row."""
        parts = (self.before ^ self.after).bit_count() + len(self.texts)
        match self.kind:
            case Kind.CHANGED:
                return parts
            case Kind.REKEYED:
                return parts + 1
            case _:
                return 1

    @property
    def alters_row(self) -> bool:
        """Whether the row was there before and still is, and its cells, texts or secret became others."""
        return self.kind in (Kind.CHANGED, Kind.REKEYED, Kind.REREGISTERED)

    @property
    def moves_rows(self) -> bool:
        """Whether a row came or went, so that other rows of a view move."""
        return self.kind in (Kind.ADDED, Kind.REMOVED, Kind.RESTORED, Kind.REGISTERED)


class LastChange(NamedTuple):
    """The newest modification of a row, by whom and when."""

    admin_name: str
    at: datetime
    done: Modification


MOST_TOLD = 50
"""Of very many changes of a row, the newest"""


class ChangesSince(NamedTuple):
    """What became of a row after some submission."""

    times: int
    """By so many submissions"""
    before: int
    """The privileges that the first of them found"""
    newest: Sequence[LastChange]
    """At most `MOST_TOLD`, the last one first; there is one at least"""

    @property
    def last(self) -> LastChange:
        """The newest of them."""
        return self.newest[0]


def decide_cells(change: CellChange, row: Row | None) -> Modification | Conflict | None:
    """Each cell as set or clear on the row as it is now, and each text in the place of what was seen; None if it is already so."""
    if row is None:
        return Conflict(ConflictKind.REMOVED, 0)
    if change.amendment.is_overtaken(row):
        return Conflict(ConflictKind.AMENDED, row.revision)
    after = row.privileges & ~change.revocations | change.grants
    return _changed(row, after, change.amendment.rebased(row))


def decide_removal(change: Removal, row: Row | None) -> Modification | Conflict | None:
    """The removal of a row that is still as the admin saw it; None if it is already gone."""
    if row is None:
        return None
    if row.revision > change.seen_revision:
        return Conflict(ConflictKind.CHANGED, row.revision)
    return modification(row, Kind.REMOVED, row.privileges, 0)


def decide_assignment(change: Assignment, row: Row) -> Modification | None:
    """The difference between what the row has and what it shall have; None if there is none."""
    amendment = Amendment(change.secret)
    for name, text in change.texts:
        amendment = amendment.with_text(name, row, text)
    return _changed(row, change.privileges, amendment)


def decide_registration(change: Registration, row: Row) -> Modification:
    """An authkey that registers once more: always on record, because its secret is another one now."""
    return modification(row, Kind.REREGISTERED, row.privileges, change.privileges)


def inverse(done: Modification, revision: int) -> Change | None:
    """The request that undoes what submission `revision` did to a row; None where that cannot be undone.

    A replaced secret is not brought back: nobody holds the old one on purpose.
    """
    match done.kind:
        case Kind.CHANGED | Kind.REREGISTERED | Kind.REKEYED:
            turned_on = done.after & ~done.before
            turned_off = done.before & ~done.after
            texts = tuple(TextChange(each.name, each.after, each.before) for each in done.texts)
            change = CellChange(done.row_id, turned_off, turned_on, Amendment(texts=texts))
            return change if done.kind is not Kind.REKEYED or any(change[1:3]) or texts else None
        case Kind.REMOVED:
            return Restoration(done.row_id)
        case Kind.ADDED | Kind.RESTORED | Kind.REGISTERED:
            return Removal(done.row_id, revision)


def modification(row: Row, kind: Kind, before: int, after: int, texts: tuple[TextChange, ...] = ()) -> Modification:
    """What is done to this row, as the record names it."""
    return Modification(row.id, kind, row.ip, row.service, before, after, row.subject, texts)


def _changed(row: Row, after: int, amendment: Amendment) -> Modification | None:
    if after == row.privileges and not any(amendment):
        return None
    kind = Kind.REKEYED if amendment.secret else Kind.CHANGED
    return modification(row, kind, row.privileges, after, amendment.texts)
