"""The dialog that stages something for all rows of a view."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from models.privileges import PRIVILEGES, Privilege, privilege
from models.subjects import Subject
from models.wording import count_of
from ui.shell.dialogs import open_dialog


def ask_stage_all(subject: Subject, count: int, stage: Callable[[Privilege | None, bool], Awaitable[None]]) -> None:
    """Ask what to stage for all rows of the view: a privilege to grant or revoke, or (None) their removal."""
    dialog, card = open_dialog("Stage for all in view")
    with card:
        ui.label(
            f"One step for {count_of(subject, count)}. It is only staged: review it, undo it, or submit it."
        ).classes("dialog-text")
        action = ui.radio({"grant": "Grant", "revoke": "Revoke", "remove": "Remove?"}, value="grant").props(
            "inline dense"
        )
        choice = (
            ui.select({each.id: each.label for each in PRIVILEGES}, label="Privilege", value=PRIVILEGES[0].id)
            .props("outlined dense options-dense")
            .bind_visibility_from(action, "value", backward=lambda value: value != "remove")
        )

        async def confirm() -> None:
            dialog.close()
            await stage(None if action.value == "remove" else privilege(choice.value), action.value == "grant")

        with ui.row().classes("dialog-actions"):
            ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
            ui.button("Stage", on_click=confirm, color=None).props("unelevated no-caps").classes("primary").mark(
                "stage-all"
            )
