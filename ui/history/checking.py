"""Whether the history is what was written: when that was checked last, and the button that checks it now."""

from datetime import UTC, datetime

from nicegui import ui

from models.history import Check
from models.wording import ago, minute
from ui.shell.feedback import user_errors
from ui.shell.window import Window


class CheckButton:
    """Says how the chain was found, and follows it anew when it is pressed."""

    def __init__(self, window: Window, check: Check | None) -> None:
        self._window = window
        self._said = ui.label().classes("check-said").props("role=status").mark("check-said")
        self._button = ui.button("Verify now", icon="verified", on_click=self._check, color=None)
        self._button.props("flat dense no-caps").classes("quiet").mark("verify")
        self._show(check)

    def _show(self, check: Check | None) -> None:
        self._said.classes(remove="broken")
        if check is None:
            self._said.set_text("This record was not verified yet.")
            return
        self._said.tooltip(minute(check.at))
        when = ago(check.at, datetime.now(UTC))
        if check.fault:
            self._said.classes("broken")
            self._said.set_text(f"Verified {when}: the record is not what was written. {check.fault}")
        else:
            self._said.set_text(f"Verified {when}: nothing is wrong, up to #{check.number:,}.")

    def _progress(self, done: int, total: int) -> None:
        self._said.set_text(f"Verifying… {done:,} of {total:,}")

    async def _check(self) -> None:
        with user_errors():
            await self._window.require_session()
            self._button.disable()
            try:
                await self._window.console.chain.check(on_progress=self._progress)
                self._show(await self._window.console.chain.last_check())
            finally:
                self._button.enable()
