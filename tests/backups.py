"""Backups as the commands make and restore them, and what stands in a SQLite file, row by row."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from storage.database import DatabaseLocation
from tests.forked import Done, run_forked
from tests.program import environment

OF_THE_MOMENT = {
    "session", "launch_link", "open_view", "attempt", "spent_token", "provider_session", "pending_sign_in", "passkey_challenge",
}  # fmt: skip
"""No backup brings these back."""


def command(database: DatabaseLocation | Path, *arguments: str | Path) -> Done:
    """Run `main.py` on this database."""
    text = database.text if isinstance(database, DatabaseLocation) else str(database)
    return run_forked(["--database", text, *map(str, arguments)], environment(LOGNAME="alice"))


def done(database: DatabaseLocation | Path, *arguments: str | Path) -> str:
    """What a command said that succeeded."""
    ended = command(database, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def refused(database: DatabaseLocation | Path, *arguments: str | Path) -> str:
    """What a command said that ended with 1."""
    ended = command(database, *arguments)
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr
    return ended.stderr


def rows_in(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, each value with its type, and which ids were given."""
    with closing(sqlite3.connect(file)) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found: dict[str, list[tuple[Any, ...]]] = {}
        for name in sorted({*names} - {"tortoise_migrations"}):
            columns = [row[1] for row in database.execute(f'PRAGMA table_info("{name}")')]
            typed = ", ".join(f'"{each}", typeof("{each}")' for each in columns)
            found[name] = sorted(database.execute(f'SELECT {typed} FROM "{name}"'), key=repr)
        return found


def select(file: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in a SQLite file."""
    with closing(sqlite3.connect(file)) as database:
        return database.execute(query).fetchall()


def digests_in(file: Path) -> list[str]:
    """The chain: the digest of each entry, in their order."""
    return [row[0] for row in select(file, "SELECT digest FROM entry ORDER BY number")]
