"""The view of denied requests, at `/denied`: what access checks denied lately, why, live, with the remedy; and a tester."""

from collections.abc import Callable

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from nicegui import app, ui
from nicegui.events import GenericEventArguments

from models.denial_hours import DeniedDay
from models.denial_views import DeniedView, Trial, parse_denied_view, parse_trial
from models.denials import DeniedRequests
from models.views import read_view
from services.console import Console
from ui.denied.chart import DenialChart
from ui.denied.rows import DeniedRows
from ui.denied.tester import AccessCheckTester
from ui.denied.toolbar import DeniedToolbar
from ui.shell.building import built, page_at
from ui.shell.feedback import show_error, user_errors
from ui.shell.frame import STATIC_PATH, TITLE
from ui.shell.palette import Command
from ui.shell.panel import SidePanel
from ui.shell.redrawing import Redrawing
from ui.shell.window import Window

PATH = "/denied"
SHOWN = 100


def register_denied_page(console: Console, stop: Callable[[], None] | None) -> None:
    """Register `/denied`, and the address that it had before."""

    @page_at(PATH, f"Denied requests · {TITLE}")
    async def denied(request: Request) -> Response | None:
        view, problems = read_view(request.query_params, parse_denied_view)
        trial, more_problems = read_view(request.query_params, parse_trial)
        unavailable = await built(DeniedPage(Window(console, request, stop), view).build(trial))
        if not unavailable and (problems := [*problems, *more_problems]):
            show_error(" ".join(problems))
        return unavailable

    @app.get("/refusals", include_in_schema=False)
    async def moved(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}{PATH}", 308)


class DeniedPage:
    """One open window on the denied requests."""

    def __init__(self, window: Window, view: DeniedView) -> None:
        self._window = window
        self._uses = window.console.uses
        self._view = view
        self._trial: Trial | None = None

    async def build(self, trial: Trial | None) -> None:
        """Load first, then build, then subscribe. `trial` is what the tester is opened with, if it is."""
        await self._window.load()
        found = await self._read()
        self._window.build_frame(PATH)
        ui.add_head_html(f'<link rel="stylesheet" href="{self._window.root_path}{STATIC_PATH}/denied.css">')
        with ui.element("div").classes("page without-bar denied"):
            self._toolbar = DeniedToolbar(self._view, on_view=self._show_view, on_try=lambda: self._open(Trial()))
            self._chart = DenialChart(self._toolbar.choose_day)
            with ui.element("div").classes("workspace"):
                self._rows = DeniedRows(self._window, on_try=self._open, on_clear=self._toolbar.clear)
                self._panel = SidePanel(self._close)
        self._redrawing = Redrawing(self._rows.element, self._draw)
        self._show(*found)
        if trial:
            await self._open(trial)
        ui.on("shortcut", self._shortcut)
        self._window.subscribe()
        self._window.view_commands = self._commands
        self._uses.denied.subscribe(self._redrawing.ask)

    async def _commands(self) -> list[Command]:
        clear, is_any = self._toolbar.clear, self._view.is_filtered
        return [
            Command("Try an access check", "troubleshoot", lambda: self._open(Trial()), "Do", "test"),
            Command("Show all denied requests", "filter_list_off", clear, "Do", "clear filters", is_offered=is_any),
        ]

    # -- the list and the chart ----------------------------------------------------------------------------------------

    async def _read(self) -> tuple[list[DeniedRequests], int, list[DeniedDay]]:
        view = self._view
        return (
            await self._uses.denied_requests(view, SHOWN),
            await self._uses.denied_count(view),
            await self._uses.denied_days(view.reason),
        )

    def _show(self, groups: list[DeniedRequests], count: int, days: list[DeniedDay]) -> None:
        self._rows.draw(groups, self._view)
        self._toolbar.show_count(count, len(groups))
        self._chart.show(days, self._view)

    async def _show_view(self, view: DeniedView) -> None:
        await self._window.require_session()
        self._view = view
        self._show_address()
        self._redrawing.ask()

    async def _draw(self) -> None:
        found = await self._read()
        if not self._redrawing.is_outdated:  # the newest view and the newest requests show last
            self._show(*found)

    # -- the tester ----------------------------------------------------------------------------------------------------

    async def _open(self, trial: Trial) -> None:
        with user_errors():
            await self._window.require_session()
            found = await self._window.console.authkeys.find([trial.authkey_id] if trial.authkey_id else [])
            row = found.get(trial.authkey_id)
            self._trial = trial
            self._show_address()
            with self._panel.show("Try an access check"):
                tester = AccessCheckTester(self._window, trial, row)
            if row:
                await tester.ask()

    def _close(self) -> None:
        if self._panel.is_open:
            self._panel.hide()
            self._trial = None
            self._show_address()
            ui.run_javascript("authkeys.refocus()")

    def _shortcut(self, event: GenericEventArguments) -> None:
        if event.args == {"name": "close"}:
            self._close()

    def _show_address(self) -> None:
        query = "&".join(filter(None, (self._view.to_query(), self._trial.to_query() if self._trial else "")))
        ui.navigate.history.replace(f"{self._window.root_path}{PATH}{f'?{query}' if query else ''}")
