"""The dialogs of pickup passphrases: make one, and show it once."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple

from nicegui import ui

from models.errors import AuthkeysError
from models.passphrases import (
    MAX_LENGTH,
    MAX_NOTE_LENGTH,
    new_phrase,
    parse_expiry,
    parse_networks,
    parse_note,
    parse_uses,
    suggest_phrase,
)
from models.privileges import PRIVILEGES, mask_of
from ui.shell.dialogs import open_dialog, secret_text
from ui.shell.forms import Problem


class WantedPassphrase(NamedTuple):
    """What was typed, none of it looked at yet."""

    phrase: str
    privileges: int
    uses: str
    expiry: str
    networks: str
    note: str


class AskNewPassphrase:
    """Asks for a new passphrase; `add` raises AuthkeysError, which is said in the dialog, and nothing typed is lost."""

    def __init__(self, add: Callable[[WantedPassphrase], Awaitable[None]]) -> None:
        self._add = add
        self._dialog, card = open_dialog("Add pickup passphrase")
        with card:
            self._phrase = self._field("Passphrase", "phrase", f"maxlength={MAX_LENGTH} autocomplete=off autofocus")
            with self._phrase.add_slot("append"):
                suggest = ui.button("Suggest", on_click=self._suggest, color=None)
                suggest.props("flat dense no-caps").classes("quiet").mark("phrase-suggest")
            note = f'maxlength={MAX_NOTE_LENGTH} placeholder="What it is for"'
            self._note = self._field("Note", "phrase-note", note)
            with ui.element("div").classes("phrase-form"):
                self._uses = self._field("Uses", "phrase-uses", "inputmode=numeric", "1")
                self._expiry = self._field("Expires (UTC)", "phrase-expiry", 'placeholder="Never, or 2026-12-31"')
                networks = 'placeholder="Any, or 192.0.2.0/24"'
                self._networks = self._field("Allowed networks", "phrase-networks", networks)
            with ui.element("fieldset").classes("privileges"):
                with ui.element("legend"):
                    ui.label("Privileges")
                self._boxes = {each: ui.checkbox(each.label).props("dense") for each in PRIVILEGES}
            self._problem = Problem("phrase-problem")
            with ui.row().classes("dialog-actions"):
                ui.button("Cancel", on_click=self._dialog.close).props("flat no-caps")
                self._save = ui.button("Add passphrase", on_click=self._submit, color=None)
                self._save.props("unelevated no-caps").classes("primary").mark("phrase-add")
        self._rules = {
            self._phrase: new_phrase,
            self._uses: parse_uses,
            self._expiry: lambda text: parse_expiry(text, datetime.now(UTC)),
            self._networks: parse_networks,
            self._note: parse_note,
        }

    def _field(self, label: str, mark: str, props: str, value: str = "") -> ui.input:
        field = ui.input(label, value=value).props(f"outlined dense stack-label {props}").mark(mark)
        field.on("keydown.enter", self._submit)
        return field

    def _suggest(self) -> None:
        self._phrase.set_value(suggest_phrase())

    async def _submit(self) -> None:
        chosen = mask_of(privilege for privilege, box in self._boxes.items() if box.value is True)
        texts = [str(field.value or "") for field in (self._uses, self._expiry, self._networks, self._note)]
        self._save.disable()
        try:
            await self._add(WantedPassphrase(str(self._phrase.value or ""), chosen, *texts))
        except AuthkeysError as error:
            self._save.enable()
            self._problem.show(error, self._rules)
        else:
            self._dialog.close()


def show_passphrase(phrase: str, user: str) -> None:
    """Show a new pickup passphrase this once, and how a server uses it."""
    dialog, card = open_dialog("New pickup passphrase")
    dialog.props("persistent")
    with card:
        secret_text(phrase)
        ui.label("Keep it now: it cannot be shown again. A server registers its own key with it by calling").classes(
            "dialog-text"
        )
        ui.label(f"/XMLregisterAuth.cgi?user={user}&service=…&pickup=…").classes("code")
        with ui.row().classes("dialog-actions"):
            ui.button("Done", on_click=dialog.close, color=None).props("unelevated no-caps").classes("primary").mark(
                "phrase-done"
            )
