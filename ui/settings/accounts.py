"""Section "Accounts": who may sign in, as whom, and how that stands; admins change it, auditors see it."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from nicegui import ui

from models.account_states import INVITATION_LASTS, Account, AccountState, state_words
from models.accounts import Role
from models.wording import minute, several
from ui.settings.account_dialogs import AccountDialog, ask_new_account
from ui.settings.live import Following, LiveRows, cell, quiet_button, settings_table
from ui.shell.feedback import user_errors
from ui.shell.times import time_label
from ui.shell.window import Window


class _AccountLine(NamedTuple):
    """An account, and in what state it is shown."""

    account: Account
    state: AccountState
    words: str


async def open_accounts(window: Window) -> Callable[[], None]:
    """Read them."""
    found = await window.console.admins.accounts()
    return lambda: _Accounts(window).show(found)


class _Accounts:
    """The list of one window."""

    def __init__(self, window: Window) -> None:
        self._window = window
        with ui.element("div").classes("settings-bar"):
            self._said = ui.label().classes("settings-said").props("role=status").mark("accounts-count")
            if window.admin.may_change:
                add = ui.button("Add account", icon="add", on_click=self._add, color=None)
                add.props("outline no-caps").classes("settings-add").mark("add-account")
            else:
                ui.label("You are an auditor: admins change this.").classes("settings-said")
        card = ui.element("div").classes("settings-card")
        with card, settings_table("Accounts", "Name", "Role", "Sign-in", "Last use", "What can be done"):
            self._rows = LiveRows[_AccountLine](lambda line: line.account.id, self._draw)
        self._following = Following(card, window.console.history.grown, window.console.admins.accounts, self.show)

    def show(self, found: list[Account]) -> None:
        """What was read."""
        now = datetime.now(UTC)
        admins = sum(1 for each in found if each.role is Role.ADMIN and not each.disabled)
        auditors = sum(1 for each in found if each.role is Role.AUDITOR and not each.disabled)
        disabled = sum(1 for each in found if each.disabled)
        parts = [several(admins, "admin"), several(auditors, "auditor")]
        self._said.set_text(", ".join([*parts, *([f"{disabled} disabled"] if disabled else [])]))
        self._rows.show([_AccountLine(each, each.state(now), state_words(each, now)) for each in found])

    def _draw(self, line: _AccountLine) -> None:
        account = line.account
        with ui.element("th").props("scope=row"):
            ui.label(account.name)
            if account.id == self._window.admin.id:
                ui.label("You").classes("settings-mark")
        with cell("role"):
            ui.label(account.role.title())
        with cell("state"):
            # Not "disabled" by itself: Quasar has a class of that name, which fades.
            words = f"{line.words}, second factor" if account.has_factor else line.words
            ui.label(words).classes(f"settings-state is-{line.state.name.lower().replace('_', '-')}")
            if line.state is AccountState.INVITED and account.invited_at:
                ui.label(f"until {minute(account.invited_at + INVITATION_LASTS)}").classes("settings-quiet")
        with cell("time used" if account.last_used else "time"):
            if account.last_used:
                time_label(account.last_used)
            else:
                ui.label("Not signed in").classes("settings-quiet")
        with cell("actions"):
            if self._window.admin.may_change:
                quiet_button("Manage", partial(self._manage, account), account.name)

    async def _add(self) -> None:
        with user_errors():
            await self._window.require_session()
            ask_new_account(self._window, self._following.refresh)

    async def _manage(self, account: Account) -> None:
        with user_errors():
            await self._window.require_session()
            AccountDialog(self._window, account, self._following.refresh)
