"""Submitting staged changes: the product's service against a bare sqlite3 script that writes the same rows."""

import shutil
import sqlite3
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime
from os import sync
from pathlib import Path

from models.privileges import PRIVILEGES
from services.console import open_console
from storage.database import DatabaseLocation


async def measure_submits(database: Path, changes: int, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of the product and of the bare script, one after the other, each on a fresh copy with staged changes."""
    prepared = database.with_name(f"staged-{changes}.db")
    _stage(database, prepared, changes)
    product, bare = [], []
    copies = [database.with_name("product.db"), database.with_name("bare.db")]
    for _ in range(runs):
        for copy in copies:
            shutil.copyfile(prepared, copy)
        sync()  # what the copies left to be written is not the submissions' to wait for
        product.append(await _submit_by_product(copies[0], changes))
        bare.append(_submit_by_script(copies[1]))
        if _written(copies[0]) != _written(copies[1]):
            raise RuntimeError("The bare script did not write the same rows as the product.")
    for file in (prepared, *copies):
        file.unlink()
    return product, bare


def _stage(database: Path, target: Path, count: int) -> None:
    """A copy in which the admin has staged one change for each of so many keys, spread over the whole table."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        for table in ("staged_change", "staging_version"):  # of other benchmarks, where the database was kept
            copy.execute(f"DELETE FROM {table}")
        (total,) = copy.execute("SELECT COUNT(*) FROM authkey").fetchone()
        rows = copy.execute(
            "SELECT id, privileges FROM authkey WHERE id % ? = 0 ORDER BY id LIMIT ?", (total // count, count)
        )
        staged = []
        for id_, privileges in rows:
            mask = 1 << id_ % len(PRIVILEGES)
            staged.append((id_, mask & ~privileges, mask & privileges))
        copy.executemany(
            "INSERT INTO staged_change (admin_id, subject, row_id, grants, revocations, removal, revision) "
            "SELECT id, 'authkey', ?, ?, ?, 0, 0 FROM admin",
            staged,
        )
        copy.commit()


async def _submit_by_product(database: Path, changes: int) -> float:
    async with open_console(DatabaseLocation(str(database))) as console:
        await console.staging.of(console.admin.id)  # as in a server, where a page shows what is staged
        started = time.perf_counter()
        receipt = await console.staging.submit(console.admin, uuid.uuid4())
        seconds = time.perf_counter() - started
    if receipt.change_count != changes:
        raise RuntimeError(f"{receipt.change_count} changes were submitted instead of {changes}.")
    return seconds


def _submit_by_script(database: Path) -> float:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -32000", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        (revision,) = connection.execute("SELECT MAX(id) + 1 FROM submission").fetchone()
        (admin,) = connection.execute("SELECT id FROM admin").fetchone()
        rows = connection.execute(
            "SELECT row_id, authkey.ip, authkey.service, privileges, privileges & ~revocations | grants "
            "FROM staged_change JOIN authkey ON authkey.id = row_id ORDER BY staged_change.id"
        ).fetchall()
        modifications = [(revision, id_, "changed", ip, service, was, is_) for id_, ip, service, was, is_ in rows]
        updates = [(is_, revision, id_) for id_, _, _, _, is_ in rows]
        submission = (revision, str(uuid.uuid4()), admin, "grid", str(datetime.now(UTC)), len(rows), len(rows))
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO submission (id, uuid, admin_id, source, at, change_count, key_count) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            submission,
        )
        connection.executemany(
            "INSERT INTO modification (submission_id, row_id, kind, ip, service, before, after) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            modifications,
        )
        connection.executemany("UPDATE authkey SET privileges = ?, revision = ? WHERE id = ?", updates)
        connection.execute("DELETE FROM staged_change WHERE admin_id = ?", (admin,))
        connection.execute("INSERT INTO staging_version (admin_id, subject, number) VALUES (?, 'authkey', 1)", (admin,))
        connection.execute("COMMIT")
        return time.perf_counter() - started


def _written(database: Path) -> list[list[tuple]]:
    with closing(sqlite3.connect(database)) as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "SELECT admin_id, source, change_count, key_count FROM submission ORDER BY id",
                "SELECT submission_id, row_id, kind, ip, service, before, after FROM modification "
                "WHERE submission_id = (SELECT MAX(id) FROM submission) ORDER BY row_id",
                "SELECT id, privileges FROM authkey WHERE revision = (SELECT MAX(id) FROM submission) ORDER BY id",
                "SELECT COUNT(*) FROM staged_change",
                "SELECT admin_id, number FROM staging_version",
            )
        ]
