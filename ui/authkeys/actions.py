"""What an admin does with a single authkey beside ticking its boxes: add one, and issue a new key."""

from collections.abc import Mapping

from models.amendments import TextName
from models.authkeys import Authkey
from services.keymaking import issue_new_key
from ui.authkeys.dialogs import ask_issue_new_key, ask_new_authkey, show_secret
from ui.shell.feedback import user_errors
from ui.shell.window import Window
from ui.staged.steps import tell_step


class KeyActions:
    """The dialogs of one window, wired to the services."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._console = window.console

    def add(self) -> None:
        """Ask for a new authkey, and stage that it is made."""

        async def add(ip: str, service: str, privileges: int, texts: Mapping[TextName, str]) -> None:
            await self._window.require_session()
            new = await self._console.staging.stage_addition(self._window.admin.id, ip, service, privileges, texts)
            text = f"Staged: {new.ip} ({new.service}). Its key is made, and shown, when you submit."
            tell_step(self._window, self._console.staging, text, 1)

        ask_new_authkey(add)

    async def issue(self, row: Authkey) -> None:
        """Ask first, then replace the key of an authkey and show the new one once."""

        async def issue() -> None:
            with user_errors():
                await self._window.require_session()
                window = self._window
                secret = await issue_new_key(self._console.submissions, window.admin, row, window.session.id)
                show_secret(row.ip, row.service, secret)

        ask_issue_new_key(row, issue)
