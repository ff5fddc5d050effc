"""Tortoise's SQLite engine, made safe against cancellation and failed commits.

The stock engine leaks its lock when a task is cancelled inside BEGIN, leaves BEGIN open when a bulk write is cancelled
or a COMMIT fails, and begins deferred, so that two processes refuse each other (tortoise-orm 1.1.9; each reproduced, and
told in the project's design notes). Here every transaction begins IMMEDIATE, is shielded where it must not be cut in
two, and always ends with the lock released. Configure with `{"engine": "storage.sqlite_engine", ...}`.
"""

import asyncio
import sqlite3
from typing import Any

from tortoise.backends.base.client import ConnectionWrapper, TransactionalDBClient
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError, TransactionManagementError

CONNECT_ATTEMPTS = 50


class ImmediateTransaction(SqliteTransactionWrapper):
    """One transaction that holds SQLite's write lock from its first moment."""

    def acquire_connection(self) -> ConnectionWrapper[Any]:
        """The connection. Refuses tasks that were born inside the transaction and outlived it."""
        if self._finalized:
            raise TransactionManagementError("This task was created inside a transaction that is over.")
        return super().acquire_connection()

    async def begin(self) -> None:
        """Begin; waits for other processes up to the busy timeout."""
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error

    async def execute_script(self, query: str) -> None:
        """Run several statements as part of this transaction: `sqlite3`'s own executescript would commit it first."""
        statement = ""
        for part in query.split(";"):
            statement += part + ";"
            if sqlite3.complete_statement(statement):
                await self.execute_query(statement)
                statement = ""

    async def abandon(self) -> None:
        """Roll back whatever is open. Queues behind a BEGIN or COMMIT that is still running in SQLite's thread."""
        await self._connection.rollback()
        self._finalized = True


class SafeTransactionContext(SqliteTransactionContext):
    """`async with in_transaction()`, safe at every await."""

    connection: ImmediateTransaction

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            await asyncio.shield(self.connection.begin())
            self.token = get_connections().set(self.connection_name, self.connection)
            return self.connection
        except BaseException:
            await asyncio.shield(self._abandon())
            raise

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        ending = asyncio.ensure_future(self._end(commit=exc_type is None))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await asyncio.wait([ending])
            raise
        finally:
            get_connections().reset(self.token)

    async def _end(self, *, commit: bool) -> None:
        try:
            if self.connection._finalized:
                return
            if not commit:
                await self.connection.rollback()
                return
            try:
                await self.connection.commit()
            except BaseException:
                await self.connection.abandon()
                raise
        finally:
            self._trxlock.release()

    async def _abandon(self) -> None:
        try:
            await self.connection.abandon()
        finally:
            self._trxlock.release()


class SafeSqliteClient(SqliteClient):
    """The stock client with safe transactions, and patience when it connects."""

    async def create_connection(self, with_db: bool) -> None:
        """Connect; tries again while another process that starts at the same moment prepares the new file.

        Of two processes that turn a file to WAL, SQLite refuses one at once, whatever its busy timeout.
        """
        for attempts_left in reversed(range(CONNECT_ATTEMPTS)):
            try:
                # A file that cannot be opened fails here: aiosqlite would leave a thread that trips over the loop's end.
                sqlite3.connect(self.filename).close()
                await super().create_connection(with_db)
                return
            except sqlite3.OperationalError as error:
                # Without some of its pragmas it must not be used.
                await self.close()
                if not attempts_left or "locked" not in str(error):
                    raise
                await asyncio.sleep(0.1)

    def _in_transaction(self) -> SafeTransactionContext:
        return SafeTransactionContext(ImmediateTransaction(self), self._lock)

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        """Run one statement for many rows, all or none."""
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


client_class = SafeSqliteClient
