"""Every statement about attempts: counted in the database, so that all instances count the same ones.

Their moments are the database's own clock, because the clocks of several machines differ.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from tortoise.expressions import Q

from models.attempts import WINDOW_SECONDS, Limit, wait
from models.tables import Attempt
from storage.database import database_errors, is_sqlite, reader
from storage.transactions import Connection, run_transaction

_LOCKS = 4_242
"""The first of the two numbers of `pg_advisory_xact_lock`; the second stands for a key."""


class CountedAttempt(NamedTuple):
    """What became of an attempt."""

    wait: int | None
    """Seconds until one more is within the limits, and nothing was counted; None: it was counted"""
    ids: tuple[int, ...] = ()
    """What was counted, to be taken back by"""


async def count(limits: Sequence[Limit]) -> CountedAttempt:
    """Count one under each of these limits, unless one of them is reached."""
    keys = {limit: _stored_key(limit.key) for limit in limits}

    async def count_one(db: Connection) -> CountedAttempt:
        await _lock(db, list(keys.values()))
        now = await _now(db)
        seconds = await _wait(db, keys, now)
        if seconds is not None:
            return CountedAttempt(seconds)
        rows = [await Attempt.create(key=key, at=now, using_db=db) for key in keys.values()]
        return CountedAttempt(None, tuple(row.id for row in rows))

    # Read first: who is over the limit already, and tries a thousand times, shall not cost as many transactions.
    with database_errors():
        seconds = await _wait(reader(), keys, await _now(reader()))
    return CountedAttempt(seconds) if seconds is not None else await run_transaction(count_one)


async def take_back(ids: Sequence[int]) -> None:
    """What was counted under these ids does not count."""
    await run_transaction(lambda db: Attempt.filter(id__in=list(ids)).using_db(db).delete())


async def clear(key: str) -> None:
    """Forget what was counted under a key."""
    await run_transaction(lambda db: Attempt.filter(key=_stored_key(key)).using_db(db).delete())


async def purge() -> None:
    """Delete what does not count any more, or lies in the future of a clock that was set back."""
    with database_errors():
        now = await _now(reader())
        old = Attempt.filter(Q(at__lte=now - WINDOW_SECONDS) | Q(at__gt=now + WINDOW_SECONDS))
        if await old.using_db(reader()).exists():
            await run_transaction(lambda db: old.using_db(db).delete())


def _stored_key(key: str) -> str:
    """Names and addresses are no text for a table that anybody can fill."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


async def _wait(db: Connection, keys: dict[Limit, str], now: float) -> int | None:
    rows = (
        await Attempt.filter(key__in=list(keys.values()), at__gt=now - WINDOW_SECONDS)
        .using_db(db)
        .values_list("key", "at")
    )
    counted = {limit.key: [at for key, at in rows if key == stored] for limit, stored in keys.items()}
    return wait(list(keys), counted, now)


async def _lock(db: Connection, keys: Sequence[str]) -> None:
    """Others that count under these keys wait. In one order, or two could wait for each other."""
    if not is_sqlite():
        for number in sorted({int(key[:8], 16) - 2**31 for key in keys}):
            await db.execute_query(f"SELECT pg_advisory_xact_lock({_LOCKS}, {number})")


async def _now(db: Connection) -> float:
    sqlite, postgres = "(julianday('now') - 2440587.5) * 86400.0", "extract(epoch FROM clock_timestamp())::float8"
    [row] = await db.execute_query_dict(f"SELECT {sqlite if is_sqlite() else postgres} AS now")
    return float(row["now"])
