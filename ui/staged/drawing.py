"""The rows of a grid drawn anew where they are shown: as they are stored, with what this admin has staged laid over them."""

from collections.abc import Iterable
from typing import Any

from models.subjects import Row
from services.staging import Staging
from ui.staged.grid import StagedGrid
from ui.staged.news import News


class RowDrawing:
    """Of one window."""

    def __init__(self, staging: Staging[Any], admin_id: int, grid: StagedGrid) -> None:
        self._staging, self._admin_id, self._grid = staging, admin_id, grid

    async def draw(self, row_id: int) -> None:
        """One row."""
        await self._put((await self._staging.shown.find(self._admin_id, [row_id])).values())

    async def draw_news(self, news: News) -> None:
        """What somebody did: marked with the name, and all of the view where that is too much to name."""
        for modifications, name in news.flashes():
            self._grid.flash(modifications, name)
        for marks in news.marks:
            self._grid.mark(marks)
        if not news.is_large:
            await self._put(news.rows.values())
        if news.stale:
            self._grid.refresh()
        elif missing := news.row_ids - news.rows.keys():
            await self._put((await self._staging.shown.find(self._admin_id, missing)).values())

    async def _put(self, rows: Iterable[Row]) -> None:
        self._grid.put(await self._staging.overlaid(self._admin_id, list(rows), with_others=False))
