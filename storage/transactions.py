"""How every write runs: as one transaction in a task of its own.

A page, a timer or a request may be cancelled at any await. A transaction may not: Tortoise would leak its lock or leave
it open. So the work runs in its own shielded task, and a cancelled caller only stops waiting for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import random
from secrets import token_hex
from typing import Any, TypeVar

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from storage.database import database_errors, is_sqlite, writer
from storage.database_problems import is_rolled_back_for_another

T = TypeVar("T")
Connection = BaseDBAsyncClient
"""The connection of a transaction; to services only something to hand on"""
Work = Callable[[Connection], Awaitable[T]]

# pg_advisory_xact_lock's key: submissions take it first, so that revisions become visible in their order.
_SUBMISSION_LOCK = 4_242_001
# The last lock that any transaction takes: a sign-out need not wait for a long submission, only for its end.
_CHAIN_LOCK = 4_242_002
# Changes of accounts take it first: of two admins who take each other's rights away only one finds that there is another.
_ACCOUNTS_LOCK = 4_242_003
CHANNEL = "authkeys"
"""Where PostgreSQL's instances tell each other what they committed: `notify`."""
PROCESS = token_hex(4)
"""Who tells: nobody listens to itself."""

_PAUSES = (0.02, 0.08, 0.3)
"""Seconds, and up to as many more by chance, before a transaction runs again that PostgreSQL undid in favour of another."""

_running: set[asyncio.Task[Any]] = set()


async def run_transaction(work: Work[T], *, in_order: bool = False, ended: Callable[[], None] | None = None) -> T:
    """Run `work` in one transaction and return its result; all or nothing.

    It runs again from its beginning if PostgreSQL undid it in favour of another (deadlock, serialization).

    `in_order` makes transactions commit in the order in which they got their revisions (SQLite always does).
    `ended` is called right after the commit (or a failure, whose outcome may be unknown), even if nobody waits any more.
    Raises DatabaseUnavailable if the database does not answer; after that it is unknown whether a commit happened.
    """
    task = asyncio.create_task(_transaction(work, in_order, ended))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)


async def notify(db: Connection, news: str = "") -> None:
    """Tell all instances, with the commit and not at all after a rollback; empty: that there is something to look at.

    Only for what others must hear at once. SQLite has no such thing: there every commit shows to whoever looks.
    """
    if not is_sqlite():
        await db.execute_query("SELECT pg_notify($1, $2)", [CHANNEL, f"{PROCESS} {news}"])


async def take_turn_in_chain(db: Connection) -> None:
    """Wait until nobody else is about to commit an entry of the history. Nothing else is locked after this."""
    if not is_sqlite():
        await db.execute_query(f"SELECT pg_advisory_xact_lock({_CHAIN_LOCK})")


async def take_turn_in_accounts(db: Connection) -> None:
    """Wait until nobody else changes accounts, before anything is read of them (on SQLite whoever writes is alone anyway)."""
    if not is_sqlite():
        await db.execute_query(f"SELECT pg_advisory_xact_lock({_ACCOUNTS_LOCK})")


async def finish_transactions() -> None:
    """Wait until no transaction runs, before the database is closed."""
    while _running:
        await asyncio.wait(_running)


async def _transaction(work: Work[T], in_order: bool, ended: Callable[[], None] | None) -> T:
    with database_errors():
        try:
            return await _tried(work, in_order)
        finally:
            if ended:
                ended()


async def _tried(work: Work[T], in_order: bool) -> T:
    for pause in _PAUSES:
        try:
            return await _work(work, in_order)
        except Exception as error:
            if not is_rolled_back_for_another(error):
                raise
        await asyncio.sleep(pause * (1 + random()))
    return await _work(work, in_order)


async def _work(work: Work[T], in_order: bool) -> T:
    async with in_transaction(writer().connection_name) as connection:
        if in_order and not is_sqlite():
            await connection.execute_query(f"SELECT pg_advisory_xact_lock({_SUBMISSION_LOCK})")
        return await work(connection)
