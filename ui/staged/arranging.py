"""How the grid of one window is arranged: what the admin does to headings or in the menu is shown, and remembered for the next page."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.arrangements import Arrangement, parse_layout
from services.arrangements import arrangement_of, keep_arrangement
from ui.shell.feedback import user_errors
from ui.shell.window import Window
from ui.staged.claims import parse_narrow
from ui.staged.columns_menu import ColumnsMenu
from ui.staged.grid import GridKind, StagedGrid


class Arranging:
    """The arrangement of one window."""

    def __init__(self, window: Window, kind: GridKind, arrangement: Arrangement) -> None:
        self._window, self._kind, self._own = window, kind, arrangement
        self._is_narrow = False
        self._steps = asyncio.Lock()

    @classmethod
    async def load(cls, window: Window, kind: GridKind) -> Self:
        """As the admin left it. Raises DatabaseUnavailable."""
        return cls(window, kind, await arrangement_of(window.admin, kind.subject, kind.natural))

    @property
    def now(self) -> Arrangement:
        """What the window shows: on a phone everything, whatever a wider one shows."""
        return self._kind.natural if self._is_narrow else self._own

    def build(self, place: ui.element, grid: StagedGrid, on_change: Callable[[], Awaitable[object]]) -> None:
        """Put the button into its place. `on_change` is told when other columns are shown."""
        self._grid, self._on_change = grid, on_change
        with place:
            self._menu = ColumnsMenu(self._kind, lambda: self._own, self.change, self._window.announce)
        ui.on("arranged", self._arranged)
        ui.on("narrow", self._narrowed)

    async def change(self, make: Callable[[Arrangement], Arrangement]) -> None:
        """Arrange it otherwise, here and on the admin's next page."""
        with user_errors():
            await self._window.require_session()
            async with self._steps:
                await self._become(make(self._own))
                self._grid.arrange(self._own)

    async def show(self, privileges: int) -> None:
        """Show the columns of these privileges."""
        if privileges & self.now.hidden_privileges:
            await self.change(lambda now: now.with_privileges_shown(privileges))

    async def _arranged(self, event: GenericEventArguments) -> None:
        with user_errors():
            await self._window.require_session()
            async with self._steps:
                await self._become(parse_layout(event.args, self._own))

    async def _become(self, arrangement: Arrangement) -> None:
        await keep_arrangement(self._window.admin, self._kind.subject, arrangement)
        before, self._own = self.now, arrangement
        if self.now.hidden_privileges != before.hidden_privileges:
            await self._on_change()

    async def _narrowed(self, event: GenericEventArguments) -> None:
        with user_errors():
            self._is_narrow = parse_narrow(event.args)
            await self._on_change()
