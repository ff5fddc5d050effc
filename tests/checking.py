"""`main.py check` as an operator starts it, with its workers, and questions asked of it."""

import asyncio
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.program import environment
from tests.starting import start
from tests.waiting import comes_true

_ANNOUNCEMENT = re.compile(r"Authkeys answers access checks at (https?://\S+) with (\d+) workers?\n")
_SECONDS = 60


class CheckProgram:
    """A running parent with its workers."""

    def __init__(self, database: str, secret_file: Path, *arguments: str, **variables: str) -> None:
        self.errors = tempfile.TemporaryFile("a+")  # what it writes is added, wherever we read
        shared = ("--database", database, "--secret-file", str(secret_file))
        self.process = start(
            [*shared, "check", "--port", "0", *arguments], environment(LOGNAME="alice", **variables), self.errors
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        announced = _ANNOUNCEMENT.fullmatch(line)
        assert announced, f"{line!r} instead of the address; {self.complaints()}"
        self.url = announced[1]
        self.count = int(announced[2])

    def complaints(self) -> str:
        """What it and its workers wrote to standard error."""
        self.errors.seek(0)
        return self.errors.read()

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        return workers_of(self.process.pid)

    @property
    def listening(self) -> int:
        """How many workers listen on the port: a process that has just started does not yet."""
        port = f":{int(self.url.rpartition(':')[2]):04X}"
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        return sum(line[1].endswith(port) and line[3] == "0A" for line in lines)

    async def all_listen(self) -> bool:
        """Whether all workers come to listen; a new interpreter takes its time on a machine that does much else."""
        for _ in range(5):
            if await comes_true(lambda: self.listening == self.count):
                return True
        return False

    async def ask(self, secret: str | None, path: str = "/authorize/search") -> int:
        """One question on a connection of its own, as to whichever worker; the status of the answer."""
        return (await self.get(path, {"X-Api-Key": secret} if secret else {})).status_code

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """A call on a connection of its own."""
        async with httpx.AsyncClient(base_url=self.url, timeout=_SECONDS) as client:
            return await client.get(path, headers=headers)

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Tell it to end, and wait."""
        self.process.send_signal(how)
        assert await asyncio.to_thread(self.process.wait, _SECONDS) == 0, self.complaints()


def workers_of(parent: int) -> list[int]:
    """The children of a process that are workers, oldest first."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
                above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue  # it has just ended
            if above == parent and b"cli.check_worker" in command:
                found.append(int(folder.name))
    return sorted(found)


def is_running(pid: int) -> bool:
    """Whether a process lives, or has its files still open; one that only waits to be reaped does not."""
    process = Path(f"/proc/{pid}")
    try:
        is_dead = (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return not is_dead or len(list((process / "task").iterdir())) > 1  # threads that are ending
    except OSError:
        return False


def a_secret_file(folder: Path) -> Path:
    """The server's secret, as an operator copies it to where it is needed."""
    file = folder / "secret"
    file.touch(mode=0o600)
    file.write_text("5e" * 32 + "\n")
    return file


@asynccontextmanager
async def checking(database: str, secret_file: Path, *arguments: str, **variables: str) -> AsyncIterator[CheckProgram]:
    """A parent with its workers, ended after the block, whatever happens."""
    # In a thread: who waits for it may itself hold the database open.
    program = await asyncio.to_thread(CheckProgram, database, secret_file, *arguments, **variables)
    workers = program.workers
    try:
        yield program
    finally:
        workers += program.workers
        for pid in workers:
            if is_running(pid):
                os.kill(pid, signal.SIGCONT)
        if program.process.poll() is None:
            await program.end()
        assert await comes_true(lambda: not any(map(is_running, workers))), "a worker is left behind"
