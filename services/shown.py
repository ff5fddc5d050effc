"""What an admin's grid shows: first the authkeys that this admin wants made, then the rows that are stored."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Generic

from models.authkeys import Authkey
from models.staged_rows import NewKey
from models.subjects import Row, Subject
from models.views import View
from services.desks import Desks
from services.listing import MAX_BLOCK, Listing, V
from storage import staging
from storage.staging import DeskKey

COUNT_SECONDS = 0.02
"""A block does not wait longer until a million rows are counted."""


class ShownRows(Generic[V]):
    """Reads them. Raises DatabaseUnavailable."""

    def __init__(self, subject: Subject, listing: Listing[V], desks: Desks) -> None:
        self._subject = subject
        self._listing = listing
        self._desks = desks

    async def block(self, view: V, admin_id: int, start: int, end: int) -> Sequence[Row]:
        """Rows `start` to `end` (exclusive) of a view; at most MAX_BLOCK."""
        start = max(0, start)
        return await self.stretch(view, admin_id, start, min(end, start + MAX_BLOCK))

    async def stretch(self, view: V, admin_id: int, start: int, end: int) -> Sequence[Row]:
        """Rows `start` to `end` (exclusive) of a view, however many."""
        new_count = await self._count_new(view, admin_id)
        new = await self._new(view, admin_id, start, end) if start < new_count else []
        start, end = max(0, start - new_count), max(0, end - new_count)
        return [*new, *(await self._listing.stretch(view, admin_id, start, end) if start < end else ())]

    async def count(self, view: V, admin_id: int) -> int:
        """How many rows a view shows."""
        return await self._listing.count(view, admin_id) + await self._count_new(view, admin_id)

    async def total(self, view: V, admin_id: int, start: int, end: int, found: int) -> int | None:
        """How many rows a view shows, of which `start` to `end` were asked for and so many found; None if that is still counted."""
        if found < end - start and (found or not start):
            return start + found  # the last ones
        try:
            return await asyncio.wait_for(self.count(view, admin_id), COUNT_SECONDS)
        except TimeoutError:
            return None

    async def place(self, view: V, admin_id: int, row_id: int) -> int | None:
        """Where a row stands in a view, from 0; None if it does not."""
        new_count = await self._count_new(view, admin_id)
        if row_id < 0:
            ids = [row.id for row in await self._new(view, admin_id, 0, new_count)]
            return ids.index(row_id) if row_id in ids else None
        place = await self._listing.place(view, admin_id, row_id)
        return None if place is None else place + new_count

    async def matching(self, view: V, admin_id: int) -> Sequence[Row]:
        """All rows of a view for which something can be staged, in no particular order but for those that shall be made."""
        new = await self._new(view, admin_id, 0, await self._count_new(view, admin_id))
        return [*new, *await self._listing.matching(view, admin_id)]

    async def staged_ids(self, view: V, admin_id: int) -> list[int]:
        """The ids of the rows in a view for which this admin has staged changes."""
        new = await self._new(view, admin_id, 0, await self._count_new(view, admin_id))
        return [*(row.id for row in new), *await self._listing.staged_ids_in(view, admin_id)]

    async def hidden_changes(self, view: V, admin_id: int, *, shows_removed: bool, hidden_columns: int = 0) -> int:
        """How many of the admin's staged changes a view does not show: those of other rows, and those in hidden columns.

        `shows_removed`: removed rows stand in some view, so that their restorations do. `hidden_columns` is a set of privileges.
        """
        staged = (await self._desks.open(admin_id)).staged
        if not view.is_live or not len(staged):
            return 0
        seen: Iterable[int]
        if not view.may_hide or view.staged_only:
            seen = (id_ for id_, entry in staged.entries.items() if shows_removed or not entry.restoration)
        else:
            seen = await self.staged_ids(view, admin_id)
        return staged.change_count - staged.count_in(seen, without=hidden_columns)

    async def find(self, admin_id: int, ids: Iterable[int]) -> dict[int, Row]:
        """Those of these rows that are in force, or shall be made, by id."""
        wanted = set(ids)
        staged = (await self._desks.open(admin_id)).staged
        new = {id_: _row(id_, key) for id_ in wanted if id_ < 0 and (key := staged[id_].new)}
        return {**new, **await self._listing.find(id_ for id_ in wanted if id_ > 0)}

    async def _count_new(self, view: V, admin_id: int) -> int:
        if not (await self._desks.open(admin_id)).staged.addition_count or not isinstance(view, View):
            return 0
        return await staging.count_additions(DeskKey(admin_id, self._subject), view)

    async def _new(self, view: Any, admin_id: int, start: int, end: int) -> list[Authkey]:
        if end <= start:
            return []
        found = await staging.additions(DeskKey(admin_id, self._subject), view, start, end - start)
        return [_row(id_, key) for id_, key in found]


def _row(id_: int, key: NewKey) -> Authkey:
    return Authkey(id_, key.ip, key.service, 0, 0)
