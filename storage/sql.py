"""What statements are made of, for either database."""

from collections.abc import Iterable
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from storage.database import is_sqlite


def parameters(count: int, first: int = 1) -> str:
    """`count` placeholders of the open database, with commas: `?, ?` or `$1, $2`."""
    if is_sqlite():
        return ", ".join("?" * count)
    return ", ".join(f"${number}" for number in range(first, first + count))


def ids(numbers: Iterable[int]) -> str:
    """Ids of our own, with commas, to be written into a statement; there may be more of them than placeholders."""
    return ",".join(str(int(each)) for each in numbers)


def later(table: str) -> str:
    """The later one of the stored and the new time: batches of several processes arrive in any order."""
    return f"CASE WHEN excluded.last_at > {table}.last_at THEN excluded.last_at ELSE {table}.last_at END"


async def insert(db: BaseDBAsyncClient, into: str, rows: list[list[Any]]) -> None:
    """Insert many rows at once; `into` is a table with its columns, as in `modification (ip, kind)`."""
    if rows:
        await db.execute_many(f"INSERT INTO {into} VALUES ({parameters(len(rows[0]))})", rows)
