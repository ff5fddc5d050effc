"""The owner and the note of authkeys: asked for in a dialog, and staged like a tick."""

from collections.abc import Sequence

from nicegui import ui

from models.amendments import TextName
from models.authkeys import Authkey
from models.errors import AuthkeysError
from models.wording import keys
from services.authkey_staging import AuthkeyStaging
from ui.authkeys.dialogs import authkey_name
from ui.authkeys.text_fields import TextFields
from ui.shell.dialogs import open_dialog
from ui.shell.feedback import user_errors
from ui.shell.forms import Problem
from ui.shell.window import Window
from ui.staged.steps import tell_step


def ask_texts(window: Window, staging: AuthkeyStaging, rows: Sequence[Authkey]) -> None:
    """Ask for the owner and the note of authkeys, and stage them; of several, what is left empty stays as it is."""
    _TextsDialog(window, staging, rows)


class _TextsDialog:
    def __init__(self, window: Window, staging: AuthkeyStaging, rows: Sequence[Authkey]) -> None:
        self._window, self._staging, self._rows = window, staging, rows
        self._dialog, card = open_dialog("Owner and note")
        with card:
            if len(rows) == 1:
                authkey_name(rows[0].ip, rows[0].service)
                self._fields = TextFields({TextName.OWNER: rows[0].owner, TextName.NOTE: rows[0].note})
            else:
                ui.label(f"{keys(len(rows))} selected. What you leave empty stays as it is.").classes("dialog-text")
                self._fields = TextFields({}, "Stays as it is")
            self._problem = Problem("texts-problem")
            for field in self._fields.inputs:
                field.on("keydown.enter", self._stage)
            with ui.row().classes("dialog-actions"):
                ui.button("Cancel", on_click=self._dialog.close).props("flat no-caps")
                stage = ui.button("Stage", on_click=self._stage, color=None).props("unelevated no-caps")
                stage.classes("primary").mark("texts-stage")

    async def _stage(self) -> None:
        is_one = len(self._rows) == 1
        texts = {name: text for name, text in self._fields.values.items() if text.strip() or is_one}
        with user_errors():
            await self._window.require_session()
            try:
                touched = await self._staging.stage_texts(self._window.admin.id, [row.id for row in self._rows], texts)
                if touched:
                    tell_step(self._window, self._staging, f"Staged: owner or note of {keys(touched)}", touched)
            except AuthkeysError as error:
                self._problem.show(error, self._fields.rules)
            else:
                self._dialog.close()
