"""Workers that hold all keys, beside PostgreSQL, with a clock 5 s off, while things break: who was revoked never passes.

The program's second, within which a revocation holds or nothing is answered, is measured here by when a question was asked:
so a slow machine can only make a test more lenient, never fail it.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import pytest

from models.secrets import Secret, new_secret
from models.submissions import CellChange, NewAuthkey
from services.console import Console
from services.secret_file import load_secret
from storage.database import DatabaseLocation
from tests.checking import CheckProgram
from tests.network import SilentWire
from tests.other_process import OtherProcess, another_process
from tests.postgres import Cluster, running_cluster
from tests.requirements import INSTALL_HINT
from tests.support import SEARCH, add_keys, cells, submit
from tests.waiting import comes_true

FRESH_SECONDS = 1.0
CONNECTIONS = 8


class World(NamedTuple):
    """The program, and what it stands on."""

    program: CheckProgram
    cluster: Cluster
    database: DatabaseLocation
    wire: SilentWire


@pytest.fixture(scope="module")
def world(postgres_programs: Path) -> Iterator[World]:
    """Two workers that hold all keys; the database is seen through a wire, and the clock goes 5 s before everybody else's."""
    faketime = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not faketime:
        pytest.skip(INSTALL_HINT)
    with running_cluster(postgres_programs) as cluster, cluster.new_database(cluster.with_tables) as database:
        secret_file = database.companion("secret")  # which other processes of the tests have too
        load_secret(secret_file)
        wire = SilentWire(database)
        with wire.open() as seen:
            program = CheckProgram(
                seen.text, secret_file, "--workers", "2", "--hold-keys", LD_PRELOAD=str(faketime[0]), FAKETIME="+5s"
            )
            try:
                yield World(program, cluster, database, wire)
            finally:
                program.process.terminate()
                program.process.wait(60)


async def make(console: Console, secret: Secret) -> int:
    new = NewAuthkey("127.0.0.1", secret.hint, cells("search"), secret.kept)
    return (await add_keys(console, new))[0].id


async def revoke(console: Console, id_: int) -> None:
    await submit(console, CellChange(id_, 0, SEARCH.mask))


class Connection:
    """One that is kept, and so belongs to one worker."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, program: CheckProgram) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", int(program.url.rpartition(":")[2])))

    def ask(self, secret: Secret) -> None:
        head = f"GET /authorize/search HTTP/1.1\r\nHost: a\r\nX-Api-Key: {secret.text}\r\n\r\n"
        self._writer.write(head.encode())

    async def answer(self) -> int:
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
        await self._reader.readexactly(int(length or 0))
        return int(head.split()[1])

    def close(self) -> None:
        self._writer.close()


class Load:
    """Questions that are asked all the time, with when each was asked and what was answered; 0 for a connection that broke."""

    def __init__(self, program: CheckProgram, secret: Secret) -> None:
        self._program = program
        self._secret = secret
        self.answers: list[tuple[float, int]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._ask_on()) for _ in range(CONNECTIONS)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def since(self, moment: float) -> set[int]:
        """What was answered to questions asked after this."""
        return {status for asked, status in self.answers if asked > moment}

    async def _ask_on(self) -> None:
        while True:
            asked = monotonic()
            with suppress(OSError, asyncio.IncompleteReadError):
                connection = await Connection.open(self._program)
                try:
                    while True:
                        asked = monotonic()
                        connection.ask(self._secret)
                        self.answers.append((asked, await connection.answer()))
                        await asyncio.sleep(0.01)  # some hundred a second: not to wait for anything
                finally:
                    connection.close()
            self.answers.append((asked, 0))


@asynccontextmanager
async def a_key_in_use(world: World) -> AsyncIterator[tuple[OtherProcess, int, Load]]:
    """An admin elsewhere, the number of a key, and callers who use it all the time."""
    secret = new_secret()
    async with another_process(world.database) as other:
        id_ = await other.do(make, secret)
        load = Load(world.program, secret)
        async with load.running():
            assert await comes_true(lambda: 204 in load.since(0))
            yield other, id_, load


async def revoked(other: OtherProcess, id_: int, load: Load, answers: set[int]) -> None:
    """Revoke the key; later than the promised second nobody is let through, and in the end all get these answers."""
    await other.do(revoke, id_)
    late = monotonic() + FRESH_SECONDS
    assert await comes_true(lambda: len([asked for asked, _ in load.answers if asked > late]) > 5 * CONNECTIONS)
    assert await comes_true(lambda: load.since(monotonic() - 0.5) == answers)
    assert 204 not in load.since(late)


async def test_a_worker_that_is_killed_under_load_comes_back_and_the_other_answers(world: World) -> None:
    async with a_key_in_use(world) as (other, id_, load):
        first, second = world.program.workers
        os.kill(first, signal.SIGKILL)
        killed = monotonic()
        assert await comes_true(lambda: 204 in load.since(killed))
        assert second in world.program.workers
        assert await world.program.all_listen(), world.program.complaints()
        await revoked(other, id_, load, {403})


async def test_a_worker_that_was_stopped_lets_nobody_through_who_was_revoked_meanwhile(world: World) -> None:
    secret = new_secret()
    async with another_process(world.database) as other:
        id_ = await other.do(make, secret)
        connections = [await Connection.open(world.program) for _ in range(12)]
        stopped = world.program.workers[0]

        async def all_pass() -> bool:
            for each in connections:
                each.ask(secret)
            return {await each.answer() for each in connections} == {204}

        assert await comes_true(all_pass)
        os.kill(stopped, signal.SIGSTOP)
        try:
            waiting = [asyncio.create_task(each.answer()) for each in connections]
            for each in connections:
                each.ask(secret)
            await asyncio.wait(waiting, timeout=0.5)
            await other.do(revoke, id_)
            await asyncio.sleep(FRESH_SECONDS + 1)  # not to wait for something: the promised second goes by
            answered = {task for task in waiting if task.done()}
            assert len(answered) < len(waiting), "no connection was the stopped worker's"
        finally:
            os.kill(stopped, signal.SIGCONT)
        late = await asyncio.gather(*(task for task in waiting if task not in answered))
        assert set(late) <= {403, 503}
        for each in connections:
            each.close()


async def test_a_feed_that_was_cut_silently_lets_nobody_through_and_comes_back_by_itself(world: World) -> None:
    async with a_key_in_use(world) as (other, id_, load):
        assert world.wire.cut_silently(b'LISTEN "authkeys"') >= 2
        await revoked(other, id_, load, {403})
    async with a_key_in_use(world) as (other, id_, load):
        await revoked(other, id_, load, {403})


async def test_while_postgresql_is_stopped_nobody_passes_and_afterwards_all_is_well_by_itself(world: World) -> None:
    secret = new_secret()
    async with another_process(world.database) as other:
        await other.do(make, secret)
    load = Load(world.program, secret)
    async with load.running():
        assert await comes_true(lambda: 204 in load.since(0))
        await asyncio.to_thread(world.cluster.stop)
        late = monotonic() + FRESH_SECONDS
        try:
            assert await comes_true(lambda: len([asked for asked, _ in load.answers if asked > late]) > 5 * CONNECTIONS)
            assert load.since(late) == {503}
        finally:
            await asyncio.to_thread(world.cluster.start)
        assert await comes_true(lambda: load.since(monotonic() - 0.5) == {204})
