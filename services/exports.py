"""Exports of the history and of the table at any moment: streamed without a cap, in flat memory, and themselves on record."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from models.accounts import AdminIdentity
from models.authkeys import Authkey
from models.chain import Anchor, Row
from models.exports import (
    ENTRY_COLUMNS,
    TABLE_COLUMNS,
    ExportFormat,
    beginning,
    csv_text,
    entry_cells,
    entry_line,
    key_cells,
    key_line,
    modification_line,
)
from models.history import EntryKind, timestamp
from models.history_views import HistoryView
from models.views import View
from services.authkeys import Authkeys
from services.history import History
from services.past import Past
from storage import authkey_texts, history, history_views, past
from storage.history import PORTION


class Exports:
    """Writes them, for the page and the command line."""

    def __init__(self, records: History, moments: Past, authkeys: Authkeys) -> None:
        self._history = records
        self._past = moments
        self._authkeys = authkeys

    async def of_history(
        self, view: HistoryView, format_: ExportFormat, admin: AdminIdentity, address: str = ""
    ) -> AsyncIterator[str]:
        """The entries of a view, oldest first, in pieces; up to the entry that says that they were exported.

        Raises DatabaseUnavailable, before the first piece.
        """
        query = view.to_query()
        until = (await history.head()).number
        await self._history.put(EntryKind.EXPORTED, admin.id, address, f"history as {format_}: {query or 'all of it'}")
        return self._pieces(view, format_, until, query)

    async def _pieces(self, view: HistoryView, format_: ExportFormat, until: int, query: str) -> AsyncIterator[str]:
        anchor = await history.anchor()
        if format_ is ExportFormat.JSONL:
            yield beginning(anchor, whole=not view.is_filtered, query=query, exported_at=timestamp(datetime.now(UTC)))
        else:
            yield csv_text([ENTRY_COLUMNS])
        async for piece in portions(view, anchor, 0, until, format_):
            yield piece

    async def of_table(
        self, view: View, format_: ExportFormat, admin: AdminIdentity, address: str = ""
    ) -> AsyncIterator[str]:
        """The authkeys of a view, by IP, in pieces: all of them as at one moment, whatever is submitted meanwhile; with their
        owners and notes of today.

        What an admin has staged, or what is unused, is known of today only: such a view is read as it is, in its order.
        Raises InvalidValue for a moment that is not on record, and DatabaseUnavailable, before the first piece.
        """
        moment = await (self._past.now() if view.as_of is None else self._past.moment(view.as_of))
        detail = f"table as {format_}, after #{moment.number}: {view.to_query() or 'all of it'}"
        await self._history.put(EntryKind.EXPORTED, admin.id, address, detail)
        if view.staged_only or view.unused_days:
            return _written(self._as_it_is(view, admin.id), format_)
        return _written(_as_at(view, moment.revision), format_)

    async def _as_it_is(self, view: View, admin_id: int) -> AsyncIterator[Sequence[Authkey]]:
        start = 0
        while some := await self._authkeys.stretch(view, admin_id, start, start + PORTION):
            start += PORTION
            yield some


async def _as_at(view: View, revision: int) -> AsyncIterator[Sequence[Authkey]]:
    place: past.KeyPlace | None = None
    while some := await past.portion(view, revision, place, PORTION):
        place = some[-1].place
        yield await authkey_texts.with_texts([each.key for each in some])


async def _written(portions_: AsyncIterator[Sequence[Authkey]], format_: ExportFormat) -> AsyncIterator[str]:
    if format_ is ExportFormat.CSV:
        yield csv_text([TABLE_COLUMNS])
    async for some in portions_:
        yield csv_text(map(key_cells, some)) if format_ is ExportFormat.CSV else "".join(map(key_line, some))


async def portions(
    view: HistoryView, anchor: Anchor, after: int, until: int, format_: ExportFormat
) -> AsyncIterator[str]:
    """The entries of a view between two numbers, oldest first, each with what its submission did, in pieces."""
    last, before = after, anchor.digest
    while some := await history_views.links(view, last, until, 1_000):
        piece = ""
        for link in some:
            last = link.record["number"]
            previous = link.previous or before
            if format_ is ExportFormat.JSONL:
                piece += entry_line(link.record, previous, link.digest, link.who, link.approved_by)
            if link.revision is None and format_ is ExportFormat.CSV:
                piece += csv_text([entry_cells(link.record, link.who, None)])
            if link.revision is not None:
                async for rows in _rows_of(link.revision):
                    if format_ is ExportFormat.JSONL:
                        piece += "".join(map(modification_line, rows))
                    else:
                        piece += csv_text(entry_cells(link.record, link.who, row, link.approved_by) for row in rows)
                    if len(piece) > 100_000:
                        yield piece
                        piece = ""
        yield piece


async def _rows_of(revision: int) -> AsyncIterator[list[Row]]:
    last = 0
    while some := await history.rows_of(revision, last):
        yield [row for _, row in some]
        last = some[-1][0]
