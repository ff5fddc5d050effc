"""`check`: several processes answer access checks on one port, as one server would; and it ends as it should."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from models.access_checks import Reason
from models.secrets import new_secret
from models.submissions import CellChange, NewAuthkey
from services.console import Console, open_console
from storage.database import DatabaseLocation
from tests.checking import CheckProgram, a_secret_file, checking, is_running
from tests.support import SEARCH, add_keys, cells, submit
from tests.waiting import comes_true

IP = "127.0.0.1"


async def a_key(console: Console, *privilege_ids: str) -> tuple[int, str]:
    """The number and the secret of an authkey for this machine."""
    secret = new_secret()
    [key] = await add_keys(console, NewAuthkey(IP, "billing", cells(*privilege_ids), secret.kept))
    return key.id, secret.text


async def asked_of_both(program: CheckProgram, *questions: tuple[str | None, str]) -> list[set[int]]:
    """The statuses that many connections, which reach all workers, get for each question."""
    return [{await program.ask(secret, f"/authorize/{what}") for _ in range(12)} for secret, what in questions]


async def answers(program: CheckProgram, secret: str, statuses: set[int]) -> bool:
    return {await program.ask(secret) for _ in range(6)} == statuses


async def test_every_worker_answers_like_the_server_and_nothing_else(
    database: DatabaseLocation, tmp_path: Path
) -> None:
    secret_file = a_secret_file(tmp_path)
    async with open_console(database, secret_file) as console:
        id_, secret = await a_key(console, "search")
        async with checking(database.text, secret_file, "--workers", "2") as program:
            assert len(program.workers) == program.count == 2
            questions = [(secret, "search"), (secret, "addlicense"), (new_secret().text, "search"), (None, "modlisc")]
            assert await asked_of_both(program, *questions) == [{204}, {403}, {401}, {401}]
            assert (await program.get("/")).status_code == 404
            assert (await program.get("/sign-in")).status_code == 404
            await submit(console, CellChange(id_, 0, SEARCH.mask))
            assert await comes_true(lambda: answers(program, secret, {403}))
        assert await console.uses.counts(id_) != {}
        found = {(each.reason, each.what): each.times for each in await console.uses.denied_requests()}
        assert found[Reason.UNKNOWN_KEY, "search"] == 12
        assert found[Reason.PRIVILEGE_MISSING, "addlicense"] == 12
        assert found[Reason.NO_KEY, "modlisc"] == 12


async def test_sigterm_ends_all_and_what_they_noted_is_written(
    sqlite_database: DatabaseLocation, tmp_path: Path
) -> None:
    secret_file = a_secret_file(tmp_path)
    async with open_console(sqlite_database, secret_file) as console:
        id_, secret = await a_key(console, "search")
        async with checking(sqlite_database.text, secret_file, "--workers", "2") as program:
            workers = program.workers
            assert [await program.ask(secret) for _ in range(30)] == [204] * 30
            await program.end()
            assert not any(map(is_running, workers))
            assert "rror" not in program.complaints()
        [(count, _)] = (await console.uses.counts(id_)).values()
        assert count == 30


async def test_no_worker_outlives_its_parent(sqlite_database: DatabaseLocation, tmp_path: Path) -> None:
    async with checking(sqlite_database.text, a_secret_file(tmp_path), "--workers", "2") as program:
        workers = program.workers
        program.process.kill()
        await asyncio.to_thread(program.process.wait)
        assert await comes_true(lambda: not any(map(is_running, workers)))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_worker_that_dies_is_started_again_while_the_other_answers(
    sqlite_database: DatabaseLocation, tmp_path: Path, how: signal.Signals
) -> None:
    async with checking(sqlite_database.text, a_secret_file(tmp_path), "--workers", "2") as program:
        first, second = program.workers
        os.kill(first, how)
        assert await comes_true(lambda: not is_running(first))
        assert await program.ask(new_secret().text) == 401
        assert await comes_true(lambda: len(program.workers) == 2)
        assert first not in program.workers
        assert second in program.workers
        assert "worker 1 has ended" in program.complaints() or "worker 2 has ended" in program.complaints()
