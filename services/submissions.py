"""Submissions: the only place where privileges change.

Grid, dialog, import and undo all hand their requests to `Submissions.submit`. It applies them in one transaction to the
authkeys as they are at that moment, records a modification for each authkey, and takes the next revision. On a conflict
nothing at all is written.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from nicegui import Event
from tortoise.backends.base.client import BaseDBAsyncClient

from models.accounts import AdminIdentity, Role, require_change
from models.addresses import sort_key
from models.authkeys import Authkey, service_key
from models.errors import AuthkeyNotFound, DatabaseUnavailable, DuplicateAuthkey, NotAllowed, SubmissionRefused
from models.staged_changes import Conflict
from models.submissions import (
    Assignment,
    CellChange,
    Change,
    Kind,
    Modification,
    NewAuthkey,
    NewSecret,
    Registration,
    Removal,
    Restoration,
    Source,
    decide_assignment,
    decide_cells,
    decide_registration,
    decide_removal,
    inverse,
)
from models.tables import Admin, RemovedAuthkey, ReplacedSecret, Submission
from models.tables import Modification as ModificationTable
from storage.database import database_errors, parameters, reader
from storage.transactions import run_transaction

KEEP_REMOVED = timedelta(days=30)
"""How long a removal can be undone."""

_CHUNK = 2_500
_COLUMNS = "id, ip, service, privileges, revision, secret_hint"
_WHOLE = "id, ip, ip_key, service, service_key, privileges, {revision}, secret_digest, secret_hint"

Progress = Callable[[int, int], None]
"""Told how many of how many changes are done."""


class Order(NamedTuple):
    """What shall be submitted. At most one change for each authkey."""

    uuid: uuid.UUID
    """Made by the caller, once for what the admin sees as one submission: repeating the order does it once."""
    admin: AdminIdentity
    source: Source
    changes: Sequence[Change]


class Receipt(NamedTuple):
    """What was applied. `revision` is None if everything was already so and nothing had to be written."""

    revision: int | None
    change_count: int
    key_count: int


@dataclass(slots=True)
class _Writes:
    """What a chunk of changes comes to, decided but not yet written."""

    modifications: list[Modification] = field(default_factory=list)
    privileges: list[tuple[int, int]] = field(default_factory=list)
    secrets: list[NewSecret] = field(default_factory=list)
    new: list[NewAuthkey | Assignment | Registration] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)
    conflicts: dict[int, Conflict] = field(default_factory=dict)


class Submissions:
    """Applies submissions and undoes them."""

    def __init__(self) -> None:
        self.committed = Event[[]]()
        """Something was committed by this process; the change feed has something to read."""
        self.first_told: list[Callable[[set[int]], None]] = []
        """Called with the changed authkeys right after a commit, before it is confirmed to anybody."""

    async def submit(
        self,
        order: Order,
        *,
        on_progress: Progress | None = None,
        also: Callable[[BaseDBAsyncClient], Awaitable[None]] | None = None,
    ) -> Receipt:
        """Apply all changes of the order in one transaction, or none.

        `also` runs in the same transaction, before its commit. Raises SubmissionRefused on a conflict, DuplicateAuthkey
        if a new (ip, service) is taken, NotAllowed, AuthkeyNotFound if what shall be restored is no longer kept, and
        DatabaseUnavailable; after the latter the same order may be submitted again.
        """
        if not order.changes:
            return Receipt(None, 0, 0)
        touched: set[int] = set()

        def ended() -> None:
            for tell in self.first_told:
                tell(touched)

        try:
            receipt = await run_transaction(
                lambda db: _apply(db, order, on_progress, also, touched), in_order=True, ended=ended
            )
        except DatabaseUnavailable:
            # A commit that fails may have happened: look it up instead of guessing.
            known = await self.receipt_of(order.uuid)
            if known is None:
                raise
            receipt = known
        self.committed.emit()
        return receipt

    async def receipt_of(self, submission_uuid: uuid.UUID) -> Receipt | None:
        """The receipt of a submission that was committed, or None."""
        with database_errors():
            row = await Submission.filter(uuid=submission_uuid).using_db(reader()).first()
        return Receipt(row.id, row.change_count, row.key_count) if row else None

    async def undo(self, revision: int, admin: AdminIdentity, submission_uuid: uuid.UUID) -> Receipt:
        """Submit the inverse of a submission. Raises like `submit`."""
        with database_errors():
            rows = (
                await ModificationTable.filter(submission_id=revision)
                .using_db(reader())
                .order_by("id")
                .values_list("authkey_id", "kind", "ip", "service", "before", "after")
            )
        changes = [inverse(Modification(row[0], Kind(row[1]), *row[2:]), revision) for row in rows]
        return await self.submit(
            Order(submission_uuid, admin, Source.UNDO, [change for change in changes if change is not None])
        )

    async def purge_removed(self, now: datetime | None = None) -> None:
        """Forget removed authkeys whose removal can no longer be undone, with their uses, and secrets replaced as long ago.

        By number, not by time: a submission that a wrong clock dated into the past does not make its neighbours old.
        """
        before = (now or datetime.now(UTC)) - KEEP_REMOVED

        async def delete(db: BaseDBAsyncClient) -> None:
            recent = await Submission.filter(at__gte=before).using_db(db).order_by("id").first()
            newest = await Submission.all().using_db(db).order_by("-id").first()
            if newest is None:
                return
            kept_from = recent.id if recent else newest.id + 1
            await db.execute_query(
                "DELETE FROM key_use WHERE authkey_id IN "
                f"(SELECT id FROM removed_authkey WHERE revision < {int(kept_from)})"
            )
            await RemovedAuthkey.filter(revision__lt=kept_from).using_db(db).delete()
            await ReplacedSecret.filter(revision__lt=kept_from).using_db(db).delete()

        await run_transaction(delete)


async def _apply(
    db: BaseDBAsyncClient,
    order: Order,
    on_progress: Progress | None,
    also: Callable[[BaseDBAsyncClient], Awaitable[None]] | None,
    touched: set[int],
) -> Receipt:
    if repeated := await Submission.filter(uuid=order.uuid).using_db(db).first():
        return Receipt(repeated.id, repeated.change_count, repeated.key_count)
    await _require_right(db, order.admin)
    submission = await Submission.create(
        uuid=order.uuid, admin_id=order.admin.id, source=order.source, at=datetime.now(UTC), using_db=db
    )
    change_count = key_count = done = 0
    conflicts: dict[int, Conflict] = {}
    for chunk in _chunks(order.changes):
        writes = await _decide(db, chunk)
        conflicts |= writes.conflicts
        if not conflicts:
            await _write(db, writes, submission.id)
        change_count += sum(modification.change_count for modification in writes.modifications) + len(writes.new)
        key_count += len(writes.modifications) + len(writes.new)
        touched.update(modification.authkey_id for modification in writes.modifications)
        done += len(chunk)
        if on_progress:
            on_progress(done, len(order.changes))
    if conflicts:
        raise _refusal(conflicts)
    if also:
        await also(db)
    if not key_count:
        await Submission.filter(id=submission.id).using_db(db).delete()
        return Receipt(None, 0, 0)
    await Submission.filter(id=submission.id).using_db(db).update(change_count=change_count, key_count=key_count)
    return Receipt(submission.id, change_count, key_count)


async def _require_right(db: BaseDBAsyncClient, admin: AdminIdentity) -> None:
    """As the account is now, not as it was when the page was opened."""
    row = await Admin.filter(id=admin.id).using_db(db).get()
    if row.disabled:
        raise NotAllowed(f"The account {row.name!r} is disabled. Nothing was changed.")
    require_change(Role(row.role))


def _chunks(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    return (changes[first : first + _CHUNK] for first in range(0, len(changes), _CHUNK))


def _refusal(conflicts: dict[int, Conflict]) -> SubmissionRefused:
    keys = "1 key was" if len(conflicts) == 1 else f"{len(conflicts):,} keys were"
    return SubmissionRefused(
        f"Nothing was submitted: {keys} changed or removed by somebody else in the meantime. "
        "Your staged changes are kept; the review shows what you can do.",
        tuple(conflicts),
    )


# -- deciding: what each change does to the row as it is now ------------------------------------------------------------


async def _decide(db: BaseDBAsyncClient, changes: Sequence[Change]) -> _Writes:
    by_id = await _rows_by_id(db, [c.authkey_id for c in changes if isinstance(c, CellChange | Removal | NewSecret)])
    by_name = await _rows_by_name(db, [c.ip for c in changes if isinstance(c, NewAuthkey | Assignment | Registration)])
    writes = _Writes()
    for change in changes:
        match change:
            case CellChange():
                _take(writes, decide_cells(change, by_id.get(change.authkey_id)), change.authkey_id)
            case Removal():
                _take(writes, decide_removal(change, by_id.get(change.authkey_id)), change.authkey_id)
            case Assignment() if row := by_name.get((change.ip, change.service)):
                _take(writes, decide_assignment(change, row), row.id)
            case Registration() if row := by_name.get((change.ip, change.service)):
                _take(writes, decide_registration(change, row), row.id)
                writes.secrets.append(NewSecret(row.id, change.secret_digest, change.secret_hint))
            case NewAuthkey() if (change.ip, change.service) in by_name:
                raise DuplicateAuthkey(
                    f"{change.ip} already has an authkey for the service {change.service!r}. "
                    "Change its privileges in the grid, or choose another service name."
                )
            case NewAuthkey() | Assignment() | Registration():
                writes.new.append(change)
            case NewSecret():
                _take_secret(writes, change, by_id.get(change.authkey_id))
            case Restoration():
                writes.restored.append(change.authkey_id)
    if writes.restored:
        writes.modifications += await _restorations(db, writes.restored)
    return writes


def _take(writes: _Writes, decision: Modification | Conflict | None, authkey_id: int) -> None:
    match decision:
        case Conflict():
            writes.conflicts[authkey_id] = decision
        case Modification(kind=Kind.REMOVED):
            writes.modifications.append(decision)
            writes.removed.append(authkey_id)
        case Modification():
            writes.modifications.append(decision)
            writes.privileges.append((authkey_id, decision.after))


def _take_secret(writes: _Writes, change: NewSecret, row: Authkey | None) -> None:
    if row is None:
        raise AuthkeyNotFound("This authkey was removed in the meantime; no key was issued.")
    writes.secrets.append(change)
    writes.modifications.append(Modification(row.id, Kind.REKEYED, row.ip, row.service, row.privileges, row.privileges))


async def _restorations(db: BaseDBAsyncClient, authkey_ids: Sequence[int]) -> list[Modification]:
    rows = await db.execute_query_dict(f"SELECT {_COLUMNS} FROM removed_authkey WHERE id IN ({_ids(authkey_ids)})")
    if len(rows) < len(authkey_ids):
        raise AuthkeyNotFound(
            f"A removed authkey is kept for {KEEP_REMOVED.days} days, and these are no longer there. Nothing was undone."
        )
    taken = await _rows_by_name(db, [row["ip"] for row in rows])
    for row in rows:
        if (row["ip"], row["service"]) in taken:
            raise DuplicateAuthkey(
                f"{row['ip']} has a new authkey for the service {row['service']!r}, so the removed one cannot come back. "
                "Nothing was undone."
            )
    return [Modification(row["id"], Kind.RESTORED, row["ip"], row["service"], 0, row["privileges"]) for row in rows]


async def _rows_by_id(db: BaseDBAsyncClient, authkey_ids: Sequence[int]) -> dict[int, Authkey]:
    if not authkey_ids:
        return {}
    _, rows = await db.execute_query(f"SELECT {_COLUMNS} FROM authkey WHERE id IN ({_ids(authkey_ids)})")
    return {row[0]: Authkey(*row) for row in rows}


async def _rows_by_name(db: BaseDBAsyncClient, ips: Sequence[str]) -> dict[tuple[str, str], Authkey]:
    if not ips:
        return {}
    query = f"SELECT {_COLUMNS} FROM authkey WHERE ip IN ({parameters(len(ips))})"
    _, rows = await db.execute_query(query, list(ips))
    return {(row[1], row[2]): Authkey(*row) for row in rows}


def _ids(authkey_ids: Sequence[int]) -> str:
    return ",".join(str(int(id_)) for id_ in authkey_ids)


# -- writing: set-based or many at once, never a row at a time ----------------------------------------------------------


async def _write(db: BaseDBAsyncClient, writes: _Writes, revision: int) -> None:
    await _many(db, "INSERT INTO modification (submission_id, authkey_id, kind, ip, service, before, after)", [
        [revision, m.authkey_id, m.kind.value, m.ip, m.service, m.before, m.after] for m in writes.modifications
    ])  # fmt: skip
    if writes.privileges:
        one, two, three = parameters(3).split(", ")
        await db.execute_many(
            f"UPDATE authkey SET privileges = {one}, revision = {two} WHERE id = {three}",
            [[privileges, revision, id_] for id_, privileges in writes.privileges],
        )
    if writes.secrets:
        await _keep_replaced(db, [change.authkey_id for change in writes.secrets], revision)
        one, two, three, four = parameters(4).split(", ")
        await db.execute_many(
            f"UPDATE authkey SET secret_digest = {one}, secret_hint = {two}, revision = {three} WHERE id = {four}",
            [[change.secret_digest, change.secret_hint, revision, change.authkey_id] for change in writes.secrets],
        )
    await _move(db, "authkey", "removed_authkey", writes.removed, revision)
    await _add(db, writes.new, revision)
    await _move(db, "removed_authkey", "authkey", writes.restored, revision)


async def _keep_replaced(db: BaseDBAsyncClient, authkey_ids: Sequence[int], revision: int) -> None:
    await db.execute_query(
        "INSERT INTO replaced_secret (secret_digest, authkey_id, ip, service, revision) "
        f"SELECT secret_digest, id, ip, service, {int(revision)} FROM authkey "
        f"WHERE id IN ({_ids(authkey_ids)}) AND secret_digest IS NOT NULL ON CONFLICT DO NOTHING"
    )


async def _many(db: BaseDBAsyncClient, insert: str, rows: list[list[Any]]) -> None:
    if rows:
        await db.execute_many(f"{insert} VALUES ({parameters(len(rows[0]))})", rows)


async def _move(db: BaseDBAsyncClient, source: str, target: str, authkey_ids: Sequence[int], revision: int) -> None:
    if authkey_ids:
        which = f"FROM {source} WHERE id IN ({_ids(authkey_ids)})"
        columns, values = _WHOLE.format(revision="revision"), _WHOLE.format(revision=str(int(revision)))
        await db.execute_query(f"INSERT INTO {target} ({columns}) SELECT {values} {which}")
        await db.execute_query(f"DELETE {which}")


async def _add(db: BaseDBAsyncClient, new: Sequence[NewAuthkey | Assignment | Registration], revision: int) -> None:
    if not new:
        return
    # Ids only grow, and only submissions, one after the other, add authkeys: what is above the highest id is what this
    # statement added.
    highest = (await db.execute_query_dict("SELECT COALESCE(MAX(id), 0) AS id FROM authkey"))[0]["id"]
    rows = []
    for key in new:
        digest, hint = (key.secret_digest, key.secret_hint) if not isinstance(key, Assignment) else (None, None)
        names = [key.ip, sort_key(key.ip), key.service, service_key(key.service)]
        rows.append([*names, key.privileges, revision, digest, hint])
    await _many(
        db,
        "INSERT INTO authkey (ip, ip_key, service, service_key, privileges, revision, secret_digest, secret_hint)",
        rows,
    )
    await db.execute_query(
        "INSERT INTO modification (submission_id, authkey_id, kind, ip, service, before, after) "
        f"SELECT revision, id, '{_kind_of(new[0])}', ip, service, 0, privileges FROM authkey WHERE id > {int(highest)}"
    )


def _kind_of(new: NewAuthkey | Assignment | Registration) -> str:
    """How a new authkey is recorded; an order never mixes registrations with anything else."""
    return Kind.REGISTERED.value if isinstance(new, Registration) else Kind.ADDED.value
