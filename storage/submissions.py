"""Every statement about submissions: the rows that a plan is about, the writing of a plan, and what submissions did.

A plan is written set-based or many rows at once, never a row at a time.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tortoise.backends.base.client import BaseDBAsyncClient

from models.addresses import sort_key
from models.authkeys import Authkey, service_key
from models.plans import Addition, Plan, Rows, additions_in, ids_in, restorations_in
from models.submissions import Assignment, Change, Kind, Modification, Registration, Source
from models.tables import Modification as ModificationTable
from models.tables import RemovedAuthkey, ReplacedSecret, Submission
from storage.database import database_errors, reader
from storage.sql import ids, insert, parameters
from storage.transactions import run_transaction

_COLUMNS = "id, ip, service, privileges, revision, secret_hint"
_WHOLE = "id, ip, ip_key, service, service_key, privileges, {revision}, secret_digest, secret_hint"


class Stored(NamedTuple):
    """A submission as it stands in its table."""

    revision: int
    admin_name: str
    source: Source
    change_count: int
    key_count: int


# -- what submissions there are ------------------------------------------------------------------------------------------


async def find(submission_uuid: uuid.UUID, db: BaseDBAsyncClient | None = None) -> tuple[int, int, int] | None:
    """Revision, changes and keys of the submission with this id; within a transaction, `db` is its connection."""
    with database_errors():
        row = await Submission.filter(uuid=submission_uuid).using_db(db or reader()).first()
    return (row.id, row.change_count, row.key_count) if row else None


async def newest() -> int:
    """The revision of the newest submission; 0 if there is none."""
    with database_errors():
        row = await Submission.all().using_db(reader()).order_by("-id").first()
    return row.id if row else 0


async def newest_until(at: datetime) -> int:
    """The revision of the newest submission until then; 0 if there is none."""
    with database_errors():
        row = await Submission.filter(at__lte=at).using_db(reader()).order_by("-id").first()
    return row.id if row else 0


async def after(revision: int) -> list[Stored]:
    """The submissions after this one, in their order."""
    with database_errors():
        rows = await Submission.filter(id__gt=revision).using_db(reader()).order_by("id").select_related("admin")
    return [Stored(row.id, row.admin.name, Source(row.source), row.change_count, row.key_count) for row in rows]


async def modifications(revisions: Sequence[int]) -> dict[int, list[Modification]]:
    """What these submissions did, by revision, in the order in which it was done."""
    done: dict[int, list[Modification]] = {revision: [] for revision in revisions}
    if done:
        with database_errors():
            rows = (
                await ModificationTable.filter(submission_id__in=list(done))
                .using_db(reader())
                .order_by("id")
                .values_list("submission_id", "authkey_id", "kind", "ip", "service", "before", "after")
            )
        for revision, authkey_id, kind, *rest in rows:
            done[revision].append(Modification(authkey_id, Kind(kind), *rest))
    return done


async def authkeys_in(revision: int) -> list[int]:
    """The authkeys that a submission changed; for one that changed very many."""
    with database_errors():
        query = f"SELECT authkey_id FROM modification WHERE submission_id = {int(revision)}"
        _, rows = await reader().execute_query(query)
    return [row[0] for row in rows]


# -- writing one, within its transaction ---------------------------------------------------------------------------------


async def begin(db: BaseDBAsyncClient, submission_uuid: uuid.UUID, admin_id: int, source: Source, at: datetime) -> int:
    """Take the next revision."""
    row = await Submission.create(uuid=submission_uuid, admin_id=admin_id, source=source, at=at, using_db=db)
    return row.id


async def end(db: BaseDBAsyncClient, revision: int, change_count: int, key_count: int) -> None:
    """Write what it came to; one that came to nothing leaves no trace."""
    this = Submission.filter(id=revision).using_db(db)
    if key_count:
        await this.update(change_count=change_count, key_count=key_count)
    else:
        await this.delete()


async def rows_for(db: BaseDBAsyncClient, changes: Sequence[Change]) -> Rows:
    """The authkeys as they are now, as far as `models.plans.decide` needs them for these changes."""
    removed = await _by_id(db, "removed_authkey", restorations_in(changes))
    ips = [change.ip for change in additions_in(changes)] + [row.ip for row in removed.values()]
    return Rows(await _by_id(db, "authkey", ids_in(changes)), await _by_name(db, ips), removed)


async def _by_id(db: BaseDBAsyncClient, table: str, authkey_ids: Sequence[int]) -> dict[int, Authkey]:
    if not authkey_ids:
        return {}
    _, rows = await db.execute_query(f"SELECT {_COLUMNS} FROM {table} WHERE id IN ({ids(authkey_ids)})")
    return {row[0]: Authkey(*row) for row in rows}


async def _by_name(db: BaseDBAsyncClient, ips: Sequence[str]) -> dict[tuple[str, str], Authkey]:
    if not ips:
        return {}
    query = f"SELECT {_COLUMNS} FROM authkey WHERE ip IN ({parameters(len(ips))})"
    _, rows = await db.execute_query(query, list(ips))
    return {(row[1], row[2]): Authkey(*row) for row in rows}


async def write(db: BaseDBAsyncClient, plan: Plan, revision: int) -> None:
    """Do what the plan says."""
    await insert(
        db,
        "modification (submission_id, authkey_id, kind, ip, service, before, after)",
        [[revision, m.authkey_id, m.kind.value, m.ip, m.service, m.before, m.after] for m in plan.modifications],
    )
    await _set_privileges(db, plan, revision)
    await _replace_secrets(db, plan, revision)
    await _move(db, "authkey", "removed_authkey", plan.removed, revision)
    await _add(db, plan.new, revision)
    await _move(db, "removed_authkey", "authkey", plan.restored, revision)


async def _set_privileges(db: BaseDBAsyncClient, plan: Plan, revision: int) -> None:
    if plan.privileges:
        one, two, three = parameters(3).split(", ")
        await db.execute_many(
            f"UPDATE authkey SET privileges = {one}, revision = {two} WHERE id = {three}",
            [[privileges, revision, id_] for id_, privileges in plan.privileges],
        )


async def _replace_secrets(db: BaseDBAsyncClient, plan: Plan, revision: int) -> None:
    """What is replaced is kept for a while, so that whoever still uses it is told apart from a stranger."""
    if not plan.secrets:
        return
    await db.execute_query(
        "INSERT INTO replaced_secret (secret_digest, authkey_id, ip, service, revision) "
        f"SELECT secret_digest, id, ip, service, {int(revision)} FROM authkey "
        f"WHERE id IN ({ids(change.authkey_id for change in plan.secrets)}) AND secret_digest IS NOT NULL "
        "ON CONFLICT DO NOTHING"
    )
    one, two, three, four = parameters(4).split(", ")
    await db.execute_many(
        f"UPDATE authkey SET secret_digest = {one}, secret_hint = {two}, revision = {three} WHERE id = {four}",
        [[change.secret_digest, change.secret_hint, revision, change.authkey_id] for change in plan.secrets],
    )


async def _move(db: BaseDBAsyncClient, source: str, target: str, authkey_ids: Sequence[int], revision: int) -> None:
    if authkey_ids:
        which = f"FROM {source} WHERE id IN ({ids(authkey_ids)})"
        columns, values = _WHOLE.format(revision="revision"), _WHOLE.format(revision=str(int(revision)))
        await db.execute_query(f"INSERT INTO {target} ({columns}) SELECT {values} {which}")
        await db.execute_query(f"DELETE {which}")


async def _add(db: BaseDBAsyncClient, new: Sequence[Addition], revision: int) -> None:
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
    columns = "ip, ip_key, service, service_key, privileges, revision, secret_digest, secret_hint"
    await insert(db, f"authkey ({columns})", rows)
    # An order never mixes registrations with anything else.
    kind = Kind.REGISTERED if isinstance(new[0], Registration) else Kind.ADDED
    await db.execute_query(
        "INSERT INTO modification (submission_id, authkey_id, kind, ip, service, before, after) "
        f"SELECT revision, id, '{kind.value}', ip, service, 0, privileges FROM authkey WHERE id > {int(highest)}"
    )


# -- what is no longer kept ----------------------------------------------------------------------------------------------


async def purge(before: datetime) -> None:
    """Forget authkeys that were removed, with their uses, and secrets that were replaced, by submissions older than this.

    By number, not by time: a submission that a wrong clock dated into the past does not make its neighbours old.
    """

    async def delete(db: BaseDBAsyncClient) -> None:
        recent = await Submission.filter(at__gte=before).using_db(db).order_by("id").first()
        newest_ = await Submission.all().using_db(db).order_by("-id").first()
        if newest_ is None:
            return
        kept_from = recent.id if recent else newest_.id + 1
        await db.execute_query(
            f"DELETE FROM key_use WHERE authkey_id IN (SELECT id FROM removed_authkey WHERE revision < {int(kept_from)})"
        )
        await RemovedAuthkey.filter(revision__lt=kept_from).using_db(db).delete()
        await ReplacedSecret.filter(revision__lt=kept_from).using_db(db).delete()

    await run_transaction(delete)
