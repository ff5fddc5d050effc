"""Backups, of both databases and into both: everything up to one moment, whoever submits meanwhile."""

import asyncio
import errno
import os
import sqlite3
import stat
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from models.accounts import AdminIdentity
from models.errors import BackupRefused
from models.submissions import Removal
from services.console import Console, open_console
from storage import backup_files
from storage.database import DatabaseLocation, reader
from tests.backups import OF_THE_MOMENT, digests_in, done, rows_in, select
from tests.postgres import Cluster
from tests.support import ADD, SEARCH, add_keys, an_admin, new_keys, submit
from tests.waiting import comes_true, eventually

ADMINS = 20


@asynccontextmanager
async def admins_at_work(console: Console) -> AsyncIterator[list[int]]:
    """Twenty admins stage and submit, each on a key of its own, again and again; how often each did."""
    admins = [await an_admin(f"admin{number}") for number in range(ADMINS)]
    keys = await add_keys(console, *new_keys(ADMINS))
    rounds, ending = [0] * ADMINS, asyncio.Event()

    async def work(number: int, admin: AdminIdentity) -> None:
        while not ending.is_set():
            await console.staging.stage(admin.id, keys[number].id, SEARCH, rounds[number] % 2 == 0)
            await console.staging.stage(admin.id, keys[number].id, ADD, rounds[number] % 2 == 0)
            await console.staging.submit(admin, uuid.uuid4())
            rounds[number] += 1

    async with asyncio.TaskGroup() as working:
        for number, admin in enumerate(admins):
            working.create_task(work(number, admin))
        try:
            yield rounds
        finally:
            ending.set()


async def live_digests() -> list[str]:
    _, rows = await reader().execute_query("SELECT digest FROM entry ORDER BY number")
    return [row[0] for row in rows]


async def test_a_backup_that_is_made_while_twenty_admins_submit_is_a_prefix_of_the_history(
    database: DatabaseLocation, tmp_path: Path
) -> None:
    restored, made = tmp_path / "restored.db", dict[Path, str]()

    async def somebody_submits_while_one_is_made() -> bool:
        # All twenty may just have staged, and none have submitted, when a small one is done; so perhaps not the first one.
        before, file = sum(rounds), tmp_path / f"backup{len(made)}.db"
        made[file] = await asyncio.to_thread(done, database, "backup", file, "--with-secret")
        return sum(rounds) > before

    async with open_console(database) as console:
        async with admins_at_work(console) as rounds:
            await eventually(lambda: min(rounds) >= 1)
            assert await comes_true(somebody_submits_while_one_is_made), "everybody waits for it"
            after = list(rounds)
            await eventually(lambda: all(now > then for now, then in zip(rounds, after, strict=True)))
        history = await live_digests()
    file, said = list(made.items())[-1]
    in_backup = digests_in(file)
    assert len(in_backup) < len(history)
    assert in_backup == history[: len(in_backup)]
    assert f"{len(in_backup)} entries of the history, 20 keys. Nothing is wrong with it." in said
    assert in_backup[-1] in said
    odd = "SELECT s.row_id FROM staged_change s JOIN authkey k ON k.id = s.row_id WHERE s.grants & k.privileges OR s.revocations & ~k.privileges"
    assert select(file, odd) == [], "what is staged differs from what is stored, as it always does"
    await asyncio.to_thread(done, restored, "restore", file)
    assert digests_in(restored)[: len(in_backup)] == in_backup
    assert select(restored, f"SELECT kind FROM entry WHERE number > {len(in_backup)}") == [("backup restored",)]
    assert "Nothing is wrong" in await asyncio.to_thread(done, restored, "history", "verify")


async def test_a_backup_says_on_record_that_it_was_made_and_holds_nobodys_session(
    database: DatabaseLocation, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    async with open_console(database) as console:
        await console.sessions.begin(console.admin, "192.0.2.1")
        await console.sessions.make_launch_link(console.admin)
        await asyncio.to_thread(done, database, "backup", file)
        newest = (await console.history.newest(1))[0]
    assert (newest.kind, newest.name, newest.detail) == ("backup made", "alice on the command line", "backup.db")
    assert select(file, "SELECT kind, detail FROM entry ORDER BY number DESC LIMIT 1") == [("backup made", "backup.db")]
    assert not any(rows_in(file)[table] for table in OF_THE_MOMENT)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(tmp_path.iterdir()) == sorted({file, *tmp_path.glob("authkeys.db*")})


def fill_with_every_kind_of_value(file: Path) -> None:
    """Rows in every table that no chain guards, with what the two databases write differently."""
    admin = "(SELECT min(id) FROM admin)"
    with closing(sqlite3.connect(file)) as database, database:
        for statement in (
            "UPDATE admin SET disabled = 1, password_hash = 'x' WHERE name = 'beth'",
            f"INSERT INTO pickup_passphrase (digest, privileges, uses, used, revision, networks, admin_id, made_at, removed_at, note, note_key) "
            f"VALUES ('d', 511, 1, 0, 0, '10.0.0.0/8', {admin}, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00.000001+00:00', 'ß “x” 📠', 'ss')",
            f"INSERT INTO preference (admin_id, subject, arrangement) VALUES ({admin}, 'authkey', '{{\"a\": [1, null]}}')",
            f"INSERT INTO key_use (authkey_id, privilege, count, last_at) VALUES ({2**62}, -1, {2**62}, '2026-03-29 01:59:59.999999+00:00')",
            "INSERT INTO key_use_day (authkey_id, privilege, day, count) VALUES (1, 8, 20000, 1)",
            "INSERT INTO former_authkey (id, ip, ip_key, service, service_key) VALUES (77, '::1', x'0600ff0a0d5c00', 'a\\b', 'a\\b')",
            "INSERT INTO refusal (reason, ip, ip_key, authkey_id, service, what, count, first_at, last_at, days) VALUES "
            "('no key', 'unknown', NULL, 0, '', '', 3, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', 5)",
            "INSERT INTO authkey_text (authkey_id, owner, note, text_key) VALUES (77, '', 'line\ttab', '\\N')",
        ):
            database.execute(statement)


async def test_all_rows_of_all_tables_are_the_same_from_sqlite_to_postgresql_and_back(
    sqlite_database: DatabaseLocation, postgres: Cluster, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.backup", tmp_path / "second.backup"
    async with open_console(sqlite_database) as console:
        keys = await add_keys(console, *new_keys(3, SEARCH.mask))
        await an_admin("beth")
        await console.staging.stage(console.admin.id, keys[0].id, ADD, True)
        await console.staging.stage_removal(console.admin.id, keys[1].id)
        await submit(console, Removal(keys[2].id, keys[2].revision))
    fill_with_every_kind_of_value(sqlite_database.path)
    with closing(sqlite3.connect(sqlite_database.path)) as file, file:
        file.execute("UPDATE sqlite_sequence SET seq = 1000 WHERE name = 'authkey'")  # of keys that were purged
    with postgres.new_database() as other:
        done(sqlite_database, "backup", first, "--with-secret")
        await asyncio.to_thread(done, other, "--secret-file", f"{first}.secret", "restore", first)
        await asyncio.to_thread(done, other, "--secret-file", f"{first}.secret", "backup", second)
        async with open_console(other, Path(f"{first}.secret")) as console:
            assert (await add_keys(console, *new_keys(4)[3:]))[0].id == 1001, "an id is never given twice"
    before, after = rows_in(first), rows_in(second)
    known = len(before["entry"])
    assert [row for row in after["entry"] if row[0] <= known] == before["entry"]
    assert [row[4] for row in after["entry"] if row[0] > known] == ["backup restored", "backup made"]
    assert sum(1 for rows in before.values() if rows) >= 14
    for table in before.keys() - {"entry"}:
        assert after[table] == before[table], table


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_stays_as_it_is_also_where_a_file_has_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    part, file = tmp_path / "new.db.part", tmp_path / "new.db"
    part.write_text("ours")
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: _no_links())
    file.write_text("theirs")
    with pytest.raises(BackupRefused, match=r"exists by now\. It was left as it is"):
        backup_files.place(part, file)
    assert file.read_text() == "theirs"
    file.unlink()
    backup_files.place(part, file)
    assert file.read_text() == "ours"


def _no_links() -> None:
    raise OSError(errno.EOPNOTSUPP, "no links here")
