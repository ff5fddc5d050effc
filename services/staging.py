"""Staged changes of each admin: the steps that change them, their submission, and what happens to them elsewhere.

Each step is one small transaction that also raises the desk's version; another process that finds a newer version than its
own reads the entries anew, so two servers on one database agree. What can be undone and redone is stored with them.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Generic

from nicegui import Event

from models.accounts import AdminIdentity, require_change
from models.amendments import TextName
from models.errors import ApprovalNeeded, DatabaseUnavailable, DuplicateAuthkey, RowNotFound, SubmissionRefused
from models.grid_rows import GridRow, overlay
from models.marks import Marks, StagingChange, StagingNews
from models.privileges import Privilege
from models.secrets import IssuedKey
from models.staged_changes import StagedChanges
from models.staged_rows import NOTHING, StagedRow, Wanted
from models.staging_steps import changes_between
from models.subjects import Row, Subject
from models.submissions import Source
from services.desks import Desk, Desks
from services.keymaking import changes_with_secrets
from services.listing import Listing, V
from services.reviewed import ReviewedRows
from services.shown import ShownRows
from services.submissions import Also, Order, Progress, Receipt, Submissions
from storage import staging
from storage.staging import Version
from storage.transactions import Connection


class Staging(Generic[V]):
    """Stages, takes back, undoes and submits changes to the rows of one subject, for all admins."""

    def __init__(self, subject: Subject, listing: Listing[V], submissions: Submissions) -> None:
        self.subject = subject
        self.listing = listing
        self._submissions = submissions
        self._desks = Desks(subject, listing)
        self.shown = ShownRows(subject, listing, self._desks)
        """The rows that each admin's grid shows"""
        self.reviewed = ReviewedRows(subject, listing, self._desks, self.shown)
        """The rows of each admin's review"""
        self._issued: dict[uuid.UUID, tuple[IssuedKey, ...]] = {}  # by submissions that are under way
        self._versions: dict[int, int] = {}  # by admin the newest that the pages here were told of
        self.changed = Event[[StagingChange]]()
        """Somebody's staged changes are different now."""
        self.ask: Callable[[Order, StagedChanges, Also], Awaitable[Receipt]] | None = None
        """Has another admin approve what may not be submitted without one"""
        self.four_eyes = submissions.four_eyes

    # -- reading -------------------------------------------------------------------------------------------------------

    async def of(self, admin_id: int) -> StagedChanges:
        """What an admin has staged now. To be read only; every change goes through the methods below."""
        return (await self._desks.open(admin_id)).staged

    async def as_now(self, entries: Mapping[int, StagedRow]) -> tuple[StagedChanges, Mapping[int, Row]]:
        """What was staged once and is held elsewhere, against the rows as they are now; and those that are in force."""
        staged = StagedChanges(entries)
        return staged, await self._desks.compare(staged)

    def attend(self, admin_id: int) -> None:
        """A window of this admin opens: what the admin stages elsewhere is followed until `leave`."""
        self._desks.attend(admin_id)

    def leave(self, admin_id: int) -> None:
        """A window of this admin is closed for good."""
        self._desks.leave(admin_id)

    async def overlaid(self, admin_id: int, rows: Sequence[Row], *, with_others: bool = True) -> list[GridRow]:
        """Rows as an admin's grid shows them; without the marks of others where the browser knows those already."""
        unused = await self.unused_marks(rows)
        who = await staging.who_staged(self.subject, [row.id for row in rows]) if with_others else {}
        desk = await self._desks.open(admin_id)
        now = datetime.now(UTC)

        def others(row_id: int) -> list[str]:
            return sorted(name for id_, name in who.get(row_id, {}).items() if id_ != admin_id)

        return [
            overlay(
                row,
                desk.staged[row.id],
                others(row.id) if with_others else None,
                unused.get(row.id, 0),
                desk.version,
                now,
                desk.staged.conflict_of(row.id),
            )
            for row in rows
        ]

    @staticmethod
    def plain(rows: Sequence[Row]) -> list[GridRow]:
        """Rows as they were, over which nothing is laid."""
        now = datetime.now(UTC)
        return [overlay(row, NOTHING, [], 0, 0, now) for row in rows]

    async def unused_marks(self, rows: Iterable[Row]) -> dict[int, int]:
        """The granted privileges of these rows, as sets, that were long unused; only authkeys are used."""
        return {}

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def stage(self, admin_id: int, row_id: int, privilege: Privilege, granted: bool) -> bool:
        """Stage one cell; whether that was anything new. Raises RowNotFound, NotStaged, DatabaseUnavailable; then nothing is different."""
        row = await self._existing(admin_id, row_id)
        return bool(await self.take_step(admin_id, lambda staged: staged.stage(row, privilege, granted)))

    async def stage_removal(self, admin_id: int, row_id: int) -> None:
        """Stage the removal of one row. Raises like `stage`."""
        row = await self._existing(admin_id, row_id)
        await self.take_step(admin_id, lambda staged: staged.stage_removal([row]))

    async def stage_wanted(self, admin_id: int, wanted: Wanted) -> set[int]:
        """Stage all that is wanted in one step; returns the rows that it touched."""
        return await self.take_step(admin_id, lambda staged: staged.stage_wanted(wanted))

    async def take_back(self, admin_id: int, row_ids: Iterable[int]) -> None:
        """Take back all that is staged for these rows."""
        ids = list(row_ids)
        await self.take_step(admin_id, lambda staged: staged.take_back(ids))

    async def take_back_part(self, admin_id: int, row_id: int, part: Privilege | TextName) -> None:
        """Take back what is staged for one cell, or one text."""
        await self.take_step(admin_id, lambda staged: staged.take_back_part(row_id, part))

    async def confirm(self, admin_id: int, row_ids: Iterable[int]) -> None:
        """Confirm staged removals against the rows as they are now."""
        ids = list(row_ids)
        await self.take_step(admin_id, lambda staged: staged.confirm(ids))

    async def discard(self, admin_id: int) -> int:
        """Take back everything; can be undone. Returns for how many rows something was staged."""
        return len(await self.take_step(admin_id, StagedChanges.discard))

    def latest_step(self, admin_id: int) -> int:
        """The number of the staging step that `undo` takes back now; 0 for none. Asked right after a step, it is that one's."""
        desk = self._desks.get(admin_id)
        step = desk.staged.to_undo if desk else None
        return step.number if step else 0

    async def undo(self, admin_id: int, number: int | None = None) -> None:
        """Undo the latest staging step. Raises NotStaged if there is none, or if it is not the one with this number."""
        await self.take_step(admin_id, lambda staged: staged.undo(number))

    async def redo(self, admin_id: int) -> None:
        """Redo the latest undone step. Raises NotStaged if there is none."""
        await self.take_step(admin_id, StagedChanges.redo)

    async def submit(
        self,
        admin: AdminIdentity,
        submission_uuid: uuid.UUID,
        on_progress: Progress | None = None,
        session_id: int | None = None,
    ) -> Receipt:
        """Submit everything that this admin has staged, in one transaction that also empties the staged changes.

        Raises SubmissionRefused on a conflict, DuplicateAuthkey, or FactorNeeded: nothing is written, all stays staged, and `conflicts` is up to date.
        What another admin must approve waits for that instead, as the receipt says.
        """
        desk = await self._desks.open(admin.id)
        require_change(desk.role)
        async with desk.lock:
            if repeated := await self._submissions.receipt_of(submission_uuid):
                await self._reload(desk)
                return repeated
            if not len(desk.staged):
                return Receipt(None, 0, 0)
            changes, issued = await asyncio.to_thread(changes_with_secrets, desk.staged)
            makes_rows = desk.staged.addition_count > 0
            marks = Marks.of(desk.name, [], desk.staged)
            try:
                order = Order(submission_uuid, admin, Source.GRID, changes, self.subject, session_id=session_id)
                receipt = await self._submit_or_ask(desk, order, marks, on_progress)
            except staging.StagingOutdated:
                await self._reload(desk)
                raise SubmissionRefused(
                    "Nothing was submitted: your staged changes were changed in another window at this moment. "
                    "Look at them and submit again.",
                    (),
                ) from None
            except DatabaseUnavailable:
                self._issued[submission_uuid] = issued  # nobody knows for a while whether it was committed
                raise
            except (SubmissionRefused, DuplicateAuthkey) as refusal:
                await self._rebase(desk, set(refusal.row_ids) if isinstance(refusal, SubmissionRefused) else None)
                raise
            if receipt.approval is not None:
                await self._reload(desk)
                return receipt
            if issued:
                self._issued[submission_uuid] = issued
            self._advance(desk, StagedChanges(newest=desk.version))
        self.changed.emit(StagingChange(admin.id, marks, submitted=True, moves_rows=makes_rows))
        return receipt

    async def _submit_or_ask(
        self, desk: Desk, order: Order, marks: Marks | None, on_progress: Progress | None
    ) -> Receipt:
        async def clear(db: Connection) -> None:
            await staging.clear(db, desk.key, desk.version, marks)

        try:
            return await self._submissions.submit(order, on_progress=on_progress, also=clear)
        except ApprovalNeeded:
            if self.ask is None:
                raise
            return await self.ask(order, desk.staged, clear)

    def take_issued(self, submission_uuid: uuid.UUID) -> Sequence[IssuedKey]:
        """The secrets that a submission made. They are handed out this once."""
        return self._issued.pop(submission_uuid, ())

    # -- what happens elsewhere ----------------------------------------------------------------------------------------

    async def rebase(self, changed_ids: set[int] | None) -> None:
        """Rows changed (None: too many to name): adjust what is staged for them."""
        for desk in self._desks.all():
            async with desk.lock:
                await self._rebase(desk, changed_ids)

    def hear(self, news: StagingNews) -> bool:
        """Another process tells what one of its admins has staged: others see that without reading anything.

        Returns whether the admin has it open here too, so that `refresh` is due.
        """
        if news.subject is not self.subject or not self._learn(news.admin_id, news.version):
            return False
        self.changed.emit(StagingChange(news.admin_id, news.marks, elsewhere=True))
        return self._desks.get(news.admin_id) is not None

    async def refresh(self, versions: Iterable[Version]) -> None:
        """See what other processes stored, and read it anew for the admins who have a window here."""
        self._desks.drop_idle()
        for version in versions:
            if desk := self._desks.get(version.admin_id):
                desk.role = version.role
            if version.subject is self.subject:
                await self._follow(version, desk)

    async def _follow(self, version: Version, desk: Desk | None) -> None:
        others_know = not self._learn(version.admin_id, version.number)
        if desk and version.number > desk.version and not self._desks.drop_unattended(version.admin_id):
            async with desk.lock:
                if version.number > desk.version:
                    await self._reload(desk, others_know=others_know)
        elif not others_know:
            self.changed.emit(StagingChange(version.admin_id, None))

    # -- the machinery -------------------------------------------------------------------------------------------------

    async def _existing(self, admin_id: int, row_id: int) -> Row:
        found = await self.shown.find(admin_id, [row_id])
        if row_id not in found:
            raise RowNotFound(f"This {self.subject} was removed in the meantime; nothing was staged for it.")
        return found[row_id]

    async def take_step(
        self, admin_id: int, step: Callable[[StagedChanges], set[int]], also: Also | None = None
    ) -> set[int]:
        """Take a step in memory and in the database, or in neither; returns the rows that it touched.

        `also` runs in its transaction, which then is not the admin's own doing.
        """
        desk = await self._desks.open(admin_id)
        if also is None:
            require_change(desk.role)
        async with desk.lock:
            while True:
                before = desk.staged
                after, touched = await asyncio.to_thread(_take, step, before)
                marks = Marks.of(desk.name, after, touched)
                try:
                    await self._store(desk, after, touched, marks, also)
                    break
                except staging.StagingOutdated:
                    await self._reload(desk)
        new = frozenset(id_ for id_ in touched if id_ < 0)
        moves = any((id_ in before) != (id_ in after) for id_ in new)
        self.changed.emit(StagingChange(admin_id, marks, new_row_ids=new, moves_rows=moves))
        return touched

    async def _rebase(self, desk: Desk, changed_ids: set[int] | None) -> None:
        ids = desk.staged.ids_to_rebase(changed_ids)
        taken = await self._desks.taken_names(desk.staged, changed_ids)
        if not ids and not taken and not desk.staged.taken:
            return
        found = await self.listing.find(ids)
        rows = {id_: found.get(id_) for id_ in ids}

        def rebase(staged: StagedChanges) -> set[int]:
            staged.learn_names(taken, changed_ids)
            return staged.rebase(rows)

        after, fell_away = await asyncio.to_thread(_take, rebase, desk.staged)
        marks = Marks.of(desk.name, after, ids)
        try:
            await self._store(desk, after, fell_away, marks)
        except staging.StagingOutdated:
            await self._reload(desk)
            return
        new = frozenset(after.taken)
        self.changed.emit(StagingChange(desk.key.admin_id, marks, len(fell_away), new_row_ids=new))

    async def _store(
        self, desk: Desk, after: StagedChanges, row_ids: set[int], marks: Marks | None, also: Also | None = None
    ) -> None:
        """Write the entries of these rows, and the steps; then they are in memory too."""
        steps = changes_between(desk.staged.steps, after.steps)
        if not row_ids and not steps.any and also is None:
            desk.staged = after
            return
        await staging.store(desk.key, desk.version, after, row_ids, steps, marks, also)
        self._advance(desk, after)

    def _advance(self, desk: Desk, after: StagedChanges) -> None:
        desk.staged = after
        desk.version += 1
        self._learn(desk.key.admin_id, desk.version)

    def _learn(self, admin_id: int, version: int) -> bool:
        """Note that a version is told; whether it is newer than what was told before."""
        is_new = version > self._versions.get(admin_id, 0)
        if is_new:  # what was read before a step of this process, and comes after it, is old
            self._versions[admin_id] = version
        return is_new

    async def _reload(self, desk: Desk, *, others_know: bool = False) -> None:
        await self._desks.reload(desk)
        self.changed.emit(StagingChange(desk.key.admin_id, None, others_know=others_know))


# What may take long for a hundred thousand rows runs in a thread, on a copy: the pages of others go on meanwhile.


def _take(step: Callable[[StagedChanges], set[int]], staged: StagedChanges) -> tuple[StagedChanges, set[int]]:
    """What will be staged after a step, and the rows that it touches."""
    after = staged.copy()
    return after, step(after)
