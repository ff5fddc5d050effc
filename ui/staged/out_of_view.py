"""What an admin has staged and a window does not show, because of its search, filters or hidden columns; and the way to it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Generic

from services.listing import V
from services.staging import Staging
from ui.shell.feedback import user_errors
from ui.shell.window import Window
from ui.staged.arranging import Arranging
from ui.staged.grid import GridKind


class OutOfView(Generic[V]):
    """Counts it and shows it for one window. `view` is what it shows now."""

    def __init__(
        self, window: Window, staging: Staging[V], kind: GridKind, arranging: Arranging, view: Callable[[], V]
    ) -> None:
        self._window, self._staging, self._kind = window, staging, kind
        self._arranging, self._view = arranging, view

    async def count(self) -> int:
        """How many of the staged changes that is."""
        return await self._count(self._view())

    async def _count(self, view: V) -> int:
        return await self._staging.shown.hidden_changes(
            view,
            self._window.admin.id,
            shows_removed=self._kind.shows_removed,
            hidden_columns=self._arranging.now.hidden_privileges,
        )

    async def show(self, *, show_staged: Callable[[], object], review: Callable[[], Awaitable[object]]) -> None:
        """Show its columns; then its rows by `show_staged`; and by `review` what no row shows."""
        with user_errors():
            await self._window.require_session()
            staged = await self._staging.of(self._window.admin.id)
            columns = reduce(or_, (each.grants | each.revocations for each in staged.entries.values()), 0)
            await self._arranging.show(columns)
            if await self.count():
                show_staged()
            if await self._count(replace(self._view().natural(), staged_only=True)):
                await review()
