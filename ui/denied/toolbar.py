"""The toolbar of the denied requests: search, why, how many there are, and the access check tester."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date

from nicegui import ui

from models.denial_views import DeniedView, parse_denied_view
from models.denial_wording import REASON_NAMES
from models.errors import AuthkeysError
from models.wording import day_name, several
from ui.shell.feedback import show_error
from ui.shell.toolbars import clear_button, search_field


class DeniedToolbar:
    """What the admin sets here becomes a new view, handed to `on_view`."""

    def __init__(
        self,
        view: DeniedView,
        *,
        on_view: Callable[[DeniedView], Awaitable[object]],
        on_try: Callable[[], Awaitable[object]],
    ) -> None:
        self.view = view
        self._on_view = on_view
        with ui.row().classes("toolbar").props('role=search aria-label="Denied requests"'):
            self._search = search_field("Search IP, network or service", view.search, self._changed)
            with ui.element("div").classes("filters"):
                reasons = {each.value: name for each, name in REASON_NAMES.items()}
                self._reason = (
                    ui.select(reasons, label="Why", value=view.reason, clearable=True, on_change=self._changed)
                    .props('outlined dense options-dense hide-bottom-space aria-label="Why"')
                    .classes("filter reason")
                    .mark("filter-reason")
                )
                self._clear = clear_button(self.clear)
            ui.space()
            self._count = ui.label().classes("count").props("role=status").mark("count")
            ui.button("Try an access check", icon="troubleshoot", on_click=on_try, color=None).props(
                "flat dense no-caps"
            ).classes("quiet toolbar-action").mark("try")
        self._clear.set_visibility(view.is_filtered)

    def show_count(self, count: int, shown: int) -> None:
        """Say how many lines the view has, and how many of them are shown."""
        of_day = f" of {day_name(self.view.day)}" if self.view.day else ""
        newest = f", the newest {shown:,} shown" if shown < count else ""
        self._count.set_text(f"{several(count, 'line')}{of_day}{newest}")

    async def clear(self) -> None:
        """Back to all of them."""
        self._search.value = ""
        self._reason.value = None
        await self._show(DeniedView())  # at once: what these two tell later is then nothing new

    async def choose_day(self, day: date | None) -> None:
        """A day, or all of them: chosen in the chart."""
        await self._show(replace(self.view, day=day))

    async def _changed(self) -> None:
        try:
            said = parse_denied_view({"search": str(self._search.value or ""), "reason": str(self._reason.value or "")})
        except AuthkeysError as error:
            show_error(str(error))
            return
        await self._show(replace(said, day=self.view.day))

    async def _show(self, view: DeniedView) -> None:
        if view == self.view:
            return
        self.view = view
        self._clear.set_visibility(view.is_filtered)
        try:
            await self._on_view(view)
        except AuthkeysError as error:
            show_error(str(error))
