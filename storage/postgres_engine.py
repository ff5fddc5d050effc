"""Tortoise's PostgreSQL client with asyncpg's own reading of the address, and how this program talks to PostgreSQL.

Tortoise's own parser of addresses and asyncpg's disagree (`sslmode`, sockets, several hosts); the change feed uses asyncpg
directly, so both use asyncpg's.
"""

import logging
import socket
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from models.errors import DatabaseUnusable
from storage.postgres_url import asyncpg_dsn, shown

_CONNECT_SECONDS = 10
_SILENT_MILLISECONDS = 10_000


class PostgresClient(AsyncpgDBClient):
    """Connects to an address as asyncpg reads it."""

    def __init__(self, address: str, **more: Any) -> None:
        super().__init__(**more)
        self._address = address  # not among `extra`, which Tortoise logs

    async def create_pool(self, **settings: Any) -> asyncpg.Pool:
        """Open the pool; Tortoise calls this."""
        for parsed in ("host", "port", "user", "password", "database"):
            settings.pop(parsed, None)
        return await asyncpg.create_pool(asyncpg_dsn(self._address), init=_notice_silence, **settings)


client_class = PostgresClient


def _without_traceback(record: logging.LogRecord) -> bool:
    record.exc_info = None
    return True


# While the server is away asyncpg would log a whole traceback at each of its attempts.
logging.getLogger("asyncpg.pool").addFilter(_without_traceback)


async def connect(address: str) -> asyncpg.Connection:
    """A connection of its own. Raises what asyncpg raises, and DatabaseUnusable for an address that is none."""
    connection = await asyncpg.connect(asyncpg_dsn(address), timeout=_CONNECT_SECONDS)
    await _notice_silence(connection)
    return connection


async def _notice_silence(connection: asyncpg.Connection) -> None:
    """Let the system end a connection on which nothing that was sent arrives, as when a firewall has forgotten it.

    By itself Linux would try for a quarter of an hour (tcp(7), TCP_USER_TIMEOUT), and who waits for the answer with it.
    asyncpg shows its socket nowhere but here.
    """
    transport = getattr(connection, "_transport", None)
    found = transport.get_extra_info("socket") if transport else None
    if found is not None and found.family != getattr(socket, "AF_UNIX", None) and hasattr(socket, "TCP_USER_TIMEOUT"):
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENT_MILLISECONDS)


async def refuse_transaction_pooler(address: str) -> None:
    """Raise DatabaseUnusable if what answers shares the server's connections out by transaction, as PgBouncer may do.

    Prepared statements and LISTEN belong to one connection of the server (pgbouncer.org/features.html). Two connections
    that are open at once never have the same one, and keep theirs, unless they are only lent it.
    """
    try:
        first, second = await connect(address), await connect(address)
        try:
            pid = await _server_process(first)
            async with second.transaction():
                lent = pid == await second.fetchval("SELECT pg_backend_pid()") or pid != await _server_process(first)
        finally:
            first.terminate()
            second.terminate()
    except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
        lent = True
    except asyncpg.PostgresConnectionError as error:
        if "statement pooling" not in str(error):
            raise
        lent = True
    if lent:
        raise DatabaseUnusable(
            f"At {shown(address)} answers a connection pooler in transaction (or statement) mode, where prepared statements "
            "and LISTEN get lost. Nothing was changed. Set PgBouncer's pool_mode to session for this database, or give "
            "the address of PostgreSQL itself with --database."
        )


async def _server_process(connection: asyncpg.Connection) -> int:
    async with connection.transaction():
        return int(await connection.fetchval("SELECT pg_backend_pid()"))
