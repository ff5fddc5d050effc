"""Databases with today's tables and nothing in them. To make the tables takes seconds: it is done once, and a test gets a copy."""

import asyncio
import shutil
import tempfile
from functools import cache
from pathlib import Path

from storage.database import DatabaseLocation, open_database
from tests.forked import processes

_SECONDS = 60


def copy_of_tables(file: Path) -> DatabaseLocation:
    """Put a SQLite database there, with nothing in its tables."""
    shutil.copy(_original(_folder().name), file)
    return DatabaseLocation(str(file))


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="authkeys-tables-")  # goes with the process
    make_tables(DatabaseLocation(str(_original(folder.name))))
    return folder


def _original(folder: str) -> Path:
    return Path(folder) / "authkeys.db"


def make_tables(database: DatabaseLocation) -> None:
    """Open it once, in a process of its own, for a test's own may have a loop already."""
    process = processes.Process(target=_open, args=(database,), daemon=True)
    process.start()
    process.join(_SECONDS)
    assert process.exitcode == 0


def _open(database: DatabaseLocation) -> None:
    asyncio.run(_opened(database))


async def _opened(database: DatabaseLocation) -> None:
    async with open_database(database):
        pass
