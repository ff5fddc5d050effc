"""The signals of a database: that somebody, in whichever process, committed something. What it was is read elsewhere.

SQLite: a connection of its own polls `PRAGMA data_version`. PostgreSQL: LISTEN on a connection of its own, for the NOTIFY of
what others must hear at once, and a heartbeat that sees every other commit, and what LISTEN missed.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Protocol

import aiosqlite

from models.marks import StagingNews
from storage.database import DatabaseLocation
from storage.transactions import CHANNEL, PROCESS

if TYPE_CHECKING:
    import asyncpg

_POLL_SECONDS = 0.2
"""Until what another process (the command line) commits on SQLite shows; our own commits signal themselves. At 0.04 an idle
server used 1.0 % of a core, at 0.2 it uses 0.35 %."""
_RETRY_SECONDS = 1
_SNAPSHOT = "SELECT txid_current_snapshot()::text"
"""PostgreSQL's counterpart of `PRAGMA data_version`"""

log = logging.getLogger(__name__)


class Rhythm(NamedTuple):
    """How often PostgreSQL is asked, and for how long an answer is awaited before the connection is taken for dead."""

    beat: float = 0.3
    patience: float = 5.0


class Listener(Protocol):
    """Who is told."""

    def committed_something(self) -> None:
        """Somebody may have committed something."""

    def staged(self, news: StagingNews) -> None:
        """Another process says what an admin has staged there."""

    def nothing_since(self, asked: float) -> None:
        """Nothing was committed up to this moment (`time.monotonic`) that was not signalled."""


async def watch(location: DatabaseLocation, listener: Listener, rhythm: Rhythm = Rhythm()) -> None:  # noqa: B008
    """Tell of every commit, this process's own included, for ever; after an error begin anew, and tell."""
    while True:
        await (
            _watch_postgres(location, listener, rhythm) if location.is_postgres else _watch_sqlite(location, listener)
        )
        listener.committed_something()
        await asyncio.sleep(_RETRY_SECONDS)


async def _watch_sqlite(location: DatabaseLocation, listener: Listener) -> None:
    try:
        async with _connected(location) as connection:
            seen = None
            while True:
                asked = monotonic()
                cursor = await connection.execute("PRAGMA data_version")
                version = await cursor.fetchone()
                await cursor.close()
                if version != seen:
                    seen = version
                    listener.committed_something()
                else:
                    listener.nothing_since(asked)
                await asyncio.sleep(_POLL_SECONDS)
    except sqlite3.Error as error:
        log.warning("The change feed cannot read the database: %s", error)


@asynccontextmanager
async def _connected(location: DatabaseLocation) -> AsyncIterator[aiosqlite.Connection]:
    """Connecting is not cut short: aiosqlite would leave a thread that trips over the end of the loop."""
    connecting = asyncio.ensure_future(aiosqlite.connect(location.path))
    try:
        connection = await asyncio.shield(connecting)
    except asyncio.CancelledError:
        with suppress(sqlite3.Error):
            await (await connecting).close()
        raise
    try:
        yield connection
    finally:
        await connection.close()


async def _watch_postgres(location: DatabaseLocation, listener: Listener, rhythm: Rhythm) -> None:
    import asyncpg  # noqa: PLC0415 - who works with SQLite shall not wait for it

    from storage.postgres_engine import connect  # noqa: PLC0415 - likewise

    connection = None
    try:
        connection = await connect(location.text)
        await _listen(connection, listener, rhythm)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("The change feed has no connection to PostgreSQL: %s", type(error).__name__)
    finally:
        if connection is not None and not connection.is_closed():
            connection.terminate()


def _hear(listener: Listener, text: str) -> None:
    process, _, news = text.partition(" ")
    if process == PROCESS:
        return
    try:
        staged = StagingNews.from_text(news) if news else None
    except (ValueError, TypeError):  # of another release: look instead
        staged = None
    if staged:
        listener.staged(staged)
    else:
        listener.committed_something()


async def _listen(connection: "asyncpg.Connection", listener: Listener, rhythm: Rhythm) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    await connection.add_listener(CHANNEL, lambda *notification: _hear(listener, notification[-1]))
    seen = None
    while not lost.is_set():
        # The heartbeat sees commits itself, whatever became of LISTEN: every transaction that ends changes the server's
        # snapshot (postgresql.org/docs/current/functions-info.html, 9.27.7).
        asked = monotonic()
        snapshot = await connection.fetchval(_SNAPSHOT, timeout=rhythm.patience)
        if snapshot != seen:
            seen = snapshot
            listener.committed_something()
        else:
            listener.nothing_since(asked)
        with suppress(TimeoutError):
            async with asyncio.timeout(rhythm.beat):
                await lost.wait()
