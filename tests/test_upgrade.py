"""From one release to the next and back: the newer one keeps a backup of a SQLite file, which the older one restores."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import DatabaseLocation
from tests.backups import digests_in, done, refused, rows_in, select
from tests.elsewhere import key
from tests.program import environment, import_csv, write_csv
from tests.starting import ROOT

LATER = """
from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "{newest}")]
    initial = False
    operations = [ops.RunSQL("CREATE TABLE later (id INTEGER PRIMARY KEY)")]
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next release: this one, with one migration more."""
    folder = tmp_path_factory.mktemp("newer")
    shutil.copy(ROOT / "main.py", folder)
    shutil.copytree(ROOT / "storage", folder / "storage", ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("cli", "ui", "api", "web", "services", "models"):
        (folder / part).symlink_to(ROOT / part)
    migrations = folder / "storage" / "migrations"
    newest = max(file.stem for file in migrations.glob("[0-9]*.py"))
    (migrations / "0900_later.py").write_text(LATER.format(newest=newest))
    return folder


@pytest.fixture
def database(sqlite_database: DatabaseLocation, tmp_path: Path) -> Path:
    """A database of this release."""
    import_csv(sqlite_database.text, write_csv(tmp_path / "keys.csv", [key("192.0.2.7", "billing")]))
    done(sqlite_database, "history", "key")  # makes the secret
    return sqlite_database.path


def with_newer(newer: Path, database: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(newer / "main.py"), "--database", str(database), *arguments]
    variables = environment(LOGNAME="alice", PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(command, env=variables, cwd=newer, capture_output=True, text=True, timeout=240, check=False)


def upgrade(newer: Path, database: Path) -> str:
    ended = with_newer(newer, database, "admin", "list")
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def test_the_older_release_refuses_what_the_newer_one_made_and_restores_the_backup_that_it_kept(
    newer: Path, database: Path, tmp_path: Path
) -> None:
    before = rows_in(database)
    kept, restored = tmp_path / "authkeys.db.before-0900.backup", tmp_path / "restored.db"
    said = upgrade(newer, database)
    assert f"As it was before, it is kept in {kept}: the release before can use it." in said
    assert kept.stat().st_mode & 0o777 == 0o600
    assert rows_in(kept) == before
    assert upgrade(newer, database) == "", "it is kept once"

    said = refused(database, "admin", "list")
    assert "was made by a newer version of Authkeys (it has 0900_later). Nothing was changed." in said
    assert "was made by a newer version" in refused(database, "backup", tmp_path / "new.db")
    done(restored, "--secret-file", f"{database}.secret", "restore", kept)
    assert digests_in(restored)[:-1] == digests_in(kept)
    done(restored, "--secret-file", f"{database}.secret", "history", "verify")


def test_who_goes_back_and_comes_again_keeps_both_backups(newer: Path, database: Path, tmp_path: Path) -> None:
    upgrade(newer, database)
    for name in ("authkeys.db", "authkeys.db-wal", "authkeys.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "authkeys.db.before-0900.backup", database)
    import_csv(str(database), write_csv(tmp_path / "more.csv", [key("192.0.2.8", "billing")]))
    upgrade(newer, database)
    first, second = sorted(tmp_path.glob("*.backup"), key=lambda file: len(file.name))
    assert [select(file, "SELECT count(*) FROM authkey") for file in (first, second)] == [[(1,)], [(2,)]]


def test_a_backup_of_an_older_release_is_brought_up_to_date_when_it_is_restored_and_not_changed_itself(
    newer: Path, database: Path, tmp_path: Path
) -> None:
    backup, restored = tmp_path / "old.backup", tmp_path / "restored.db"
    done(database, "backup", backup, "--with-secret")
    content = backup.read_bytes()
    ended = with_newer(newer, restored, "restore", str(backup))
    assert ended.returncode == 0, ended.stderr
    assert select(restored, "SELECT count(*) FROM later") == [(0,)]
    assert backup.read_bytes() == content
    assert list(tmp_path.glob("*before*")) == [], "the backup itself is the way back"


def test_a_database_of_an_older_release_is_not_changed_by_a_backup_of_it(
    newer: Path, database: Path, tmp_path: Path
) -> None:
    ended = with_newer(newer, database, "backup", str(tmp_path / "new.backup"))
    assert ended.returncode == 1
    assert "is of an earlier release, and this one would change it first. Nothing was changed." in ended.stderr
    done(database, "admin", "list")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a file system")
def test_without_room_for_a_backup_the_upgrade_says_so_and_goes_on(newer: Path, database: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], check=True)
    try:
        with closing(sqlite3.connect(database)) as file:
            file.execute("VACUUM INTO ?", [str(disk / "authkeys.db")])
        shutil.copy(f"{database}.secret", disk)
        said = upgrade(newer, disk / "authkeys.db")
        assert "no backup of it could be kept" in said
        assert "are free on that disk" in said
        assert select(disk / "authkeys.db", "SELECT count(*) FROM later") == [(0,)]
        assert list(disk.glob("*.backup")) == []
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
