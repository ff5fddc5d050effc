"""The SQLite engine: its settings, and that no transaction stays open, whatever happens to who began it."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError, OperationalError, TransactionManagementError
from tortoise.transactions import in_transaction

from models.errors import DatabaseUnavailable
from models.tables import Admin
from storage.database import DatabaseLocation, open_database, reader, writer
from storage.sqlite_engine import SafeSqliteClient
from storage.transactions import finish_transactions, run_transaction
from tests.waiting import PATIENCE_SECONDS, eventually

INSERT_ORPHAN = (
    "INSERT INTO staged_change (admin_id, subject, row_id, grants, revocations, removal, revision) "
    "VALUES (4711, 'authkey', 1, 0, 0, 0, 0)"
)
"""Of an admin who does not exist."""


@pytest.fixture(autouse=True)
async def opened(sqlite_database: DatabaseLocation) -> AsyncIterator[DatabaseLocation]:
    async with open_database(sqlite_database):
        yield sqlite_database


@contextmanager
def another_program(database: DatabaseLocation) -> Iterator[sqlite3.Connection]:
    """A connection that waits for nobody."""
    with closing(sqlite3.connect(database.path, timeout=0, isolation_level=None)) as connection:
        yield connection


async def names() -> list[str]:
    return sorted([row.name for row in await Admin.all().using_db(reader())])


async def add_two(name: str) -> None:
    """A transaction of several statements."""
    async with in_transaction("sqlite") as db:
        await Admin.create(name=f"{name} 1", using_db=db)
        await Admin.create(name=f"{name} 2", using_db=db)


async def fail_in_the_middle() -> None:
    async with in_transaction("sqlite") as db:
        await Admin.create(name="ada", using_db=db)
        raise ZeroDivisionError


async def break_the_commit(db: BaseDBAsyncClient) -> None:
    """SQLite looks at deferred foreign keys in COMMIT, refuses it, and leaves the transaction open."""
    await Admin.create(name="grace", using_db=db)
    await db.execute_query("PRAGMA defer_foreign_keys = ON")
    await db.execute_query(INSERT_ORPHAN)


def client() -> SafeSqliteClient:
    connection = writer()
    assert isinstance(connection, SafeSqliteClient)
    return connection


def can_be_written(database: DatabaseLocation) -> bool:
    """Whether another program gets SQLite's write lock at once."""
    with another_program(database) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True


def is_idle(database: DatabaseLocation) -> bool:
    """Whether this process holds neither its own lock nor SQLite's."""
    return not client()._lock.locked() and can_be_written(database)


# -- settings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 15_000)],
)
async def test_both_connections_keep_what_was_confirmed_and_wait_for_others(pragma: str, value: str | int) -> None:
    for connection in (writer(), reader()):
        _, rows = await connection.execute_query(f"PRAGMA {pragma}")
        assert rows[0][0] == value


async def test_foreign_keys_are_enforced() -> None:
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        await writer().execute_query(INSERT_ORPHAN)


async def test_the_reader_cannot_write() -> None:
    with pytest.raises(OperationalError, match="readonly"):
        await Admin.create(name="ada", using_db=reader())


async def test_a_transaction_has_the_write_lock_from_its_beginning_and_readers_do_not_wait(
    opened: DatabaseLocation,
) -> None:
    async with in_transaction("sqlite") as db:
        assert not can_be_written(opened)
        await Admin.create(name="ada", using_db=db)
        assert await names() == []
    assert is_idle(opened)
    assert await names() == ["ada"]


# -- transactions that fail ----------------------------------------------------------------------------------------------


async def test_what_fails_in_the_middle_is_rolled_back(opened: DatabaseLocation) -> None:
    with pytest.raises(ZeroDivisionError):
        await fail_in_the_middle()
    assert is_idle(opened)
    assert await names() == []


async def test_a_commit_that_fails_is_rolled_back(opened: DatabaseLocation) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        async with in_transaction("sqlite") as db:
            await break_the_commit(db)
    assert is_idle(opened)
    await add_two("ada")
    assert await names() == ["ada 1", "ada 2"]


async def test_a_service_whose_commit_fails_is_told_that_the_database_does_not_answer(opened: DatabaseLocation) -> None:
    with pytest.raises(DatabaseUnavailable, match="FOREIGN KEY"):
        await run_transaction(break_the_commit)
    assert is_idle(opened)
    assert await names() == []


async def test_one_statement_for_many_rows_writes_all_or_none(opened: DatabaseLocation) -> None:
    with pytest.raises(IntegrityError):
        await writer().execute_many("INSERT INTO admin (name) VALUES (?)", [["ada"], ["grace"], ["ada"]])
    assert is_idle(opened)
    assert await names() == []
    await writer().execute_many("INSERT INTO admin (name) VALUES (?)", [["ada"], ["grace"]])
    assert await names() == ["ada", "grace"]


async def test_a_task_that_outlives_the_transaction_it_was_born_in_is_refused() -> None:
    over = asyncio.Event()

    async def write_later() -> None:
        await over.wait()
        await Admin.create(name="too late")

    async with in_transaction("sqlite"):
        late = asyncio.create_task(write_later())
    over.set()
    with pytest.raises(TransactionManagementError, match="a transaction that is over"):
        await late
    assert await names() == []


# -- callers that are cancelled ------------------------------------------------------------------------------------------


async def add_two_at_once(name: str) -> None:
    await writer().execute_many("INSERT INTO admin (name) VALUES (?)", [[f"{name} 1"], [f"{name} 2"]])


@pytest.mark.parametrize("often", [False, True], ids=["once", "again and again"])
@pytest.mark.parametrize("add", [add_two, add_two_at_once])
@pytest.mark.parametrize(
    ("statement", "stored"),
    [
        ("BEGIN IMMEDIATE", []),
        ("'ada 1'", []),
        ("'ada 2'", []),
        ("COMMIT", ["ada 1", "ada 2"]),
    ],
)
async def test_a_cancelled_transaction_happened_whole_or_not_at_all_and_is_over(
    opened: DatabaseLocation, add: Callable[[str], Coroutine], statement: str, stored: list[str], often: bool
) -> None:
    await cancel_in(statement, add("ada"), often)
    await eventually(lambda: is_idle(opened))
    assert await names() == stored
    await add("grace")
    assert await names() == [*stored, "grace 1", "grace 2"]


@pytest.mark.parametrize("often", [False, True], ids=["once", "again and again"])
async def test_nor_does_one_stay_open_that_is_cancelled_while_it_is_rolled_back(
    opened: DatabaseLocation, often: bool
) -> None:
    await cancel_in("ROLLBACK", fail_in_the_middle(), often)
    await eventually(lambda: is_idle(opened))
    assert await names() == []


async def cancel_in(statement: str, work: Coroutine, often: bool) -> None:
    """Cancel the work while SQLite's thread is in this statement, once or at every turn of the event loop."""
    loop, cancelled = asyncio.get_running_loop(), threading.Event()
    task = loop.create_task(work)

    def cancel() -> None:
        task.cancel()
        loop.call_soon(cancelled.set)
        if often and not task.done():
            loop.call_soon(cancel)

    def trace(sql: str) -> None:
        if statement in sql and not cancelled.is_set():
            loop.call_soon_threadsafe(cancel)
            cancelled.wait(PATIENCE_SECONDS)

    connection = client()._connection
    await connection.set_trace_callback(trace)
    await asyncio.wait([task])
    await connection.set_trace_callback(None)
    assert task.cancelled()


async def test_who_is_cancelled_while_another_program_writes_does_not_begin_later(opened: DatabaseLocation) -> None:
    with another_program(opened) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(add_two("ada"))
        await eventually(client()._lock.locked)
        waiting.cancel()
        other.execute("INSERT INTO admin (name) VALUES ('other')")
        other.execute("COMMIT")
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert is_idle(opened)
    assert await names() == ["other"]


async def test_who_is_cancelled_in_the_queue_leaves_it(opened: DatabaseLocation) -> None:
    async with in_transaction("sqlite"):
        queued = [asyncio.create_task(add_two(name)) for name in ("ada", "grace")]
        await asyncio.sleep(0)
        queued[0].cancel()
    await asyncio.wait(queued)
    assert is_idle(opened)
    assert await names() == ["grace 1", "grace 2"]


async def test_a_service_whose_caller_is_cancelled_finishes_its_work(opened: DatabaseLocation) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(db: BaseDBAsyncClient) -> None:
        await Admin.create(name="ada", using_db=db)
        begun.set()
        await go_on.wait()
        await Admin.create(name="grace", using_db=db)

    caller = asyncio.create_task(run_transaction(work))
    await begun.wait()
    caller.cancel()
    await asyncio.wait([caller])
    assert caller.cancelled()
    go_on.set()
    await finish_transactions()
    assert is_idle(opened)
    assert await names() == ["ada", "grace"]


# -- connecting ----------------------------------------------------------------------------------------------------------


async def test_who_connects_while_another_process_prepares_the_new_file_waits(tmp_path: Path) -> None:
    new, refused = DatabaseLocation(str(tmp_path / "new.db")), asyncio.Event()

    class Client(SafeSqliteClient):
        async def close(self) -> None:
            await super().close()
            refused.set()

    with another_program(new) as other:
        other.execute("CREATE TABLE being_prepared (id)")
        other.execute("BEGIN IMMEDIATE")
        connection = Client(str(new.path), connection_name="new", busy_timeout=15_000)
        connecting = asyncio.create_task(connection.create_connection(with_db=True))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await refused.wait()
        other.execute("COMMIT")
    await connecting
    _, rows = await connection.execute_query("PRAGMA journal_mode")
    assert rows[0][0] == "wal"
    await connection.close()
