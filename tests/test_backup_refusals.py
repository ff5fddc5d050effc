"""What a backup and a restore refuse, in words, with nothing changed and nothing left behind; and what a kill leaves."""

import asyncio
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from models.errors import BackupRefused
from services import backups
from storage import backup_files, moving
from storage.database import DatabaseLocation
from tests.backups import command, digests_in, done, refused, rows_in, select
from tests.elsewhere import key
from tests.forked import processes
from tests.postgres import Cluster
from tests.program import import_csv, write_csv

KEYS = 300


@pytest.fixture
def original(sqlite_database: DatabaseLocation, tmp_path: Path) -> DatabaseLocation:
    """A SQLite database with some history."""
    keys = [key(f"10.0.{number >> 8}.{number & 255}", "billing") for number in range(KEYS)]
    import_csv(sqlite_database.text, write_csv(tmp_path / "keys.csv", keys))
    (tmp_path / "keys.csv").unlink()
    done(sqlite_database, "history", "key")  # makes the secret
    return sqlite_database


@pytest.fixture
def backup(original: DatabaseLocation, tmp_path: Path) -> Path:
    """A backup of it, with the secret."""
    folder = tmp_path / "backups"
    folder.mkdir()
    done(original, "backup", folder / "one.db", "--with-secret")
    return folder / "one.db"


def another_secret(file: Path) -> Path:
    file.touch(0o600)
    file.write_text("ab" * 32)
    return file


# -- making one ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", ["new.db", "new.db.secret", "new.db-wal", "new.db.part"])
def test_nothing_that_exists_is_overwritten(original: DatabaseLocation, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    before = digests_in(original.path)
    assert f"{there} exists already" in refused(original, "backup", tmp_path / "new.db", "--with-secret")
    assert (tmp_path / there).read_text() == "precious"
    assert digests_in(original.path) == before
    assert [each.name for each in tmp_path.glob("new.db*")] == [there]


def test_a_backup_of_nothing_and_into_nowhere_is_refused(original: DatabaseLocation, tmp_path: Path) -> None:
    assert "There is no database" in refused(tmp_path / "none.db", "backup", tmp_path / "new.db")
    assert "There is no folder" in refused(original, "backup", tmp_path / "nowhere" / "new.db")
    assert not (tmp_path / "none.db").exists()


def test_a_history_that_somebody_wrote_into_is_no_backup(original: DatabaseLocation, tmp_path: Path) -> None:
    with closing(sqlite3.connect(original.path)) as file, file:
        file.execute("UPDATE modification SET after = 511 WHERE ip = '10.0.0.7'")
    said = refused(original, "backup", tmp_path / "new.db")
    assert "The history is not what was written. Entry #1" in said
    assert list(tmp_path.glob("new.db*")) == []


def test_signed_checkpoints_of_entries_that_are_gone_are_found(original: DatabaseLocation, tmp_path: Path) -> None:
    done(original, "history", "export", "--to", tmp_path / "export.jsonl")
    done(original, "history", "checkpoint", "--to", tmp_path / "checkpoints")
    said = done(original, "backup", tmp_path / "one.db", "--checkpoint", tmp_path / "checkpoints")
    assert "It agrees with 1 checkpoints." in said
    with closing(sqlite3.connect(original.path)) as file, file:
        file.execute("DELETE FROM entry WHERE number >= 2")
    said = refused(original, "backup", tmp_path / "two.db", "--checkpoint", tmp_path / "checkpoints")
    assert "The history is not what was written. Entry #2" in said


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for half of a backup."""
    disk = tmp_path / "disk"
    disk.mkdir()
    size = "size=200k"
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", disk], check=False).returncode:
        pytest.skip("only root can mount a file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    original: DatabaseLocation, backup: Path, small_disk: Path
) -> None:
    said = refused(original, "backup", small_disk / "new.db")
    assert "needs about" in said
    assert "are free on that disk" in said
    assert "are free on that disk" in refused(small_disk / "restored.db", "restore", backup)
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_is_told_and_the_part_goes(
    postgres_database: DatabaseLocation, original: DatabaseLocation, small_disk: Path
) -> None:
    said = refused(postgres_database, "backup", small_disk / "new.db")
    assert "full" in said or "not enough room" in said
    assert list(small_disk.iterdir()) == []
    with pytest.raises(BackupRefused, match="there is not enough room on that disk"):
        backup_files.copy(original.path, small_disk / "new.db")


# -- restoring one -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", ["new.db", "new.db-wal", "new.db-journal"])
def test_a_backup_never_takes_the_place_of_a_database(backup: Path, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    assert f"{there} exists already. Nothing was changed" in refused(tmp_path / "new.db", "restore", backup)
    assert [(each.name, each.read_text()) for each in tmp_path.glob("new.db*")] == [(there, "precious")]


def test_a_postgresql_database_with_anything_in_it_is_left_as_it_is(
    backup: Path, postgres_database: DatabaseLocation
) -> None:
    secret = ("--secret-file", f"{backup}.secret")
    said = refused(postgres_database, *secret, "restore", backup)
    assert "is not empty (it has admin, approval, approval_part). Nothing was changed." in said


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    file.write_bytes(content)


def forge(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE entry SET address = '203.0.113.9' WHERE number = 1")


def age_into_the_future(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', '0999_later', '2030-01-01')"
        )


def another_database(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE letters (text)")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (damage, "is damaged, or no backup"),
        (forge, "The history is not what was written. Entry #1"),
        (age_into_the_future, "was made by a newer version of Authkeys (it has 0999_later)"),
        (another_database, "is a SQLite database, but not one of Authkeys"),
        (lambda file: file.write_text("ip,service\n"), "is damaged, or no backup (file is not a database)"),
        (lambda file: file.unlink(), "There is no file"),
    ],
)
def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(
    backup: Path, tmp_path: Path, postgres: Cluster, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(backup)
    assert words in refused(tmp_path / "new.db", "restore", backup)
    assert list(tmp_path.glob("new.db*")) == []
    with postgres.new_database() as empty:
        assert words in refused(empty, "--secret-file", tmp_path / "new.secret", "restore", backup)
        assert not (tmp_path / "new.secret").exists()
        done(empty, "--secret-file", tmp_path / "other.secret", "admin", "list")  # it is a new database still


# -- the secret ----------------------------------------------------------------------------------------------------------


def test_a_foreign_secret_is_refused_unless_the_loss_is_accepted(backup: Path, tmp_path: Path) -> None:
    secret = another_secret(tmp_path / "other.secret")
    options = ("--secret-file", secret, "restore", backup)
    said = refused(tmp_path / "new.db", *options)
    assert (
        f"The secret in {secret} is not the one that the backup {backup} was made with. Nothing was restored." in said
    )
    assert "--new-secret" in said
    assert list(tmp_path.glob("new.db*")) == []
    done(tmp_path / "new.db", *options, "--new-secret")
    done(tmp_path / "new.db", "--secret-file", secret, "history", "key")
    kinds = [kind for (kind,) in select(tmp_path / "new.db", "SELECT kind FROM entry ORDER BY number")]
    assert kinds == ["submission", "backup made", "secret replaced", "backup restored"]


def test_a_backup_whose_secret_is_nowhere_is_refused(backup: Path, tmp_path: Path) -> None:
    Path(f"{backup}.secret").unlink()
    assert "There is no secret at" in refused(tmp_path / "new.db", "restore", backup)
    assert list(tmp_path.glob("new.db*")) == []


def test_a_backup_opens_where_it_is_with_its_secret_beside_it(backup: Path) -> None:
    assert "Nothing is wrong: 2 entries, 300 modifications." in done(backup, "history", "verify")
    Path(f"{backup}.secret").unlink()
    assert "is not at" in refused(backup, "history", "key")
    done(backup, "admin", "list")
    assert not Path(f"{backup}.secret").exists(), "no new one is made in its place"


def test_a_server_is_not_started_with_a_foreign_secret_until_it_is_accepted(
    original: DatabaseLocation, tmp_path: Path
) -> None:
    foreign = ("--secret-file", another_secret(tmp_path / "other.secret"))
    for arguments in (("--no-browser", "--port", "0"), ("history", "key"), ("backup", tmp_path / "b.db")):
        said = refused(original, *foreign, *arguments)
        assert f"is not the one of the database {original}. Nothing was changed." in said
        assert "new-secret" in said
    done(original, *foreign, "new-secret")
    done(original, *foreign, "history", "key")
    assert "already" in refused(original, *foreign, "new-secret")
    assert "is not the one" in refused(original, "history", "key"), "the one before is foreign now"
    done(original, "admin", "list")  # for which no secret matters


# -- killed in the middle ------------------------------------------------------------------------------------------------


def run_and_stop(pipe: Connection, database: DatabaseLocation, file: Path, secret: Path | None, what: str) -> None:
    """Make or restore a backup; stop for ever when its last row is written, before it is done."""

    def stop(*_: object) -> None:
        pipe.send("now")
        pipe.recv()

    async def write_and_stop(connection: Any, table: moving.Table, file: sqlite3.Connection) -> None:
        await write_table(connection, table, file)
        if table.name == "entry":
            stop()

    write_table, moving._write_table = moving._write_table, write_and_stop
    backup_files.finish = stop  # type: ignore[assignment]
    tempfile.tempdir = str(file.parent)
    work = (
        backups.make_backup(database, secret, file, "alice", with_secret=True)
        if what == "backup"
        else backups.restore_backup(file, database, secret, "alice")
    )
    asyncio.run(work)


def kill_in_the_middle(*arguments: object) -> None:
    ours, theirs = processes.Pipe()
    process = processes.Process(target=run_and_stop, args=(theirs, *arguments), daemon=True)
    process.start()
    assert ours.poll(60)
    assert ours.recv() == "now"
    process.kill()
    process.join()


def test_a_killed_backup_leaves_no_file_of_its_name_and_the_database_as_it_was(
    original: DatabaseLocation, tmp_path: Path
) -> None:
    file = tmp_path / "new.db"
    before = rows_in(original.path)["authkey"]
    kill_in_the_middle(original, file, None, "backup")
    assert not file.exists()
    assert "new.db.part exists already: it is being written at this moment, or who wrote it was killed" in refused(
        original, "backup", file
    )
    (tmp_path / "new.db.part").unlink()
    done(original, "backup", file)
    assert rows_in(original.path)["authkey"] == rows_in(file)["authkey"] == before


def test_a_killed_restore_leaves_no_database_of_that_name(backup: Path, tmp_path: Path) -> None:
    kill_in_the_middle(DatabaseLocation(str(tmp_path / "new.db")), backup, None, "restore")
    assert not (tmp_path / "new.db").exists()
    for part in tmp_path.glob("new.db.part*"):
        part.unlink()
    done(tmp_path / "new.db", "restore", backup)


def test_a_killed_restore_leaves_postgresql_as_empty_as_it_was(backup: Path, postgres: Cluster) -> None:
    secret = Path(f"{backup}.secret")
    with postgres.new_database() as database:
        kill_in_the_middle(database, backup, secret, "restore")
        done(database, "--secret-file", secret, "restore", backup)
        assert f"{KEYS} keys" in done(database, "--secret-file", secret, "backup", backup.with_name("two.db"))
    assert command(backup.with_name("two.db"), "--secret-file", secret, "history", "verify").returncode == 0
