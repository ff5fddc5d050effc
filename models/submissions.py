"""What a submission may ask for, and the decision what each request does to an authkey as it is now.

Every change of privileges in the product is one of these requests, whoever makes it: grid, import, dialog or undo.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from models.authkeys import Authkey
from models.staged_changes import Conflict, ConflictKind, Entry


class Source(StrEnum):
    """From where a submission came."""

    GRID = "grid"
    DIALOG = "dialog"
    IMPORT = "import"
    UNDO = "undo"
    REGISTERED = "register"
    """A server registered its own key with a pickup passphrase."""


class Kind(StrEnum):
    """What a modification did to its authkey."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    RESTORED = "restored"
    REKEYED = "rekeyed"
    """Its secret was replaced; the privileges stayed."""
    REGISTERED = "registered"
    """A server made it for itself."""
    REREGISTERED = "again"
    """A server registered once more: a new secret, and the privileges of the passphrase."""


class LastChange(NamedTuple):
    """The newest modification of an authkey."""

    admin_name: str
    kind: Kind
    at: datetime
    ip: str
    service: str


class CellChange(NamedTuple):
    """Set and clear cells of one authkey, as it is at that moment."""

    authkey_id: int
    grants: int
    revocations: int


class Removal(NamedTuple):
    """Remove one authkey, unless it changed after `seen_revision`."""

    authkey_id: int
    seen_revision: int


class Restoration(NamedTuple):
    """Bring a removed authkey back with the secret and the privileges that it had."""

    authkey_id: int


class NewAuthkey(NamedTuple):
    """Create an authkey; (ip, service) must be free."""

    ip: str
    service: str
    privileges: int
    secret_digest: str | None = None
    secret_hint: str | None = None


class Assignment(NamedTuple):
    """Make the authkey (ip, service) have exactly these privileges, creating it if it does not exist."""

    ip: str
    service: str
    privileges: int


class NewSecret(NamedTuple):
    """Replace the secret of one authkey."""

    authkey_id: int
    secret_digest: str
    secret_hint: str


class Registration(NamedTuple):
    """Make the authkey (ip, service) have this secret and exactly these privileges, creating it if it does not exist."""

    ip: str
    service: str
    privileges: int
    secret_digest: str
    secret_hint: str


Change = CellChange | Removal | Restoration | NewAuthkey | Assignment | NewSecret | Registration


class Modification(NamedTuple):
    """What one submission did to one authkey. `before` and `after` are sets of privileges."""

    authkey_id: int
    kind: Kind
    ip: str
    service: str
    before: int
    after: int

    @property
    def change_count(self) -> int:
        """Changes as the bar counts them: cells, or one for what happened to the whole authkey."""
        return (self.before ^ self.after).bit_count() if self.kind is Kind.CHANGED else 1

    @property
    def moves_rows(self) -> bool:
        """Whether an authkey came or went, so that other rows of a view move."""
        return self.kind in (Kind.ADDED, Kind.REMOVED, Kind.RESTORED, Kind.REGISTERED)


def change_for(authkey_id: int, entry: Entry) -> Change:
    """The request that a staged entry makes when it is submitted."""
    if entry.removal:
        return Removal(authkey_id, entry.revision)
    return CellChange(authkey_id, entry.grants, entry.revocations)


def decide_cells(change: CellChange, row: Authkey | None) -> Modification | Conflict | None:
    """Each cell as set or clear on the row as it is now; None if it is already so."""
    if row is None:
        return Conflict(ConflictKind.REMOVED, 0)
    after = row.privileges & ~change.revocations | change.grants
    return _changed(row, after)


def decide_removal(change: Removal, row: Authkey | None) -> Modification | Conflict | None:
    """The removal of an authkey that is still as the admin saw it; None if it is already gone."""
    if row is None:
        return None
    if row.revision > change.seen_revision:
        return Conflict(ConflictKind.CHANGED, row.revision)
    return Modification(row.id, Kind.REMOVED, row.ip, row.service, row.privileges, 0)


def decide_assignment(change: Assignment, row: Authkey) -> Modification | None:
    """The difference between what the row has and what it shall have; None if there is none."""
    return _changed(row, change.privileges)


def decide_registration(change: Registration, row: Authkey) -> Modification:
    """An authkey that registers once more: always on record, because its secret is another one now."""
    return Modification(row.id, Kind.REREGISTERED, row.ip, row.service, row.privileges, change.privileges)


def inverse(modification: Modification, revision: int) -> Change | None:
    """The request that undoes what submission `revision` did to an authkey; None where that cannot be undone.

    A replaced secret is not brought back: nobody holds the old one on purpose.
    """
    match modification.kind:
        case Kind.CHANGED | Kind.REREGISTERED:
            turned_on = modification.after & ~modification.before
            turned_off = modification.before & ~modification.after
            return CellChange(modification.authkey_id, turned_off, turned_on)
        case Kind.REMOVED:
            return Restoration(modification.authkey_id)
        case Kind.ADDED | Kind.RESTORED | Kind.REGISTERED:
            return Removal(modification.authkey_id, revision)
        case Kind.REKEYED:
            return None


def _changed(row: Authkey, after: int) -> Modification | None:
    if after == row.privileges:
        return None
    return Modification(row.id, Kind.CHANGED, row.ip, row.service, row.privileges, after)
