"""All rows of a database moved between SQLite and PostgreSQL, in flat memory: a backup of either is a SQLite file.

Both sides were made by the same migrations, so a row is moved column by column, by name. What the two drivers write
differently (times, UUIDs, booleans) becomes what the other one's own program would have written.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from models.errors import BackupRefused
from storage.backup_files import writing
from storage.database import DatabaseLocation, apply_migrations, database_errors, opening_errors, writer
from storage.transactions import Connection, run_transaction

if TYPE_CHECKING:
    import asyncpg

PORTION = 5_000
"""Rows that are in memory at once."""
_MIGRATIONS = "tortoise_migrations"
"""Says which migrations made the tables; each side has its own."""


class Table(NamedTuple):
    """A table, as SQLite has it."""

    name: str
    columns: tuple[str, ...]

    @property
    def listed(self) -> str:
        """Its columns for a statement, in their order."""
        return ", ".join(f'"{each}"' for each in self.columns)


def tables_of(file: sqlite3.Connection) -> list[Table]:
    """The tables of a SQLite database; what others refer to comes first."""
    found = file.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    names = sorted({row[0] for row in found} - {_MIGRATIONS})
    needs = {name: {row[2] for row in file.execute(f'PRAGMA foreign_key_list("{name}")')} - {name} for name in names}
    ordered = TopologicalSorter({name: sorted(needs[name]) for name in names}).static_order()
    return [Table(name, tuple(row[1] for row in file.execute(f'PRAGMA table_info("{name}")'))) for name in ordered]


# -- from PostgreSQL -----------------------------------------------------------------------------------------------------


async def from_postgres(location: DatabaseLocation, target: Path) -> None:
    """Copy all rows of a PostgreSQL database, as of one moment, into a SQLite file that has the same tables, empty.

    Nobody who writes waits for it: it reads in one snapshot (postgresql.org/docs/current/transaction-iso.html, 13.2.2).
    """
    from storage.postgres_engine import connect  # noqa: PLC0415 - imports asyncpg

    with closing(sqlite3.connect(target, check_same_thread=False, isolation_level=None)) as file, writing(target):
        file.execute("PRAGMA foreign_keys = OFF")  # checked at the end, as a whole
        file.execute("BEGIN")
        with opening_errors(location):
            connection = await connect(location.text)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                for table in tables_of(file):
                    await _read_table(connection, table, file)
        finally:
            connection.terminate()
        await asyncio.to_thread(file.execute, "COMMIT")


async def _read_table(connection: "asyncpg.Connection", table: Table, file: sqlite3.Connection) -> None:
    into = f'INSERT INTO "{table.name}" ({table.listed}) VALUES ({", ".join("?" * len(table.columns))})'
    with database_errors():
        cursor = await connection.cursor(f'SELECT {table.listed} FROM "{table.name}"')
    while rows := await _fetched(cursor):
        await asyncio.to_thread(file.executemany, into, [[_for_sqlite(each) for each in row] for row in rows])
    for column, sequence in (await _sequences(connection, table)).items():
        # Not the highest id there is: the ids of removed rows stand in the history, and are never given again.
        last, is_called = await connection.fetchrow(f"SELECT last_value, is_called FROM {sequence}")
        highest = f'SELECT coalesce(max("{column}"), 0) FROM "{table.name}"'
        value = max(last if is_called else last - 1, file.execute(highest).fetchone()[0])
        file.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table.name])
        if value:
            file.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table.name, value])


async def _fetched(cursor: Any) -> list[Any]:
    with database_errors():
        return list(await cursor.fetch(PORTION))


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ")
    return str(value) if isinstance(value, UUID | Decimal | date) else value


async def _sequences(connection: "asyncpg.Connection", table: Table) -> dict[str, str]:
    """The sequence that gives the ids of a table, by its column."""
    query = "SELECT pg_get_serial_sequence(quote_ident($1), $2)"
    found = {column: await connection.fetchval(query, table.name, column) for column in table.columns}
    return {column: sequence for column, sequence in found.items() if sequence}


# -- into PostgreSQL -----------------------------------------------------------------------------------------------------


async def into_postgres(location: DatabaseLocation, source: Path) -> None:
    """Fill the open, empty PostgreSQL database from a SQLite file of this release, in one transaction.

    A program that is killed meanwhile leaves the database as empty as it was. Raises BackupRefused for one that is not empty.
    """

    async def fill(db: Connection) -> None:
        await refuse_filled(location)
        await apply_migrations(db, location, keeps_backup=False)
        connection: asyncpg.Connection = db._connection
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, check_same_thread=False)) as file:
            for table in tables_of(file):
                await _write_table(connection, table, file)
        await connection.execute("ANALYZE")

    await run_transaction(fill)


async def refuse_filled(location: DatabaseLocation) -> None:
    """Raise BackupRefused if the open PostgreSQL database has any table."""
    query = (
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm') "
        "ORDER BY relname LIMIT 3"
    )
    if found := [row["relname"] for row in await writer().execute_query_dict(query)]:
        raise BackupRefused(
            f"The database {location} is not empty (it has {', '.join(found)}). Nothing was changed. "
            "A backup is restored into a new database: make one with createdb, and give its URL with --database."
        )


async def _write_table(connection: "asyncpg.Connection", table: Table, file: sqlite3.Connection) -> None:
    query = "SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE attrelid = quote_ident($1)::regclass AND attnum > 0"
    kinds = dict(await connection.fetch(query, table.name))
    turned = [_TURNED.get(kinds[column], _as_it_is) for column in table.columns]
    cursor = file.execute(f'SELECT {table.listed} FROM "{table.name}"')
    while rows := await asyncio.to_thread(cursor.fetchmany, PORTION):
        records = [
            tuple(None if value is None else turn(value) for turn, value in zip(turned, row, strict=True))
            for row in rows
        ]
        await _copy(connection, table, records)
    for column, sequence in (await _sequences(connection, table)).items():
        given = file.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table.name]).fetchone()
        highest = file.execute(f'SELECT max("{column}") FROM "{table.name}"').fetchone()[0]
        if last := max(given[0] if given else 0, highest or 0):
            await connection.execute("SELECT setval($1::regclass, $2)", sequence, last)


async def _copy(connection: "asyncpg.Connection", table: Table, records: Sequence[tuple[Any, ...]]) -> None:
    import asyncpg  # noqa: PLC0415 - who works with SQLite shall not wait for it

    try:
        await connection.copy_records_to_table(table.name, records=records, columns=table.columns)
    except (ValueError, asyncpg.DataError) as error:
        raise BackupRefused(
            f"A row of {table.name} holds what PostgreSQL cannot store: {str(error).splitlines()[0]}. Nothing was restored."
        ) from error


def _as_it_is(value: Any) -> Any:
    return value


def _time(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


_TURNED: Mapping[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "timestamp with time zone": _time,
    "uuid": UUID,
    "date": date.fromisoformat,
    "numeric": Decimal,
    "double precision": float,
}
"""What PostgreSQL's driver takes for a column of this type, from what SQLite has there"""
