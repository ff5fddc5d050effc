"""`check`: several processes answer access checks and the gateway on one port, as one server would; and it ends as it should."""

import asyncio
import os
import signal
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from models.access_checks import Reason
from models.secrets import new_secret
from models.submissions import CellChange, NewAuthkey
from services.console import Console, open_console
from storage.database import DatabaseLocation
from tests.checking import CheckProgram, a_secret_file, checking, is_running
from tests.databases import copy_of_tables
from tests.program import PASSWORD
from tests.support import SEARCH, add_keys, cells, submit
from tests.waiting import comes_true

IP = "127.0.0.1"
TIMES = 12
"""So many connections reach two workers"""


class World(NamedTuple):
    """The program, and its database."""

    program: CheckProgram
    database: DatabaseLocation
    secret_file: Path

    @asynccontextmanager
    async def console(self) -> AsyncIterator[Console]:
        """The server on the same database."""
        async with open_console(self.database, self.secret_file) as console:
            yield console


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("check")
    secret_file = a_secret_file(folder)
    if request.param == "sqlite":
        yield from running_on(copy_of_tables(folder / "authkeys.db"), secret_file)
        return
    cluster = request.getfixturevalue("postgres")
    with cluster.new_database(cluster.with_tables) as database:
        yield from running_on(database, secret_file)


def running_on(database: DatabaseLocation, secret_file: Path) -> Iterator[World]:
    program = CheckProgram(database.text, secret_file, "--workers", "2")
    try:
        yield World(program, database, secret_file)
    finally:
        program.process.terminate()
        assert program.process.wait(60) == 0
    assert "Traceback" not in program.complaints()


async def a_key(console: Console, service: str, *privilege_ids: str) -> tuple[int, str]:
    """The number and the secret of an authkey for this machine."""
    secret = new_secret()
    [key] = await add_keys(console, NewAuthkey(IP, service, cells(*privilege_ids), secret.kept))
    return key.id, secret.text


async def statuses(program: CheckProgram, secret: str | None, path: str = "/authorize/search") -> set[int]:
    """What connections that reach all workers are answered."""
    return {await program.ask(secret, path) for _ in range(TIMES)}


async def on_record(console: Console, what: str) -> dict[Reason, int]:
    """Why and how often something was denied."""
    return {each.reason: each.times for each in await console.uses.denied_requests() if each.what == what}


async def test_every_worker_answers_like_the_server_and_nothing_else(world: World) -> None:
    program = world.program
    assert len(program.workers) == program.count == 2
    async with world.console() as console:
        id_, secret = await a_key(console, "billing", "search")
        assert await statuses(program, secret) == {204}
        assert await statuses(program, secret, "/authorize/addlicense") == {403}
        assert await statuses(program, new_secret().text) == {401}
        assert (await program.get("/")).status_code == 404
        assert (await program.get("/sign-in")).status_code == 404
        await submit(console, CellChange(id_, 0, SEARCH.mask))

        async def is_revoked() -> bool:
            return await statuses(program, secret) == {403}

        assert await comes_true(is_revoked)

        async def is_written() -> bool:
            counted = (await console.uses.counts(id_)).get(SEARCH.bit, (0,))[0] >= TIMES
            return counted and await on_record(console, "addlicense") == {Reason.PRIVILEGE_MISSING: TIMES}

        assert await comes_true(is_written)


async def test_a_call_that_is_refused_at_one_worker_and_explained_by_another_is_on_record_once(world: World) -> None:
    async with world.console() as console:
        _, secret = await a_key(console, "refused", "search")
        for _ in range(TIMES):
            headers = {"X-Api-Key": secret, "X-Original-URI": "/XMLlicenseExpire.cgi"}
            assert (await world.program.get("/authorize", headers)).status_code == 403
            assert "may not do that" in (await world.program.get("/XMLlicenseExpire.cgi", headers)).text
        assert await comes_true(lambda: is_denied(console, "XMLlicenseExpire", {Reason.PRIVILEGE_MISSING: TIMES}))


async def is_denied(console: Console, what: str, reasons: dict[Reason, int]) -> bool:
    return await on_record(console, what) == reasons


async def test_a_client_that_is_asked_for_a_key_by_one_worker_and_brings_it_to_another_was_not_denied(
    world: World,
) -> None:
    async with world.console() as console:
        _, secret = await a_key(console, "challenged", "addlicense")
        for _ in range(TIMES):
            assert (await world.program.get("/XMLlicenseAdd.cgi")).status_code == 401
            assert await world.program.ask(secret, "/XMLlicenseAdd.cgi") == 200
        assert (await world.program.get("/XMLtransfer.cgi")).status_code == 401  # and never comes with one
        assert await comes_true(lambda: is_denied(console, "XMLtransfer", {Reason.NO_KEY: 1}))
        assert await on_record(console, "XMLlicenseAdd") == {}


async def test_servers_register_and_admins_use_their_passwords_as_at_the_server(world: World) -> None:
    async with world.console() as console:
        await console.passphrases.add(console.admin, "a phrase for two workers", cells("search"), uses=TIMES)
        await console.admins.add("dana", PASSWORD, (await console.admins.accounts())[0].role, "a test")
        for number in range(TIMES):
            query = f"user=alice&service=registered{number}&pickup=a+phrase+for+two+workers"
            answer = (await world.program.get(f"/XMLregisterAuth.cgi?{query}")).text
            assert 'status="1"' in answer, answer
        basic = b64encode(f"dana:{PASSWORD}".encode()).decode()
        found = await world.program.get("/XMLlookup.cgi", {"Authorization": f"Basic {basic}"})
        assert "no licensing backend" in found.text


async def test_a_worker_that_is_killed_is_started_again_while_the_other_answers(world: World) -> None:
    first, second = world.program.workers
    os.kill(first, signal.SIGKILL)
    assert await comes_true(lambda: not is_running(first))
    assert await world.program.ask(new_secret().text) == 401
    assert await world.program.all_listen(), world.program.complaints()
    assert second in world.program.workers
    assert "The loop 'worker" in world.program.complaints()


async def test_sigterm_ends_all_and_what_they_noted_is_written(
    sqlite_database: DatabaseLocation, tmp_path: Path
) -> None:
    secret_file = a_secret_file(tmp_path)
    async with open_console(sqlite_database, secret_file) as console:
        id_, secret = await a_key(console, "billing", "search")
        async with checking(sqlite_database.text, secret_file, "--workers", "2") as program:
            workers = program.workers
            assert [await program.ask(secret) for _ in range(30)] == [204] * 30
            await program.end()
            assert not any(map(is_running, workers))
        assert (await console.uses.counts(id_))[SEARCH.bit][0] == 30


async def test_no_worker_outlives_its_parent(sqlite_database: DatabaseLocation, tmp_path: Path) -> None:
    async with checking(sqlite_database.text, a_secret_file(tmp_path), "--workers", "2") as program:
        workers = program.workers
        program.process.kill()
        await asyncio.to_thread(program.process.wait)
        assert await comes_true(lambda: not any(map(is_running, workers)))
