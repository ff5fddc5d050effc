"""The rows of an admin's review: where they stand in it, what they are called, and what has to be decided."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Generic, NamedTuple
from weakref import WeakKeyDictionary

from models.decisions import Decision, decision
from models.reviews import Folds, Groups, Heading, Outline, Place, grouped
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

    place: Place
    ip: str
    service: str
    entry: StagedRow
    decision: Decision | None


class ReviewPart(NamedTuple):
    """What stands at some places of a review."""

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
        self._groups: WeakKeyDictionary[StagedChanges, tuple[str, Groups]] = WeakKeyDictionary()

    async def part(self, admin_id: int, search: str, folds: Folds, start: int, end: int) -> ReviewPart:
        """What stands at the places from `start` to `end` (exclusive) of what matches a search."""
        staged = (await self._desks.open(admin_id)).staged
        outline = Outline(await self._groups_of(admin_id, staged, search), folds)
        lines = outline.part(start, end)
        rows = await self._rows(admin_id, staged, [each for each in lines if isinstance(each, Place)])
        named = [each if isinstance(each, Heading) else rows[each.row_id] for each in lines]
        return ReviewPart(outline.length, outline.row_count, named)

    async def _groups_of(self, admin_id: int, staged: StagedChanges, search: str) -> Groups:
        searched, groups = self._groups.get(staged, (None, {}))
        if searched != search:
            in_order = await self._listing.staged_in_order(admin_id, search)
            groups = await asyncio.to_thread(_grouped, staged, in_order, search)
            self._groups[staged] = (search, groups)
        return groups

    async def _rows(self, admin_id: int, staged: StagedChanges, places: Iterable[Place]) -> dict[int, ReviewedRow]:
        in_review = {place.row_id: place for place in places}
        found = await self._shown.find(admin_id, in_review)
        since = await submissions.changes_since(self._subject, _seen(staged, in_review, found))
        return {id_: self._row(staged, place, found.get(id_), since) for id_, place in in_review.items()}

    @staticmethod
    def _row(staged: StagedChanges, place: Place, row: Row | None, since: Mapping[int, ChangesSince]) -> ReviewedRow:
        id_ = place.row_id
        known = since.get(staged.taken.get(id_, id_))
        named: Any = row or (known and known.last.done)
        ip, service = (named.ip, named.service) if named else ("", f"#{id_}")
        conflict = staged.conflict_of(id_)
        return ReviewedRow(place, ip, service, staged[id_], decision(conflict, known) if conflict else None)


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
            seen[staged.taken.get(id_, id_)] = 0
    return seen
