"""A view with a grid and staged changes: what those of authkeys and of pickup passphrases share.

The loop: the grid asks for a block -> a tick calls `stage()` -> bar and review show it -> Submit calls `submit()` -> one
transaction -> the change feed tells every page -> its grid shows what changed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.marks import StagingChange
from models.privileges import Privilege
from models.secrets import IssuedKey
from models.usage import LostCalls
from models.wording import changes_to, count_of, noun, step_name
from services.feed import Commit
from services.listing import V
from services.staging import Staging
from ui.shell.dialogs import show_shortcuts
from ui.shell.feedback import user_errors
from ui.shell.palette import Command
from ui.shell.window import Window
from ui.staged.arranging import Arranging
from ui.staged.bar import ChangeBar
from ui.staged.claims import Tick, parse_sort, parse_tick
from ui.staged.counting import Counting, counts
from ui.staged.details import RowDetails
from ui.staged.drawing import RowDrawing
from ui.staged.grid import GridKind, StagedGrid
from ui.staged.news import Inbox, News
from ui.staged.out_of_view import OutOfView
from ui.staged.planning import Planning
from ui.staged.reviewing import Reviewing
from ui.staged.row_menu import Menu
from ui.staged.row_menus import RowMenus
from ui.staged.row_panel import RowPanel
from ui.staged.selecting import Selecting, SelectionAction
from ui.staged.side import Side
from ui.staged.sorting import SortMenu
from ui.staged.steps import Steps
from ui.staged.submitting import Submitting
from ui.staged.ticks import Ticks
from ui.staged.toolbar import Toolbar
from ui.staged.views_menu import ViewsMenu


class StagedPage(Generic[V]):
    """One open window. What a subclass adds is named below `build`."""

    path: ClassVar[str]
    kind: ClassVar[GridKind]

    def __init__(self, window: Window, view: V, staging: Staging[V]) -> None:
        self.window = window
        self.console = window.console
        self.admin = window.admin
        self.view = view
        self.staging = staging
        self.may_change = window.admin.may_change and view.is_live
        self.steps = Steps(window, staging, self.do)
        self._steps = asyncio.Lock()  # what is done in this window takes effect in the order in which it was done

    async def build(self) -> None:
        """Load first, then build, then subscribe; what was committed in between is looked at once more."""
        revision = self.console.feed.revision
        self.staging.attend(self.admin.id)
        ui.context.client.on_delete(lambda: self.staging.leave(self.admin.id))
        self._arranging = await Arranging.load(self.window, self.kind)
        self._out_of_view = OutOfView(self.window, self.staging, self.kind, self._arranging, lambda: self.view)
        shown, total = await counts(self.staging, self.admin.id, self.view)
        hidden = await self._out_of_view.count()
        await self.window.load()
        self.window.build_frame(self.path)
        self._build_elements()
        self._counting.show(shown, total)
        await self._show_staged(hidden)
        self._subscribe()
        await self.side.open(self.window.query)
        if self.console.feed.revision != revision:
            await self._counting.refresh()
            await self._show_staged()

    # -- what a subclass adds ------------------------------------------------------------------------------------------

    def build_toolbar(self) -> Toolbar[V]:
        """Search, filters, and what can be done with many rows, or none."""
        raise NotImplementedError

    def build_banner(self) -> None:
        """What stands above the toolbar."""

    async def menu_of(self, row_id: int, privilege: Privilege | None) -> Menu | None:
        """That of a row, or of one of its boxes, that a browser named; there may be none with that id."""
        raise NotImplementedError

    def details(self) -> RowDetails[Any] | None:
        """What tells the details of a row; None where there are none."""
        return None

    def build_empty(self, total: int) -> None:
        """What stands where no row is shown; `total` is how many there are without search and filters."""
        raise NotImplementedError

    def heard(self, commit: Commit, news: News) -> None:
        """A submission about something else was committed."""

    def selection_actions(self) -> Sequence[SelectionAction]:
        """What can be done with a selection, beside staging."""
        return ()

    def show_issued(self, issued: Sequence[IssuedKey]) -> None:
        """A submission made secrets: show them this once."""

    async def lost_calls(self) -> LostCalls | None:
        """The calls that a submission would have refused lately; None where that is not known."""
        return None

    # -- building ------------------------------------------------------------------------------------------------------

    def _build_elements(self) -> None:
        with ui.element("div").classes("page" if self.view.is_live else "page without-bar"):
            self.build_banner()
            self.toolbar = self.build_toolbar()
            with self.toolbar.beside_search:
                ViewsMenu(self.window, self.kind, self.path, lambda: self.view)
            with ui.element("div").classes("workspace"):
                with ui.element("div").classes("grid-area"):
                    arrangement = self._arranging.now
                    self.grid = StagedGrid(self.kind, self.view, self.window, arrangement, may_change=self.may_change)
                    self._drawing = RowDrawing(self.staging, self.admin.id, self.grid)
                    self._ticks = Ticks(stage=self._stage, undraw=self._drawing.draw)
                    self._counting = Counting(
                        self.staging,
                        self.admin.id,
                        self.toolbar,
                        view=lambda: self.view,
                        build_empty=self.build_empty,
                    )
                    with self.toolbar.beside_search:
                        self._sorting = SortMenu(self.kind.arranged, self.view, self.grid.sort)
                    menus = RowMenus(self.window, noun(self.kind.subject), self.menu_of, self._take_back)
                    self.selecting = Selecting(
                        self.window,
                        self.staging,
                        self.grid,
                        menus.popup,
                        view=lambda: self.view,
                        shown=lambda: self._arranging.now.shown_privileges,
                        do=self.do,
                        more=self.selection_actions(),
                        may_change=self.may_change,
                    )
                if self.may_change:
                    Planning(self.window, self.staging, self.selecting, do=self.do)
                side = self.side = Side(self.window, self.path, lambda: self.view, self.grid.refocus)
                self._reviewing = Reviewing(
                    self.window,
                    self.staging,
                    self.grid,
                    self.view.natural(),
                    do=self.do,
                    lost_calls=self.lost_calls,
                    on_change=side.review_changed,
                )
                self.row_panel = RowPanel(self.window, self.kind.subject, self.details(), side.row_changed)
                side.connect(self._reviewing, self.row_panel)
        self._bar = ChangeBar(
            self.kind.subject,
            on_review=self._reviewing.toggle,
            on_show=lambda: self._out_of_view.show(show_staged=self.toolbar.show_staged, review=self._reviewing.show),
            on_discard=self.steps.discard,
            on_submit=self._reviewing.submit,
            on_step_back=self.steps.undo,
            on_step_forth=self.steps.redo,
            may_change=self.may_change,
        )
        if not self.view.is_live:
            self._bar.hide()
        self._arranging.build(self.toolbar.beside_actions, self.grid, self._show_staged)
        self._submitting = Submitting(self.window, self.staging, self._bar, self.show_issued)
        self._reviewing.connect(self._submitting, self._steps, self._show_staged)

    def _subscribe(self) -> None:
        ui.on("tick", self._tick)
        ui.on("sorted", self._sorted)
        ui.on("shortcut", self._shortcut)
        self.window.view_commands = self._commands
        ui.context.client.on_connect(self.grid.resend)
        self.window.subscribe()
        self._inbox = Inbox(ui.context.client, self.admin.id, self._draw)
        self.listen()

    def listen(self) -> None:
        """Hear of what happens here and elsewhere."""
        self.staging.changed.subscribe(self._staging_changed)
        self.console.feed.committed.subscribe(self._committed)
        self.console.feed.availability_changed.subscribe(self._availability_changed)
        self.console.approvals.changed.subscribe(self._approvals_changed)

    # -- what the browser says: claims, each checked -------------------------------------------------------------------

    async def _tick(self, event: GenericEventArguments) -> None:
        async with self._steps:
            with user_errors():
                await self.window.require_session()
                tick = parse_tick(event.args)
                await self._ticks.take(tick)
                if tick.sequence <= self._ticks.last:  # one that comes twice is only acknowledged
                    self.grid.acknowledge(self._ticks.last)

    async def _stage(self, tick: Tick) -> None:
        if tick.privilege is not None:
            await self.staging.stage(self.admin.id, tick.row_id, tick.privilege, tick.value)
        elif tick.value:
            await self.staging.stage_removal(self.admin.id, tick.row_id)
        else:
            await self.staging.take_back(self.admin.id, [tick.row_id])

    def _sorted(self, event: GenericEventArguments) -> None:
        with user_errors():
            column, descending = parse_sort(event.args, self.view)
            self.view = replace(self.view, sort=column, descending=descending)
            self.toolbar.keep_sort(self.view)
            self._sorting.show(self.view)
            self.side.show_address()

    async def _shortcut(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"name": "undo"}:
                await self.steps.undo()
            case {"name": "redo"}:
                await self.steps.redo()
            case {"name": "review"}:
                await self._reviewing.toggle()
            case {"name": "close"}:
                self.side.close()
            case {"name": "help"}:
                show_shortcuts()

    async def _commands(self) -> list[Command]:
        return [*await self.steps.commands(self._reviewing.show, may_change=self.may_change), *self.toolbar.commands()]

    # -- what the admin does -------------------------------------------------------------------------------------------

    async def do(self, step: Callable[[], Awaitable[object]]) -> None:
        """Take a step of this window, after every tick that was made before it."""
        with user_errors():
            async with self._steps:
                await self.window.require_session()
                await step()

    async def _take_back(self, ids: list[int]) -> None:
        await self.do(lambda: self.staging.take_back(self.admin.id, ids))

    async def show_view(self, view: V) -> None:
        """Show another view, because the admin searched or filtered."""
        with user_errors():
            await self.window.require_session()
            self.view = view
            self.grid.show(view)
            self.side.show_address()
            await self._counting.refresh()
            await self._show_staged()

    # -- what happened, here or elsewhere ------------------------------------------------------------------------------

    def _staging_changed(self, change: StagingChange) -> None:
        if change.admin_id == self.admin.id and not change.submitted:
            self._submitting.staged_anew()
        self._inbox.note(lambda news: news.add_staging(change))

    def _committed(self, commit: Commit) -> None:
        if commit.subject is self.kind.subject:
            moves = self.view.depends_on_privileges
            self._inbox.note(lambda news: news.add_commit(commit, is_order_of_privileges=moves))
        else:
            self._inbox.note(lambda news: self.heard(commit, news))

    def _approvals_changed(self) -> None:
        def only_staged(news: News) -> None:
            news.staged = True

        self._inbox.note(only_staged)

    def _availability_changed(self, available: bool) -> None:
        def everything(news: News) -> None:
            news.stale = news.moved = news.staged = True

        if available:
            self.grid.resend()
            self._inbox.note(everything)

    async def _draw(self, news: News) -> None:
        with user_errors():
            if news.is_large or (self.view.staged_only and news.row_ids):
                news.stale = True
            news.moved |= self.view.staged_only and news.stale
            await self._drawing.draw_news(news)
            if news.moved:
                await self._counting.refresh()
            if news.staged:
                await self._show_staged()
            if news.is_about(self.row_panel.row_id):
                await self.row_panel.redraw()
        for commit in news.commits:
            if commit.admin_name != self.admin.name:
                what = changes_to(commit.subject, commit.change_count, commit.key_count)
                self.window.announce(f"{commit.admin_name} applied {what}.")
        if news.fell_away:
            need = "needs" if news.fell_away == 1 else "need"
            what = count_of(self.kind.subject, news.fell_away)
            self.window.tell(f"Already in force: {what} no longer {need} your change.")

    # -- drawing -------------------------------------------------------------------------------------------------------

    async def _show_staged(self, hidden: int | None = None) -> None:
        with user_errors():
            hidden = await self._out_of_view.count() if hidden is None else hidden
            staged = await self.staging.of(self.admin.id)
            self._bar.show_staged(staged.change_count, staged.key_count, hidden, len(staged.conflicts))
            self._bar.show_waiting(self.console.approvals.waiting_of(self.admin.id, self.kind.subject))
            self.window.latest_step(staged.to_undo.number if staged.to_undo else 0)
            self._bar.show_steps(
                *(step_name(self.kind.subject, each) if each else "" for each in (staged.to_undo, staged.to_redo))
            )
            await self._reviewing.redraw()
            self.grid.refocus()
