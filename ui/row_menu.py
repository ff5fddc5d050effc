"""The menu of a row. The browser puts its anchor beside the row; what stands in it is decided here."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from models.authkeys import Authkey


class RowMenu:
    """One menu for all rows of a page."""

    def __init__(
        self,
        *,
        on_details: Callable[[Authkey], Awaitable[object]],
        on_issue: Callable[[Authkey], Awaitable[object]],
        on_remove_all: Callable[[Authkey], Awaitable[object]],
        may_change: bool,
    ) -> None:
        self._may_change = may_change
        self._on_details = on_details
        self._on_issue = on_issue
        self._on_remove_all = on_remove_all
        with ui.element("div").props("id=row-menu-anchor") as self._anchor:
            self._menu = ui.menu().props(
                "role=region no-parent-event auto-close anchor='bottom right' self='top right'"
            )

    def open(self, row: Authkey, keys_of_ip: int) -> None:
        """Open the menu for a row whose IP has `keys_of_ip` authkeys."""
        self._menu.clear()
        self._menu.props["aria-label"] = f"Actions, {row.ip}, {row.service}"
        with self._menu, ui.element("div").classes("row-menu"):
            self._entries(row, keys_of_ip)
            hint = f"Key ends in {row.secret_hint}" if row.secret_hint else "No key issued yet"
            ui.label(hint).classes("row-menu-hint")
        self._menu.open()

    def _entries(self, row: Authkey, keys_of_ip: int) -> None:
        with ui.element("div").props("role=menu"):
            self._entry("Details", "row-details", lambda: self._on_details(row))
            if self._may_change:
                self._entry("Issue new key", "row-issue", lambda: self._on_issue(row))
            if self._may_change and keys_of_ip > 1:
                self._entry(
                    f"Stage removal of all {keys_of_ip:,} keys of this IP",
                    "row-remove-all",
                    lambda: self._on_remove_all(row),
                )

    def _entry(self, text: str, marker: str, action: Callable[[], Awaitable[object]]) -> None:
        async def act() -> None:
            with self._anchor:  # the menu, and this entry with it, may be drawn anew while something is awaited
                await action()

        ui.menu_item(text, act).props("role=menuitem tabindex=0").mark(marker)
