"""The signals of commits: what watches a database ends in order, whenever it is told to."""

import asyncio
import sqlite3
import threading
import time
from typing import Any

import pytest

from storage.database import DatabaseLocation
from storage.signals import watch


class Nobody:
    """Who does not care."""

    def committed_something(self) -> None: ...

    def staged(self, news: object) -> None: ...

    def nothing_since(self, asked: float) -> None: ...


@pytest.mark.parametrize("opens", [True, False], ids=["which then opens", "which cannot be opened"])
def test_a_program_that_ends_while_the_watch_connects_to_a_database_ends_and_leaves_no_thread_behind(
    sqlite_database: DatabaseLocation, monkeypatch: pytest.MonkeyPatch, opens: bool
) -> None:
    connects = threading.Event()
    connect, tripped = sqlite3.connect, []

    def connect_slowly(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connects.set()
        time.sleep(0.2)  # a slow disk
        if not opens:
            raise sqlite3.OperationalError("unable to open database file")
        return connect(*arguments, **options)

    async def end_at_once() -> None:
        watching = asyncio.create_task(watch(sqlite_database, Nobody()))
        await asyncio.to_thread(connects.wait)
        watching.cancel()
        async with asyncio.timeout(30):
            await asyncio.wait([watching])
        assert watching.cancelled()

    monkeypatch.setattr(sqlite3, "connect", connect_slowly)
    monkeypatch.setattr(threading, "excepthook", lambda told: tripped.append(told.exc_value))
    before = set(threading.enumerate())
    asyncio.run(end_at_once())
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert tripped == []
