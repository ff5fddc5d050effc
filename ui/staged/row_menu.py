"""The menu of a row. The browser puts its anchor beside the row; what stands in it is decided by the view."""

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from nicegui import ui


class MenuEntry(NamedTuple):
    """Something that can be done with one row."""

    text: str
    mark: str
    act: Callable[[], Awaitable[object]]


class RowMenu:
    """One menu for all rows of a page."""

    def __init__(self) -> None:
        with ui.element("div").props("id=row-menu-anchor") as self._anchor:
            self._menu = ui.menu().props(
                "role=region no-parent-event auto-close anchor='bottom right' self='top right'"
            )

    def open(self, name: str, entries: Iterable[MenuEntry], hint: str) -> None:
        """Open it for the row of this name."""
        self._menu.clear()
        self._menu.props["aria-label"] = f"Actions, {name}"
        with self._menu, ui.element("div").classes("row-menu"):
            with ui.element("div").props("role=menu"):
                for entry in entries:
                    self._build(entry)
            ui.label(hint).classes("row-menu-hint")
        self._menu.open()

    def open_new(self, noun: str, take_back: Callable[[], Awaitable[object]]) -> None:
        """Open it for a row that shall only be made."""
        hint = "Not there yet: it is made when you submit"
        self.open(f"this new {noun}", [MenuEntry("Take back", "row-take-back", take_back)], hint)

    def _build(self, entry: MenuEntry) -> None:
        async def act() -> None:
            with self._anchor:  # the menu, and this entry with it, may be drawn anew while something is awaited
                await entry.act()

        ui.menu_item(entry.text, act).props("role=menuitem tabindex=0").mark(entry.mark)
