"""The database as a whole: its schema, who may open it, and that it keeps what it was given."""

import asyncio
import getpass
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from tortoise import Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.recorder import MigrationRecorder

from models.addresses import sort_key
from models.errors import DatabaseUnavailable, DatabaseUnusable
from models.submissions import CellChange, NewAuthkey, Removal
from models.tables import Authkey, KeyUse, StagedChange, Submission
from services.console import Console, open_console
from storage.database import APP, DatabaseLocation, open_database, reader, tortoise_config, writer
from tests.other_process import OtherProcess
from tests.support import ADD, SEARCH, add_keys, all_keys, new_keys, submit


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


def some_row(model: Any) -> dict[str, Any]:
    """A value for each column of a table, foreign keys to the first row included."""
    values = {str: "x", int: 1, bool: True, datetime: datetime.now(UTC), uuid.UUID: uuid.uuid4(), bytes: b"x"}
    columns = {name: field for name, field in model._meta.fields_map.items() if field.has_db_field}
    return {name: values[field.field_type] for name, field in columns.items()}


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
            "Admin", "Session", "LaunchLink", "AccessRecord", "Authkey", "RemovedAuthkey", "Submission", "Modification",
            "StagedChange", "StagingStep", "PickupPassphrase", "PassphraseUse", "StagedPassphraseChange", "KeyUse", "UseTracking", "Refusal",
            "ReplacedSecret", "StoredClockReading",
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
        executor = MigrationExecutor(writer(), tortoise_config(database)["apps"])
        await executor.migrate([MigrationTarget(APP, "0001_initial")])
        await writer().execute_query(f"INSERT INTO admin (name) VALUES ('{getpass.getuser()}')")
        submission = await Submission.create(uuid=uuid.uuid4(), admin_id=1, source="import", at=datetime.now(UTC))
        for ip, privileges in (("192.0.2.7", ADD.mask), ("192.0.2.8", 0)):
            await Authkey.create(
                ip=ip, ip_key=sort_key(ip), service="billing", service_key="billing", privileges=privileges,
                revision=submission.id,
            )  # fmt: skip
        await StagedChange.create(
            admin_id=1, authkey_id=1, grants=SEARCH.mask, revocations=0, removal=False, revision=submission.id
        )
    async with open_console(database) as console:
        assert [account.name for account in await console.admins.accounts()] == [getpass.getuser()]
        assert {key.ip: key.privileges for key in (await all_keys()).values()} == {
            "192.0.2.7": ADD.mask,
            "192.0.2.8": 0,
        }
        assert (await console.staging.submit(console.admin, uuid.uuid4()))[1:] == (1, 1)
        assert (await all_keys())[1].privileges == ADD.mask | SEARCH.mask


async def test_a_filled_database_of_the_release_before_the_clock_was_read_keeps_all_its_rows(
    database: DatabaseLocation,
) -> None:
    async with connected(database):
        executor = MigrationExecutor(writer(), tortoise_config(database)["apps"])
        await executor.migrate([MigrationTarget(APP, "0006_replaced_secrets")])
        referred_to = ("Admin", "Submission", "PickupPassphrase")
        for name in (*referred_to, *(tables().keys() - {*referred_to, "StoredClockReading"})):
            await tables()[name].create(**some_row(tables()[name]))
        # The number of privileges stood for a use that needed none.
        await KeyUse.create(id=2, authkey_id=1, privilege=9, count=5, last_at=datetime.now(UTC))
        before = await everything(without="StoredClockReading")
    async with open_database(database):
        after = await everything(without="StoredClockReading")
        assert await tables()["StoredClockReading"].all().count() == 0
    assert (before["KeyUse"][1].pop("privilege"), after["KeyUse"][1].pop("privilege")) == (9, -1)
    assert after == before


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
            console, NewAuthkey("192.0.2.7", "Büro, 📠", 257, "d" * 64, "wxyz"), *new_keys(2, SEARCH.mask)
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
        assert (await console.staging.submit(console.admin, uuid.uuid4()))[1:] == (1, 1)
