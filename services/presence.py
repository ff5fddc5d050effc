"""Presence: who else is here, and what they have staged, to be read.

Each process says in one small table which views its windows show: when one opens or closes, and again every 15 seconds as long
as any is open, so that those of a process that was killed are known to be gone. Ticks write nothing here.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from secrets import token_hex
from typing import Any

from nicegui import Event

from models.addresses import sort_key
from models.errors import DatabaseUnavailable
from models.presence import Person, StagedLine, StagedSummary
from models.subjects import Subject
from models.submissions import Modification
from services.listing import Listing
from services.supervisor import Supervisor
from storage import presence, staging, submissions
from storage.staging import DeskKey

HEARTBEAT_SECONDS = 15.0
GONE_AFTER = timedelta(seconds=40)
"""Since a process last said that a window is open"""
LINGER_SECONDS = 2.0
"""So long a closed window counts as open: mostly it goes to another view."""
FORGOTTEN_AFTER = timedelta(hours=1)


class Presence:
    """Who has which view open, in this process and in others."""

    def __init__(self, listings: Mapping[Subject, Listing[Any]]) -> None:
        self._listings = listings
        self._process = token_hex(8)
        self._open: Counter[tuple[int, str]] = Counter()
        self._moved = asyncio.Event()
        self._is_stored = False
        self._people: tuple[Person, ...] = ()
        self.changed = Event[[]]()
        """Somebody came, went, or has another view open."""

    def others(self, admin_id: int) -> list[Person]:
        """Who else is here, by name."""
        return [person for person in self._people if person.admin_id != admin_id]

    @property
    def window_count(self) -> int:
        """How many windows are open in this process."""
        return sum(self._open.values())

    def enter(self, admin_id: int, path: str) -> None:
        """A window of this admin shows the view at this path."""
        self._open[admin_id, path] += 1
        self._moved.set()

    def leave(self, admin_id: int, path: str) -> None:
        """A window that `enter` was told of is closed, or went to another view."""
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._leave, admin_id, path)

    def _leave(self, admin_id: int, path: str) -> None:
        self._open[admin_id, path] -= 1
        if not self._open[admin_id, path]:
            del self._open[admin_id, path]
            self._moved.set()

    # -- the loop ------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self, supervisor: Supervisor) -> AsyncIterator[None]:
        """Say what is open here, and see what is open elsewhere, until the block ends: then nothing is."""
        try:
            async with supervisor.keeping({"presence": self._keep}):
                yield
        finally:
            self._open.clear()
            with suppress(DatabaseUnavailable):  # then the others miss the heartbeat
                await self._say()

    async def _keep(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._moved.wait()
            self._moved.clear()
            await self._say()
            await self.refresh()

    async def _say(self) -> None:
        """Nothing is written while nothing is open."""
        if self._open or self._is_stored:
            now = datetime.now(UTC)
            await presence.store(self._process, list(self._open), now, now - FORGOTTEN_AFTER)
            self._is_stored = bool(self._open)

    async def refresh(self) -> None:
        """See who is here; asked after every signal, by which other processes tell too."""
        if not self._open:
            self._people = ()  # nobody looks
            return
        visits = await presence.visits(datetime.now(UTC) - GONE_AFTER)
        people = tuple(
            Person(id_, name, tuple(each.path for each in some))
            for (id_, name), some in groupby(visits, key=lambda each: (each.admin_id, each.name))
        )
        if people != self._people:
            self._people = people
            self.changed.emit()

    # -- what they have staged -----------------------------------------------------------------------------------------

    async def staged_by(self, admin_ids: Collection[int]) -> Sequence[StagedSummary]:
        """How much these admins have staged now, for the rows of what, and since when."""
        return await staging.summaries(admin_ids) if admin_ids else []

    async def staged_lines(self, admin_id: int, subject: Subject, count: int) -> list[StagedLine]:
        """What an admin has staged for some of the rows, at most so many, by address."""
        entries = await staging.first_entries(DeskKey(admin_id, subject), count)
        found = await self._listings[subject].find(id_ for id_ in entries if id_ > 0)
        lines = []
        for id_, entry in entries.items():
            named = found.get(id_) or entry.new or await _former(subject, id_)
            if named:
                lines.append(StagedLine(named.ip, named.service, entry))
        return sorted(lines, key=lambda line: (sort_key(line.ip) if line.ip else b"", line.service))


async def _former(subject: Subject, row_id: int) -> Modification | None:
    """The name of a row that was removed."""
    last = await submissions.last_change(subject, row_id)
    return last.done if last else None
