"""New keys for all that is selected: asked first, made as one submission, and handed out once."""

from collections.abc import Sequence

from nicegui import ui

from models.authkeys import Authkey
from models.secrets import IssuedKey
from models.wording import keys
from services.keymaking import issue_keys
from ui.authkeys.issued import show_issued
from ui.shell.dialogs import open_dialog
from ui.shell.feedback import user_errors
from ui.shell.window import Window


def ask_issue_keys(window: Window, rows: Sequence[Authkey]) -> None:
    """Ask which of these authkeys get a new key, and issue it."""
    _Issuing(window, rows)


class _Issuing:
    def __init__(self, window: Window, rows: Sequence[Authkey]) -> None:
        self._window, self._rows = window, rows
        self._keyless = [row for row in rows if not row.has_key]
        have = len(rows) - len(self._keyless)
        self._dialog, card = open_dialog("Issue keys")
        with card:
            ui.label(f"{keys(len(rows))} selected. {_what_becomes_of(have)}").classes("dialog-text")
            self._only = ui.checkbox(f"Only for the {len(self._keyless):,} that have none", value=True)
            self._only.props("dense").on_value_change(self._show_count).mark("issue-only")
            self._only.set_visibility(bool(self._keyless and have))
            self._progress = ui.linear_progress(0, show_value=False, size="6px").props('aria-label="Issuing"')
            self._progress.set_visibility(False)
            with ui.row().classes("dialog-actions"):
                ui.button("Cancel", on_click=self._dialog.close).props("flat no-caps")
                self._button = ui.button(on_click=self._issue, color=None).props("unelevated no-caps")
                self._button.classes("primary").mark("issue-keys-confirm")
        self._show_count()

    @property
    def _chosen(self) -> Sequence[Authkey]:
        return self._keyless if self._only.visible and self._only.value is True else self._rows

    def _show_count(self) -> None:
        self._button.set_text(f"Issue {keys(len(self._chosen))}")
        self._button.set_enabled(bool(self._chosen))

    async def _issue(self) -> None:
        done: list[IssuedKey] = []
        self._button.disable()
        self._progress.set_visibility(True)
        reached = [0.0]
        shown = ui.timer(0.5, lambda: self._progress.set_value(reached[0]))

        def show(count: int, total: int) -> None:
            reached[0] = count / total

        try:
            with user_errors():
                await self._window.require_session()
                console = self._window.console
                _, done = await issue_keys(
                    console.submissions,
                    self._window.admin,
                    self._chosen,
                    on_progress=show,
                    session_id=self._window.session.id,
                )
        finally:
            shown.cancel()
            self._dialog.close()
        show_issued(self._window, done)


def _what_becomes_of(have: int) -> str:
    if not have:
        return "None of them has one yet. The new ones are handed out once; the privileges stay as they are."
    one = "1 has one already, which stops" if have == 1 else f"{have:,} have one already, which stops"
    return f"{one} working at once. The new ones are handed out once; the privileges stay as they are."
