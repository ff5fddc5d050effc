"""Every statement that looks for a secret, by its digest: in force, of a removed authkey, or replaced by a new one."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from tortoise.backends.base.client import BaseDBAsyncClient

from models.access_checks import KeyState, Reason
from models.amendments import SecretOwner
from storage.database import database_errors, reader, slow_reader
from storage.sql import ids, parameters, statement

_AT_ONCE = 5_000


class StoredSecret(NamedTuple):
    """Whose secret it is or was."""

    key: KeyState
    gone: Reason | None
    """Why it is no longer in force"""
    revision: int
    """The submission that last touched the authkey"""


_WHERE_SECRETS_ARE = (
    ("SELECT id, ip, service, privileges, revision, secret_digest FROM authkey", None),
    ("SELECT id, ip, service, privileges, revision, secret_digest FROM removed_authkey", Reason.REMOVED),
    ("SELECT authkey_id, ip, service, 0, revision, secret_digest FROM replaced_secret", Reason.REPLACED),
)
"""In the order in which they are looked at: nearly all are in the first."""


async def owners(digests: Sequence[str], db: BaseDBAsyncClient | None = None) -> dict[str, SecretOwner]:
    """Whose these secrets are, where they are anybody's; within a transaction, `db` is its connection."""
    found = {}
    for first in range(0, len(digests), _AT_ONCE):
        some = await find(digests[first : first + _AT_ONCE], db)
        found.update({digest: SecretOwner(each.key, each.gone) for digest, each in some.items()})
    return found


async def find(digests: Sequence[str], db: BaseDBAsyncClient | None = None) -> dict[str, StoredSecret]:
    """Those of these secrets that are known, by digest."""
    found: dict[str, StoredSecret] = {}
    for select, gone in _WHERE_SECRETS_ARE:
        missing = [each for each in digests if each not in found]
        for *key, revision, digest in await _rows(select, missing, db or reader()):
            found[digest] = StoredSecret(KeyState(*key), gone, revision)
    return found


async def _rows(select: str, digests: list[str], db: BaseDBAsyncClient) -> list[Any]:
    if not digests:
        return []
    with database_errors():
        _, rows = await db.execute_query(f"{select} WHERE secret_digest IN ({parameters(len(digests))})", digests)
    return [tuple(row) for row in rows]


# -- all of them, for who holds them in memory ---------------------------------------------------------------------------

Told = tuple[str, StoredSecret]
"""A secret's digest, and whose it is or was"""
_TABLES = ("authkey", "removed_authkey", "replaced_secret")
_ID_COLUMNS = ("id", "id", "authkey_id")
_PAGED_BY = ("id", "id", "secret_digest")


async def count() -> int:
    """How many secrets are known, about."""
    counts = " + ".join(f"(SELECT COUNT(*) FROM {table})" for table in _TABLES)
    with database_errors():
        _, rows = await slow_reader().execute_query(f"SELECT {counts}")
    return int(rows[0][0])


async def of(authkey_ids: Sequence[int]) -> list[Told]:
    """The secrets of these authkeys, now; those in force first."""
    told: list[Told] = []
    for (select, gone), id_ in zip(_WHERE_SECRETS_ARE, _ID_COLUMNS, strict=True):
        told += await _told(f"{select} WHERE secret_digest IS NOT NULL AND {id_} IN ({ids(authkey_ids)})", gone)
    return told


async def pages(size: int) -> AsyncIterator[list[Told]]:
    """All secrets, so many at a time, those in force first.

    Each page is as of its own moment: who wants to know what was changed meanwhile reads it in the submissions.
    """
    for (select, gone), column in zip(_WHERE_SECRETS_ARE, _PAGED_BY, strict=True):
        order = f"ORDER BY {column} LIMIT {int(size)}"
        page = await _told(f"{select} WHERE secret_digest IS NOT NULL {order}", gone)
        while page:
            yield page
            digest, last = page[-1]
            where, values = statement(
                f"WHERE secret_digest IS NOT NULL AND {column} > {{}} {order}",
                last.key.id if column == "id" else digest,
            )
            page = await _told(f"{select} {where}", gone, *values)


async def _told(query: str, gone: Reason | None, *values: Any) -> list[Told]:
    with database_errors():
        _, rows = await slow_reader().execute_query(query, list(values))
    return [(digest, StoredSecret(KeyState(*key), gone, revision)) for *key, revision, digest in map(tuple, rows)]
