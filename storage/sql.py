"""What statements are made of, for either database."""

from collections.abc import Iterable
from datetime import datetime
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


def statement(text: str, *values: Any, first: int = 1) -> tuple[str, list[Any]]:
    """A statement, or a part of one, and its values: each stands as `{}` where it belongs."""
    if not values:
        return text, []
    # Tortoise hands values of raw statements on as they are; SQLite has no times.
    plain = [each.isoformat(" ") if is_sqlite() and isinstance(each, datetime) else each for each in values]
    return text.format(*parameters(len(values), first).split(", ")), plain


def escaped(text: str) -> str:
    """A text within a pattern of `LIKE … ESCAPE '\\'`, where it means itself."""
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return text


class Conditions:
    """What follows `WHERE`, with its values."""

    def __init__(self, first: int = 1) -> None:
        """`first` is the number of its first placeholder, where others stand before it."""
        self._first = first
        self._parts: list[str] = []
        self.values: list[Any] = []

    def add(self, text: str, *values: Any) -> None:
        """One more, which must hold too; written as `statement` has it."""
        part, plain = statement(text, *values, first=self._first + len(self.values))
        self._parts.append(part)
        self.values += plain

    def __str__(self) -> str:
        return f"WHERE {' AND '.join(self._parts)}" if self._parts else ""
