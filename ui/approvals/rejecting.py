"""Why something is not approved: who asked reads it."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from models.approvals import MAX_REASON_LENGTH
from models.errors import AuthkeysError
from ui.shell.dialogs import open_dialog
from ui.shell.forms import Problem


def ask_reason(who: str, reject: Callable[[str], Awaitable[None]]) -> None:
    """Ask for it; `reject` raises AuthkeysError, which is said in the dialog."""
    dialog, card = open_dialog("Reject")
    with card:
        ui.label(f"It goes back to {who}, among what they have staged, with your reason.").classes("dialog-text")
        reason = ui.input("Reason").props(f"outlined dense autofocus maxlength={MAX_REASON_LENGTH}").mark("reason")
        problem = Problem("reason-problem")

        async def confirm() -> None:
            if not dialog.value:  # of two clicks only one
                return
            try:
                await reject(str(reason.value or ""))
            except AuthkeysError as error:
                problem.show(error, reason)
            else:
                dialog.close()

        reason.on("keydown.enter", confirm)
        with ui.row().classes("dialog-actions"):
            ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
            ui.button("Reject", on_click=confirm, color=None).props("unelevated no-caps").classes("primary").mark(
                "reject-confirm"
            )
