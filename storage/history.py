"""Every statement that writes the history or follows its chain. What reads it for people is in `history_views`."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import rfc8785

from models.addresses import MAX_CALLER_LENGTH
from models.chain import GENESIS, Anchor, Record, Row, digest_of_name
from models.errors import ChainBroken
from models.history import Check, Entry, EntryKind, SubmissionPart, digested_row, read_prune
from models.tables import Admin, HistoryCheck
from models.tables import Entry as EntryTable
from models.texts import storable
from storage.database import database_errors, reader, slow_reader
from storage.sql import statement
from storage.transactions import Connection, notify, run_transaction, take_turn_in_chain

PORTION = 5_000
"""Rows that are read at once."""

ENTRY_COLUMNS = (
    "entry.number, entry.at, entry.kind, entry.admin_id, entry.name, entry.name_digest, entry.address, entry.detail, "
    "entry.digest, submission.id, submission.uuid, submission.admin_id, submission.at, submission.source, submission.subject, "
    "submission.change_count, submission.key_count, submission.granted, submission.revoked, submission.kinds, submission.digest, "
    "submission.approver_id"
)
ENTRIES = "entry LEFT JOIN submission ON submission.id = entry.submission_id"


# -- writing -------------------------------------------------------------------------------------------------------------


async def append(
    db: Connection,
    kind: EntryKind,
    admin: int | str | None,
    address: str = "",
    detail: str = "",
    submission: SubmissionPart | None = None,
) -> int:
    """Put the next entry, last of all that the transaction does; returns its number.

    `admin` is who did it, or a name as it was given. Texts of callers are cut to what the table holds.
    """
    if isinstance(admin, str):
        admin_id, name = await _known(db, admin)
    else:
        admin_id, name = admin, ""
    salt = secrets.token_bytes(16) if name else None
    hidden = digest_of_name(name, salt) if salt else None
    await take_turn_in_chain(db)
    number, previous = await _head(db)
    at = submission.at if submission else datetime.now(UTC)
    where, what = storable(address, MAX_CALLER_LENGTH), storable(detail, 200)
    entry = Entry(number + 1, at, kind, admin_id, name, hidden, where, what, submission)
    # By the library here, and by the standard library where a million of them are checked: each watches the other.
    digest = hashlib.sha256(rfc8785.dumps(dict(entry.to_record(), previous=previous))).hexdigest()
    # Not by the ORM, which takes as long as all the rest of it: every submission does this.
    insertion, values = statement(
        "INSERT INTO entry (number, at, kind, admin_id, name, name_salt, name_digest, address, detail, submission_id, digest) "
        f"VALUES ({', '.join(['{}'] * 11)})",
        *(entry.number, at, kind.value, admin_id, name, salt, hidden, where, what),
        submission.revision if submission else None,
        digest,
    )
    await db.execute_query(insertion, values)
    await notify(db)
    return entry.number


async def erase_name(db: Connection, name: str) -> int:
    """Forget a name that is no account's wherever it was given; returns how often. The chain, which has its digest, holds."""
    return await EntryTable.filter(name=storable(name, 100)).using_db(db).update(name="", name_salt=None)


async def _head(db: Connection) -> tuple[int, str]:
    _, rows = await db.execute_query("SELECT number, digest FROM entry ORDER BY number DESC LIMIT 1")
    return (rows[0][0], rows[0][1]) if rows else (0, GENESIS)


async def _known(db: Connection, name: str) -> tuple[int | None, str]:
    """The account of this name, or else the name itself, as it can be stored."""
    stored = storable(name, 100)
    row = await Admin.filter(name=stored).using_db(db).first() if stored else None
    return (row.id, "") if row else (None, stored)


# -- following the chain, without a cap and in flat memory ---------------------------------------------------------------

_MODIFICATION = "row_id, kind, ip, service, before, after, texts"


class Link(NamedTuple):
    """An entry as the chain knows it."""

    record: Record
    """But for the digest of the entry before"""
    digest: str
    revision: int | None
    """Of its submission"""


async def links(after: int, limit: int = PORTION) -> list[Link]:
    """The entries after this one, in their order."""
    query = f"SELECT {ENTRY_COLUMNS} FROM {ENTRIES} WHERE number > {int(after)} ORDER BY number LIMIT {int(limit)}"
    with database_errors():
        _, rows = await slow_reader().execute_query(query)
    entries = [entry_of(tuple(row)) for row in rows]
    return [
        Link(each.to_record(), each.digest, each.submission.revision if each.submission else None) for each in entries
    ]


async def modifications_after(id_: int) -> list[tuple[int, int, Row]]:
    """Modifications in the order in which they were written: id, submission, and what was done. Submissions never mix."""
    query = (
        f"SELECT id, submission_id, {_MODIFICATION} FROM modification WHERE id > {int(id_)} ORDER BY id LIMIT {PORTION}"
    )
    with database_errors():
        _, rows = await slow_reader().execute_query(query)
    return [(row[0], row[1], digested_row(tuple(row)[2:])) for row in rows]


async def rows_of(revision: int, after: int) -> list[tuple[int, Row]]:
    """What a submission did, some of it: from the modification after this one on, each with its id."""
    query = (
        f"SELECT id, {_MODIFICATION} FROM modification WHERE submission_id = {int(revision)} AND id > {int(after)} "
        f"ORDER BY id LIMIT {PORTION}"
    )
    with database_errors():
        _, rows = await slow_reader().execute_query(query)
    return [(row[0], digested_row(tuple(row)[1:])) for row in rows]


async def head() -> Anchor:
    """The newest entry; asked after every commit, so not on the slow reader."""
    with database_errors():
        return Anchor(*await _head(reader()))


async def digest_at(number: int) -> str | None:
    """The digest of an entry; None if there is none."""
    with database_errors():
        row = await EntryTable.filter(number=number).using_db(slow_reader()).first()
    return row.digest if row else None


async def number_of(revision: int) -> int | None:
    """The entry of a submission."""
    with database_errors():
        row = await EntryTable.filter(submission_id=revision).using_db(slow_reader()).first()
    return row.number if row else None


async def unlinked_submission() -> int | None:
    """The first submission that no entry tells of; there is none unless somebody wrote into the table."""
    query = "SELECT MIN(id) FROM submission WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.submission_id = submission.id)"
    with database_errors():
        _, rows = await slow_reader().execute_query(query)
    return int(rows[0][0]) if rows[0][0] is not None else None


async def odd_authkey() -> tuple[str, str, int] | None:
    """IP, service and last submission of an authkey whose privileges are not what that submission left."""
    query = (
        "SELECT authkey.ip, authkey.service, authkey.revision FROM authkey JOIN modification AS done "
        "ON done.submission_id = authkey.revision AND done.row_id = authkey.id "
        "WHERE done.after <> authkey.privileges LIMIT 1"
    )
    with database_errors():
        _, rows = await slow_reader().execute_query(query)
    return tuple(rows[0]) if rows else None


def entry_of(row: Sequence[Any], name: str = "") -> Entry:
    """An entry from its columns, just as they are: nothing is believed of them yet."""
    revision, uuid, *rest = row[9:]
    part = None if revision is None else SubmissionPart(revision, str(uuid), rest[0], time_of(rest[1]), *rest[2:])
    number, at, kind, admin_id, given, hidden, address, detail, digest = row[:9]
    return Entry(number, time_of(at), kind, admin_id, name or given, hidden, address, detail, part, digest)


def time_of(value: datetime | str) -> datetime:
    """A time as a raw statement gives it: a text, on SQLite."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


# -- how it was found ----------------------------------------------------------------------------------------------------


async def last_check() -> Check | None:
    """When the chain was checked last."""
    with database_errors():
        row = await HistoryCheck.filter(id=1).using_db(slow_reader()).first()
    return Check(row.at, row.number, row.fault) if row else None


async def keep_check(check: Check) -> None:
    """Remember how the chain was found."""

    async def keep(db: Connection) -> None:
        row = HistoryCheck(id=1, at=check.at, number=check.number, fault=check.fault[:300])
        await HistoryCheck.bulk_create([row], on_conflict=["id"], update_fields=["at", "number", "fault"], using_db=db)

    await run_transaction(keep)


# -- what was pruned -----------------------------------------------------------------------------------------------------


async def anchor() -> Anchor:
    """Where the chain begins: after the last entry that was pruned, as the newest prune says."""
    with database_errors():
        row = await EntryTable.filter(kind=EntryKind.PRUNED).using_db(slow_reader()).order_by("-number").first()
    return read_prune(row.detail) if row else Anchor()


async def last_before(at: datetime) -> Anchor | None:
    """The last entry before which none is as new as this, and none is that of the newest submission; None if there is none."""
    first, values = statement("SELECT MIN(number) FROM entry WHERE at >= {}", at)
    newest = "SELECT number FROM entry WHERE submission_id = (SELECT MAX(id) FROM submission)"
    with database_errors():
        _, rows = await slow_reader().execute_query(first, values)
        _, kept = await slow_reader().execute_query(newest)
    first_kept = min(each for each in (rows[0][0], kept[0][0] if kept else None, 2**62) if each is not None)
    last = min((await head()).number - 1, first_kept - 1)
    digest = await digest_at(last)
    return Anchor(last, digest) if digest else None


async def delete_until(db: Connection, last: Anchor) -> None:
    """Delete the entries up to this one, with their submissions. Raises ChainBroken if it is no longer the same."""
    _, rows = await db.execute_query(f"SELECT digest FROM entry WHERE number = {int(last.number)}")
    if not rows or rows[0][0] != last.digest:
        raise ChainBroken("The record was changed at this moment. Nothing was pruned.")
    _, found = await db.execute_query(f"SELECT MAX(submission_id) FROM entry WHERE number <= {int(last.number)}")
    revision = int(found[0][0] or 0)
    await db.execute_query(f"DELETE FROM entry WHERE number <= {int(last.number)}")
    await db.execute_query(f"DELETE FROM modification WHERE submission_id <= {revision}")
    await db.execute_query(f"DELETE FROM submission WHERE id <= {revision}")
