"""Loops that run for the program's life survive any error, say it, and can be seen."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from models.errors import DatabaseUnavailable
from services import supervisor as supervision
from services.console import Console
from services.supervisor import Supervisor
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(supervision, "LONGEST_PAUSE", 0.002)


def failing(*errors: Exception | None) -> tuple[Callable[[], Awaitable[None]], asyncio.Event]:
    """A loop that ends in each of these ways, one after the other (None: it just returns), and then runs."""
    remaining, runs = list(errors), asyncio.Event()

    async def work() -> None:
        if not remaining:
            runs.set()
            await asyncio.Event().wait()
        elif error := remaining.pop(0):
            raise error

    return work, runs


async def test_a_loop_goes_on_after_any_error_and_after_it_ended(caplog: pytest.LogCaptureFixture) -> None:
    work, runs = failing(DatabaseUnavailable("The disk is full."), KeyError("of ours"), None, RuntimeError("again"))
    supervisor = Supervisor()
    with caplog.at_level(logging.WARNING):
        async with supervisor.keeping({"uses": work}), asyncio.timeout(30):
            await runs.wait()
            loop = supervisor.loops["uses"]
            assert (loop.restarts, loop.is_running, loop.error) == (4, True, "RuntimeError: again")
    # An outage is said in words; of a mistake the log has the place.
    assert [record.exc_info is not None for record in caplog.records if "failed" in record.message] == [True, True]
    assert "The disk is full." in caplog.text
    assert "it ended by itself" in caplog.text


async def test_what_is_raised_beside_the_loops_is_raised_as_it_is() -> None:
    work, _ = failing()
    with pytest.raises(DatabaseUnavailable, match="words"):
        async with Supervisor().keeping({"uses": work}):
            raise DatabaseUnavailable("words")


async def test_every_loop_of_the_program_goes_on_after_a_mistake(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(console.supervisor.loops) == {
        "uses",
        "signals of commits",
        "change feed",
        "change feed of pages",
        "presence",
        "purge",
        "purge of attempts",
    }
    failed = asyncio.Event()

    async def fail(**_: object) -> None:
        failed.set()
        raise ZeroDivisionError

    monkeypatch.setattr(console.uses, "write", fail)
    console.uses._full.set()
    loop = console.supervisor.loops["uses"]

    async def began_anew() -> bool:
        return loop.restarts > 0 and loop.is_running

    await eventually(began_anew)
    monkeypatch.undo()
    assert failed.is_set()
    assert loop.error.startswith("ZeroDivisionError")
