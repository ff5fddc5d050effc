"""A plan: what a set of wanted changes would do to the rows as they are now. Decided here, whole; written elsewhere."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from models.errors import AuthkeyNotFound, DuplicateAuthkey, InvalidValue
from models.subjects import Row
from models.submissions import (
    Assignment,
    CellChange,
    Change,
    Conflict,
    Kind,
    Modification,
    NewAuthkey,
    NewPassphrase,
    NewSecret,
    Registration,
    Removal,
    Restoration,
    decide_assignment,
    decide_cells,
    decide_registration,
    decide_removal,
    modification,
)

KEEP_REMOVED = timedelta(days=30)
"""How long a removal can be undone."""

Addition = NewAuthkey | Assignment | Registration
"""A change that makes an authkey if there is none with its IP and service."""
New = Addition | NewPassphrase


class Rows(NamedTuple):
    """The rows as they are now, as far as a set of changes is about them."""

    by_id: Mapping[int, Row]
    removed: Mapping[int, Row]
    """Removed ones that shall come back, by id"""
    by_name: Mapping[tuple[str, str], Row] = MappingProxyType({})
    """By IP and service: all authkeys of the addresses that the changes name"""
    taken: Collection[str] = ()
    """The digests of new passphrases that there are, or were, already"""


@dataclass(slots=True)
class Plan:
    """What is to be written. With conflicts, nothing is."""

    modifications: list[Modification] = field(default_factory=list)
    privileges: list[tuple[int, int]] = field(default_factory=list)
    """Rows and the privileges that they are to have"""
    secrets: list[NewSecret] = field(default_factory=list)
    new: list[New] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)
    conflicts: dict[int, Conflict] = field(default_factory=dict)

    @property
    def change_count(self) -> int:
        """Changes as the bar counts them."""
        return sum(modification.change_count for modification in self.modifications) + len(self.new)

    @property
    def key_count(self) -> int:
        """Rows that will not be as they are now."""
        return len(self.modifications) + len(self.new)


def ids_in(changes: Iterable[Change]) -> list[int]:
    """The rows that changes name by their ids."""
    return [change.row_id for change in changes if isinstance(change, CellChange | Removal | NewSecret)]


def additions_in(changes: Iterable[Change]) -> list[Addition]:
    """The changes that name an authkey by its IP and service."""
    return [change for change in changes if isinstance(change, NewAuthkey | Assignment | Registration)]


def restorations_in(changes: Iterable[Change]) -> list[int]:
    """The removed rows that shall come back."""
    return [change.row_id for change in changes if isinstance(change, Restoration)]


def decide(changes: Sequence[Change], rows: Rows) -> Plan:
    """What these changes, at most one for each row, do to the rows; what is already so is not in the plan.

    Raises DuplicateAuthkey if an authkey shall be new, or come back, whose IP and service are taken, AuthkeyNotFound if one
    shall get a new secret, or come back, that is no longer there, and InvalidValue for a passphrase that was used before.
    """
    plan = Plan()
    for change in changes:
        match change:
            case CellChange():
                _take(plan, decide_cells(change, rows.by_id.get(change.row_id)), change.row_id)
            case Removal():
                _take(plan, decide_removal(change, rows.by_id.get(change.row_id)), change.row_id)
            case NewSecret():
                _take_secret(plan, change, rows.by_id.get(change.row_id))
            case Restoration():
                _take_back(plan, change, rows)
            case NewPassphrase():
                _take_phrase(plan, change, rows)
            case _:
                _take_addition(plan, change, rows.by_name.get((change.ip, change.service)))
    return plan


def _take(plan: Plan, decision: Modification | Conflict | None, row_id: int) -> None:
    match decision:
        case Conflict():
            plan.conflicts[row_id] = decision
        case Modification(kind=Kind.REMOVED):
            plan.modifications.append(decision)
            plan.removed.append(row_id)
        case Modification():
            plan.modifications.append(decision)
            plan.privileges.append((row_id, decision.after))


def _take_addition(plan: Plan, change: Addition, row: Row | None) -> None:
    if row is None:
        plan.new.append(change)
        return
    match change:
        case Assignment():
            _take(plan, decide_assignment(change, row), row.id)
        case Registration():
            _take(plan, decide_registration(change, row), row.id)
            plan.secrets.append(NewSecret(row.id, change.secret_digest, change.secret_hint))
        case NewAuthkey():
            raise DuplicateAuthkey(
                f"{change.ip} already has an authkey for the service {change.service!r}. "
                "Change its privileges in the grid, or choose another service name."
            )


def _take_secret(plan: Plan, change: NewSecret, row: Row | None) -> None:
    if row is None:
        raise AuthkeyNotFound("This authkey was removed in the meantime; no key was issued.")
    plan.secrets.append(change)
    plan.modifications.append(modification(row, Kind.REKEYED, row.privileges, row.privileges))


def _take_back(plan: Plan, change: Restoration, rows: Rows) -> None:
    row = rows.removed.get(change.row_id)
    if row is None:
        raise AuthkeyNotFound(
            f"A removed authkey is kept for {KEEP_REMOVED.days} days, and not all of these are still there. Nothing was changed."
        )
    if (row.ip, row.service) in rows.by_name:
        raise DuplicateAuthkey(
            f"{row.ip} has a new authkey for the service {row.service!r}, so the removed one cannot come back. "
            "Nothing was changed; if its restoration is staged, take that back in the review."
        )
    plan.restored.append(row.id)
    plan.modifications.append(modification(row, Kind.RESTORED, 0, row.privileges))


def _take_phrase(plan: Plan, change: NewPassphrase, rows: Rows) -> None:
    if change.digest in rows.taken:
        raise InvalidValue("This passphrase was used before; choose another one.")
    plan.new.append(change)
