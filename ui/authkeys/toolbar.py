"""The toolbar of the authkeys: beside search and filters what was unused, and "Add authkey"."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from nicegui import ui

from models.subjects import Subject
from models.usage import QUIET_DAYS
from models.views import View
from ui.shell.palette import Command
from ui.staged.filters import Chip
from ui.staged.toolbar import Toolbar

_UNUSED_OPTIONS = {days: f"{days} days" for days in QUIET_DAYS}


class AuthkeysToolbar(Toolbar[View]):
    """Search, filters and actions for authkeys."""

    def __init__(
        self,
        view: View,
        *,
        on_view: Callable[[View], Awaitable[object]],
        on_add: Callable[[], object],
        on_revoke_unused: Callable[[], Awaitable[object]],
        may_change: bool,
    ) -> None:
        self._on_add = on_add
        self._on_revoke_unused = on_revoke_unused
        self._may_change = may_change
        search_for = "Search IP, network or service"
        super().__init__(Subject.AUTHKEY, view, label="Authorization keys", search_for=search_for, on_view=on_view)

    def build_filters(self) -> None:
        """Unused for so many days."""
        self._unused = self.choice("Unused", _UNUSED_OPTIONS, self.view.unused_days or None, "unused")
        self._unused.set_visibility(self.view.is_live)

    def build_actions(self) -> None:
        """Export, and for who may change something Revoke unused, Import and Add authkey."""
        self.action("Export", lambda: None, "export").on("click", js_handler="() => authkeys.exportView()")
        if not self._may_change:
            return
        self._revoke_unused = self.action("Revoke unused", self._on_revoke_unused, "revoke-unused")
        self.action("Import…", lambda: None, "import").on("click", js_handler="() => authkeys.chooseFile()")
        add = ui.button("Add authkey", icon="add", on_click=self._on_add).props("outline no-caps")
        add.classes("add").mark("add")

    def own_values(self) -> dict[str, Any]:
        """For how long unused."""
        return {"unused_days": self._unused.value or 0}

    def own_chips(self) -> list[Chip]:
        """For how long unused."""
        days = self.view.unused_days
        return [Chip(f"Unused for {days} days", self.clear_own)] if days else []

    def clear_own(self) -> None:
        """Whether used or not."""
        self._unused.value = None

    def own_commands(self) -> list[Command]:
        """Add, import and export, and for how long unused."""
        run, may, live = ui.run_javascript, self._may_change, self.view.is_live
        return [
            Command("Add authkey", "add", self._on_add, "Do", "new key create", is_offered=may),
            Command("Import a file", "upload_file", lambda: run("authkeys.chooseFile()"), "Do", "csv", is_offered=may),
            Command("Export this view", "download", lambda: run("authkeys.exportView()"), "Do", "csv file"),
            *(
                Command(
                    f"Unused for {days} days",
                    "filter_list",
                    partial(self._unused.set_value, days),
                    "Filter",
                    "only filter",
                    is_offered=live and self.view.unused_days != days,
                )
                for days in QUIET_DAYS
            ),
        ]

    def show_buttons(self) -> None:
        """Revoke unused, where the view shows what is."""
        super().show_buttons()
        if self._may_change:
            self._revoke_unused.set_visibility(self.view.unused_days > 0)
