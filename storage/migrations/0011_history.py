"""The history becomes one chain, of what is on record already too: access records and submissions, in the order of their times."""

import secrets

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.addresses import sort_key
from models.chain import GENESIS, ModificationsDigest, digest_of, digest_of_name
from models.texts import search_key
from storage.sql import insert, parameters

_PORTION = 5_000


async def chain(apps, schema_editor):
    db = schema_editor.client
    _, admins = await db.execute_query("SELECT name, id FROM admin")
    ids, number, digest, waiting = dict(admins), 0, GENESIS, []
    async for entry in _in_order(db, ids):
        number += 1
        record = {**entry.pop("record"), "number": number, "previous": digest}
        digest = digest_of(record)
        waiting.append([number, *entry.values(), digest])
        if len(waiting) == _PORTION:
            await insert(db, _ENTRY, waiting)
            waiting = []
    await insert(db, _ENTRY, waiting)


_ENTRY = "entry (number, at, kind, admin_id, name, name_salt, name_digest, address, detail, submission_id, digest)"


async def _in_order(db, ids):
    """Both kinds by their times; those of one kind always in their own order, whatever the clock said."""
    accesses, submissions = _accesses(db, ids), _submissions(db)
    access, submission = await anext(accesses, None), await anext(submissions, None)
    while access or submission:
        if submission is None or (access and access["at"] <= submission["at"]):
            yield access
            access = await anext(accesses, None)
        else:
            yield submission
            submission = await anext(submissions, None)


async def _portions(db, query, last=0):
    one, two = parameters(2).split(", ")
    while True:
        rows = await db.execute_query_dict(query.format(one=one, two=two), [last, _PORTION])
        for row in rows:
            yield row
        if len(rows) < _PORTION:
            return
        last = rows[-1]["id"]


async def _accesses(db, ids):
    query = "SELECT * FROM access_record WHERE id > {one} ORDER BY id LIMIT {two}"
    async for row in _portions(db, query):
        at = _utc(row["at"])
        admin_id = ids.get(row["admin_name"])
        name = row["admin_name"] if admin_id is None else ""
        salt = secrets.token_bytes(16) if name else None
        hidden = digest_of_name(name, salt) if name else None
        yield {
            "at": row["at"], "kind": row["kind"], "admin_id": admin_id, "name": name, "salt": salt, "name_digest": hidden,
            "address": row["address"], "detail": row["detail"], "submission_id": None,
            "record": {"at": at, "kind": row["kind"], "admin": admin_id, "name": hidden, "address": row["address"],
                       "detail": row["detail"], "submission": None},
        }  # fmt: skip


async def _submissions(db):
    query = "SELECT * FROM submission WHERE id > {one} ORDER BY id LIMIT {two}"
    one, *rest = parameters(6).split(", ")
    async for row in _portions(db, query):
        at = _utc(row["at"])
        digest, granted, revoked, kinds = await _done(db, row["id"])
        text = " ".join(f"{kind}:{count}" for kind, count in sorted(kinds.items()))
        await db.execute_query(
            f"UPDATE submission SET digest = {one}, granted = {rest[0]}, revoked = {rest[1]}, kinds = {rest[2]} "
            f"WHERE id = {rest[3]}",
            [digest, granted, revoked, text, row["id"]],
        )
        yield {
            "at": row["at"], "kind": "submission", "admin_id": row["admin_id"], "name": "", "salt": None, "name_digest": None,
            "address": "", "detail": "", "submission_id": row["id"],
            "record": {"at": at, "kind": "submission", "admin": row["admin_id"], "name": None, "address": "", "detail": "",
                       "submission": {"revision": row["id"], "uuid": str(row["uuid"]), "admin": row["admin_id"], "at": at,
                                      "source": row["source"], "subject": row["subject"], "changes": row["change_count"],
                                      "rows": row["key_count"], "granted": granted, "revoked": revoked, "kinds": text,
                                      "modifications": digest}},
        }  # fmt: skip


async def _done(db, submission_id):
    one, two, three = parameters(3).split(", ")
    query = (
        "SELECT id, row_id, kind, ip, service, before, after FROM modification "
        f"WHERE submission_id = {one} AND id > {two} ORDER BY id LIMIT {three}"
    )
    last, digest, granted, revoked, kinds = 0, ModificationsDigest(), 0, 0, {}
    while True:
        _, rows = await db.execute_query(query, [submission_id, last, _PORTION])
        digest.add([list(row)[1:] for row in rows])
        for _, _, kind, _, _, before, after in rows:
            granted, revoked = granted | after & ~before, revoked | before & ~after
            kinds[kind] = kinds.get(kind, 0) + 1
        if len(rows) < _PORTION:
            return digest.hexdigest(), granted, revoked, kinds
        last = rows[-1][0]


async def former_names(apps, schema_editor):
    """Of authkeys that are gone for good only their modifications tell the name."""
    db = schema_editor.client
    _, rows = await db.execute_query(
        "SELECT DISTINCT m.row_id, m.ip, m.service FROM modification AS m JOIN submission AS s ON s.id = m.submission_id "
        "WHERE s.subject = 'authkey' AND NOT EXISTS (SELECT 1 FROM authkey AS k WHERE k.id = m.row_id) "
        "AND NOT EXISTS (SELECT 1 FROM removed_authkey AS k WHERE k.id = m.row_id)"
    )
    names = {row_id: (ip, service) for row_id, ip, service in rows}
    former = [[id_, ip, _sort_key(ip), service, search_key(service)] for id_, (ip, service) in names.items()]
    await insert(db, "former_authkey (id, ip, ip_key, service, service_key)", former)


def _sort_key(ip):
    try:
        return sort_key(ip)
    except OSError:  # a database that was written by hand
        return b""


def _utc(at):
    text = at.isoformat() if hasattr(at, "isoformat") else str(at).replace(" ", "T")
    day, _, rest = text.partition("T")
    clock = rest.replace("Z", "").partition("+")[0]
    whole, _, fraction = clock.partition(".")
    return f"{day}T{whole}.{fraction:0<6}Z"


class Migration(migrations.Migration):
    dependencies = [("models", "0010_denied_requests")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Entry",
            fields=[
                ("number", fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("kind", fields.CharField(max_length=20)),
                ("admin_id", fields.IntField(null=True)),
                ("name", fields.CharField(default="", max_length=100)),
                ("name_salt", fields.BinaryField(null=True)),
                ("name_digest", fields.CharField(null=True, max_length=64)),
                ("address", fields.CharField(default="", max_length=45)),
                ("detail", fields.CharField(default="", max_length=200)),
                (
                    "submission",
                    fields.ForeignKeyField(
                        "models.Submission",
                        source_field="submission_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="entries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("digest", fields.CharField(max_length=64)),
            ],
            options={
                "table": "entry",
                "app": "models",
                "indexes": [Index(fields=["admin_id", "number"]), Index(fields=["kind", "number"])],
                "pk_attr": "number",
                "table_description": "One record of the history. Nothing is ever changed in it, but for a name that is erased.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FormerAuthkey",
            fields=[
                ("id", fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("ip", fields.CharField(max_length=39)),
                ("ip_key", fields.BinaryField()),
                ("service", fields.CharField(max_length=100)),
                ("service_key", fields.CharField(max_length=300)),
            ],
            options={
                "table": "former_authkey",
                "app": "models",
                "indexes": [Index(fields=["ip_key"])],
                "pk_attr": "id",
                "table_description": "The name of an authkey that was removed and can no longer be restored: its history is still found by it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="HistoryCheck",
            fields=[
                ("id", fields.SmallIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("number", fields.BigIntField()),
                ("fault", fields.CharField(default="", max_length=300)),
            ],
            options={
                "table": "history_check",
                "app": "models",
                "pk_attr": "id",
                "table_description": "How the chain was found when it was checked last. One row.",
            },
            bases=["Model"],
        ),
        ops.AddIndex(
            model_name="RemovedAuthkey",
            index=Index(fields=["ip_key"]),
        ),
        ops.AddField(
            model_name="StagedChange",
            name="restoration",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name="Submission",
            name="digest",
            field=fields.CharField(default="", db_default="", max_length=64),
        ),
        ops.AddField(
            model_name="Submission",
            name="granted",
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="Submission",
            name="kinds",
            field=fields.CharField(default="", db_default="", max_length=120),
        ),
        ops.AddField(
            model_name="Submission",
            name="revoked",
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.RunPython(chain),
        ops.RunPython(former_names),
        ops.DeleteModel(name="AccessRecord"),
    ]
