"""What is known of one row, beside the grid: its details or its history; what a row's menu offers of them, and the address."""

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.privileges import Privilege
from models.subjects import Subject
from models.wording import noun
from ui.history.panels import BoxName, HistoryPanels
from ui.shell.feedback import user_errors
from ui.shell.panel import SidePanel
from ui.shell.window import Window
from ui.staged.claims import parse_box_of_row
from ui.staged.details import RowDetails, panel_action
from ui.staged.row_menu import MenuEntry


class RowPanel:
    """The side panel of one window."""

    def __init__(
        self,
        window: Window,
        subject: Subject,
        details: RowDetails[Any] | None,
        on_change: Callable[[bool], object],
    ) -> None:
        """To be built where the panel is to stand. `on_change` is told whether it is open, and that the address differs."""
        self._window = window
        self._subject = subject
        self._details = details
        self._on_change = on_change
        self._panel = SidePanel(self.close)
        on_details = self.show_details if details else None
        self._history = HistoryPanels(window, self._panel, self._history_shown, on_details)
        self.row_id: int | None = None
        """Of the row whose details it shows"""
        self.address = ""
        """What the address says of the panel"""
        ui.on("open", self._open)

    def entries(self, row_id: int, privilege: Privilege | None) -> list[MenuEntry]:
        """What the menu of a row, or of one of its boxes, offers."""
        entries = [MenuEntry("Details", "row-details", lambda: self.show_details(row_id))] if self._details else []
        text = f"History of this {noun(self._subject)}"
        entries.append(MenuEntry(text, "row-history", lambda: self.show_history(row_id)))
        if privilege:
            text = f"History of {privilege.label}"
            entries.append(MenuEntry(text, "box-history", lambda: self.show_history(row_id, privilege)))
        return entries

    async def show_history(self, row_id: int, privilege: Privilege | None = None) -> None:
        """Show who changed a row, or one of its boxes."""
        await self._history.show_row(BoxName(row_id, privilege, self._subject))

    async def show_details(self, row_id: int) -> None:
        """Show the details of a row."""
        assert self._details is not None
        with user_errors():
            await self._window.require_session()
            facts = await self._details.read(row_id)
            self._became(self._details.address_of(facts), row_id)
            with self._panel.show("Details"):
                self._details.build()
            with self._panel.foot:
                panel_action("History", "details-history", lambda: self.show_history(row_id))
                self._details.build_actions()
            self._details.draw(facts)

    async def redraw(self) -> None:
        """Something may be different about the row whose details it shows."""
        row_id = self.row_id
        if self._details is None or row_id is None:
            return
        facts = await self._details.read(row_id)
        if self.row_id == row_id:  # nothing else was opened meanwhile
            self._details.draw(facts)

    async def open(self, query: Mapping[str, str]) -> None:
        """Show what an address says, or nothing."""
        with user_errors():
            if self._details and (named := query.get(self._details.query_name)):
                await self.show_details(await self._details.id_of(named))
            elif not await self._history.open(query):
                self.close()

    def close(self) -> None:
        """Close it, if it is open."""
        if self._panel.is_open:
            self.give_way()
            self._on_change(False)

    def give_way(self) -> None:
        """Another panel opens in its place."""
        self._panel.hide()
        self.row_id, self.address = None, ""

    def _history_shown(self, address: str) -> None:
        self._became(address, None)

    def _became(self, address: str, row_id: int | None) -> None:
        self.address, self.row_id = address, row_id
        self._on_change(True)

    async def _open(self, event: GenericEventArguments) -> None:
        with user_errors():
            row_id, privilege = parse_box_of_row(event.args)
            if privilege or self._details is None:
                await self.show_history(row_id, privilege)
            else:
                await self.show_details(row_id)
