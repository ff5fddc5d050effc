"""The workers of `check`: each a new interpreter, started again when it dies, ended in order with the program.

A worker and its parent talk over a pair of sockets. The parent's death closes it, so that no worker outlives it; and what it
says first, the settings, would otherwise stand in a list of processes, the database's password among it.
"""

import asyncio
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from pathlib import Path
from time import monotonic

from cli.settings import Settings

ANSWERING = b"answering\n"
"""What a worker says once it answers"""
BEAT = b"beat"
"""That it lives, how far its feed is behind, and how many keys it holds; all other lines are what it noted"""
BEAT_SECONDS = 1.0
_HUNG_AFTER = 30
"""Seconds without a word until a worker is ended that does not answer any more. Counted by the parent's own beats, so that a
machine that was asleep ends nobody."""
_START_SECONDS = 600
_GRACE_SECONDS = 15.0
_LONGEST_LINE = 64 * 1024 * 1024
_ROOT = Path(__file__).parents[1]

log = logging.getLogger(__name__)


class Worker:
    """One process, from its start to its end."""

    def __init__(self, name: str, hear: Callable[[str], None], answers: Callable[[str], None]) -> None:
        self.name = name
        self._hear = hear
        self._answers = answers
        self.silent_for = -_START_SECONDS
        """Beats of the parent since its last word"""
        self._beat_at, self._behind, self.held = -inf, 0.0, 0

    @property
    def lag(self) -> float:
        """Seconds since which something may have been committed that it does not know, as far as can be seen from here."""
        return monotonic() - self._beat_at + self._behind

    async def live(self, order: bytes) -> None:
        """Start it, and hear it until it ends."""
        ours = self._start()
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_LONGEST_LINE)
        try:
            writer.write(order)
            await self._listen(reader)
        finally:
            await self._end(reader)
            writer.close()
        log.warning("The %s has ended (%s).", self.name, _how(self.process.returncode))

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.check_worker", str(theirs.fileno())],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl+C is for the parent, which ends its workers in order
            )
        return ours

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                self.silent_for = 0
                if line == ANSWERING:
                    self._answers(self.name)
                elif line.startswith(BEAT):
                    _, behind, held = line.split()
                    self._beat_at, self._behind, self.held = monotonic(), float(behind), int(held)
                elif line.endswith(b"\n"):
                    self._hear(line.decode())

    async def _end(self, reader: asyncio.StreamReader) -> None:
        """Let it end what is under way and tell what it noted; who takes too long is ended at once."""
        self.process.terminate()
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._listen(reader)
        except TimeoutError:
            log.warning("The %s did not end in time.", self.name)
        finally:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)


class Workers:
    """All of them."""

    def __init__(self, settings: Settings, count: int, hear: Callable[[str], None]) -> None:
        """`settings` are as a process in another folder understands them; `hear` takes what a worker noted."""
        self._order = settings.model_dump_json().encode() + b"\n"
        self._names = [f"worker {number}" for number in range(1, count + 1)]
        self._hear = hear
        self._answering: set[str] = set()
        self._all_answer = asyncio.Event()
        self._living: dict[str, Worker] = {}

    @property
    def lag(self) -> float:
        """Of the worker that is furthest behind."""
        return max((worker.lag for worker in self._living.values()), default=inf)

    @property
    def held(self) -> list[int]:
        """How many keys each of them holds."""
        return [worker.held for worker in self._living.values()]

    def loops(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """For the supervisor: one for each worker, which ends when that dies, and one that ends who hangs."""
        return {**{name: self._life_of(name) for name in self._names}, "hung workers": self._end_hung}

    async def all_answer(self) -> None:
        """Wait until each of them has answered once."""
        await self._all_answer.wait()

    def _life_of(self, name: str) -> Callable[[], Awaitable[None]]:
        async def live() -> None:
            worker = self._living[name] = Worker(name, self._hear, self._answers)
            try:
                await worker.live(self._order)
            finally:
                del self._living[name]

        return live

    def _answers(self, name: str) -> None:
        self._answering.add(name)
        if len(self._answering) == len(self._names):
            self._all_answer.set()

    async def _end_hung(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            for worker in list(self._living.values()):
                worker.silent_for += 1
                if worker.silent_for > _HUNG_AFTER:
                    log.error("The %s says nothing any more and is ended.", worker.name)
                    worker.process.kill()


def _how(status: int) -> str:
    return f"by signal {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
