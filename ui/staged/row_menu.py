"""The menu of a row. The browser puts its anchor beside the row; what stands in it is decided by the view."""

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from nicegui import ui


class MenuEntry(NamedTuple):
    """Something that can be done with one row."""

    text: str
    mark: str
    act: Callable[[], Awaitable[object]]


class Menu(NamedTuple):
    """All that can be done with the row of this name."""

    name: str
    entries: Iterable[MenuEntry]
    hint: str


def act_of(entry: MenuEntry, host: ui.element) -> Callable[[], Awaitable[None]]:
    """What a click on an entry does. The entry itself may be drawn anew while something is awaited; `host` stays."""

    async def act() -> None:
        with host:
            await entry.act()

    return act


class RowMenu:
    """One menu for all rows of a page."""

    def __init__(self) -> None:
        with ui.element("div").props("id=row-menu-anchor") as self._anchor:
            self._menu = ui.menu().props(
                "role=region no-parent-event auto-close anchor='bottom right' self='top right'"
            )

    def open(self, menu: Menu) -> None:
        """Open it for a row, or for a column."""
        self._menu.clear()
        self._menu.props["aria-label"] = f"Actions, {menu.name}"
        with self._menu, ui.element("div").classes("row-menu"):
            with ui.element("div").props("role=menu"):
                for entry in menu.entries:
                    ui.menu_item(entry.text, act_of(entry, self._anchor)).props("role=menuitem tabindex=0").mark(
                        entry.mark
                    )
            ui.label(menu.hint).classes("row-menu-hint")
        self._menu.open()
