"""The history, as everybody writes to it and reads it. Its chain is checked in `services.chain`."""

from typing import NamedTuple

from nicegui import Event

from models.history import Change, Entry, EntryKind
from models.history_views import HistoryView
from models.history_wording import sentence
from models.subjects import Subject
from models.submissions import Modification
from models.tallies import EntryTally
from services.attempts import is_first
from storage import history, history_views
from storage.transactions import run_transaction

MAX_BLOCK = 200
"""Entries that one request may ask for."""
COUNTED = 100_000
"""So many entries are counted; of more it is only said that there are more."""


class Told(NamedTuple):
    """An entry and its one line."""

    entry: Entry
    sentence: str


class History:
    """Writes and reads entries. Submissions write theirs themselves, in their transaction."""

    _A_MINUTE = 1

    def __init__(self) -> None:
        self._head = 0
        self.tally = EntryTally()
        self.grown = Event[[]]()
        """There are new entries, from whichever process."""

    # -- writing -------------------------------------------------------------------------------------------------------

    async def put(self, kind: EntryKind, admin: int | str, address: str = "", detail: str = "") -> None:
        """Record what happened; `admin` is an account, or a name as it was given. Raises DatabaseUnavailable."""
        self.tally.noted[kind] += 1
        await self._put(kind, admin, address, detail)

    async def put_flood(self, kind: EntryKind, admin: str, address: str, detail: str = "") -> None:
        """Record what anybody can cause any number of times: once a minute from each address, by whichever instance."""
        self.tally.noted[kind] += 1
        if await is_first(self._A_MINUTE, kind, address, detail):
            await self._put(kind, admin, address, detail)

    async def _put(self, kind: EntryKind, admin: int | str, address: str, detail: str) -> None:
        await run_transaction(lambda db: history.append(db, kind, admin, address, detail))

    # -- reading -------------------------------------------------------------------------------------------------------

    async def block(self, view: HistoryView, start: int, end: int) -> list[Told]:
        """Entries `start` to `end` (exclusive) of a view, newest first; at most MAX_BLOCK."""
        found = await history_views.entries(view, start, min(end - start, MAX_BLOCK))
        return await self._told(found)

    async def count(self, view: HistoryView) -> int:
        """How many entries a view shows; of a filtered one up to `COUNTED`."""
        return await history_views.count(view, COUNTED if view.is_filtered else 2**31 - 1)

    async def entry(self, number: int) -> Told | None:
        """One entry."""
        found = await history_views.entry(number)
        return (await self._told([found]))[0] if found else None

    async def newest(self, limit: int) -> list[Entry]:
        """The newest entries, newest first."""
        return await history_views.newest(limit)

    async def accesses(self, limit: int = 50) -> list[Entry]:
        """The newest entries that are no submissions, newest first."""
        return await history_views.newest_accesses(limit)

    async def done_in(self, revision: int, start: int, count: int) -> list[Modification]:
        """What a submission did, from the `start`th row on."""
        return await history_views.done_in(revision, start, count)

    async def changes_of(
        self, subject: Subject, row_id: int, mask: int = 0, before: int = 2**62, count: int = 50
    ) -> list[Change]:
        """What happened to a row, newest first; with a set of privileges, only what made a difference to one of them."""
        return await history_views.changes_of(subject, row_id, mask, before, count)

    async def admin_names(self) -> list[str]:
        """Of all accounts, to choose from."""
        return await history_views.admin_names()

    async def _told(self, entries: list[Entry]) -> list[Told]:
        single = [each.submission.revision for each in entries if each.submission and each.submission.row_count == 1]
        only = await history_views.only_ones(single)
        return [
            Told(each, sentence(each, only.get(each.submission.revision) if each.submission else None))
            for each in entries
        ]

    # -- hearing of it -------------------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Look whether there is something new, and tell."""
        head = (await history.head()).number
        if head != self._head:
            self._head = head
            self.grown.emit()
