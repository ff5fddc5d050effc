"""The view of the authkeys, at `/`."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar

from nicegui import ui

from models.amendments import TextName
from models.authkeys import Authkey
from models.privileges import Privilege
from models.secrets import IssuedKey
from models.staged_rows import StagedRow
from models.usage import LostCalls
from models.views import View
from models.wording import changes_to_keys, key_hint, keys, minute
from services.authkey_staging import AuthkeyStaging
from ui.authkeys.actions import KeyActions
from ui.authkeys.columns import AUTHKEYS_GRID
from ui.authkeys.details import KeyDetails
from ui.authkeys.dialogs import ask_revoke_unused
from ui.authkeys.issued import show_issued
from ui.authkeys.issuing import ask_issue_keys
from ui.authkeys.texts import ask_texts
from ui.authkeys.toolbar import AuthkeysToolbar
from ui.shell.feedback import user_errors
from ui.shell.window import Window, search_for_key
from ui.staged.details import RowDetails
from ui.staged.grid import GridKind
from ui.staged.page import StagedPage
from ui.staged.row_menu import Menu, MenuEntry
from ui.staged.selecting import SelectionAction
from ui.staged.steps import tell_step

ASKED_BEYOND = 20
"""Changes that one click may stage; before more of them the page asks."""


class AuthkeysPage(StagedPage[View]):
    """One open window on the authkeys."""

    path: ClassVar[str] = "/"
    kind: ClassVar[GridKind] = AUTHKEYS_GRID
    staging: AuthkeyStaging

    def __init__(self, window: Window, view: View) -> None:
        super().__init__(window, view, window.console.staging)
        self._actions = KeyActions(window)
        window.show_key = self._show_key

    def build_toolbar(self) -> AuthkeysToolbar:
        """Search, filters, and what can be done with many keys, or none."""
        return AuthkeysToolbar(
            self.view,
            on_view=self.show_view,
            on_add=self._actions.add,
            on_revoke_unused=self._revoke_unused,
            may_change=self.may_change,
        )

    def build_empty(self, total: int) -> None:
        """No keys at all, none that is known to be unused, or none that was searched for."""
        if total == 0:
            ui.label("There are no authorization keys").classes("empty-title")
            self._first_ways()
        elif (days := self.view.unused_days) and not self.console.uses.counted_for(days):
            ui.label("Uses are not counted for that long yet").classes("empty-title")
            ui.label(
                f"They have been counted since {minute(self.console.uses.since)}. What was not used for "
                f"{days} days can be told {days} days after that."
            ).classes("empty-text")
        else:
            ui.label("No key matches this view").classes("empty-title")
            ui.label("Try another IP, network or service, or clear the filters.").classes("empty-text")
            ui.button("Show all keys", on_click=self.toolbar.clear).props("flat no-caps")

    def _first_ways(self) -> None:
        ui.label("There are three ways to the first ones:").classes("empty-text")
        with ui.element("div").classes("first-ways"):
            if self.may_change:
                _way("add", "Add one", "Its key is made, and shown once, when you submit.", self._actions.add)
                choose = _way(
                    "upload_file", "Import a file", f"CSV, here or by {self.console.command('import FILE.csv')}"
                )
                choose.on("click", js_handler="() => authkeys.chooseFile()")
            servers = "Make a pickup passphrase; with it they register their own keys."
            _way("dns", "Let servers register", servers, lambda: ui.navigate.to("/passphrases"))

    def selection_actions(self) -> Sequence[SelectionAction]:
        """New keys for all of it."""
        return [
            SelectionAction("Owner and note…", "texts", self._ask_texts_of_selected),
            SelectionAction("Issue keys…", "issue", self._issue_selected),
        ]

    async def _ask_texts_of_selected(self) -> None:
        with user_errors():
            await self.window.require_session()
            await self._ask_texts([row.id for row in await self.selecting.rows()])

    async def _issue_selected(self) -> None:
        with user_errors():
            await self.window.require_session()
            found = await self.console.authkeys.find(row.id for row in await self.selecting.rows())
            ask_issue_keys(self.window, list(found.values()))

    def show_issued(self, issued: Sequence[IssuedKey]) -> None:
        """The keys of the authkeys that were made."""
        show_issued(self.window, issued)

    async def lost_calls(self) -> LostCalls:
        """By the uses of the authkeys."""
        return await self.console.uses.lost_calls(self.admin.id)

    def listen(self) -> None:
        """Also of denied requests, which the details tell."""
        super().listen()
        self.console.uses.denied.subscribe(self._denied)

    async def _denied(self) -> None:
        with user_errors():
            await self.row_panel.redraw()

    # -- one key -------------------------------------------------------------------------------------------------------

    async def _show_key(self, row: Authkey) -> None:
        """Where it stands; if the view leaves it out, in the view of all."""
        if not self.view.is_live:
            search_for_key(row)
            return
        if await self.console.authkeys.place(self.view, self.admin.id, row.id) is None:
            self.toolbar.clear()
            await self.toolbar.changed()
        self.grid.run("showRow", row.id)

    def details(self) -> RowDetails[Any] | None:
        """Those of an authkey."""
        return KeyDetails(self.window, self.staging, self.do, issue=self._actions.issue, ask_texts=self._ask_texts)

    async def menu_of(self, row_id: int, privilege: Privilege | None) -> Menu | None:
        """Details, history, a new key, and the removal of all keys of its IP."""
        row = (await self.console.authkeys.find([row_id])).get(row_id)
        if row is None:
            return None
        entries = self.row_panel.entries(row_id, privilege)
        if self.may_change:
            entries.append(MenuEntry("Owner and note…", "row-texts", lambda: self._ask_texts([row_id])))
            entries.append(MenuEntry("Issue new key", "row-issue", lambda: self._actions.issue(row)))
            if (count := len(await self.console.authkeys.of_ip(row.ip))) > 1:
                text = f"Stage removal of all {count:,} keys of this IP"
                entries.append(MenuEntry(text, "row-remove-all", lambda: self._remove_all(row)))
        return Menu(f"{row.ip}, {row.service}", entries, key_hint(row))

    async def _ask_texts(self, row_ids: Collection[int]) -> None:
        """With what is staged for them already."""
        rows = await self.staging.shown.find(self.admin.id, row_ids)
        staged = await self.staging.of(self.admin.id)
        found = [row for row in rows.values() if isinstance(row, Authkey)]
        if found:
            ask_texts(self.window, self.staging, [_as_staged(row, staged[row.id]) for row in found])

    async def _remove_all(self, row: Authkey) -> None:
        async def stage() -> None:
            touched = await self.staging.stage_removal_of_ip(self.admin.id, row.ip)
            tell_step(self.window, self.staging, f"{keys(touched)} of {row.ip} marked for removal", touched)

        await self.do(stage)

    # -- many keys -----------------------------------------------------------------------------------------------------

    async def _revoke_unused(self) -> None:
        with user_errors():
            await self.window.require_session()
            view = self.view
            change_count, key_count = await self.staging.count_unused(self.admin.id, view)

            async def stage() -> None:
                touched = await self.staging.revoke_unused(self.admin.id, view)
                tell_step(self.window, self.staging, f"Revoked what was unused: {keys(touched)} changed", touched)

            async def revoke() -> None:
                await self.do(stage)

            if change_count > ASKED_BEYOND:
                ask_revoke_unused(changes_to_keys(change_count, key_count), revoke)
            else:
                await revoke()


def _as_staged(row: Authkey, entry: StagedRow) -> Authkey:
    texts = entry.amendment.texts_of(row)
    return row._replace(owner=texts[TextName.OWNER], note=texts[TextName.NOTE])


def _way(icon: str, title: str, text: str, act: Callable[[], object] | None = None) -> ui.button:
    """One way to the first keys."""
    with ui.button(on_click=act, color=None).props("outline no-caps").classes("first-way") as button:
        ui.icon(icon, size="26px")
        ui.label(title).classes("first-title")
        ui.label(text).classes("first-text")
    return button
