"""Every statement about submissions and their modifications: which there are, what they did, and the writing of one."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from models.amendments import texts_from_text, texts_to_text
from models.history import EntryKind, SubmissionPart, Written, digested_row, kinds_text
from models.subjects import Subject
from models.submissions import MOST_TOLD, ChangesSince, Kind, LastChange, Modification, Source
from models.tables import Modification as ModificationTable
from models.tables import RemovedAuthkey, ReplacedSecret, Submission
from storage import authkey_texts, history
from storage.database import database_errors, reader
from storage.sql import parameters, statement
from storage.transactions import run_transaction


class Stored(NamedTuple):
    """A submission as it stands in its table."""

    revision: int
    admin_name: str
    source: Source
    subject: Subject
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
    return [
        Stored(row.id, row.admin.name, Source(row.source), Subject(row.subject), row.change_count, row.key_count)
        for row in rows
    ]


async def modifications(revisions: Sequence[int]) -> dict[int, list[Modification]]:
    """What these submissions did, by revision, in the order in which it was done."""
    done: dict[int, list[Modification]] = {revision: [] for revision in revisions}
    if done:
        with database_errors():
            rows = (
                await ModificationTable.filter(submission_id__in=list(done))
                .using_db(reader())
                .order_by("id")
                .values_list(
                    "submission_id",
                    "row_id",
                    "kind",
                    "ip",
                    "service",
                    "before",
                    "after",
                    "submission__subject",
                    "texts",
                )
            )
        for revision, row_id, kind, ip, service, before, after_, subject, texts in rows:
            done[revision].append(
                Modification(row_id, Kind(kind), ip, service, before, after_, Subject(subject), texts_from_text(texts))
            )
    return done


async def rows_in(revision: int) -> list[int]:
    """The rows that a submission changed; for one that changed very many."""
    with database_errors():
        query = f"SELECT row_id FROM modification WHERE submission_id = {int(revision)}"
        _, rows = await reader().execute_query(query)
    return [row[0] for row in rows]


async def last_change(subject: Subject, row_id: int) -> LastChange | None:
    """Who last touched a row, when and how; also of one that was removed."""
    with database_errors():
        row = (
            await ModificationTable.filter(submission__subject=subject, row_id=row_id)
            .using_db(reader())
            .order_by("-submission_id")
            .first()
            .select_related("submission__admin")
        )
    if row is None:
        return None
    texts = texts_from_text(row.texts)
    done = Modification(row_id, Kind(row.kind), row.ip, row.service, row.before, row.after, subject, texts)
    return LastChange(row.submission.admin.name, row.submission.at, done)


async def changes_since(subject: Subject, seen: Mapping[int, int]) -> dict[int, ChangesSince]:
    """What became of these rows, each after the submission that was seen of it; of those that nobody touched nothing."""
    if not seen:
        return {}
    each_row = " OR ".join(["(row_id = {} AND submission_id > {})"] * len(seen))
    query, values = statement(
        "WITH since AS (SELECT done.id, COUNT(*) OVER of_row AS times, MIN(done.id) OVER of_row AS first_id, "
        "ROW_NUMBER() OVER (PARTITION BY row_id ORDER BY done.id DESC) AS back "
        "FROM modification AS done JOIN submission ON submission.id = submission_id "
        f"WHERE subject = {{}} AND ({each_row}) WINDOW of_row AS (PARTITION BY row_id)) "
        "SELECT done.row_id, times, one.before, admin.name, submission.at, "
        "done.kind, done.ip, done.service, done.before, done.after, done.texts "
        "FROM since JOIN modification AS one ON one.id = first_id JOIN modification AS done ON done.id = since.id "
        "JOIN submission ON submission.id = done.submission_id JOIN admin ON admin.id = submission.admin_id "
        f"WHERE back <= {MOST_TOLD} ORDER BY done.row_id, back",
        subject.value,
        *chain.from_iterable(seen.items()),
    )
    with database_errors():
        _, found = await reader().execute_query(query, values)
    since: dict[int, ChangesSince] = {}
    for row_id, times, before, *told in map(tuple, found):
        newest = since[row_id].newest if row_id in since else ()
        since[row_id] = ChangesSince(times, before, (*newest, _change(subject, row_id, *told)))
    return since


def _change(subject: Subject, row_id: int, name: str, at: datetime | str, kind: str, *done: Any) -> LastChange:
    ip, service, before, after_, texts = done
    modification = Modification(row_id, Kind(kind), ip, service, before, after_, subject, texts_from_text(texts))
    return LastChange(name, history.time_of(at), modification)


# -- writing one, within its transaction ---------------------------------------------------------------------------------


class Begun(NamedTuple):
    """A submission that is being written."""

    revision: int
    uuid: uuid.UUID
    admin_id: int
    source: Source
    subject: Subject
    at: datetime
    approver_id: int | None = None


async def begin(
    db: BaseDBAsyncClient,
    submission_uuid: uuid.UUID,
    admin_id: int,
    source: Source,
    subject: Subject,
    at: datetime,
    approver_id: int | None = None,
) -> Begun:
    """Take the next revision."""
    row = await Submission.create(
        uuid=submission_uuid,
        admin_id=admin_id,
        source=source,
        subject=subject,
        at=at,
        approver_id=approver_id,
        using_db=db,
    )
    return Begun(row.id, submission_uuid, admin_id, source, subject, at, approver_id)


async def end(
    db: BaseDBAsyncClient,
    begun: Begun,
    change_count: int,
    key_count: int,
    written: Written,
    address: str,
    detail: str,
) -> None:
    """Write what it came to, and its entry of the history; one that came to nothing leaves no trace."""
    this = Submission.filter(id=begun.revision).using_db(db)
    if not key_count:
        await this.delete()
        return
    granted, revoked, kinds = written.totals
    part = SubmissionPart(
        begun.revision, str(begun.uuid), begun.admin_id, begun.at, begun.source, begun.subject, change_count, key_count,
        granted, revoked, kinds_text(kinds), written.digest, begun.approver_id,
    )  # fmt: skip
    await this.update(
        change_count=change_count,
        key_count=key_count,
        granted=granted,
        revoked=revoked,
        kinds=part.kinds,
        digest=part.digest,
    )
    await history.append(db, EntryKind.SUBMITTED, part.admin_id, address, detail, part)


async def record(db: BaseDBAsyncClient, revision: int, done: Iterable[Modification], written: Written) -> None:
    """Write what a submission did."""
    rows = [(m.row_id, m.kind.value, m.ip, m.service, m.before, m.after, texts_to_text(m.texts)) for m in done]
    if rows:
        await db.execute_many(
            "INSERT INTO modification (submission_id, row_id, kind, ip, service, before, after, texts) "
            f"VALUES ({int(revision)}, {parameters(7)})",
            rows,  # type: ignore[arg-type]
        )
        digested = [digested_row(row) for row in rows]
        written.add(digested, orjson.dumps(digested))  # ten times as fast as the standard library


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
            "INSERT INTO former_authkey (id, ip, ip_key, service, service_key) SELECT id, ip, ip_key, service, service_key "
            f"FROM removed_authkey WHERE revision < {int(kept_from)} ON CONFLICT DO NOTHING"
        )
        await db.execute_query(
            f"DELETE FROM key_use WHERE authkey_id IN (SELECT id FROM removed_authkey WHERE revision < {int(kept_from)})"
        )
        await db.execute_query(
            f"DELETE FROM key_use_day WHERE authkey_id IN (SELECT id FROM removed_authkey WHERE revision < {int(kept_from)})"
        )
        await authkey_texts.forget(db, f"SELECT id FROM removed_authkey WHERE revision < {int(kept_from)}")
        await RemovedAuthkey.filter(revision__lt=kept_from).using_db(db).delete()
        await ReplacedSecret.filter(revision__lt=kept_from).using_db(db).delete()

    await run_transaction(delete)
