"""The history of rows beside their grid: its panel, what a row's menu offers of it, and its part of the address."""

from collections.abc import Callable

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.privileges import Privilege
from models.subjects import Subject
from models.wording import noun
from ui.history.panels import BoxName, HistoryPanels, parse_box
from ui.shell.feedback import user_errors
from ui.shell.panel import SidePanel
from ui.shell.window import Window
from ui.staged.claims import parse_box_of_row
from ui.staged.row_menu import MenuEntry


class RowHistory:
    """Shows who changed a row, or one of its boxes."""

    def __init__(self, window: Window, subject: Subject, on_change: Callable[[bool], object]) -> None:
        """To be built where the panel is to stand. `on_change` is told whether it is open, and that the address differs."""
        self._window = window
        self._subject = subject
        self._on_change = on_change
        self._panel = SidePanel(self.close)
        self._panels = HistoryPanels(window, self._panel, self._shown)
        self.address = ""
        """What the address says of the panel"""
        ui.on("open", self._open)

    def entries(self, row_id: int, privilege: Privilege | None) -> list[MenuEntry]:
        """What the menu of a row, or of one of its boxes, offers."""
        text = f"History of this {noun(self._subject)}"
        entries = [MenuEntry(text, "row-history", lambda: self.show(row_id))]
        if privilege:
            text = f"History of {privilege.label}"
            entries.append(MenuEntry(text, "box-history", lambda: self.show(row_id, privilege)))
        return entries

    async def show(self, row_id: int, privilege: Privilege | None = None) -> None:
        """Open the panel."""
        await self._panels.show_row(BoxName(row_id, privilege, self._subject))

    async def open_from_address(self) -> None:
        """Open it, if the address says so."""
        for name in ("history", "phrase-history"):
            if box := self._window.query.get(name):
                with user_errors():
                    await self._panels.show_row(parse_box(box, self._subject))

    def close(self) -> None:
        """Close it, if it is open."""
        if self._panel.is_open:
            self._panel.hide()
            self.address = ""
            self._on_change(False)

    def _shown(self, address: str) -> None:
        self.address = address
        self._on_change(True)

    async def _open(self, event: GenericEventArguments) -> None:
        with user_errors():
            await self.show(*parse_box_of_row(event.args))
