"""What is open at the right side of a grid, one thing at a time: the review, or what is known of one row. The address says it."""

import asyncio
from collections.abc import Callable, Mapping

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.views import GridView
from ui.shell.feedback import user_errors
from ui.shell.window import Window
from ui.staged.address import Address
from ui.staged.claims import parse_address
from ui.staged.reviewing import Reviewing
from ui.staged.row_panel import RowPanel


class Side:
    """Opens one and closes the other, in one window; Back and Forward lead through what was open."""

    def __init__(self, window: Window, path: str, view: Callable[[], GridView], refocus: Callable[[], object]) -> None:
        """`view` is what the grid shows now, `refocus` gives the keyboard back to the grid."""
        self._window, self._view, self._refocus = window, view, refocus
        self._address = Address(f"{window.root_path}{path}")
        self._following = asyncio.Lock()

    def connect(self, reviewing: Reviewing, rows: RowPanel) -> None:
        """With the two, which tell it whether they are open."""
        self._reviewing, self._rows = reviewing, rows
        ui.on("address", self._follow)

    def show_address(self) -> None:
        """Something that the address says is different."""
        self._address.show(self._view().to_query(), self._reviewing.address or self._rows.address)

    def review_changed(self, is_open: bool) -> None:
        """The review opened or closed."""
        if is_open:
            self._rows.give_way()
        self.show_address()

    def row_changed(self, is_open: bool) -> None:
        """What is known of a row opened, or closed, or is about another row."""
        if is_open:
            self._reviewing.give_way()
        else:
            self._refocus()
        self.show_address()

    async def open(self, query: Mapping[str, str]) -> None:
        """Show what an address says, or nothing."""
        with self._address.followed():
            if "review" in query and self._window.admin.may_change:
                await self._reviewing.show()
            else:
                self._reviewing.give_way()
                await self._rows.open(query)

    def close(self) -> None:
        """Close what is open."""
        self._reviewing.hide()
        self._rows.close()

    async def _follow(self, event: GenericEventArguments) -> None:
        """Back or Forward: what was open at that step is open again. The view stays."""
        with user_errors():
            await self._window.require_session()
            async with self._following:  # of two quick steps the later one counts, also where the earlier reads longer
                await self.open(parse_address(event.args))
                self.show_address()
            self._refocus()
