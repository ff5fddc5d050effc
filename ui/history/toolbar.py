"""The toolbar of the history: search, filters, how many entries there are, and what can be done with them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from nicegui import ui

from models.errors import AuthkeysError, InvalidValue
from models.history_views import SOURCE_NAMES, WHAT_NAMES, HistoryView, What, parse_history_view
from models.privileges import PRIVILEGES
from services.history import COUNTED
from ui.shell.feedback import show_error
from ui.shell.toolbars import clear_button, search_field


class HistoryToolbar:
    """What the admin sets here becomes a new view, handed to `on_view`."""

    def __init__(
        self,
        view: HistoryView,
        admin_names: list[str],
        *,
        on_view: Callable[[HistoryView], Awaitable[object]],
        knows_approvals: bool,
    ) -> None:
        """`knows_approvals`: where submissions may need four eyes, approvals are looked for too."""
        self.view = view
        self._on_view = on_view
        with ui.row().classes("toolbar").props('role=search aria-label="History"'):
            self._search = search_field("Search IP, network or service", view.search, self._changed)
            with ui.element("div").classes("filters"):
                privileges = {each.id: each.label for each in PRIVILEGES}
                self._admin = self._choice("Who", {name: name for name in admin_names}, view.admin or None)
                left_out = () if knows_approvals or view.what is What.APPROVALS else (What.APPROVALS,)
                kinds = {each.value: name for each, name in WHAT_NAMES.items() if each not in left_out}
                self._what = self._choice("What", kinds, view.what)
                self._privilege = self._choice("Privilege", privileges, view.privilege or None)
                sources = {each.value: name for each, name in SOURCE_NAMES.items()}
                self._source = self._choice("How", sources, view.source)
                self._since = self._time("Since", view.since)
                self._until = self._time("Until", view.until)
                self._clear = clear_button(self.clear)
            ui.space()
            self._count = ui.label().classes("count").props("role=status").mark("count")
        self._show_buttons()

    def _choice(self, label: str, options: dict[str, str], value: str | None) -> ui.select:
        known = value if value in options else None
        return (
            ui.select(options, label=label, value=known, clearable=True, on_change=self._changed)
            .props(f'outlined dense options-dense hide-bottom-space aria-label="{label}"')
            .classes("filter narrow")
            .mark(f"filter-{label.lower()}")
        )

    def _time(self, label: str, at: datetime | None) -> ui.input:
        text = f"{at:%Y-%m-%d %H:%M}" if at else ""
        return (
            ui.input(label, value=text, placeholder="2026-11-20", on_change=self._changed)
            .props(f'outlined dense stack-label clearable debounce=600 aria-label="{label}, in UTC"')
            .classes("filter narrow")
            .mark(f"filter-{label.lower()}")
        )

    def _show_buttons(self) -> None:
        self._clear.set_visibility(self.view.is_filtered)

    def show_count(self, count: int) -> None:
        """Say how many entries the view shows."""
        more = "more than " if self.view.is_filtered and count >= COUNTED else ""
        self._count.set_text("1 entry" if count == 1 else f"{more}{count:,} entries")

    def clear(self) -> None:
        """Back to all entries."""
        for element in (self._admin, self._what, self._privilege, self._source):
            element.value = None
        for text in (self._search, self._since, self._until):
            text.value = ""

    async def _changed(self) -> None:
        fields: dict[str, Any] = {
            "search": self._search, "admin": self._admin, "what": self._what, "privilege": self._privilege,
            "source": self._source, "since": self._since, "until": self._until,
        }  # fmt: skip
        try:
            view = parse_history_view({name: str(each.value or "").strip() for name, each in fields.items()})
        except InvalidValue as error:
            show_error(str(error))
            return
        if view != self.view:
            self.view = view
            self._show_buttons()
            try:
                await self._on_view(view)
            except AuthkeysError as error:
                show_error(str(error))
