"""New keys that are shown once: one in a dialog, many as a file that can be fetched once, or in the dialog instead."""

from collections.abc import Sequence

from nicegui import ui

from models.exports import issued_text
from models.secrets import IssuedKey
from models.wording import keys
from ui.authkeys.dialogs import show_secret
from ui.shell.dialogs import open_dialog
from ui.shell.feedback import user_errors
from ui.shell.window import Window

SHOWN_AT_ONCE = 200
"""Of more new keys than this there is only the file."""


def show_issued(window: Window, issued: Sequence[IssuedKey]) -> None:
    """Hand out new keys; they go from the page and the server with this."""
    if len(issued) == 1:
        show_secret(issued[0].ip, issued[0].service, issued[0].secret)
    elif issued:
        _HandoutDialog(window, issued)


class _HandoutDialog:
    """Many at once. It closes when they were handed out, so that a key does not go by a careless click."""

    def __init__(self, window: Window, issued: Sequence[IssuedKey]) -> None:
        self._window = window
        self._token = window.console.handouts.put(window.admin.id, issued, lambda: self._done.enable())  # noqa: PLW0108 - made below
        dialog, card = open_dialog("New keys")
        dialog.props("persistent")
        with card:
            ui.label(f"{keys(len(issued))} were made. They are handed out this once: stored are only digests.").classes(
                "dialog-text"
            )
            self._shown = ui.element("div").classes("handout")
            with ui.row().classes("dialog-actions"):
                if len(issued) <= SHOWN_AT_ONCE:
                    ui.button("Show them here", on_click=self._show).props("flat no-caps").mark("handout-show")
                self._form()
                self._done = ui.button("Done", on_click=dialog.close).props("flat no-caps").mark("handout-done")
                self._done.disable()

    def _form(self) -> None:
        """A form, so that the browser saves the answer as a file."""
        action = f"{self._window.root_path}/issued-keys"
        with ui.element("form").props(f'method=post action="{action}"').classes("menu-form"):
            ui.element("input").props(f'type=hidden name=token value="{self._token}"')
            with ui.element("button").props("type=submit").classes("q-btn primary download").mark("handout-file"):
                ui.label("Download as CSV")

    async def _show(self) -> None:
        with user_errors():
            await self._window.require_session()
            issued = self._window.console.handouts.take(self._window.admin.id, self._token)
            with self._shown, ui.element("pre").classes("code handout-list").props("tabindex=0"):
                ui.label(issued_text(issued)).mark("handout-list")
