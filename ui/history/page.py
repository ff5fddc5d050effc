"""The view of the history, at `/history`: who changed what, live; each entry opens beside it, and can be undone."""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import Request, Response
from nicegui import ui
from nicegui.events import GenericEventArguments

from models.errors import InvalidValue
from models.history import Moment
from models.history_views import HistoryView, parse_history_view
from models.views import as_of, read_view
from services.console import Console
from ui.history.checking import CheckButton
from ui.history.grid import HistoryGrid
from ui.history.panels import HistoryPanels
from ui.history.toolbar import HistoryToolbar
from ui.shell.building import built, page_at
from ui.shell.dialogs import show_shortcuts
from ui.shell.feedback import show_error, user_errors
from ui.shell.frame import TITLE
from ui.shell.palette import Command
from ui.shell.panel import SidePanel
from ui.shell.redrawing import Redrawing
from ui.shell.window import Window
from ui.staged.claims import parse_row

PATH = "/history"


def register_history_page(console: Console, stop: Callable[[], None] | None) -> None:
    """Register `/history`."""

    @page_at(PATH, f"History · {TITLE}")
    async def history(request: Request) -> Response | None:
        view, problems = read_view(request.query_params, parse_history_view)
        unavailable = await built(HistoryPage(Window(console, request, stop), view).build())
        if problems and not unavailable:
            show_error(" ".join(problems))
        return unavailable


class HistoryPage:
    """One open window on the history."""

    def __init__(self, window: Window, view: HistoryView) -> None:
        self._window = window
        self._console = window.console
        self._view = view
        self._panel_address = ""

    async def build(self) -> None:
        """Load first, then build, then subscribe."""
        await self._window.load()
        count, names = await self._console.history.count(self._view), await self._console.history.admin_names()
        check = await self._console.chain.last_check()
        self._window.build_frame(PATH)
        with ui.element("div").classes("page without-bar"):
            knows_approvals = self._console.approvals.four_eyes.is_on
            self._toolbar = HistoryToolbar(self._view, names, on_view=self._show_view, knows_approvals=knows_approvals)
            with ui.row().classes("strip"):
                CheckButton(self._window, check)
                ui.space()
                self._moments()
                self._exports()
            with ui.element("div").classes("workspace"):
                with ui.element("div").classes("grid-area"):
                    self._grid = HistoryGrid(self._view, self._window.root_path)
                    self._empty = ui.element("div").classes("empty").props("role=status")
                self._panel = SidePanel(self._close_panel)
        self._panels = HistoryPanels(self._window, self._panel, self._panel_shown)
        self._show_count(count)
        self._subscribe()
        await self._open_from_address(self._window.query)

    def _moments(self) -> None:
        """Two moments: the table as it was then, or what is different between them."""
        self._from = ui.input("From time or #", placeholder="2026-11-20 14:30").props("outlined dense stack-label")
        self._to = ui.input("To (or now)", placeholder="now").props("outlined dense stack-label")
        for field, mark in ((self._from, "moment-from"), (self._to, "moment-to")):
            field.classes("moment").mark(mark).props(f'aria-label="{field.label}"')
        ui.button("Show table", on_click=self._show_table, color=None).props("flat dense no-caps").classes(
            "quiet"
        ).mark("show-table")
        ui.button("Compare", on_click=self._compare, color=None).props("flat dense no-caps").classes("quiet").mark(
            "compare"
        )

    def _exports(self) -> None:
        button = ui.button("Export", icon="download", color=None).props("flat dense no-caps").classes("quiet")
        menu_props = "role=region aria-label=Export auto-close"
        with button.mark("export"), ui.menu().props(menu_props), ui.element("div").classes("row-menu") as items:
            items.props("role=menu")
            self._forms = {
                kind: self._export_form(kind, text)
                for kind, text in (("csv", "These entries as CSV"), ("jsonl", "These entries as JSONL"))
            }
            verifier = ui.element("a").classes("menu-button export-link")
            verifier.props(f'href="{self._window.root_path}/history/verifier.py" role=menuitem download')
            with verifier:
                ui.label("The program that checks JSONL")
        self._point_exports()

    def _export_form(self, kind: str, text: str) -> ui.element:
        form = ui.element("form").props("method=post").classes("menu-form")
        with form, ui.element("button").props("type=submit role=menuitem").classes("menu-button"):
            ui.label(text).mark(f"export-{kind}")
        return form

    def _point_exports(self) -> None:
        for kind, form in self._forms.items():
            query = "&".join(filter(None, (f"format={kind}", self._view.to_query())))
            form.props["action"] = f"{self._window.root_path}/history/export?{query}"
            form.update()

    def _subscribe(self) -> None:
        ui.on("open", self._open)
        ui.on("shortcut", self._shortcut)
        self._window.subscribe()
        self._window.view_commands = self._commands
        self._console.history.grown.subscribe(Redrawing(self._empty, self._draw).ask)

    # -- what the browser says -----------------------------------------------------------------------------------------

    async def _open(self, event: GenericEventArguments) -> None:
        with user_errors():
            await self._panels.show_entry(parse_row(event.args))

    def _shortcut(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"name": "close"}:
                self._close_panel()
            case {"name": "help"}:
                show_shortcuts()

    async def _commands(self) -> list[Command]:
        clear = Command("Show all entries", "filter_list_off", self._toolbar.clear, "Do", "clear filters search")
        compare = Command(
            "Compare two moments", "difference", lambda: self._from.run_method("focus"), "Do", "table then"
        )
        return [clear, compare]

    # -- views and panels ----------------------------------------------------------------------------------------------

    async def _show_view(self, view: HistoryView) -> None:
        await self._window.require_session()
        self._view = view
        self._grid.show_query(view.to_query())
        self._point_exports()
        self._show_address()
        self._show_count(await self._console.history.count(view))

    def _show_count(self, count: int) -> None:
        self._toolbar.show_count(count)
        self._empty.clear()
        self._empty.set_visibility(count == 0)
        if not count:
            with self._empty:
                ui.label("No entry matches this view").classes("empty-title")
                ui.button("Show all entries", on_click=self._toolbar.clear).props("flat no-caps")

    async def _open_from_address(self, query: dict[str, str]) -> None:
        with user_errors():
            if not await self._panels.open(query) and (span := query.get("compare")):
                earlier, _, later = span.partition("..")
                await self._panels.show_difference(*await self._span(earlier, later))

    async def _span(self, earlier: str, later: str) -> tuple[Moment, Moment]:
        past = self._console.past
        first, last = as_of(earlier.strip()), as_of(later.strip())
        if first is None:
            raise InvalidValue(
                "From which moment? Write a time in UTC, such as 2026-11-20 14:30, or an entry, such as #412."
            )
        one = await past.moment(first)
        other = await past.now() if last is None else await past.moment(last)
        return (one, other) if one.number <= other.number else (other, one)

    async def _compare(self) -> None:
        with user_errors():
            await self._window.require_session()
            await self._panels.show_difference(
                *await self._span(str(self._from.value or ""), str(self._to.value or ""))
            )

    async def _show_table(self) -> None:
        with user_errors():
            await self._window.require_session()
            text = str(self._from.value or "").strip()
            await self._span(text, "")  # says what is wrong with it, here
            ui.navigate.to(f"/?{urlencode({'as_of': text.removeprefix('#')}, safe=':')}")

    def _panel_shown(self, address: str) -> None:
        self._panel_address = address
        self._show_address()

    def _close_panel(self) -> None:
        if self._panel.is_open:
            self._panel.hide()
            self._panel_shown("")
            self._grid.refocus()

    def _show_address(self) -> None:
        query = "&".join(filter(None, (self._view.to_query(), self._panel_address)))
        ui.navigate.history.replace(f"{self._window.root_path}{PATH}{f'?{query}' if query else ''}")

    # -- live ----------------------------------------------------------------------------------------------------------

    async def _draw(self) -> None:
        self._grid.refresh()
        self._show_count(await self._console.history.count(self._view))
