"""Each trouble of a database is told as what it is, and a mistake of ours is no outage."""

import asyncio

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from models.errors import DatabaseError, DatabaseUnavailable
from services.console import Console
from storage.database import database_errors, reader
from storage.database_problems import is_mistake
from storage.transactions import run_transaction
from tests.support import add_keys, all_keys, new_keys

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)


@pytest.mark.parametrize("mistake", ["SELECT nothing FROM authkey", "SELECT FROM WHERE", "SELECT * FROM no_such_table"])
async def test_a_mistake_in_our_sql_is_no_outage(console: Console, mistake: str) -> None:
    for work in (lambda: run_transaction(lambda db: db.execute_query(mistake)), lambda: _read(mistake)):
        with pytest.raises(Exception, match=r"nothing|syntax|no_such_table") as raised:
            await work()
        assert not isinstance(raised.value, DatabaseError)
        assert is_mistake(raised.value)


async def _read(query: str) -> None:
    with database_errors():
        await reader().execute_query(query)


def raises(state: str) -> list[str]:
    return [f"DO $$ BEGIN RAISE EXCEPTION 'a trouble' USING ERRCODE = '{state}'; END $$"]


@on_postgres
@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["SET LOCAL statement_timeout = 20", "SELECT pg_sleep(20)"], "it took too long"),
        (["SET TRANSACTION READ ONLY", "DELETE FROM authkey"], "can only be read now"),
        (raises("53100"), "The disk of the database is full"),
        (raises("53300"), "takes no more connections"),
        (raises("53200"), "lacks memory or another resource"),
        (raises("42501"), "has not the right to do this"),
        (raises("57P01"), "is being stopped or started"),
        (["SELECT pg_terminate_backend(pg_backend_pid())"], "stopped or started|connection"),
    ],
)
async def test_what_is_wrong_with_postgres_is_told(console: Console, statements: list[str], words: str) -> None:
    async def work(db: BaseDBAsyncClient) -> None:
        for statement in statements:
            await db.execute_query(statement)

    with pytest.raises(DatabaseUnavailable, match=words) as told:
        await run_transaction(work)
    assert str(told.value).endswith("Nothing that you staged is lost; try again.")


@on_postgres
async def test_of_two_transactions_in_a_deadlock_both_are_stored(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2))
    locked = [asyncio.Event(), asyncio.Event()]

    async def grant_both(db: BaseDBAsyncClient, mine: int, first: int, second: int) -> None:
        await db.execute_query(f"UPDATE authkey SET privileges = privileges + 1 WHERE id = {first}")
        locked[mine].set()
        await locked[1 - mine].wait()
        await db.execute_query(f"UPDATE authkey SET privileges = privileges + 1 WHERE id = {second}")

    await asyncio.gather(
        run_transaction(lambda db: grant_both(db, 0, one.id, two.id)),
        run_transaction(lambda db: grant_both(db, 1, two.id, one.id)),
    )
    assert [key.privileges for key in (await all_keys()).values()] == [2, 2]


@on_postgres
async def test_a_transaction_that_is_undone_again_and_again_is_told_as_that(console: Console) -> None:
    attempts = []

    async def work(db: BaseDBAsyncClient) -> None:
        attempts.append(1)
        await db.execute_query(raises("40001")[0])

    with pytest.raises(DatabaseUnavailable, match="Another change to the same rows was stored first"):
        await run_transaction(work)
    assert len(attempts) == 4
