"""Where the database is, how it is opened, and what differs between SQLite and PostgreSQL.

SQLite gets four connections: `sqlite` writes; `sqlite_reader` sees the last commit without waiting for a writer (WAL), and so
do `sqlite_counter`, so that rows never wait until a million are counted, and `sqlite_slow_reader`, behind which nobody waits.
PostgreSQL has one pool for all.
"""

import hashlib
import os
import shlex
import sqlite3
import sys
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection, get_connections
from tortoise.exceptions import BaseORMException, DBConnectionError, TransactionManagementError
from tortoise.exceptions import OperationalError as TortoiseOperationalError
from tortoise.transactions import in_transaction

from models.errors import DatabaseError, DatabaseUnavailable, DatabaseUnusable
from storage.backup_files import keep_backup
from storage.database_problems import is_mistake, unavailable
from storage.postgres_url import SCHEMES, shown

DEFAULT_DATABASE = "authkeys.db"
APP = "models"
_MIGRATION_LOCK = 4_242_000
"""`pg_advisory_xact_lock`'s key; `storage.transactions` has the others."""
_UNREACHABLE = (
    OSError,
    TimeoutError,
    DBConnectionError,
    sqlite3.OperationalError,
    sqlite3.DatabaseError,
    TortoiseOperationalError,
)


@dataclass(frozen=True, slots=True)
class DatabaseLocation:
    """A SQLite file or a PostgreSQL URL, as given with --database."""

    text: str

    @property
    def is_postgres(self) -> bool:
        """Whether this is a PostgreSQL URL; everything else is the path of a SQLite file."""
        return self.text.partition("://")[0].casefold() in SCHEMES and "://" in self.text

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return Path(self.text.removeprefix("sqlite://")).absolute()

    def companion(self, suffix: str) -> Path:
        """A file that belongs to this database: beside a SQLite file, in the user's state folder for PostgreSQL."""
        if not self.is_postgres:
            return self.path.with_name(f"{self.path.name}.{suffix}")
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        folder = state / "authkeys"
        with suppress(OSError):  # who then needs the file says what is wrong with it
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / f"{hashlib.sha256(str(self).encode()).hexdigest()[:12]}.{suffix}"

    def command(self, name: str = "", secret_file: Path | None = None) -> str:
        """A command of `main.py` for this database, as it can be typed; a URL, which may hold a password, is not repeated."""
        words = ["uv run main.py"]
        if self.is_postgres:
            words.append("--database URL")
        elif self.path != DatabaseLocation(DEFAULT_DATABASE).path:
            words.append(f"--database {shlex.quote(str(self))}")
        if secret_file:
            words.append(f"--secret-file {shlex.quote(str(secret_file))}")
        if name:
            words.append(name)
        if self.is_postgres:
            words.append("(with the URL that the server was started with)")
        return " ".join(words)

    def __str__(self) -> str:
        """The location without a password, for messages."""
        if not self.is_postgres:
            return str(self.path)
        return shown(self.text)


def tortoise_config(location: DatabaseLocation) -> dict[str, Any]:
    """Tortoise's configuration for this database."""
    return {
        "connections": _postgres(location) if location.is_postgres else _sqlite(location),
        "apps": {
            APP: {
                "models": ["models.tables"],
                # Different names, because Tortoise caches SQL text by connection name, whatever the dialect.
                "default_connection": "postgres" if location.is_postgres else "sqlite",
                "migrations": "storage.migrations",
            }
        },
    }


def _sqlite(location: DatabaseLocation) -> dict[str, Any]:
    # FULL: what the page confirmed survives a power failure, not only kill -9.
    durable = {"file_path": str(location.path), "busy_timeout": 15_000, "synchronous": "FULL", "cache_size": -32_000}
    return {
        "sqlite": {"engine": "storage.sqlite_engine", "credentials": durable},
        "sqlite_reader": {"engine": "storage.sqlite_engine", "credentials": {**durable, "query_only": "ON"}},
        "sqlite_counter": {"engine": "storage.sqlite_engine", "credentials": {**durable, "query_only": "ON"}},
        "sqlite_slow_reader": {"engine": "storage.sqlite_engine", "credentials": {**durable, "query_only": "ON"}},
    }


def _postgres(location: DatabaseLocation) -> dict[str, Any]:
    pool = {"minsize": 1, "maxsize": 12, "timeout": 10, "command_timeout": 120}
    return {"postgres": {"engine": "storage.postgres_engine", "credentials": {"address": location.text, **pool}}}


CLI_CONFIG = tortoise_config(DatabaseLocation(os.environ.get("AUTHKEYS_DATABASE", DEFAULT_DATABASE)))
"""For the `tortoise` command line (pyproject.toml), which makes migrations."""


@asynccontextmanager
async def open_database(location: DatabaseLocation, *, keeps_backup: bool = True) -> AsyncIterator[None]:
    """Connect, bring the schema up to date, and close at the end.

    Before the schema of a SQLite file changes, a backup is kept beside it (`keeps_backup`), for who wants to go back.
    Raises DatabaseUnusable or DatabaseUnavailable, with words for the person who started the program.
    """
    async with connected(location):
        with opening_errors(location):
            await _migrate(location, keeps_backup)
            # Now, not at the first request: a cancelled first connect leaks its lock (tortoise-orm 1.1.9).
            await reader().execute_query("SELECT 1")
            await counter().execute_query("SELECT 1")
            await slow_reader().execute_query("SELECT 1")
        yield


@asynccontextmanager
async def connected(location: DatabaseLocation) -> AsyncIterator[None]:
    """Connect to a database as it is, whatever is in it, and close at the end. Raises like `open_database`."""
    try:
        with opening_errors(location):
            await _connect(location)
        yield
    finally:
        # Always: aiosqlite's thread would keep the process alive.
        await Tortoise.close_connections()


@contextmanager
def opening_errors(location: DatabaseLocation) -> Iterator[None]:
    """Turn what goes wrong when a database is opened into words for the person who gave its place."""
    try:
        yield
    except DatabaseError:
        raise
    except _unusable() as error:
        raise _cannot_open(location, error) from error


async def _connect(location: DatabaseLocation) -> None:
    if location.is_postgres:
        from storage.postgres_engine import refuse_transaction_pooler  # noqa: PLC0415 - imports asyncpg

        await refuse_transaction_pooler(location.text)
    else:
        _create_private(location.path)
    if not location.is_postgres and location.path.exists() and not os.access(location.path, os.W_OK):
        raise PermissionError("readonly")  # SQLite would open it, and refuse the first change
    # The fallback lets pages, routes and background tasks, which run in other contexts, find the database.
    await Tortoise.init(config=tortoise_config(location), _enable_global_fallback=True)
    await writer().execute_query("SELECT 1")


def _create_private(file: Path) -> None:
    """Make a new database, readable by its user only; SQLite gives the files beside it the same mode."""
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def known_migrations() -> set[str]:
    """The migrations that this release knows."""
    return {file.stem for file in (Path(__file__).parent / "migrations").glob("[0-9]*.py")}


def refuse_newer(location: DatabaseLocation, applied: Collection[str]) -> None:
    """Raise DatabaseUnusable for a database with a migration that this release does not know."""
    if unknown := sorted({*applied} - known_migrations()):
        raise DatabaseUnusable(
            f"The database {location} was made by a newer version of Authkeys (it has {', '.join(unknown)}). "
            "Nothing was changed. Start the newer version, or give another database with --database."
        )


async def _migrate(location: DatabaseLocation, keeps_backup: bool) -> None:
    """Apply what is missing, all or nothing: a program killed in the middle starts again as if nothing had been.

    Of several instances that start at once one does it; the others wait, and then find nothing to do.
    """
    applied = await applied_migrations()
    refuse_newer(location, applied)
    if applied != known_migrations():
        async with in_transaction(writer().connection_name) as transaction:
            await apply_migrations(transaction, location, keeps_backup)


async def apply_migrations(transaction: BaseDBAsyncClient, location: DatabaseLocation, keeps_backup: bool) -> None:
    """Apply what is missing, as a part of this transaction."""
    # Only now: at most starts nothing is to be done, and nothing of this needed.
    from tortoise.migrations.executor import MigrationExecutor  # noqa: PLC0415

    if location.is_postgres:
        await transaction.execute_query(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
    elif keeps_backup and (applied := await applied_migrations()) and (missing := known_migrations() - applied):
        # With the writer's lock held: what others committed is in it, and of several that start at once one does it.
        await keep_backup(location.path, sorted(missing))
    executor = MigrationExecutor(transaction, tortoise_config(location)["apps"])
    # First of all: to look into a table that is not there would end the transaction.
    await executor.recorder.ensure_schema(executor._schema_editor(atomic=False))
    await executor.migrate()


async def applied_migrations() -> set[str]:
    """The migrations that the open database has."""
    try:
        rows = await writer().execute_query_dict("SELECT name FROM tortoise_migrations WHERE app = 'models'")
    except TortoiseOperationalError:
        return set()  # a new database has no such table
    return {row["name"] for row in rows}


def _cannot_open(location: DatabaseLocation, error: BaseException) -> DatabaseError:
    if location.is_postgres:
        return DatabaseUnavailable(
            f"The PostgreSQL database {location} cannot be used: {_first_line(error)}. "
            "Check that it runs, and the address, name and password given with --database."
        )
    text = str(error)
    if "not a database" in text:
        what = "is not a SQLite database"
    elif "unable to open" in text or "readonly" in text or isinstance(error, FileNotFoundError | PermissionError):
        what = "cannot be opened for writing"
    else:
        what = f"cannot be used: {_first_line(error)}"
    return DatabaseUnusable(f"The file {location} {what}. Nothing was changed. Give another with --database.")


def _unreachable() -> tuple[type[BaseException], ...]:
    return (
        *_UNREACHABLE,
        *_postgres_errors(
            "InterfaceError",
            "PostgresConnectionError",
            "CannotConnectNowError",
            "AdminShutdownError",
            "TooManyConnectionsError",
        ),
    )


def _unusable() -> tuple[type[BaseException], ...]:
    return (*_unreachable(), *_postgres_errors("PostgresError"), BaseORMException, ValueError)


def _in_use() -> tuple[type[BaseException], ...]:
    return (*_unreachable(), *_postgres_errors("PostgresError"), TransactionManagementError)


def _postgres_errors(*names: str) -> tuple[type[BaseException], ...]:
    """Errors of asyncpg, if it is in use: whoever works with SQLite shall not wait for its import."""
    asyncpg = sys.modules.get("asyncpg")
    return tuple(getattr(asyncpg, name) for name in names) if asyncpg else ()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what the drivers raise while the database is in use into DatabaseUnavailable; our own mistakes stay bugs."""
    try:
        yield
    except _in_use() as error:
        if is_mistake(error):
            raise
        raise unavailable(error) from error


def writer() -> BaseDBAsyncClient:
    """The connection for writes."""
    return get_connection("sqlite" if is_sqlite() else "postgres")


def reader() -> BaseDBAsyncClient:
    """The connection for reads outside of a transaction. It never waits for a writer."""
    return get_connection("sqlite_reader" if is_sqlite() else "postgres")


def counter() -> BaseDBAsyncClient:
    """The connection for counts: the rows themselves are shown before they are counted."""
    return get_connection("sqlite_counter" if is_sqlite() else "postgres")


def slow_reader() -> BaseDBAsyncClient:
    """The connection for reads that may take long, such as those of the history: no page waits behind them."""
    return get_connection("sqlite_slow_reader" if is_sqlite() else "postgres")


def is_sqlite() -> bool:
    """Whether the open database is SQLite."""
    return "sqlite" in get_connections().db_config
