"""The desks of one subject that are open in this process: each an admin's staged changes, in memory for all of the windows.

The database is the truth. A desk is read when it is first asked for. While one of its admin's windows is open it is kept up
to date with what other processes store; else it is dropped when it is out of date, or nobody has asked for some time.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from models.accounts import Role
from models.staged_changes import StagedChanges
from models.subjects import Row, Subject
from services.listing import Listing
from storage import authkeys, staging

IDLE_SECONDS = 60.0
"""So long a desk that nobody attends is kept."""


@dataclass(slots=True)
class Desk:
    """One admin's staged changes in this process."""

    key: staging.DeskKey
    staged: StagedChanges
    version: int
    name: str
    role: Role
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked_at: float = field(default_factory=monotonic)


class Desks:
    """Opens, keeps and drops them."""

    def __init__(self, subject: Subject, listing: Listing[Any]) -> None:
        self._subject = subject
        self._listing = listing
        self._open: dict[int, Desk] = {}
        self._opening: dict[int, asyncio.Task[Desk]] = {}
        self._windows: Counter[int] = Counter()

    def attend(self, admin_id: int) -> None:
        """A window of this admin opens."""
        self._windows[admin_id] += 1

    def leave(self, admin_id: int) -> None:
        """A window of this admin is closed for good."""
        self._windows[admin_id] -= 1
        if not self._windows[admin_id]:
            del self._windows[admin_id]

    def all(self) -> list[Desk]:
        """Those that are open now."""
        return list(self._open.values())

    def get(self, admin_id: int) -> Desk | None:
        """The desk of this admin if it is open."""
        return self._open.get(admin_id)

    async def open(self, admin_id: int) -> Desk:
        """The desk of this admin. Raises DatabaseUnavailable."""
        desk = self._open.get(admin_id)
        if desk is None:
            # Who gives up waiting leaves the reading to those who come after: a large desk opens for a slow browser too.
            desk = await asyncio.shield(self._opening_of(admin_id))
        desk.asked_at = monotonic()
        return desk

    def _opening_of(self, admin_id: int) -> asyncio.Task[Desk]:
        if admin_id not in self._opening:
            opening = self._opening[admin_id] = asyncio.create_task(self._open_now(admin_id))
            # Who waits is told of an error; if everybody gave up, nobody needs it, and asyncio need not log it.
            opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._opening[admin_id]

    async def _open_now(self, admin_id: int) -> Desk:
        try:
            self._open[admin_id] = await self._read(staging.DeskKey(admin_id, self._subject))
            return self._open[admin_id]
        finally:
            del self._opening[admin_id]

    def drop_unattended(self, admin_id: int) -> bool:
        """Drop the desk of this admin, unless a window of the admin is open or a step is under way."""
        desk = self._open.get(admin_id)
        may_go = desk is not None and not self._windows[admin_id] and not desk.lock.locked()
        if may_go:
            del self._open[admin_id]
        return may_go

    def drop_idle(self) -> None:
        """Drop those that nobody attends nor has asked for lately."""
        for desk in self.all():
            if monotonic() - desk.asked_at > IDLE_SECONDS:
                self.drop_unattended(desk.key.admin_id)

    async def reload(self, desk: Desk) -> None:
        """Read anew what another process stored."""
        now = await self._read(desk.key)
        desk.staged, desk.version, desk.name, desk.role = now.staged, now.version, now.name, now.role

    async def taken_names(
        self, staged: StagedChanges, changed_ids: Iterable[int] | None = None
    ) -> dict[tuple[str, str], Row]:
        """The rows that have the names of staged additions by now; of the changed ones only, or (None) of all."""
        if not staged.addition_count:
            return {}
        if changed_ids is None:
            changed_ids = (await authkeys.named(staged.additions)).values()
        names = staged.additions
        rows = (await self._listing.find(changed_ids)).values()
        return {(row.ip, row.service): row for row in rows if (row.ip, row.service) in names}

    async def _read(self, key: staging.DeskKey) -> Desk:
        # The version first: entries that are newer than it are read once more, never missed.
        version = await staging.version_of(key)
        staged = StagedChanges(await staging.entries_of(key), await staging.steps_of(key), version.number)
        await self.compare(staged)
        return Desk(key, staged, version.number, version.name, version.role)

    async def compare(self, staged: StagedChanges) -> Mapping[int, Row]:
        """Adjust staged changes that were stored to the rows as they are now; returns those that there are."""
        ids = staged.ids_to_rebase()
        found = await self._listing.find(ids)
        await asyncio.to_thread(staged.rebase, {id_: found.get(id_) for id_ in ids})
        staged.learn_names(await self.taken_names(staged))
        return found
