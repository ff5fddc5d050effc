"""The table as it was: the grid of the authkeys, read-only, after any submission or at any time."""

from dataclasses import replace
from datetime import UTC, datetime

from nicegui import ui

from models.errors import InvalidValue
from models.privileges import Privilege
from models.views import as_of, as_of_text
from models.wording import ago, minute
from ui.authkeys.page import AuthkeysPage
from ui.shell.feedback import show_error, user_errors
from ui.staged.row_menu import Menu


class PastPage(AuthkeysPage):
    """One open window on the past. What is committed meanwhile changes nothing in it."""

    async def build(self) -> None:
        """As today's, if there is such a moment; otherwise today's, and why."""
        assert self.view.as_of is not None
        try:
            self._moment = await self.console.past.moment(self.view.as_of)
        except InvalidValue as error:
            await AuthkeysPage(self.window, replace(self.view, as_of=None)).build()
            show_error(str(error))
            return
        await super().build()

    def build_banner(self) -> None:
        """Which moment it is, another one, and the way back."""
        number, _, at = self._moment
        when = f"{minute(at)}, {ago(at, datetime.now(UTC))}" if at else "before the first entry"
        with ui.row().classes("banner").props('role=status aria-label="As it was"').mark("as-of"):
            ui.icon("history", size="18px")
            ui.label(f"As it was after #{number}: {when}. Nothing can be changed here.").classes("banner-text")
            self._wanted = ui.input("Time or #", value=as_of_text(self.view.as_of or 0)).props("outlined dense")
            self._wanted.classes("moment").mark("as-of-moment").on("keydown.enter", self._go)
            ui.button("Go", on_click=self._go, color=None).props("flat dense no-caps")
            compare = f"/history?compare={number}.."
            ui.link("Compare with now", compare).classes("history-link")
            now = replace(self.view, as_of=None).to_query()
            ui.link("Back to now", f"/{f'?{now}' if now else ''}").classes("history-link").mark("back-to-now")

    async def _go(self) -> None:
        with user_errors():
            await self.window.require_session()
            wanted = as_of(str(self._wanted.value or "").strip())
            if wanted is not None:
                await self.console.past.moment(wanted)
                ui.navigate.to(f"/?{replace(self.view, as_of=wanted).to_query()}")
            else:
                ui.navigate.to("/")

    def build_empty(self, total: int) -> None:
        """No keys then, or none that was searched for."""
        title = "There were no authorization keys then" if total == 0 else "No key matches this view"
        ui.label(title).classes("empty-title")

    def listen(self) -> None:
        """To nothing: the past stays as it is."""

    def details(self) -> None:
        """None: they are about today."""

    async def menu_of(self, row_id: int, privilege: Privilege | None) -> Menu | None:
        """Only its history: the key may be gone by now."""
        return Menu("this key", self.row_panel.entries(row_id, privilege), f"As after #{self._moment.number}")
