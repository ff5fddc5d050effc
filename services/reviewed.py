"""The rows of an admin's review: where they stand in it, what they are called, and what has to be decided."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Generic, NamedTuple
from weakref import WeakKeyDictionary

from models.decisions import Decision, decision
from models.reviews import Folds, Groups, Heading, Outline, Position, grouped
from models.staged_changes import StagedChanges
from models.staged_rows import StagedRow
from models.subjects import Row, Subject
from models.submissions import ChangesSince, ConflictKind
from services.desks import Desks
from services.listing import Listing, V
from services.shown import ShownRows
from storage import submissions


class ReviewedRow(NamedTuple):
    """One row of the review."""

    position: Position
    ip: str
    service: str
    entry: StagedRow
    decision: Decision | None


class ReviewPart(NamedTuple):
    """What stands at some positions of a review."""

    length: int
    """Of the whole review: headings, and rows of open groups"""
    row_count: int
    """Rows that match, in open groups or closed ones"""
    lines: list[Heading | ReviewedRow]


class ReviewedRows(Generic[V]):
    """Reads them. Raises DatabaseUnavailable."""

    def __init__(self, subject: Subject, listing: Listing[V], desks: Desks, shown: ShownRows[V]) -> None:
        self._subject, self._listing, self._desks, self._shown = subject, listing, desks, shown
        # As long as the same is staged, and the same searched for, the groups are the same.
        self._groups: WeakKeyDictionary[StagedChanges, tuple[str, asyncio.Task[Groups]]] = WeakKeyDictionary()

    async def part(self, admin_id: int, search: str, folds: Folds, start: int, end: int) -> ReviewPart:
        """What stands at the positions from `start` to `end` (exclusive) of what matches a search."""
        staged = (await self._desks.open(admin_id)).staged
        outline = Outline(await self._groups_of(admin_id, staged, search), folds)
        lines = outline.part(start, end)
        rows = await self._rows(admin_id, staged, [each for each in lines if isinstance(each, Position)])
        named = [each if isinstance(each, Heading) else rows[each.row_id] for each in lines]
        return ReviewPart(outline.length, outline.row_count, named)

    async def _groups_of(self, admin_id: int, staged: StagedChanges, search: str) -> Groups:
        searched, groups = self._groups.get(staged, ("", None))
        if groups is None or searched != search:
            groups = asyncio.create_task(self._group(admin_id, staged, search))
            self._groups[staged] = (search, groups)
        return await asyncio.shield(groups)

    async def _group(self, admin_id: int, staged: StagedChanges, search: str) -> Groups:
        try:
            in_order = await self._listing.staged_in_order(admin_id, search)
            return await asyncio.to_thread(_grouped, staged, in_order, search)
        except BaseException:
            self._groups.pop(staged, None)
            raise

    async def _rows(
        self, admin_id: int, staged: StagedChanges, positions: Iterable[Position]
    ) -> dict[int, ReviewedRow]:
        in_review = {position.row_id: position for position in positions}
        found = await self._shown.find(admin_id, in_review)
        return await reviewed_rows(self._subject, staged, in_review, found)


async def reviewed_rows(
    subject: Subject, staged: StagedChanges, in_review: Mapping[int, Position], found: Mapping[int, Row]
) -> dict[int, ReviewedRow]:
    """These positions of a review as its rows, with what was done to them meanwhile where that needs a decision."""
    since = await submissions.changes_since(subject, _seen(staged, in_review, found))
    return {id_: _row(staged, position, found.get(id_), since) for id_, position in in_review.items()}


def _row(staged: StagedChanges, position: Position, row: Row | None, since: Mapping[int, ChangesSince]) -> ReviewedRow:
    id_ = position.row_id
    row = staged.taken.get(id_, row)
    known = since.get(row.id if row else id_)
    named: Any = row or (known and known.last.done)
    ip, service = (named.ip, named.service) if named else ("", f"#{id_}")
    entry, conflict = staged[id_], staged.conflict_of(id_)
    decided = decision(conflict, known, row, entry.amendment) if conflict else None
    return ReviewedRow(position, ip, service, entry, decided)


def _grouped(staged: StagedChanges, in_order: list[int], search: str) -> Groups:
    """Where all are wanted, also those that no table knows any more."""
    unknown = [] if search else sorted(staged.entries.keys() - set(in_order))
    return grouped(staged, [*in_order, *unknown])


def _seen(staged: StagedChanges, ids: Iterable[int], found: Mapping[int, Row]) -> dict[int, int]:
    """Of which rows one has to know what was done to them, each after which submission."""
    seen = {}
    for id_ in ids:
        conflict = staged.conflict_of(id_)
        if conflict and conflict.kind is ConflictKind.CHANGED:
            seen[id_] = staged[id_].revision
        elif conflict or id_ not in found:
            seen[staged.taken[id_].id if id_ in staged.taken else id_] = 0
    return seen
