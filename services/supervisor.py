"""Loops that run for the program's life: they survive any error, say it, wait a little longer each time, and can be seen.

What every such loop would otherwise write itself, and forget: an error that nobody foresaw ends an asyncio task without a
word, and with it whatever it did for the rest of the program's life.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

from models.errors import DatabaseError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds until a loop that failed begins anew; doubled each time it fails soon again."""
SETTLED_SECONDS = 60.0
"""A loop that ran so long before it failed has the first pause again."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Loop:
    """How one loop fares."""

    name: str
    restarts: int = 0
    failed_at: datetime | None = None
    error: str = ""
    """What was wrong the last time, in one line"""
    is_running: bool = False


@dataclass(slots=True)
class Supervisor:
    """Keeps loops running."""

    loops: dict[str, Loop] = field(default_factory=dict)

    @asynccontextmanager
    async def keeping(self, works: Mapping[str, Callable[[], Awaitable[None]]]) -> AsyncIterator[None]:
        """Run these works, by their names, until the block ends. Each is expected never to return."""
        # In a task of their own: a TaskGroup around the block would wrap what is raised within it.
        loops = asyncio.create_task(self._keep_all(works))
        try:
            yield
        finally:
            loops.cancel()
            await asyncio.wait({loops})

    async def _keep_all(self, works: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        async with asyncio.TaskGroup() as loops:
            for name, work in works.items():
                loops.create_task(self._keep(name, work), name=name)

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        loop = self.loops[name] = Loop(name)
        pause = FIRST_PAUSE
        while True:
            began = monotonic()
            loop.is_running = True
            try:
                await work()
                loop.error = "it ended by itself"
            except DatabaseError as error:
                loop.error = str(error)
            except Exception as error:
                loop.error = f"{type(error).__name__}: {error}".splitlines()[0]
                log.exception("The loop %r failed; this is a mistake in Authkeys.", name)
            loop.is_running = False
            loop.restarts += 1
            loop.failed_at = datetime.now(UTC)
            if monotonic() - began >= SETTLED_SECONDS:
                pause = FIRST_PAUSE
            log.warning("The loop %r begins anew in %.1f seconds: %s", name, pause, loop.error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
