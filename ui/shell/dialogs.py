"""What all dialogs are made of, and those that every view has: the keyboard, the password, quitting."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from models.errors import AuthkeysError, InvalidValue, WrongPassword
from ui.shell.copying import copy_button, copyable
from ui.shell.forms import Problem

SHORTCUTS = (
    ("Ctrl+K", "Commands: go to a view, find a key, do something"),
    ("/", "Search"),
    ("Tab", "Into the grid, and out of it"),
    ("Arrow keys, Home, End, Page Up, Page Down", "Move in the grid"),
    ("Space", "Tick the box: stage a change, or take it back"),
    ("1 to 9", "Tick the first to the ninth box of the row"),
    ("Delete", "Mark the row for removal, or take that back"),
    ("Drag, Shift+click, Shift+arrow keys", "Select rows and boxes; Ctrl+click adds to them"),
    ("Ctrl+Space, Shift+Space, Ctrl+A", "Select the column, the row, all rows of the view"),
    ("Space, 1 to 9, Delete, Ctrl+D", "Of a selection: tick all of it, remove it, fill it from its first row"),
    ("Escape", "Clear the selection"),
    ("Enter on a column heading", "Sort; Shift+arrow keys move the column, Alt+arrow keys size it"),
    ("Enter in the grid", "On a box: who changed it. Elsewhere in a row: its details"),
    ("Ctrl+Z, Ctrl+Y", "Undo and redo the last staging step"),
    ("Ctrl+S", "Review what is staged"),
    ("?", "This list"),
)


def open_dialog(title: str) -> tuple[ui.dialog, ui.card]:
    """A dialog that opens with what is then put into its card, and is gone for good when it is closed.

    A click beside it does not close it: what was typed would be lost. Escape does.
    """
    with ui.context.client.content:  # not inside of another dialog, which would take this one along when it goes
        dialog = ui.dialog().props(f'aria-label="{title}" no-backdrop-dismiss')
    with dialog, ui.card().classes("dialog") as card:
        ui.label(title).classes("dialog-title").props("role=heading aria-level=2")
    client = dialog.client

    def closed() -> None:
        dialog.delete()
        client.run_javascript("authkeys.refocus()")

    dialog.on("hide", closed)
    dialog.open()
    return dialog, card


def show_shortcuts() -> None:
    """List what the keyboard does."""
    dialog, card = open_dialog("Keyboard")
    with card:
        with ui.element("dl").classes("shortcuts"):
            for key, meaning in SHORTCUTS:
                with ui.element("dt"):
                    ui.label(key)
                with ui.element("dd"):
                    ui.label(meaning)
        with ui.row().classes("dialog-actions"):
            ui.button("Close", on_click=dialog.close).props("flat no-caps")


def ask_quit(others: list[str], quit_: Callable[[], Awaitable[None]]) -> None:
    """Ask before the server ends for everybody."""
    dialog, card = open_dialog("Quit Authkeys")
    with card:
        ui.label(
            "The server ends, and scripts get no answer until it is started again. What is staged is kept."
        ).classes("dialog-text")
        if others:
            ui.label(f"Also here now: {', '.join(others)}.").classes("dialog-text").mark("quit-others")
        choice(dialog, "Quit", quit_, "quit-confirm")


def choice(dialog: ui.dialog, label: str, then: Callable[[], Awaitable[None]], mark: str) -> None:
    """Cancel, or do it."""

    async def confirm() -> None:
        if dialog.value:  # of two clicks only one
            dialog.close()
            await then()

    with ui.row().classes("dialog-actions"):
        ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
        ui.button(label, on_click=confirm, color=None).props("unelevated no-caps").classes("primary").mark(mark)


def ask_new_password(change: Callable[[str, str], Awaitable[None]]) -> None:
    """Ask for the present and a new password; `change` raises AuthkeysError, which is said in the dialog."""
    dialog, card = open_dialog("Change password")
    with card:
        present, new, again = (
            ui.input(label).props(f"type=password outlined dense autocomplete={hint}").mark(mark)
            for label, hint, mark in (
                ("Present password", "current-password", "password-present"),
                ("New password", "new-password", "password-new"),
                ("New password again", "new-password", "password-again"),
            )
        )
        problem = Problem("password-problem")

        async def submit() -> None:
            if new.value != again.value:
                problem.show(InvalidValue("The two new passwords are not the same."), again)
                return
            try:
                await change(str(present.value or ""), str(new.value or ""))
            except AuthkeysError as error:
                problem.show(error, present if isinstance(error, WrongPassword) else new)
            else:
                dialog.close()

        for field in (present, new, again):
            field.on("keydown.enter", submit)

        with ui.row().classes("dialog-actions"):
            ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
            ui.button("Change password", on_click=submit, color=None).props("unelevated no-caps").classes(
                "primary"
            ).mark("password-submit")


def secret_text(text: str) -> None:
    """A text that is shown once, with a button that copies it."""
    with ui.row().classes("copyable secret"):
        copyable(text, "secret-text").mark("secret")
        copy_button("the text", "Copy").mark("copy-secret")
