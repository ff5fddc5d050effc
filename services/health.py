"""Health: whether this process can answer now, and if not, which part of it cannot, and since when.

Whoever asks is told nothing that is secret: neither addresses nor the texts of errors, which the log has. It knows no pages, so
that a process without any can be asked the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import isfinite
from time import monotonic
from typing import Any, NamedTuple, Protocol

from models.errors import DatabaseUnavailable
from models.history import timestamp
from services.supervisor import Supervisor
from storage import vitals

FRESH_SECONDS = 1.0
"""A commit by another process must be heard of within this time."""
_ANSWER_SECONDS = 2.0
"""Within which the database must answer"""
_REMEMBERED_SECONDS = 0.5
"""However often somebody asks, the database is asked only so often."""


class HealthPart(StrEnum):
    """What must be well for this process to be ready."""

    DATABASE = "database"
    FEED = "change feed"
    LOOPS = "loops"


class Heard(Protocol):
    """Who hears of commits: `services.feed.ChangeFeed`, or what stands for it in a process without pages."""

    @property
    def lag(self) -> float:
        """Seconds since which something may have been committed that is not known here."""


class PartState(NamedTuple):
    """How a part fares; `since` is the last moment at which it was known to be well, if it is not."""

    ready: bool
    since: datetime | None = None
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is told."""
        if self.ready:
            return {"ready": True}
        return {"ready": False, "since": timestamp(self.since) if self.since else None, "problem": self.problem}


class HealthReport(NamedTuple):
    """How all parts fare."""

    parts: dict[HealthPart, PartState]

    @property
    def ready(self) -> bool:
        """Whether all of them are well."""
        return all(state.ready for state in self.parts.values())

    def to_json(self) -> dict[str, Any]:
        """As it is told."""
        return {"ready": self.ready, "parts": {part.value: state.to_json() for part, state in self.parts.items()}}


WELL = PartState(True)


class Health:
    """Says whether this process is ready."""

    def __init__(
        self,
        supervisor: Supervisor,
        feed: Heard,
        ping: Callable[[float], Awaitable[None]] = vitals.ping,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        """`ping` asks the database, within so many seconds, and raises DatabaseUnavailable."""
        self._supervisor = supervisor
        self._feed = feed
        self._ping = ping
        self._fresh_seconds = fresh_seconds
        self._answered_at = datetime.now(UTC)  # it was opened just now
        self._checked_at = -_REMEMBERED_SECONDS
        self._database = WELL
        self._asking = asyncio.Lock()

    async def check(self) -> HealthReport:
        """How all parts fare now."""
        return HealthReport(
            {
                HealthPart.DATABASE: await self._check_database(),
                HealthPart.FEED: self._check_feed(),
                HealthPart.LOOPS: self._check_loops(),
            }
        )

    async def _check_database(self) -> PartState:
        async with self._asking:  # whoever asks meanwhile gets the same answer
            if monotonic() - self._checked_at >= _REMEMBERED_SECONDS:
                self._database = await self._ask_database()
                self._checked_at = monotonic()
        return self._database

    async def _ask_database(self) -> PartState:
        try:
            await self._ping(_ANSWER_SECONDS)
        except DatabaseUnavailable:
            heard_at = self._heard_at()
            since = max(self._answered_at, heard_at) if heard_at else self._answered_at
            return PartState(False, since, "The database does not answer.")
        self._answered_at = datetime.now(UTC)
        return WELL

    def _check_feed(self) -> PartState:
        if self._feed.lag < self._fresh_seconds:
            return WELL
        problem = (
            f"What others commit was not heard of within {self._fresh_seconds:g} s: access checks ask the database."
        )
        return PartState(False, self._heard_at(), problem)

    def _heard_at(self) -> datetime | None:
        lag = self._feed.lag
        return datetime.now(UTC) - timedelta(seconds=lag) if isfinite(lag) else None

    def _check_loops(self) -> PartState:
        ended = [loop for loop in self._supervisor.loops.values() if not loop.is_running]
        if not ended:
            return WELL
        since = min((loop.failed_at for loop in ended if loop.failed_at), default=None)
        return PartState(
            False, since, f"Not running now: {', '.join(sorted(loop.name for loop in ended))}. See the log."
        )
