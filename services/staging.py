"""Staged changes of each admin: in memory for all of the admin's windows, in the database at every step.

The database is the truth. Each step is one small transaction that also raises the admin's `staging_version`; another
process that finds a newer version than its own reads the entries anew, so two servers on one database agree. What can be
undone and redone is stored with them.
"""

import asyncio
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from nicegui import Event

from models.accounts import AdminIdentity, Role, require_change
from models.authkeys import Authkey
from models.errors import AuthkeyNotFound, SubmissionRefused
from models.privileges import Privilege
from models.staged_changes import StagedChanges
from models.staging_steps import changes_between
from models.submissions import Change, Source, change_for
from models.usage import QUIET_DAYS
from models.views import View
from services.authkeys import Authkeys
from services.submissions import Order, Progress, Receipt, Submissions
from services.uses import Uses
from storage import staging
from storage.staging import WhoStaged


class StagingChange(NamedTuple):
    """What the event says: whose staged changes are different now, and for which authkeys (None: any)."""

    admin_id: int
    authkey_ids: frozenset[int] | None
    fell_away: int = 0
    """Of these, how many entries fell away because the authkeys already are so."""
    submitted: bool = False
    """Whether they were submitted: the change feed tells of that too."""


def others(who_staged: WhoStaged, authkey_id: int, admin_id: int) -> list[str]:
    """The names of those who have staged something for an authkey, without this admin."""
    return sorted(name for id_, name in who_staged.get(authkey_id, {}).items() if id_ != admin_id)


@dataclass(slots=True)
class _Desk:
    """One admin's staged changes in this process."""

    staged: StagedChanges
    version: int
    role: Role
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Staging:
    """Stages, takes back, undoes and submits changes for admins."""

    def __init__(self, authkeys: Authkeys, submissions: Submissions, uses: Uses) -> None:
        self._uses = uses
        self._authkeys = authkeys
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

    async def who_staged(self, authkey_ids: Iterable[int]) -> WhoStaged:
        """Who has staged something for these authkeys."""
        return await staging.who_staged(authkey_ids)

    # -- steps -----------------------------------------------------------------------------------------------------

    async def stage(self, admin_id: int, authkey_id: int, privilege: Privilege, granted: bool) -> None:
        """Stage one cell. Raises AuthkeyNotFound, NotStaged, DatabaseUnavailable; then nothing is different."""
        row = await self._existing(authkey_id)
        await self._step(admin_id, lambda staged: staged.stage(row, privilege, granted))

    async def stage_removal(self, admin_id: int, authkey_id: int) -> None:
        """Stage the removal of one authkey. Raises like `stage`."""
        row = await self._existing(authkey_id)
        await self._step(admin_id, lambda staged: staged.stage_removal([row]))

    async def stage_removal_of_ip(self, admin_id: int, ip: str) -> int:
        """Stage the removal of all authkeys of an IP address in one step; returns how many authkeys it has."""
        rows = await self._authkeys.of_ip(ip)
        await self._step(admin_id, lambda staged: staged.stage_removal(rows))
        return len(rows)

    async def stage_view(self, admin_id: int, view: View, privilege: Privilege | None, granted: bool) -> int:
        """Stage one privilege, or the removal (None), of all authkeys of a view in one step; returns how many."""
        rows = await self._authkeys.matching(view, admin_id)
        if privilege is None:
            return len(await self._step(admin_id, lambda staged: staged.stage_removal(rows)))
        return len(await self._step(admin_id, lambda staged: staged.stage_all(rows, privilege, granted)))

    async def revoke_unused(self, admin_id: int, view: View) -> int:
        """Stage, in one step, the revocation of what the authkeys of a view were not used for; returns of how many."""
        rows = await self._authkeys.matching(view, admin_id)
        masks = await self._uses.unused(rows, view.unused_days or QUIET_DAYS[0])
        return len(
            await self._step(admin_id, lambda staged: staged.revoke([row for row in rows if row.id in masks], masks))
        )

    async def count_unused(self, admin_id: int, view: View) -> tuple[int, int]:
        """How many changes `revoke_unused` would stage, and for how many authkeys."""
        rows = await self._authkeys.matching(view, admin_id)
        masks = await self._uses.unused(rows, view.unused_days or QUIET_DAYS[0])
        return sum(mask.bit_count() for mask in masks.values()), len(masks)

    async def take_back(self, admin_id: int, authkey_ids: Iterable[int]) -> None:
        """Take back all that is staged for these authkeys."""
        ids = list(authkey_ids)
        await self._step(admin_id, lambda staged: staged.take_back(ids))

    async def take_back_cell(self, admin_id: int, authkey_id: int, privilege: Privilege) -> None:
        """Take back what is staged for one cell."""
        await self._step(admin_id, lambda staged: staged.take_back_cell(authkey_id, privilege))

    async def confirm(self, admin_id: int, authkey_ids: Iterable[int]) -> None:
        """Confirm staged removals against the authkeys as they are now."""
        ids = list(authkey_ids)
        await self._step(admin_id, lambda staged: staged.confirm(ids))

    async def discard(self, admin_id: int) -> None:
        """Take back everything; can be undone."""
        await self._step(admin_id, StagedChanges.discard)

    async def undo(self, admin_id: int) -> None:
        """Undo the latest staging step. Raises NotStaged if there is none."""
        await self._step(admin_id, StagedChanges.undo)

    async def redo(self, admin_id: int) -> None:
        """Redo the latest undone step. Raises NotStaged if there is none."""
        await self._step(admin_id, StagedChanges.redo)

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
            order = Order(submission_uuid, admin, Source.GRID, await asyncio.to_thread(_changes, desk.staged))

            try:
                receipt = await self._submissions.submit(
                    order, on_progress=on_progress, also=lambda db: staging.clear(db, admin.id, desk.version)
                )
            except staging.Outdated:
                await self._reload(admin.id, desk)
                raise SubmissionRefused(
                    "Nothing was submitted: your staged changes were changed in another window at this moment. "
                    "Look at them and submit again.",
                    (),
                ) from None
            except SubmissionRefused as refusal:
                await self._rebase(admin.id, desk, set(refusal.authkey_ids))
                raise
            submitted = frozenset(desk.staged)
            desk.staged = StagedChanges()
            desk.version += 1
        self.changed.emit(StagingChange(admin.id, submitted, submitted=True))
        return receipt

    # -- what happens elsewhere --------------------------------------------------------------------------------------

    async def rebase(self, changed_ids: set[int] | None) -> None:
        """Authkeys changed (None: too many to name): adjust what is staged for them."""
        for admin_id, desk in list(self._desks.items()):
            async with desk.lock:
                await self._rebase(admin_id, desk, changed_ids)

    async def refresh(self) -> None:
        """See what another process staged, and read it anew for the admins whose staged changes are open here."""
        for admin_id, version, role in await staging.versions():
            if desk := self._desks.get(admin_id):
                desk.role = role
                async with desk.lock:
                    if version > desk.version:
                        await self._reload(admin_id, desk)
            elif self._versions.get(admin_id, version) != version:
                self.changed.emit(StagingChange(admin_id, None))
            self._versions[admin_id] = version

    # -- the machinery -----------------------------------------------------------------------------------------------

    async def _existing(self, authkey_id: int) -> Authkey:
        found = await self._authkeys.find([authkey_id])
        if authkey_id not in found:
            raise AuthkeyNotFound("This authkey was removed in the meantime; nothing was staged for it.")
        return found[authkey_id]

    async def _step(self, admin_id: int, step: Callable[[StagedChanges], set[int]]) -> set[int]:
        """Take a step in memory and in the database, or in neither."""
        desk = await self._desk(admin_id)
        require_change(desk.role)
        async with desk.lock:
            while True:
                after, touched = await asyncio.to_thread(_take, step, desk.staged)
                try:
                    await _store(admin_id, desk, after, touched)
                    break
                except staging.Outdated:
                    await self._reload(admin_id, desk)
        self.changed.emit(StagingChange(admin_id, frozenset(touched)))
        return touched

    async def _rebase(self, admin_id: int, desk: _Desk, changed_ids: set[int] | None) -> None:
        ids = desk.staged.ids_to_rebase(changed_ids)
        if not ids:
            return
        found = await self._authkeys.find(ids)
        rows = {id_: found.get(id_) for id_ in ids}
        after, fell_away = await asyncio.to_thread(_take, lambda staged: staged.rebase(rows), desk.staged)
        try:
            await _store(admin_id, desk, after, fell_away)
        except staging.Outdated:
            await self._reload(admin_id, desk)
            return
        self.changed.emit(StagingChange(admin_id, frozenset(ids), len(fell_away)))

    async def _reload(self, admin_id: int, desk: _Desk) -> None:
        desk.staged, desk.version, desk.role = await self._load(admin_id)
        self.changed.emit(StagingChange(admin_id, None))

    async def _desk(self, admin_id: int) -> _Desk:
        if admin_id not in self._desks:
            async with self._opening:
                if admin_id not in self._desks:
                    self._desks[admin_id] = _Desk(*await self._load(admin_id))
        return self._desks[admin_id]

    async def _load(self, admin_id: int) -> tuple[StagedChanges, int, Role]:
        # The version first: entries that are newer than it are read once more, never missed.
        version = await staging.version_of(admin_id)
        staged = StagedChanges(await staging.entries_of(admin_id), await staging.steps_of(admin_id))
        ids = staged.ids_to_rebase()
        found = await self._authkeys.find(ids)
        await asyncio.to_thread(staged.rebase, {id_: found.get(id_) for id_ in ids})
        return staged, version.number, version.role


# What may take long for a hundred thousand authkeys runs in a thread, on a copy: the pages of others go on meanwhile.


def _take(step: Callable[[StagedChanges], set[int]], staged: StagedChanges) -> tuple[StagedChanges, set[int]]:
    """What will be staged after a step, and the authkeys that it touches."""
    after = staged.copy()
    return after, step(after)


def _changes(staged: StagedChanges) -> list[Change]:
    return [change_for(id_, entry) for id_, entry in staged.entries.items()]


async def _store(admin_id: int, desk: _Desk, after: StagedChanges, authkey_ids: set[int]) -> None:
    """Write the entries of these authkeys, and the steps; then they are in memory too."""
    steps = changes_between(desk.staged.steps, after.steps)
    if not authkey_ids and not steps.any:
        desk.staged = after
        return
    await staging.store(admin_id, desk.version, after, authkey_ids, steps)
    desk.staged = after
    desk.version += 1
