"""Another Authkeys process on the same database, and what tests ask it to do.

Processes are forked from a server that has already imported everything, so that one starts in milliseconds.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any, Concatenate, ParamSpec, TypeVar

from models.privileges import mask_of, privilege
from models.secrets import new_secret
from models.submissions import Registration
from services.console import Console, open_console
from storage.database import DatabaseLocation
from tests.forked import processes
from tests.support import submit

P = ParamSpec("P")
T = TypeVar("T")

_ANSWER_SECONDS = 120


class OtherProcess:
    """A running process; `name` is its admin's."""

    def __init__(self, database: DatabaseLocation, name: str | None) -> None:
        self._pipe, theirs = processes.Pipe()
        self._process: ForkServerProcess = processes.Process(target=_live, args=(theirs, database, name), daemon=True)
        self._process.start()
        theirs.close()

    async def do(self, work: Callable[Concatenate[Console, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a module's async function over there, with the console of that process; returns or raises what it does."""
        self.begin(work, *args, **kwargs)
        return await self.told()

    def begin(self, work: Callable[Concatenate[Console, P], Awaitable[Any]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Like `do`, but does not wait. `told` returns what the function tells by `tell`, at last its result."""
        self._pipe.send((work, args, kwargs))

    async def told(self) -> Any:
        """The next thing that the other process has to say."""
        answered = await asyncio.to_thread(self._pipe.poll, _ANSWER_SECONDS)
        assert answered, "the other process does not answer"
        kind, value = self._pipe.recv()
        if kind == "raised":
            raise value
        return value

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()
        self._process.join()

    async def end(self) -> None:
        """Let it close its console and exit."""
        self._pipe.send(None)
        await asyncio.to_thread(self._process.join, _ANSWER_SECONDS)
        self.kill()


@asynccontextmanager
async def another_process(database: DatabaseLocation, name: str | None = None) -> AsyncIterator[OtherProcess]:
    """Another process with an open console, of the same admin or of one with this name."""
    process = OtherProcess(database, name)
    try:
        await process.told()
        yield process
        await process.end()
    finally:
        process.kill()


_tell: list[Connection] = []


def tell(value: object) -> None:
    """Send something to the test, before the result."""
    _tell[0].send(("told", value))


def _live(pipe: Connection, database: DatabaseLocation, name: str | None) -> None:
    if name is not None:
        os.environ["LOGNAME"] = name
    _tell.append(pipe)
    asyncio.run(_serve(pipe, database))


async def _serve(pipe: Connection, database: DatabaseLocation) -> None:
    try:
        async with open_console(database) as console:
            tell("open")
            while (request := await asyncio.to_thread(pipe.recv)) is not None:
                work, args, kwargs = request
                try:
                    pipe.send(("told", await work(console, *args, **kwargs)))
                except Exception as error:
                    pipe.send(("raised", error))
    except Exception as error:
        pipe.send(("raised", error))
        raise


def issue_key(database: str, ip: str, service: str, *privilege_ids: str) -> str:
    """Let a server register an authkey with these privileges, in another process; its secret."""
    secret = new_secret()
    key = Registration(ip, service, mask_of(map(privilege, privilege_ids)), secret.digest, secret.hint)

    async def ask() -> None:
        async with another_process(DatabaseLocation(database)) as other:
            await other.do(submit, key)

    asyncio.run(ask())
    return secret.text
