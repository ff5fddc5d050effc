"""Copies of SQLite files: made while others write, made one whole file, checked, and kept before the schema changes.

SQLite's online backup (sqlite.org/backup.html) begins anew whenever another connection writes between two of its steps. Within
a read transaction of a WAL database it does not: it copies that moment, and nobody who writes waits for it.
"""

import asyncio
import errno
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from models.errors import BackupRefused

SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite puts beside a database while it is open, or when its last user was killed (sqlite.org/tempfiles.html)"""
_PAGES = 1_000
"""That are copied in one step: 4 MB, after which other threads have a turn."""

log = logging.getLogger(__name__)


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Turn what goes wrong while a new file is written into words: the disk is full, or the folder is not ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise
        raise BackupRefused(_cannot_be_written(file, "there is not enough room on that disk")) from error
    except OSError as error:
        raise BackupRefused(_cannot_be_written(file, error.strerror or str(error))) from error


def _cannot_be_written(file: Path, why: str) -> str:
    return f"{file} cannot be written: {why}. What was begun there is deleted; nothing else was changed."


def require_room(file: Path, size: int) -> None:
    """Raise BackupRefused if the disk of a new file has clearly not so many bytes left."""
    free = shutil.disk_usage(file.parent).free
    if free < size:
        raise BackupRefused(
            f"{file} needs about {megabytes(size)}, and only {megabytes(free)} are free on that disk. Nothing was changed."
        )


def megabytes(size: int) -> str:
    """A size in bytes, for people."""
    return f"{size / 1_000_000:,.1f} MB"


def size_of(file: Path) -> int:
    """How many bytes a copy of this database takes, at most."""
    log_file = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (log_file.stat().st_size if log_file.exists() else 0)


def create(file: Path) -> None:
    """Make a new, empty file that its user only can read. Raises FileExistsError."""
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def copy(source: Path, target: Path) -> None:
    """Copy a SQLite database, as it is at this moment, into a file that is there and empty. Blocks.

    Raises BackupRefused if there is no room, and sqlite3.Error for a source that is damaged.
    """
    with writing(target), closing(_read_only(source)) as old, closing(sqlite3.connect(target)) as new:
        old.execute("BEGIN")
        old.execute(
            "SELECT count(*) FROM sqlite_master"
        ).fetchone()  # a deferred transaction begins with its first read
        old.backup(new, pages=_PAGES)


def _read_only(file: Path) -> sqlite3.Connection:
    # Who may write there deletes at the end what SQLite puts beside a WAL database that it reads; others would leave it.
    mode = "rw" if os.access(file, os.W_OK) else "ro"
    database = sqlite3.connect(f"{file.as_uri()}?mode={mode}", uri=True, isolation_level=None)
    database.execute("PRAGMA query_only = ON")
    return database


def finish(file: Path) -> None:
    """Make it one file that needs no others beside it, and durable. Blocks; nobody may have it open."""
    with writing(file):
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA journal_mode = DELETE")
        sync(file)


def place(part: Path, file: Path) -> None:
    """Give a file its name, durably, unless there is one of that name. Raises BackupRefused if there is."""
    try:
        os.link(part, file)
    except FileExistsError:
        raise BackupRefused(f"{file} exists by now. It was left as it is; give another file.") from None
    except OSError as error:
        # Network shares and file systems of other worlds know no second names of a file.
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        if os.path.lexists(file):
            raise BackupRefused(f"{file} exists by now. It was left as it is; give another file.") from None
        part.rename(file)
    with suppress(OSError):  # they may not know this of folders either
        sync(file.parent)


def sync(path: Path) -> None:
    """Make what was written to a file, or the names in a folder, outlive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(file: Path) -> None:
    """Delete a file that did not become what it should, with what SQLite left beside it."""
    for suffix in ("", *SIDE_FILES):
        file.with_name(f"{file.name}{suffix}").unlink(missing_ok=True)


def fault_in(file: Path) -> str:
    """What is wrong with a SQLite file, in words; empty if nothing is. Blocks."""
    try:
        with closing(_read_only(file)) as database:
            found = str(database.execute("PRAGMA integrity_check(1)").fetchone()[0])
            broken = database.execute("PRAGMA foreign_key_check").fetchone() if found == "ok" else None
    except sqlite3.Error as error:
        return str(error)
    if found != "ok":
        return " ".join(found.split())
    return f"a row of {broken[0]} belongs to none of {broken[2]}" if broken else ""


def migrations_in(file: Path) -> set[str]:
    """Of which release the backup in a file is. Blocks. Raises BackupRefused for what is none, or is damaged."""
    if not file.is_file():
        raise BackupRefused(f"There is no file {file}. Nothing was changed.")
    if fault := fault_in(file):
        raise BackupRefused(f"{file} is damaged, or no backup ({fault}). Nothing was changed. Use another backup.")
    with closing(_read_only(file)) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "tortoise_migrations" not in tables:
            raise BackupRefused(f"{file} is a SQLite database, but not one of Authkeys. Nothing was changed.")
        return {row[0] for row in database.execute("SELECT name FROM tortoise_migrations WHERE app = 'models'")}


# -- before the schema changes -------------------------------------------------------------------------------------------


async def keep_backup(file: Path, missing: Sequence[str]) -> None:
    """Keep a copy of a SQLite database beside it before these migrations, and say where; without room, say that there is none."""
    backup = _free_name(file, f"before-{missing[0].partition('_')[0]}")
    try:
        require_room(backup, size_of(file))
        await asyncio.to_thread(_keep, file, backup)
    except (BackupRefused, OSError, sqlite3.Error) as error:
        remove(backup)
        log.warning("The database %s is brought up to date, and no backup of it could be kept: %s", file, error)
        return
    log.warning(
        "The database %s is brought up to date (%d steps). As it was before, it is kept in %s: the release before can use it. "
        "Delete it when you need it no more.",
        *(file, len(missing), backup),
    )


def _keep(file: Path, backup: Path) -> None:
    create(backup)
    copy(file, backup)
    finish(backup)
    sync(backup.parent)


def _free_name(file: Path, suffix: str) -> Path:
    """A name that no file has: who went back to the release before and comes again keeps the first backup too."""
    names = (f"{file.name}.{suffix}{f'-{number}' if number > 1 else ''}.backup" for number in range(1, 1_000))
    return next(file.with_name(each) for each in names if not file.with_name(each).exists())
