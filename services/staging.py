"""Staged changes of each admin: in memory for all of the admin's windows, in the database at every step.

The database is the truth. Each step is one small transaction that also raises the desk's version; another process
that finds a newer version than its own reads the entries anew, so two servers on one database agree. What can be
undone and redone is stored with them.
"""

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from nicegui import Event

from models.accounts import AdminIdentity, Role, require_change
from models.errors import RowNotFound, SubmissionRefused
from models.privileges import Privilege
from models.staged_changes import StagedChanges
from models.staging_steps import changes_between
from models.subjects import Row, Subject
from models.submissions import Source
from services.submissions import Order, Progress, Receipt, Submissions
from storage import staging
from storage.staging import WhoStaged


class StagingChange(NamedTuple):
    """What the event says: whose staged changes are different now, and for which rows (None: any)."""

    admin_id: int
    row_ids: frozenset[int] | None
    fell_away: int = 0
    """Of these, how many entries fell away because the rows already are so."""
    submitted: bool = False
    """Whether they were submitted: the change feed tells of that too."""


def others(who_staged: WhoStaged, row_id: int, admin_id: int) -> list[str]:
    """The names of those who have staged something for a row, without this admin."""
    return sorted(name for id_, name in who_staged.get(row_id, {}).items() if id_ != admin_id)


@dataclass(slots=True)
class _Desk:
    """One admin's staged changes in this process."""

    key: staging.Desk
    staged: StagedChanges
    version: int
    role: Role
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rows(Protocol):
    """Reads the rows for which changes are staged."""

    async def find(self, ids: Iterable[int], /) -> Mapping[int, Row]:
        """Those of these rows that exist, by id."""


class Staging:
    """Stages, takes back, undoes and submits changes to the rows of one subject, for all admins."""

    def __init__(self, subject: Subject, rows: Rows, submissions: Submissions) -> None:
        self._subject = subject
        self.rows = rows
        self._submissions = submissions
        self._desks: dict[int, _Desk] = {}
        self._versions: dict[int, int] = {}
        self._opening = asyncio.Lock()
        self.changed = Event[[StagingChange]]()
        """Somebody's staged changes are different now."""

    async def of(self, admin_id: int) -> StagedChanges:
        """What an admin has staged now. To be read only; every change goes through the methods below."""
        return (await self._desk(admin_id)).staged

    def step(self, admin_id: int) -> int:
        """How many staging steps this admin has taken, as far as `of` knew when it was last asked; it only grows."""
        desk = self._desks.get(admin_id)
        return desk.version if desk else 0

    async def who_staged(self, row_ids: Iterable[int]) -> WhoStaged:
        """Who has staged something for these rows."""
        return await staging.who_staged(self._subject, row_ids)

    # -- steps -----------------------------------------------------------------------------------------------------

    async def stage(self, admin_id: int, row_id: int, privilege: Privilege, granted: bool) -> None:
        """Stage one cell. Raises RowNotFound, NotStaged, DatabaseUnavailable; then nothing is different."""
        row = await self._existing(row_id)
        await self.take_step(admin_id, lambda staged: staged.stage(row, privilege, granted))

    async def stage_removal(self, admin_id: int, row_id: int) -> None:
        """Stage the removal of one row. Raises like `stage`."""
        row = await self._existing(row_id)
        await self.take_step(admin_id, lambda staged: staged.stage_removal([row]))

    async def take_back(self, admin_id: int, row_ids: Iterable[int]) -> None:
        """Take back all that is staged for these rows."""
        ids = list(row_ids)
        await self.take_step(admin_id, lambda staged: staged.take_back(ids))

    async def take_back_cell(self, admin_id: int, row_id: int, privilege: Privilege) -> None:
        """Take back what is staged for one cell."""
        await self.take_step(admin_id, lambda staged: staged.take_back_cell(row_id, privilege))

    async def confirm(self, admin_id: int, row_ids: Iterable[int]) -> None:
        """Confirm staged removals against the rows as they are now."""
        ids = list(row_ids)
        await self.take_step(admin_id, lambda staged: staged.confirm(ids))

    async def discard(self, admin_id: int) -> None:
        """Take back everything; can be undone."""
        await self.take_step(admin_id, StagedChanges.discard)

    async def undo(self, admin_id: int) -> None:
        """Undo the latest staging step. Raises NotStaged if there is none."""
        await self.take_step(admin_id, StagedChanges.undo)

    async def redo(self, admin_id: int) -> None:
        """Redo the latest undone step. Raises NotStaged if there is none."""
        await self.take_step(admin_id, StagedChanges.redo)

    async def submit(
        self, admin: AdminIdentity, submission_uuid: uuid.UUID, on_progress: Progress | None = None
    ) -> Receipt:
        """Submit everything that this admin has staged, in one transaction that also empties the staged changes.

        Raises SubmissionRefused on a conflict: nothing is written, all stays staged, and `conflicts` is up to date.
        """
        desk = await self._desk(admin.id)
        require_change(desk.role)
        async with desk.lock:
            if repeated := await self._submissions.receipt_of(submission_uuid):
                await self._reload(admin.id, desk)
                return repeated
            if not len(desk.staged):
                return Receipt(None, 0, 0)
            order = Order(
                submission_uuid, admin, Source.GRID, await asyncio.to_thread(desk.staged.changes), self._subject
            )

            try:
                receipt = await self._submissions.submit(
                    order, on_progress=on_progress, also=lambda db: staging.clear(db, desk.key, desk.version)
                )
            except staging.Outdated:
                await self._reload(admin.id, desk)
                raise SubmissionRefused(
                    "Nothing was submitted: your staged changes were changed in another window at this moment. "
                    "Look at them and submit again.",
                    (),
                ) from None
            except SubmissionRefused as refusal:
                await self._rebase(admin.id, desk, set(refusal.row_ids))
                raise
            submitted = frozenset(desk.staged)
            desk.staged = StagedChanges()
            desk.version += 1
        self.changed.emit(StagingChange(admin.id, submitted, submitted=True))
        return receipt

    # -- what happens elsewhere --------------------------------------------------------------------------------------

    async def rebase(self, changed_ids: set[int] | None) -> None:
        """Rows changed (None: too many to name): adjust what is staged for them."""
        for admin_id, desk in list(self._desks.items()):
            async with desk.lock:
                await self._rebase(admin_id, desk, changed_ids)

    async def refresh(self) -> None:
        """See what another process staged, and read it anew for the admins whose staged changes are open here."""
        for admin_id, version, role in await staging.versions(self._subject):
            if desk := self._desks.get(admin_id):
                desk.role = role
                async with desk.lock:
                    if version > desk.version:
                        await self._reload(admin_id, desk)
            elif self._versions.get(admin_id, version) != version:
                self.changed.emit(StagingChange(admin_id, None))
            self._versions[admin_id] = version

    # -- the machinery -----------------------------------------------------------------------------------------------

    async def _existing(self, row_id: int) -> Row:
        found = await self.rows.find([row_id])
        if row_id not in found:
            raise RowNotFound(f"This {self._subject} was removed in the meantime; nothing was staged for it.")
        return found[row_id]

    async def take_step(self, admin_id: int, step: Callable[[StagedChanges], set[int]]) -> set[int]:
        """Take a step in memory and in the database, or in neither; returns the rows that it touched."""
        desk = await self._desk(admin_id)
        require_change(desk.role)
        async with desk.lock:
            while True:
                after, touched = await asyncio.to_thread(_take, step, desk.staged)
                try:
                    await _store(desk, after, touched)
                    break
                except staging.Outdated:
                    await self._reload(admin_id, desk)
        self.changed.emit(StagingChange(admin_id, frozenset(touched)))
        return touched

    async def _rebase(self, admin_id: int, desk: _Desk, changed_ids: set[int] | None) -> None:
        ids = desk.staged.ids_to_rebase(changed_ids)
        if not ids:
            return
        found = await self.rows.find(ids)
        rows = {id_: found.get(id_) for id_ in ids}
        after, fell_away = await asyncio.to_thread(_take, lambda staged: staged.rebase(rows), desk.staged)
        try:
            await _store(desk, after, fell_away)
        except staging.Outdated:
            await self._reload(admin_id, desk)
            return
        self.changed.emit(StagingChange(admin_id, frozenset(ids), len(fell_away)))

    async def _reload(self, admin_id: int, desk: _Desk) -> None:
        desk.staged, desk.version, desk.role = await self._load(desk.key)
        self.changed.emit(StagingChange(admin_id, None))

    async def _desk(self, admin_id: int) -> _Desk:
        if admin_id not in self._desks:
            async with self._opening:
                if admin_id not in self._desks:
                    key = staging.Desk(admin_id, self._subject)
                    self._desks[admin_id] = _Desk(key, *await self._load(key))
        return self._desks[admin_id]

    async def _load(self, desk: staging.Desk) -> tuple[StagedChanges, int, Role]:
        # The version first: entries that are newer than it are read once more, never missed.
        version = await staging.version_of(desk)
        staged = StagedChanges(await staging.entries_of(desk), await staging.steps_of(desk))
        ids = staged.ids_to_rebase()
        found = await self.rows.find(ids)
        await asyncio.to_thread(staged.rebase, {id_: found.get(id_) for id_ in ids})
        return staged, version.number, version.role


# What may take long for a hundred thousand rows runs in a thread, on a copy: the pages of others go on meanwhile.


def _take(step: Callable[[StagedChanges], set[int]], staged: StagedChanges) -> tuple[StagedChanges, set[int]]:
    """What will be staged after a step, and the rows that it touches."""
    after = staged.copy()
    return after, step(after)


async def _store(desk: _Desk, after: StagedChanges, row_ids: set[int]) -> None:
    """Write the entries of these rows, and the steps; then they are in memory too."""
    steps = changes_between(desk.staged.steps, after.steps)
    if not row_ids and not steps.any:
        desk.staged = after
        return
    await staging.store(desk.key, desk.version, after, row_ids, steps)
    desk.staged = after
    desk.version += 1
