"""The database as a whole: its schema, who may open it, and that it keeps what it was given."""

import asyncio
import getpass
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tortoise import Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.recorder import MigrationRecorder

from models.addresses import sort_key
from models.errors import DatabaseUnavailable, DatabaseUnusable
from models.secrets import KnownSecret
from models.submissions import CellChange, NewAuthkey, Removal
from models.tables import Authkey, KeyUse
from models.texts import search_key
from services.chain import Chain
from services.console import Console, open_console
from storage import migrations
from storage.database import APP, DatabaseLocation, is_sqlite, open_database, reader, tortoise_config, writer
from storage.sql import parameters
from tests.other_process import OtherProcess
from tests.postgres import Cluster
from tests.support import ADD, SEARCH, add_keys, all_keys, kept_passphrases, new_keys, submit

MIGRATIONS = Path(str(migrations.__file__)).parent


@pytest.fixture
def sqlite_database(tmp_path: Path) -> DatabaseLocation:
    """A SQLite file that does not exist yet."""
    return DatabaseLocation(str(tmp_path / "authkeys.db"))


@pytest.fixture
def postgres_database(postgres: Cluster) -> Iterator[DatabaseLocation]:
    """A PostgreSQL database without tables."""
    with postgres.new_database() as database:
        yield database


async def everything(without: str = "") -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables but one, read without the services."""
    return {
        name: await model.all().using_db(reader()).order_by(model._meta.pk_attr).values()
        for name, model in tables().items()
        if name != without
    }


def tables() -> dict[str, Any]:
    assert Tortoise.apps is not None
    return Tortoise.apps[APP]


SOME_VALUES: dict[str, Any] = {
    "text": "x", "number": 1, "truth": True, "time": datetime(2026, 1, 1, tzinfo=UTC), "uuid": uuid.UUID(int=1),
    "bytes": b"x", "fraction": 1.5,
}  # fmt: skip
_KINDS = {"char(36)": "uuid", "uuid": "uuid", "char": "text", "text": "text", "bool": "truth", "int": "number",
          "time": "time", "blob": "bytes", "bytea": "bytes",
          "real": "fraction", "double": "fraction"}  # fmt: skip


async def columns_of_tables(database: DatabaseLocation) -> dict[str, dict[str, str]]:
    """The tables that there are, whatever the program knows: their columns, and which of `SOME_VALUES` fits each."""
    query = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
        if database.is_postgres
        else "SELECT m.name, c.name, c.type FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c "
        "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
    )
    tables: dict[str, dict[str, str]] = {}
    for table, column, declared in (await reader().execute_query(query))[1]:
        if table != "tortoise_migrations":
            kind = next(kind for part, kind in _KINDS.items() if part in declared.lower())
            tables.setdefault(table, {})[column] = kind
    return tables


async def rows_of(tables: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """What stands in these tables."""
    return {
        table: [dict(row) for row in (await reader().execute_query_dict(f"SELECT * FROM {table} ORDER BY 1"))]
        for table in tables
    }


async def fill(table: str, **values: Any) -> None:
    """Insert a row as an earlier release did: it knew other columns than the program does now."""
    plain = [str(each) if isinstance(each, uuid.UUID) and is_sqlite() else each for each in values.values()]
    quoted = ", ".join(f'"{name}"' for name in values)
    await writer().execute_query(f"INSERT INTO {table} ({quoted}) VALUES ({parameters(len(plain))})", plain)


async def migrate_to(database: DatabaseLocation, release: str) -> None:
    executor = MigrationExecutor(writer(), tortoise_config(database)["apps"])
    await executor.migrate([MigrationTarget(APP, release)])


@asynccontextmanager
async def connected(database: DatabaseLocation) -> AsyncIterator[None]:
    """A look into a database that the product refuses to open."""
    await Tortoise.init(config=tortoise_config(database), _enable_global_fallback=True)
    try:
        yield
    finally:
        await Tortoise.close_connections()


# -- the schema ----------------------------------------------------------------------------------------------------------


async def test_the_migrations_make_the_tables_as_they_are_declared(database: DatabaseLocation) -> None:
    async with open_database(database):
        missing = await MigrationAutodetector(Tortoise.apps, tortoise_config(database)["apps"]).changes()
    assert [operation for migration in missing for operation in migration.operations] == []


async def test_a_new_database_has_all_tables_and_they_are_empty(database: DatabaseLocation) -> None:
    async with open_database(database):
        assert set(await everything()) == {
            "Admin", "Session", "LaunchLink", "Invitation", "Entry", "HistoryCheck", "FormerAuthkey", "Authkey", "AuthkeyText", "RemovedAuthkey", "Submission", "Modification",
            "StagedChange", "StagingStep", "StagingVersion", "PickupPassphrase", "PassphraseUse", "KeyUse", "KeyUseDay", "UseTracking", "DeniedRequest",
            "DeniedHour", "ReplacedSecret", "StoredClockReading", "Preference", "SavedView", "OpenView",
            "Installation", "Approval", "ApprovalPart", "Attempt", "ExternalIdentity", "ProviderSession", "SpentToken",
            "CodeApp", "Passkey", "PasskeyChallenge", "PendingSignIn", "RecoveryCode",
        }  # fmt: skip
        assert not any((await everything()).values())


async def test_a_program_that_ends_in_the_middle_of_the_migrations_can_be_started_again(
    database: DatabaseLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = []

    async def record_applied(_: MigrationRecorder, app: str, name: str) -> None:
        recorded.append((app, name))
        if len(recorded) == 2:
            raise OSError("the power is gone")

    with monkeypatch.context() as power_failure:
        power_failure.setattr(MigrationRecorder, "record_applied", record_applied)
        with pytest.raises(
            DatabaseUnavailable if database.is_postgres else DatabaseUnusable, match="the power is gone"
        ):
            async with open_database(database):
                pass
    async with open_console(database) as console:
        assert len(await add_keys(console, *new_keys(3))) == 3


async def test_a_database_of_the_first_release_keeps_its_keys_and_what_is_staged(database: DatabaseLocation) -> None:
    async with connected(database):
        await migrate_to(database, "0001_initial")
        await writer().execute_query(f"INSERT INTO admin (name) VALUES ('{getpass.getuser()}')")
        now = SOME_VALUES["time"]
        await fill("submission", uuid=uuid.uuid4(), admin_id=1, source="import", at=now, change_count=0, key_count=0)
        for ip, privileges in (("192.0.2.7", ADD.mask), ("192.0.2.8", 0)):
            await Authkey.create(
                ip=ip, ip_key=sort_key(ip), service="billing", service_key="billing", privileges=privileges,
                revision=1,
            )  # fmt: skip
        await fill(
            "staged_change", admin_id=1, authkey_id=1, grants=SEARCH.mask, revocations=0, removal=False,
            revision=1,
        )  # fmt: skip
    async with open_console(database) as console:
        assert [account.name for account in await console.admins.accounts()] == [getpass.getuser()]
        assert {key.ip: key.privileges for key in (await all_keys()).values()} == {
            "192.0.2.7": ADD.mask,
            "192.0.2.8": 0,
        }
        assert (await console.staging.submit(console.admin, uuid.uuid4()))[1:3] == (1, 1)
        assert (await all_keys())[1].privileges == ADD.mask | SEARCH.mask


Table = dict[str, list[dict[str, Any]]]


def all_is_told(before: Table, after: Table) -> None:
    """The history tells of what was on record when there was none."""
    names = {row["id"]: row["name"] for row in after["admin"]}
    told = [(row["at"], row["kind"], names.get(row["admin_id"]), row["address"], row["detail"])
            for row in after["entry"] if row["submission_id"] is None]  # fmt: skip
    access_records = before.get("access_record", ())
    assert told == [(r["at"], r["kind"], r["admin_name"], r["address"], r["detail"]) for r in access_records]
    assert [row["submission_id"] for row in after["entry"] if row["submission_id"]] == [
        r["id"] for r in after["submission"]
    ]


@pytest.mark.parametrize("release", [file.stem for file in sorted(MIGRATIONS.glob("[0-9]*.py"))][:-1])
async def test_a_filled_database_of_every_earlier_release_keeps_all_its_rows(
    database: DatabaseLocation, release: str
) -> None:
    async with connected(database):
        await migrate_to(database, release)
        columns = await columns_of_tables(database)
        referred_to = ("admin", "submission", "pickup_passphrase", "approval")  # by others, which are filled after them
        for table in sorted(columns, key=lambda table: (table not in referred_to, table)):
            await fill(table, **{name: SOME_VALUES[kind] for name, kind in columns[table].items()})
        before = await rows_of(columns)
    async with open_database(database):
        after = await rows_of(await columns_of_tables(database))
        found = await Chain(b"").check()
    if "entry" not in before:
        assert found.fault is None, "what was on record before there was a chain is chained"
        all_is_told(before, after)
    moved = {"staged_change", "staged_passphrase_change", "staging_step", "access_record"}
    for table in before.keys() - moved:
        for old, new in zip(before[table], after[table], strict=True):
            kept = old.keys() - {"staging_version", "note_key", "authkey_id" if table == "modification" else ""}
            assert {name: new[name] for name in kept} == {name: old[name] for name in kept}, table
    row_ids = [row.get("row_id", row.get("authkey_id")) for row in before["modification"]]
    assert [row["row_id"] for row in after["modification"]] == row_ids
    phrases = [(row["note_key"], search_key(row["note"])) for row in after["pickup_passphrase"]]
    assert [key for key, _ in phrases] == [key for _, key in phrases]
    staged = [
        (row.get("subject", subject), row.get("row_id", row.get(f"{row_id}_id")), row["grants"], row["removal"])
        for subject, table, row_id in (
            ("authkey", "staged_change", "authkey"),
            ("passphrase", "staged_passphrase_change", "passphrase"),
        )
        for row in before.get(table, ())
    ]
    now_staged = [(row["subject"], row["row_id"], row["grants"], row["removal"]) for row in after["staged_change"]]
    assert sorted(now_staged) == sorted(staged)
    steps = [(row["number"], row["entries"]) for row in before.get("staging_step", ())]
    assert [(row["number"], row["entries"]) for row in after["staging_step"]] == steps


async def test_the_use_that_needed_no_privilege_keeps_its_meaning(database: DatabaseLocation) -> None:
    async with connected(database):
        await migrate_to(database, "0006_replaced_secrets")
        # The number of privileges stood for it, and would have become a privilege's bit with the tenth.
        await fill("key_use", authkey_id=1, privilege=9, count=5, last_at=SOME_VALUES["time"])
    async with open_database(database):
        assert [use.privilege for use in await KeyUse.all().using_db(reader())] == [-1]


async def test_the_removal_of_a_passphrase_that_was_staged_before_passphrases_had_submissions_stays_decided(
    database: DatabaseLocation,
) -> None:
    now = SOME_VALUES["time"]
    async with connected(database):
        await migrate_to(database, "0007_fixed_numbers_and_clock")
        await fill("admin", name=getpass.getuser())
        await fill("submission", uuid=uuid.uuid4(), admin_id=1, source="grid", at=now, change_count=1, key_count=1)
        for number, changed_since in enumerate((0, 1), 1):
            await fill(
                "pickup_passphrase", digest=str(number), privileges=1, revision=3 + changed_since, uses=1, used=0,
                networks="", admin_id=1, made_at=now, note="",
            )  # fmt: skip
            await fill(
                "staged_passphrase_change", admin_id=1, passphrase_id=number, grants=0, revocations=0, removal=True,
                revision=3,
            )  # fmt: skip
    async with open_console(database) as console:
        staged = await console.passphrase_staging.of(console.admin.id)
        assert list(staged) == [1, 2]
        assert list(staged.conflicts) == [2]
        await console.passphrase_staging.take_back(console.admin.id, [2])
        assert (await console.passphrase_staging.submit(console.admin, uuid.uuid4()))[1:3] == (1, 1)
        assert [each.id for each in await kept_passphrases()] == [2]


# -- files that are something else ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"ip,service\n", b"a letter to a friend\n" * 500, bytes(range(256)) * 64])
async def test_a_file_that_is_no_sqlite_database_is_refused_and_left_as_it_is(
    sqlite_database: DatabaseLocation, content: bytes
) -> None:
    sqlite_database.path.write_bytes(content)
    with pytest.raises(DatabaseUnusable, match=r"authkeys\.db is not a SQLite database\. Nothing was changed\."):
        async with open_database(sqlite_database):
            pass
    assert sqlite_database.path.read_bytes() == content
    assert list(sqlite_database.path.parent.iterdir()) == [sqlite_database.path]


async def test_after_a_refusal_another_database_opens(sqlite_database: DatabaseLocation) -> None:
    sqlite_database.path.write_bytes(b"no database" * 1_000)
    with pytest.raises(DatabaseUnusable):
        async with open_database(sqlite_database):
            pass
    sqlite_database.path.unlink()
    async with open_console(sqlite_database) as console:
        assert len(await add_keys(console, *new_keys(3))) == 3


async def test_an_empty_file_becomes_a_database(sqlite_database: DatabaseLocation) -> None:
    sqlite_database.path.touch()
    async with open_console(sqlite_database) as console:
        assert len(await add_keys(console, *new_keys(3))) == 3


# -- opening together, opening again -------------------------------------------------------------------------------------


async def add_one_key(console: Console, ip: str) -> None:
    await submit(console, NewAuthkey(ip, "billing", SEARCH.mask))


async def test_processes_that_start_at_the_same_moment_on_an_empty_database_all_succeed(
    database: DatabaseLocation,
) -> None:
    ips = [f"192.0.2.{n}" for n in range(3)]
    processes = [OtherProcess(database, "ada") for _ in ips]
    try:
        assert await asyncio.gather(*(process.told() for process in processes)) == ["open"] * 3
        await asyncio.gather(*(process.do(add_one_key, ip) for process, ip in zip(processes, ips, strict=True)))
        await asyncio.gather(*(process.end() for process in processes))
    finally:
        for process in processes:
            process.kill()
    async with open_database(database):
        assert sorted(key.ip for key in (await all_keys()).values()) == ips
        stored = await everything()
        assert [row["name"] for row in stored["Admin"]] == ["ada"], "made once, though all of them wanted it"


async def test_a_filled_database_opens_again_with_the_same_content(database: DatabaseLocation) -> None:
    async with open_console(database) as console:
        one, two, three = await add_keys(
            console, NewAuthkey("192.0.2.7", "Büro, 📠", 257, KnownSecret("d" * 64, "wxyz")), *new_keys(2, SEARCH.mask)
        )
        await submit(console, CellChange(one.id, ADD.mask, 0), Removal(two.id, two.revision))
        await console.staging.stage(console.admin.id, three.id, ADD, True)
        await console.passphrases.add(console.admin, "correct horse battery", SEARCH.mask)
        before = await everything(without="StoredClockReading")
        kept = {"Admin", "Authkey", "RemovedAuthkey", "Submission", "Modification", "StagedChange", "PickupPassphrase"}
        assert all(before[table] for table in kept)
    for _ in range(2):
        async with open_console(database) as console:
            assert await everything(without="StoredClockReading") == before
    async with open_console(database) as console:
        assert set((await console.staging.of(console.admin.id)).entries) == {three.id}
        assert (await console.staging.submit(console.admin, uuid.uuid4()))[1:3] == (1, 1)
