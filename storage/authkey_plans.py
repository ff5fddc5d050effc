"""Plans about authkeys: the rows that one is about, and its writing; set-based or many rows at once, never a row at a time."""

from collections.abc import Mapping, Sequence

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from models.addresses import sort_key
from models.amendments import TextChange, texts_to_text
from models.authkeys import Authkey
from models.chain import Row
from models.history import Written
from models.plans import Addition, Plan, Rows, additions_in, ids_in, restorations_in, secret_of, texts_of
from models.submissions import Assignment, CellChange, Change, Kind, NewPassphrase, Registration
from models.texts import search_key
from storage import authkey_texts, secrets
from storage.sql import ids, insert, parameters
from storage.submissions import record

_COLUMNS = "id, ip, service, privileges, revision, secret_hint"
_WHOLE = "id, ip, ip_key, service, service_key, privileges, {revision}, secret_digest, secret_hint"


async def rows_for(db: BaseDBAsyncClient, changes: Sequence[Change]) -> Rows:
    """The authkeys as they are now, as far as `models.plans.decide` needs them for these changes."""
    removed = await _by_id(db, "removed_authkey", restorations_in(changes))
    ips = [change.ip for change in additions_in(changes)] + [row.ip for row in removed.values()]
    digests = [each.digest for each in map(secret_of, changes) if each]
    by_id, by_name = await _by_id(db, "authkey", ids_in(changes)), await _by_name(db, ips)
    if any(map(_has_texts, changes)):
        there = await authkey_texts.with_texts([*by_id.values(), *by_name.values()], db)
        by_id = {row.id: row for row in there if row.id in by_id}
        by_name = {name: row for row in there if (name := (row.ip, row.service)) in by_name}
    return Rows(by_id, removed, by_name, secret_owners=await secrets.owners(digests, db))


def _has_texts(change: Change) -> bool:
    match change:
        case CellChange():
            return bool(change.amendment.texts)
        case Assignment():
            return bool(change.texts)
    return False


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


async def write(db: BaseDBAsyncClient, plan: Plan, revision: int, written: Written) -> None:
    """Do what the plan says, and tell `written`."""
    await record(db, revision, plan.modifications, written)
    await _set_privileges(db, plan, revision)
    await _replace_secrets(db, plan, revision)
    await authkey_texts.store(db, plan.texts)
    await _move(db, "authkey", "removed_authkey", plan.removed, revision)
    await _add(db, [change for change in plan.new if not isinstance(change, NewPassphrase)], revision, written)
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
        f"WHERE id IN ({ids(change.row_id for change in plan.secrets)}) AND secret_digest IS NOT NULL "
        "ON CONFLICT DO NOTHING"
    )
    one, two, three, four = parameters(4).split(", ")
    await db.execute_many(
        f"UPDATE authkey SET secret_digest = {one}, secret_hint = {two}, revision = {three} WHERE id = {four}",
        [[change.secret_digest, change.secret_hint, revision, change.row_id] for change in plan.secrets],
    )


async def _move(db: BaseDBAsyncClient, source: str, target: str, authkey_ids: Sequence[int], revision: int) -> None:
    if authkey_ids:
        which = f"FROM {source} WHERE id IN ({ids(authkey_ids)})"
        columns, values = _WHOLE.format(revision="revision"), _WHOLE.format(revision=str(int(revision)))
        await db.execute_query(f"INSERT INTO {target} ({columns}) SELECT {values} {which}")
        await db.execute_query(f"DELETE {which}")


async def _add(db: BaseDBAsyncClient, new: Sequence[Addition], revision: int, written: Written) -> None:
    if not new:
        return
    # Ids only grow, and only submissions, one after the other, add authkeys: what is above the highest id is what this
    # statement added.
    highest = (await db.execute_query_dict("SELECT COALESCE(MAX(id), 0) AS id FROM authkey"))[0]["id"]
    rows = []
    for key in new:
        secret = (key.secret_digest, key.secret_hint) if isinstance(key, Registration) else key.secret or (None, None)
        names = [key.ip, sort_key(key.ip), key.service, search_key(key.service)]
        rows.append([*names, key.privileges, revision, *secret])
    columns = "ip, ip_key, service, service_key, privileges, revision, secret_digest, secret_hint"
    await insert(db, f"authkey ({columns})", rows)
    # An order never mixes registrations with anything else.
    kind = Kind.REGISTERED if isinstance(new[0], Registration) else Kind.ADDED
    await db.execute_query(
        "INSERT INTO modification (submission_id, row_id, kind, ip, service, before, after) "
        f"SELECT revision, id, '{kind.value}', ip, service, 0, privileges FROM authkey WHERE id > {int(highest)} ORDER BY id"
    )
    _, added = await db.execute_query(
        f"SELECT row_id, kind, ip, service, before, after FROM modification WHERE submission_id = {int(revision)} "
        f"AND kind = '{kind.value}' AND row_id > {int(highest)} ORDER BY id"
    )
    done: list[Row] = [tuple(row) for row in added]
    texts = {(key.ip, key.service): each for key in new if (each := texts_of(key))}
    if texts:
        done = await _with_texts(db, revision, done, texts)
    written.add(done, orjson.dumps(done))


async def _with_texts(
    db: BaseDBAsyncClient, revision: int, done: Sequence[Row], texts: Mapping[tuple[str, str], Sequence[TextChange]]
) -> list[Row]:
    """The modifications that added authkeys, with the texts that these have from the beginning, which are stored."""
    named = {row[0]: each for row in done if (each := texts.get((str(row[2]), str(row[3]))))}
    await authkey_texts.store(db, [(int(id_), {one.name: one.after for one in some}) for id_, some in named.items()])
    told = {id_: texts_to_text(some) for id_, some in named.items()}
    one, two, three = parameters(3).split(", ")
    await db.execute_many(
        f"UPDATE modification SET texts = {one} WHERE submission_id = {two} AND row_id = {three}",
        [[text, revision, id_] for id_, text in told.items()],
    )
    return [(*row, text) if (text := told.get(row[0])) else row for row in done]
