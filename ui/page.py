"""The page: one admin's window on the authkeys. It wires grid, toolbar, bar and review to the services.

The loop: the grid asks `/grid/rows` for a block -> a tick calls `stage()` -> bar and review show it -> Submit calls
`submit()` -> one transaction -> the change feed tells every page -> its grid shows what changed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from fastapi import Request, Response
from nicegui import ui
from nicegui.events import GenericEventArguments

from models.authkeys import Authkey
from models.errors import AuthkeysError, DatabaseUnavailable, SubmissionRefused
from models.grid_rows import overlay
from models.privileges import Privilege
from models.subjects import Row, Subject
from models.views import View, read_view
from models.wording import changes_to_keys, keys
from services.authkey_staging import AuthkeyStaging
from services.authkeys import Authkeys
from services.console import Console
from services.feed import Commit
from services.staging import StagingChange, WhoStaged, others
from ui.bar import ChangeBar
from ui.claims import Tick, parse_row, parse_sort, parse_tick
from ui.denied import register_denied_page
from ui.dialogs import ask_revoke_unused, ask_stage_all, show_shortcuts
from ui.feedback import built, show_bug, show_error, user_errors
from ui.frame import TITLE, serve_static_files
from ui.grid import AuthkeyGrid
from ui.key_actions import KeyActions
from ui.memory import collect_closed_pages
from ui.no_page import register_error_pages
from ui.passphrases import register_passphrases_page
from ui.review import Review, review_items
from ui.row_menu import RowMenu
from ui.sockets import guard_sockets
from ui.submitting import Submitting
from ui.toolbar import Toolbar
from ui.window import Window

ASKED_BEYOND = 20
"""Changes that one click may stage; before more of them the page asks."""
NAMED_ROWS = 500
"""Changed rows that are sent one by one; beyond that the grid reads its blocks anew."""


def register_pages(console: Console, stop: Callable[[], None] | None = None) -> None:
    """Register every page. `stop` ends the server; without it the menu does not offer to quit."""
    serve_static_files()
    guard_sockets(console.sessions)
    collect_closed_pages()
    register_error_pages()
    register_passphrases_page(console, stop)
    register_denied_page(console, stop)

    @ui.page("/", title=TITLE)
    async def authorization_keys(request: Request) -> Response | None:
        view, problems = read_view(request.query_params)
        unavailable = await built(AuthkeysPage(Window(console, request, stop), view).build())
        if problems and not unavailable:
            show_error(" ".join(problems))
        return unavailable


class AuthkeysPage:
    """One open window."""

    def __init__(self, window: Window, view: View) -> None:
        self._window = window
        self._console = window.console
        self._admin = window.admin
        self._view = view
        self._steps = asyncio.Lock()  # what is done in this window takes effect in the order in which it was done
        self._last_tick = 0
        self._told_unstored = False

    async def build(self) -> None:
        """Load first, then build, then subscribe; what was committed in between is looked at once more."""
        revision = self._console.feed.revision
        total = await self._console.authkeys.count(View(), self._admin.id)
        shown = await self._console.authkeys.count(self._view, self._admin.id)
        hidden = await self._hidden()
        await self._window.load()
        self._window.build_frame("/")
        actions = KeyActions(self._window)
        with ui.element("div").classes("page"):
            self._toolbar = Toolbar(
                self._view,
                on_view=self._show_view,
                on_stage_all=self._ask_stage_all,
                on_add=actions.add,
                on_revoke_unused=self._revoke_unused,
                may_change=self._admin.may_change,
            )
            with ui.element("div").classes("workspace"):
                with ui.element("div").classes("grid-area"):
                    self._grid = AuthkeyGrid(self._view, self._window.root_path, self._admin)
                    self._empty = ui.element("div").classes("empty").props("role=status")
                self._review = Review(
                    on_take_back=lambda ids: self._do(lambda: self._staging.take_back(self._admin.id, ids)),
                    on_take_back_cell=self._take_back_cell,
                    on_confirm=lambda ids: self._do(lambda: self._staging.confirm(self._admin.id, ids)),
                    on_close=self._hide_review,
                )
        self._bar = ChangeBar(
            Subject.AUTHKEY,
            on_review=self._toggle_review,
            on_discard=lambda: self._do(lambda: self._staging.discard(self._admin.id)),
            on_undo=self._undo_submission,
            on_submit=self._submit,
            may_change=self._admin.may_change,
        )
        self._submitting = Submitting(self._window, self._staging, self._bar)
        self._menu = RowMenu(
            on_details=actions.show_details,
            on_issue=actions.issue,
            on_remove_all=self._remove_all,
            may_change=self._admin.may_change,
        )
        self._show_counts(shown, total)
        await self._show_staged(hidden)
        self._subscribe()
        if self._console.feed.revision != revision:
            await self._refresh_counts()
            await self._show_staged()

    @property
    def _staging(self) -> AuthkeyStaging:
        return self._console.staging

    def _subscribe(self) -> None:
        ui.on("tick", self._tick)
        ui.on("sorted", self._sorted)
        ui.on("menu", self._open_menu)
        ui.on("shortcut", self._shortcut)
        ui.context.client.on_connect(self._grid.resend)
        self._window.subscribe()
        self._staging.changed.subscribe(self._staging_changed)
        self._console.feed.committed.subscribe(self._committed)
        self._console.feed.availability_changed.subscribe(self._availability_changed)

    # -- what the browser says: claims, each checked ------------------------------------------------------------------

    async def _tick(self, event: GenericEventArguments) -> None:
        async with self._steps:
            with user_errors():
                await self._window.require_session()
                tick = parse_tick(event.args)
                if tick.sequence == self._last_tick + 1:
                    await self._take_tick(tick)
                # One that comes twice is only acknowledged; the browser sends one that comes too early again.
                if tick.sequence <= self._last_tick:
                    self._grid.acknowledge(self._last_tick)

    async def _take_tick(self, tick: Tick) -> None:
        try:
            await self._stage(tick)
        except DatabaseUnavailable as error:
            # Not taken, so not acknowledged: the browser keeps the tick, and those after it, and sends them again.
            if not self._told_unstored:
                self._told_unstored = True
                raise DatabaseUnavailable(f"{error} The tick is kept and will be sent again.") from error
            return
        except AuthkeysError as error:
            show_error(str(error))
            await self._put_ids([tick.authkey_id])
        except Exception as bug:
            show_bug(bug)
        self._told_unstored = False
        self._last_tick = tick.sequence

    async def _stage(self, tick: Tick) -> None:
        if tick.privilege is not None:
            await self._staging.stage(self._admin.id, tick.authkey_id, tick.privilege, tick.value)
        elif tick.value:
            await self._staging.stage_removal(self._admin.id, tick.authkey_id)
        else:
            await self._staging.take_back(self._admin.id, [tick.authkey_id])

    def _sorted(self, event: GenericEventArguments) -> None:
        with user_errors():
            column, descending = parse_sort(event.args)
            self._view = replace(self._view, sort=column, descending=descending)
            self._toolbar.keep_sort(self._view)
            self._show_address()

    async def _open_menu(self, event: GenericEventArguments) -> None:
        with user_errors():
            await self._window.require_session()
            authkey_id = parse_row(event.args)
            row = (await self._console.authkeys.find([authkey_id])).get(authkey_id)
            if row is not None:
                self._menu.open(row, len(await self._console.authkeys.of_ip(row.ip)))

    async def _shortcut(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"name": "undo"}:
                await self._do(lambda: self._staging.undo(self._admin.id))
            case {"name": "redo"}:
                await self._do(lambda: self._staging.redo(self._admin.id))
            case {"name": "review"}:
                await self._toggle_review()
            case {"name": "help"}:
                show_shortcuts()

    # -- what the admin does --------------------------------------------------------------------------------------------

    async def _show_view(self, view: View) -> None:
        with user_errors():
            await self._window.require_session()
            await self._change_view(view)

    async def _change_view(self, view: View) -> None:
        self._view = view
        self._grid.show(view)
        self._show_address()
        await self._refresh_counts()
        await self._show_staged()

    def _show_address(self) -> None:
        query = self._view.to_query()
        ui.navigate.history.replace(f"{self._window.root_path}/{f'?{query}' if query else ''}")

    async def _undo_submission(self) -> None:
        await self._submitting.undo()

    async def _submit(self) -> None:
        with user_errors():
            await self._window.require_session()
            try:
                await self._submitting.submit(self._steps, self._show_staged)  # with every tick made before the click
            except SubmissionRefused:
                await self._show_review()
                raise
            self._hide_review()

    async def _ask_stage_all(self) -> None:
        with user_errors():
            await self._window.require_session()
            view = self._view

            async def stage(what: Privilege | None, granted: bool) -> None:
                await self._do(lambda: self._staging.stage_view(self._admin.id, view, what, granted))

            count = await self._console.authkeys.count(view, self._admin.id)
            if count:
                ask_stage_all(count, stage)
            else:
                ui.notify("This view shows no keys, so there is nothing to stage.", classes="notice")

    async def _revoke_unused(self) -> None:
        with user_errors():
            await self._window.require_session()
            view = self._view
            change_count, key_count = await self._staging.count_unused(self._admin.id, view)

            async def revoke() -> None:
                await self._do(lambda: self._staging.revoke_unused(self._admin.id, view))

            if change_count > ASKED_BEYOND:
                ask_revoke_unused(changes_to_keys(change_count, key_count), revoke)
            else:
                await revoke()

    async def _remove_all(self, row: Authkey) -> None:
        await self._do(lambda: self._staging.stage_removal_of_ip(self._admin.id, row.ip))

    async def _take_back_cell(self, authkey_id: int, what: Privilege) -> None:
        await self._do(lambda: self._staging.take_back_cell(self._admin.id, authkey_id, what))

    async def _toggle_review(self) -> None:
        if self._review.is_open:
            self._hide_review()
        else:
            await self._show_review()

    def _hide_review(self) -> None:
        self._review.hide()
        self._grid.refocus()

    async def _do(self, step: Callable[[], Awaitable[object]]) -> None:
        with user_errors():
            async with self._steps:  # after every tick that was made before it
                await self._window.require_session()
                await step()

    # -- what happened, here or elsewhere -------------------------------------------------------------------------------

    async def _staging_changed(self, change: StagingChange) -> None:
        if change.admin_id != self._admin.id:
            await self._others_staged(change)
            return
        if not change.submitted:
            self._submitting.staged_anew()
        with user_errors():
            if change.row_ids is None or len(change.row_ids) > NAMED_ROWS or self._view.staged_only:
                self._grid.refresh()
            else:
                await self._put_ids(change.row_ids)
            if self._view.staged_only:
                await self._refresh_counts()
            await self._show_staged()
        if change.fell_away:
            need = "needs" if change.fell_away == 1 else "need"
            ui.notify(f"Already in force: {keys(change.fell_away)} no longer {need} your change.", classes="notice")

    async def _others_staged(self, change: StagingChange) -> None:
        """The marks of who else has staged something."""
        if change.submitted:
            return
        with user_errors():
            if change.row_ids is None or len(change.row_ids) > NAMED_ROWS:
                self._grid.refresh()
            else:
                await self._put_ids(change.row_ids)

    async def _committed(self, commit: Commit) -> None:
        if commit.subject is not Subject.AUTHKEY:
            return
        with user_errors():
            moved = commit.modifications is None or any(m.moves_rows for m in commit.modifications)
            if commit.modifications is not None:
                self._grid.flash(commit.modifications, commit.admin_name)
                await self._put(commit.rows, commit.who_staged)
            if commit.admin_name != self._admin.name:
                self._window.announce(
                    f"{commit.admin_name} applied {changes_to_keys(commit.change_count, commit.key_count)}."
                )
            if moved or self._view.depends_on_privileges:
                self._grid.refresh()
                await self._refresh_counts()
            await self._show_staged()

    async def _availability_changed(self, available: bool) -> None:
        if available:
            self._grid.resend()
            self._grid.refresh()
            await self._refresh_counts()
            await self._show_staged()

    # -- drawing --------------------------------------------------------------------------------------------------------

    async def _put(self, rows: Iterable[Row], who: WhoStaged) -> None:
        rows = list(rows)
        unused = await self._console.uses.unused_marks(rows)
        staged = await self._staging.of(self._admin.id)
        step = self._staging.step(self._admin.id)
        self._grid.put(
            [
                overlay(row, staged[row.id], others(who, row.id, self._admin.id), unused.get(row.id, 0), step)
                for row in rows
            ]
        )

    async def _put_ids(self, authkey_ids: Iterable[int]) -> None:
        found = await self._console.authkeys.find(authkey_ids)
        await self._put(found.values(), await self._staging.who_staged(found))

    async def _hidden(self) -> int:
        staged = await self._staging.of(self._admin.id)
        if not self._view.is_filtered or self._view.staged_only or not len(staged):
            return 0
        in_view = await self._console.authkeys.staged_ids_in(self._view, self._admin.id)
        return staged.change_count - staged.count_in(in_view)

    async def _show_staged(self, hidden: int | None = None) -> None:
        with user_errors():
            hidden = await self._hidden() if hidden is None else hidden
            staged = await self._staging.of(self._admin.id)
            self._bar.show_staged(staged.change_count, staged.key_count, hidden, len(staged.conflicts))
            if self._review.is_open:
                await self._show_review()
            self._grid.refocus()

    async def _show_review(self) -> None:
        staged = await self._staging.of(self._admin.id)
        items = await review_items(staged, self._console.authkeys)
        self._review.show(items, staged.change_count, staged.key_count)

    async def _refresh_counts(self) -> None:
        with user_errors():
            authkeys: Authkeys = self._console.authkeys
            total = await authkeys.count(View(), self._admin.id)
            self._show_counts(await authkeys.count(self._view, self._admin.id), total)

    def _show_counts(self, shown: int, total: int) -> None:
        self._toolbar.show_count(shown, total)
        self._empty.clear()
        self._empty.set_visibility(shown == 0)
        if shown:
            return
        with self._empty:
            if total == 0:
                ui.label("There are no authorization keys").classes("empty-title")
                ui.label(
                    f"Add the first one with “Add authkey”, or import a file: {self._console.command('import FILE.csv')}"
                ).classes("empty-text")
            elif (days := self._view.unused_days) and not self._console.uses.counted_for(days):
                ui.label("Uses are not counted for that long yet").classes("empty-title")
                ui.label(
                    f"They have been counted since {self._console.uses.since:%Y-%m-%d %H:%M} UTC. What was not used for "
                    f"{days} days can be told {days} days after that."
                ).classes("empty-text")
            else:
                ui.label("No key matches this view").classes("empty-title")
                ui.label("Try another IP, network or service, or clear the filters.").classes("empty-text")
                ui.button("Show all keys", on_click=self._toolbar.clear).props("flat no-caps")
