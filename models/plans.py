"""A plan: what a set of wanted changes would do to the rows as they are now. Decided here, whole; written elsewhere."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from models.amendments import (
    SecretOutcome,
    SecretOwner,
    TextChange,
    TextName,
    decide_secret,
    first_texts,
    has_key,
    text_of,
)
from models.errors import AuthkeyNotFound, DuplicateAuthkey, InvalidValue
from models.secrets import KnownSecret
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
    secret_owners: Mapping[str, SecretOwner] = MappingProxyType({})
    """Whose the secrets are that changes bring with them, by digest, where they are anybody's"""


@dataclass(slots=True)
class Plan:
    """What is to be written. With conflicts, nothing is."""

    modifications: list[Modification] = field(default_factory=list)
    privileges: list[tuple[int, int]] = field(default_factory=list)
    """Rows and the privileges that they are to have"""
    secrets: list[NewSecret] = field(default_factory=list)
    texts: list[tuple[int, Mapping[TextName, str]]] = field(default_factory=list)
    """Rows and the texts that they are to have, all of them"""
    new: list[New] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)
    conflicts: dict[int, Conflict] = field(default_factory=dict)
    brought: dict[str, str] = field(default_factory=dict)
    """For whom the secrets are that the changes bring with them, by digest"""

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


def secret_of(change: Change) -> KnownSecret | None:
    """The secret that a change brings with it."""
    match change:
        case NewAuthkey() | Assignment():
            return change.secret
        case CellChange():
            return change.amendment.secret
    return None


def texts_of(change: Addition) -> Sequence[TextChange]:
    """The texts that an authkey has from the beginning if this makes it."""
    match change:
        case NewAuthkey():
            return change.texts
        case Assignment():
            return first_texts(change.texts)
    return ()


def restorations_in(changes: Iterable[Change]) -> list[int]:
    """The removed rows that shall come back."""
    return [change.row_id for change in changes if isinstance(change, Restoration)]


def decide(changes: Sequence[Change], rows: Rows) -> Plan:
    """What these changes, at most one for each row, do to the rows; what is already so is not in the plan.

    Raises DuplicateAuthkey if an authkey shall be new, or come back, whose IP and service are taken, AuthkeyNotFound if one
    shall get a new secret, or come back, that is no longer there, and InvalidValue for a passphrase that was used before, and
    for a secret that is or was another authkey's.
    """
    plan = Plan()
    for change in changes:
        match change:
            case CellChange():
                _take_cells(plan, change, rows)
            case Removal():
                _take(plan, decide_removal(change, rows.by_id.get(change.row_id)), change.row_id)
            case NewSecret():
                _take_secret(plan, change, rows.by_id.get(change.row_id))
            case Restoration():
                _take_back(plan, change, rows)
            case NewPassphrase():
                _take_phrase(plan, change, rows)
            case _:
                _take_addition(plan, change, rows)
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


def _take_cells(plan: Plan, change: CellChange, rows: Rows) -> None:
    row, wanted = rows.by_id.get(change.row_id), change.amendment
    if row:
        secret = _outstanding(plan, wanted.secret, row, row.name, rows)
        change = change._replace(amendment=wanted._replace(secret=secret))
    _take(plan, decide_cells(change, row), change.row_id)
    _amend(plan, row, change.amendment.secret)


def _amend(plan: Plan, row: Row | None, secret: KnownSecret | None) -> None:
    """Beside the privileges of the modification that was planned last, if it is this row's."""
    done = plan.modifications[-1] if plan.modifications else None
    if row is None or done is None or done.row_id != row.id:
        return
    if secret:
        plan.secrets.append(NewSecret(row.id, *secret))
    if done.texts:
        changed = {each.name: each.after for each in done.texts}
        plan.texts.append((row.id, {name: text_of(row, name) for name in TextName} | changed))


def _outstanding(plan: Plan, secret: KnownSecret | None, row: Row | None, name: str, rows: Rows) -> KnownSecret | None:
    """The secret that a row shall have, if it does not have it already. Raises InvalidValue for one that is or was another's."""
    if secret is None:
        return None
    owner = rows.secret_owners.get(secret.digest)
    match decide_secret(row, owner):
        case SecretOutcome.ALREADY:
            return None
        case SecretOutcome.TAKEN if owner:
            raise _refused_secret(name, owner.said)
    if other := plan.brought.get(secret.digest):
        raise _refused_secret(name, f"{other} shall have it too")
    plan.brought[secret.digest] = name
    return secret


def _refused_secret(name: str, why: str) -> InvalidValue:
    return InvalidValue(
        f"The secret for {name} cannot be taken over: {why}. Nothing was changed; if it is staged, take it back in the review."
    )


def _take_addition(plan: Plan, change: Addition, rows: Rows) -> None:
    row = rows.by_name.get((change.ip, change.service))
    if isinstance(change, NewAuthkey | Assignment):
        name = f"{change.ip} ({change.service})"
        change = change._replace(secret=_outstanding(plan, change.secret, row, name, rows))
    if row is None:
        plan.new.append(change)
        return
    match change:
        case Assignment():
            if change.secret and has_key(row):
                raise InvalidValue(f"{row.name} has another key already. Nothing was changed.")
            _take(plan, decide_assignment(change, row), row.id)
            _amend(plan, row, change.secret)
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
