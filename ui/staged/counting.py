"""How many rows a view shows, of how many: said in the toolbar, and in the place of the grid if there are none."""

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import ui

from models.views import GridView
from services.staging import Staging
from ui.shell.feedback import user_errors
from ui.staged.toolbar import Toolbar


class Counting:
    """Of one window. To be built over the grid."""

    def __init__(
        self,
        staging: Staging[Any],
        admin_id: int,
        toolbar: Toolbar[Any],
        *,
        view: Callable[[], GridView],
        build_empty: Callable[[int], None],
    ) -> None:
        """`build_empty` builds what stands where no row is shown; it is told how many there are without search and filters."""
        self._staging, self._admin_id, self._toolbar = staging, admin_id, toolbar
        self._view, self._build_empty = view, build_empty
        self._one_at_a_time = asyncio.Lock()
        self._latest = 0
        self._empty = ui.element("div").classes("empty").props("role=status")

    async def refresh(self) -> None:
        """Count, and say it."""
        self._latest = mine = self._latest + 1
        with user_errors():
            async with self._one_at_a_time:
                if mine == self._latest:  # while a million rows are counted for one key, others are typed
                    self.show(*await counts(self._staging, self._admin_id, self._view()))

    def show(self, shown: int, total: int) -> None:
        """Say it."""
        self._toolbar.show_count(shown, total)
        self._empty.clear()
        self._empty.set_visibility(shown == 0)
        if not shown:
            with self._empty:
                self._build_empty(total)


async def counts(staging: Staging[Any], admin_id: int, view: GridView) -> tuple[int, int]:
    """How many rows a view shows, and how many it would without search and filters."""
    return await staging.shown.count(view, admin_id), await staging.shown.count(view.without_filters(), admin_id)
