"""Selections of a view: which rows they mean now, what they hold, and acts on all of them as one staging step."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from models.errors import InvalidValue, SelectionMoved
from models.selections import Act, Selected, Selection, Stretch, Tally, decide_act, table_text, tally
from models.staged_changes import StagedChanges
from models.subjects import Row
from models.views import GridView
from services.staging import Staging

MAX_COPIED = 100_000
"""Rows that are copied at once"""
_AT_ONCE = 10_000
_MOVED = "The rows moved under the selection, so nothing was done. Look at it, and do it again."


class Acted(NamedTuple):
    """What an act did."""

    before: Tally
    """What the selection held"""
    touched: int
    """Rows for which something else is staged now"""


async def rows_of(
    staging: Staging[Any], admin_id: int, view: GridView, selection: Selection, *, seen: bool = True
) -> dict[int, tuple[Row, int]]:
    """The selected rows that are in force, in the order of the view, each with the boxes that are meant.

    A selection keeps its rows: if others came or went, it is what lies between its corners now. Raises SelectionMoved if one
    of these is gone from the view, or, if they must have been `seen`, has not even come to the page yet.
    """
    if seen and any(not each.is_whole and None in (each.first_id, each.last_id) for each in selection.stretches):
        raise SelectionMoved("Not all of the selection has come yet, so nothing was done. Do it again.")
    found: dict[int, tuple[Row, int]] = {}
    for stretch in sorted(selection.stretches, key=lambda each: each.first):
        for row in await _rows(staging, admin_id, view, stretch):
            if not row.removed:
                found[row.id] = (row, found[row.id][1] | stretch.mask if row.id in found else stretch.mask)
    return found


async def text_of(staging: Staging[Any], admin_id: int, view: GridView, selection: Selection) -> str:
    """A selection as spreadsheets take it: a heading, and a line for each row, with tabs; boxes as they are shown, 1 and 0.

    Raises SelectionMoved, and InvalidValue for more rows than anybody wants to paste.
    """
    rows = await rows_of(staging, admin_id, view, selection)
    if len(rows) > MAX_COPIED:
        raise InvalidValue(f"{len(rows):,} rows are selected; at most {MAX_COPIED:,} are copied. Export them instead.")
    staged = await staging.of(admin_id)
    return await asyncio.to_thread(lambda: table_text(_selected(rows, staged), selection.columns))


async def tally_of(staging: Staging[Any], admin_id: int, view: GridView, selection: Selection) -> Tally:
    """Count what a selection holds. Raises SelectionMoved."""
    rows = await rows_of(staging, admin_id, view, selection, seen=False)
    staged = await staging.of(admin_id)
    return await asyncio.to_thread(lambda: tally(_selected(rows, staged)))


async def act_on(
    staging: Staging[Any], admin_id: int, view: GridView, selection: Selection, act: Act, mask: int | None = None
) -> Acted:
    """Stage an act on all of a selection in one step; `mask` are the privileges that are meant instead of the selected boxes.

    Raises SelectionMoved, NotAllowed and DatabaseUnavailable; then nothing is staged.
    """
    rows = await rows_of(staging, admin_id, view, selection)
    before: list[Tally] = []

    def step(staged: StagedChanges) -> set[int]:
        selected = _selected(rows, staged, mask)
        before[:] = [tally(selected)]
        return staged.stage_wanted(decide_act(act, selected))

    touched = await staging.take_step(admin_id, step)
    return Acted(before[0], len(touched))


def _selected(rows: dict[int, tuple[Row, int]], staged: StagedChanges, mask: int | None = None) -> list[Selected]:
    return [Selected(row, staged[row.id], own if mask is None else mask) for row, own in rows.values()]


async def _rows(staging: Staging[Any], admin_id: int, view: GridView, stretch: Stretch) -> Sequence[Row]:
    shown = staging.shown
    if stretch.is_whole:
        top = await shown.stretch(view, admin_id, 0, 1)  # whose boxes a fill takes
        return [*top, *(row for row in await shown.matching(view, admin_id) if not top or row.id != top[0].id)]
    rows = await _between(staging, admin_id, view, stretch)
    if not _are_seen(rows, stretch):  # rows came or went above since
        stretch = await _moved(staging, admin_id, view, stretch)
        rows = await _between(staging, admin_id, view, stretch)
        if not _are_seen(rows, stretch):
            raise SelectionMoved(_MOVED)
    return rows


async def _between(staging: Staging[Any], admin_id: int, view: GridView, stretch: Stretch) -> Sequence[Row]:
    rows: list[Row] = []
    for first in range(stretch.first, stretch.last + 1, _AT_ONCE):
        rows += await staging.shown.stretch(view, admin_id, first, min(first + _AT_ONCE, stretch.last + 1))
    return rows


def _are_seen(rows: Sequence[Row], stretch: Stretch) -> bool:
    """Whether the rows at the corners are those that were seen there."""
    corners = ((0, stretch.first_id), (stretch.last - stretch.first, stretch.last_id))
    return all(seen is None or (place < len(rows) and rows[place].id == seen) for place, seen in corners)


async def _moved(staging: Staging[Any], admin_id: int, view: GridView, stretch: Stretch) -> Stretch:
    """The stretch where its corners stand now."""
    if stretch.first_id is None or stretch.last_id is None:
        raise SelectionMoved(_MOVED)
    first = await staging.shown.place(view, admin_id, stretch.first_id)
    last = await staging.shown.place(view, admin_id, stretch.last_id)
    if first is None or last is None or first > last:
        raise SelectionMoved(_MOVED)
    return stretch._replace(first=first, last=last)
