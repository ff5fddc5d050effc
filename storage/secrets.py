"""Every statement that looks for a secret, by its digest: in force, of a removed authkey, or replaced by a new one."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tortoise.backends.base.client import BaseDBAsyncClient

from models.access_checks import KeyState, Reason
from models.amendments import SecretOwner
from storage.database import database_errors, reader
from storage.sql import parameters

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
