"""What an admin does with accounts: adding one, and changing one. Each says before what it does, and whether it was done."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from nicegui import ui

from models.access import INVITATION_PATH
from models.account_states import INVITATION_LASTS, Account, state_words
from models.accounts import Role, account_name
from models.errors import AuthkeysError
from models.wording import ROLE_WORDS, minute, several
from services.invitations import NewLink
from ui.shell.dialogs import choice, open_dialog, secret_text
from ui.shell.forms import Problem
from ui.shell.window import Window

_HOURS = round(INVITATION_LASTS.total_seconds() / 3600)
Changed = Callable[[], object]
"""To be called when an account is another"""


def ask_new_account(window: Window, changed: Changed) -> None:
    """Ask for a name and a role; then show the link with which its owner chooses a password."""
    dialog, card = open_dialog("Add account")
    with card:
        ui.label(
            f"You get a link, shown once, for whom the account is: with it they choose a password, within {_HOURS} hours."
        ).classes("dialog-text")
        name = ui.input("Name").props("outlined dense autocomplete=off autocapitalize=none spellcheck=false")
        name.mark("account-name").props("autofocus")
        roles = {each.value: ROLE_WORDS[each] for each in Role}
        role = ui.radio(roles, value=Role.ADMIN.value).props('aria-label="Role"').classes("settings-roles")
        problem = Problem("account-problem")

        async def add() -> None:
            if not dialog.value:  # of two clicks only one
                return
            try:
                await window.require_session()
                link = await window.console.invitations.invite(str(name.value or ""), Role(role.value), window.session)
            except AuthkeysError as error:
                problem.show(error, {name: account_name})
                return
            dialog.close()
            changed()
            show_link(window, link)

        name.on("keydown.enter", add)
        _actions(dialog, "Add and make the link", add, "account-add")


def show_link(window: Window, link: NewLink) -> None:
    """Show a link this once."""
    dialog, card = open_dialog(f"Link for {link.name}")
    with card.classes("settings-link-dialog"):
        what = "a new password" if link.is_reset else "a password"
        ui.label(
            f"With this link {link.name} chooses {what} and is signed in. It works once, until {minute(link.until)}. "
            "Send it in a way that nobody else reads: it is not shown again."
        ).classes("dialog-text")
        secret_text(f"{window.origin}{INVITATION_PATH}?token={link.token}")
        with ui.row().classes("dialog-actions"):
            ui.button("Done", on_click=dialog.close, color=None).props("unelevated no-caps").classes("primary").mark(
                "link-done"
            )


class AccountDialog:
    """All that can be done with one account, each with what it comes to."""

    def __init__(self, window: Window, account: Account, changed: Changed) -> None:
        self._window, self._account, self._changed = window, account, changed
        self._is_own = account.id == window.admin.id
        self._dialog, card = open_dialog(account.name)
        with card.classes("settings-manage"):
            now = datetime.now(UTC)
            told = [account.role.title(), state_words(account, now), several(account.sessions, "session")]
            ui.label(" · ".join(told)).classes("dialog-text")
            if not account.disabled:
                self._password()
                self._role()
            self._ways_out()
            self._problem = Problem("account-problem")
            with ui.row().classes("dialog-actions"):
                ui.button("Close", on_click=self._dialog.close).props("flat no-caps")

    def _password(self) -> None:
        invitations, account, by = self._window.console.invitations, self._account, self._window.session
        if account.has_password and not self._is_own:
            self._offer(
                "Reset password",
                "At once the password holds no longer and all sessions end. You get a link, shown once, with which "
                f"{account.name} chooses a new password within {_HOURS} hours.",
                lambda: self._make_link(lambda: invitations.reset(account.name, by)),
            )
        elif not account.has_password:
            self._offer(
                "New link" if account.invited_at else "Make a link",
                ("The link before ends. " if account.invited_at else "")
                + f"With it {account.name} chooses a password, within {_HOURS} hours.",
                lambda: self._make_link(lambda: invitations.renew(account.name, by)),
            )

    def _role(self) -> None:
        account, admins = self._account, self._window.console.admins
        other = Role.AUDITOR if account.role is Role.ADMIN else Role.ADMIN
        may = "see everything and change nothing" if other is Role.AUDITOR else "see and change everything"
        self._offer(
            f"Make {other}",
            f"{account.name} may then {may}. The sessions end: a new sign-in begins with the new role.",
            lambda: self._ask_if_own(
                f"Make {other}",
                lambda: self._done(
                    lambda: admins.set_role(account.name, other, self._window.session),
                    f"{account.name} is now {other}.",
                ),
            ),
        )

    def _ways_out(self) -> None:
        account, admins = self._account, self._window.console.admins
        if account.has_factor and not self._is_own:
            factors = self._window.console.second_factors
            self._offer(
                "Reset second factor",
                f"For who lost it: {account.name} signs in with the password only, until another one is added. All sessions end.",
                lambda: self._done(
                    lambda: factors.reset(account.name, self._window.session),
                    f"{account.name} has no second factor now.",
                ),
            )
        if account.sessions and not self._is_own:
            self._offer(
                "Sign out everywhere",
                f"{several(account.sessions, 'session')} of {account.name} end at once; the password holds.",
                lambda: self._done(
                    lambda: admins.end_sessions(account.name, self._window.session),
                    f"{account.name} is signed out everywhere.",
                ),
            )
        if account.disabled:
            text = f"{account.name} may sign in again, with the password that it had."
            text = text if account.has_password else f"{account.name} has no password: then make a link."
            self._offer("Enable", text, lambda: self._set_disabled(False))
        else:
            self._offer(
                "Disable",
                "It lets nobody in any more: its sessions and its link end at once. What it staged is kept, and it can be "
                "enabled again.",
                lambda: self._ask_if_own("Disable", lambda: self._set_disabled(True)),
            )

    def _offer(self, label: str, text: str, act: Callable[[], Awaitable[None]]) -> None:
        with ui.element("div").classes("settings-offer"):
            ui.label(text).classes("settings-offer-text")
            button = (
                ui.button(label, on_click=act, color=None).props("outline no-caps").classes("settings-offer-button")
            )
            button.mark(label.lower().replace(" ", "-"))

    async def _ask_if_own(self, label: str, act: Callable[[], Awaitable[None]]) -> None:
        if not self._is_own:
            await act()
            return
        dialog, card = open_dialog(f"{label}: your own account")
        with card:
            ui.label(
                f"This is your own account, {self._account.name}: you are signed out at once, and cannot take it back "
                "yourself. Another admin can."
            ).classes("dialog-text")
            choice(dialog, f"{label}: my own account", act, "own-confirm")

    async def _set_disabled(self, disabled: bool) -> None:
        name, admins = self._account.name, self._window.console.admins
        await self._done(
            lambda: admins.set_disabled(name, disabled, self._window.session),
            f"{name} is {'disabled' if disabled else 'enabled'}.",
        )

    async def _make_link(self, making: Callable[[], Awaitable[NewLink]]) -> None:
        made: list[NewLink] = []

        async def make() -> None:
            made.append(await making())

        await self._done(make, "")
        for link in made:
            show_link(self._window, link)

    async def _done(self, change: Callable[[], Awaitable[None]], said: str) -> None:
        try:
            await self._window.require_session()
            await change()
        except AuthkeysError as error:
            self._problem.show(error, {})
            return
        self._dialog.close()
        self._changed()
        if said:
            self._window.tell(said)


def _actions(dialog: ui.dialog, label: str, act: Callable[[], Awaitable[None]], mark: str) -> None:
    with ui.row().classes("dialog-actions"):
        ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
        ui.button(label, on_click=act, color=None).props("unelevated no-caps").classes("primary").mark(mark)
