"""Dialogs: add an authkey, show a new key once, ask before a key is replaced, list the keyboard keys."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from models.addresses import canonical_ip
from models.authkeys import MAX_SERVICE_LENGTH, Authkey, canonical_service
from models.errors import AuthkeysError, InvalidValue, WrongPassword
from models.privileges import PRIVILEGES, Privilege, mask_of, privilege
from models.secrets import Secret
from models.wording import keys
from ui.forms import Problem

SHORTCUTS = (
    ("/", "Search"),
    ("Tab", "Into the grid, and out of it"),
    ("Arrow keys, Home, End, Page Up, Page Down", "Move in the grid"),
    ("Space", "Tick the box: stage a change, or take it back"),
    ("1 to 9", "Tick the first to the ninth privilege of the row"),
    ("Delete", "Mark the row for removal, or take that back"),
    ("Enter on a column heading", "Sort"),
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


def ask_new_authkey(add: Callable[[str, str, int], Awaitable[None]]) -> None:
    """Ask for IP, service and privileges; `add` raises AuthkeysError, which is said in the dialog, and nothing is lost."""
    dialog, card = open_dialog("Add authkey")
    with card:
        ip = (
            ui.input("IP", placeholder="192.0.2.7 or 2001:db8::7")
            .props("outlined dense stack-label autofocus")
            .mark("add-ip")
        )
        service = (
            ui.input("Service", placeholder="The service that uses the key")
            .props(f"outlined dense stack-label maxlength={MAX_SERVICE_LENGTH * 2}")
            .mark("add-service")
        )
        with ui.element("fieldset").classes("privileges"):
            with ui.element("legend"):
                ui.label("Privileges")
            boxes = {privilege: ui.checkbox(privilege.label).props("dense") for privilege in PRIVILEGES}
        problem = Problem("add-problem")

        async def submit() -> None:
            chosen = mask_of(privilege for privilege, box in boxes.items() if box.value is True)
            save.disable()
            try:
                await add(str(ip.value or ""), str(service.value or ""), chosen)
            except AuthkeysError as error:
                save.enable()
                problem.show(error, {ip: canonical_ip, service: canonical_service})
            else:
                dialog.close()

        for field in (ip, service):
            field.on("keydown.enter", submit)
        with ui.row().classes("dialog-actions"):
            ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
            save = (
                ui.button("Add authkey", on_click=submit, color=None)
                .props("unelevated no-caps")
                .classes("primary")
                .mark("add-submit")
            )


def ask_stage_all(count: int, stage: Callable[[Privilege | None, bool], Awaitable[None]]) -> None:
    """Ask what to stage for all authkeys of the view: a privilege to grant or revoke, or (None) their removal."""
    dialog, card = open_dialog("Stage for all keys in view")
    with card:
        ui.label(f"One step for {keys(count)}. It is only staged: review it, undo it, or submit it.").classes(
            "dialog-text"
        )
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


def ask_revoke_unused(how_many: str, revoke: Callable[[], Awaitable[None]]) -> None:
    """Ask before one click stages very many revocations."""
    dialog, card = open_dialog("Revoke unused privileges")
    with card:
        ui.label(f"This stages {how_many} in one step. Review it, undo it, or submit it.").classes("dialog-text")
        _choice(dialog, "Stage", revoke, "revoke-unused-confirm")


def ask_quit(others: list[str], quit_: Callable[[], Awaitable[None]]) -> None:
    """Ask before the server ends for everybody."""
    dialog, card = open_dialog("Quit Authkeys")
    with card:
        ui.label(
            "The server ends, and scripts get no answer until it is started again. What is staged is kept."
        ).classes("dialog-text")
        if others:
            ui.label(f"Also here now: {', '.join(others)}.").classes("dialog-text").mark("quit-others")
        _choice(dialog, "Quit", quit_, "quit-confirm")


def _choice(dialog: ui.dialog, label: str, then: Callable[[], Awaitable[None]], mark: str) -> None:
    async def confirm() -> None:
        dialog.close()
        await then()

    with ui.row().classes("dialog-actions"):
        ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
        ui.button(label, on_click=confirm, color=None).props("unelevated no-caps").classes("primary").mark(mark)


def ask_issue_new_key(row: Authkey, issue: Callable[[], Awaitable[None]]) -> None:
    """Ask before a key is replaced: servers that use the old one stop working."""
    dialog, card = open_dialog("Issue new key")
    with card:
        authkey_name(row.ip, row.service)
        ui.label(
            f"The key that ends in {row.secret_hint} stops working at once. The new one is shown once; the privileges stay as they are."
            if row.secret_hint
            else "This authkey has no key yet. The new one is shown once; the privileges stay as they are."
        ).classes("dialog-text")

        async def confirm() -> None:
            dialog.close()
            await issue()

        with ui.row().classes("dialog-actions"):
            ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
            ui.button("Issue new key", on_click=confirm, color=None).props("unelevated no-caps").classes(
                "primary"
            ).mark("issue-confirm")


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


def show_passphrase(phrase: str, user: str) -> None:
    """Show a new pickup passphrase this once, and how a server uses it."""
    dialog, card = open_dialog("New pickup passphrase")
    dialog.props("persistent")
    with card:
        _secret_text(phrase)
        ui.label("Keep it now: it cannot be shown again. A server registers its own key with it by calling").classes(
            "dialog-text"
        )
        ui.label(f"/XMLregisterAuth.cgi?user={user}&service=…&pickup=…").classes("code")
        with ui.row().classes("dialog-actions"):
            ui.button("Done", on_click=dialog.close, color=None).props("unelevated no-caps").classes("primary").mark(
                "phrase-done"
            )


def show_secret(ip: str, service: str, secret: Secret) -> None:
    """Show a new key this once; it goes from the page with the dialog."""
    dialog, card = open_dialog("New key")
    dialog.props("persistent")
    with card:
        authkey_name(ip, service)
        _secret_text(secret.text)
        ui.label("Keep it now: it is stored only as a digest and cannot be shown again.").classes("dialog-text")
        with ui.row().classes("dialog-actions"):
            ui.button("Done", on_click=dialog.close, color=None).props("unelevated no-caps").classes("primary").mark(
                "secret-done"
            )


def _secret_text(text: str) -> None:
    with ui.row().classes("secret"):
        ui.label(text).classes("secret-text").mark("secret")

        # In the browser alone, which knows whether it worked, and lets a page copy only while a click is under way.
        ui.button("Copy", icon="content_copy").on("click", js_handler="(event) => copyText(event)").props(
            "flat no-caps dense"
        ).mark("copy-secret")
        ui.label().props("role=status").classes("secret-copied")


def authkey_name(ip: str, service: str) -> None:
    """Which authkey a dialog is about."""
    with ui.row().classes("review-key"):
        ui.label(ip).classes("review-ip")
        ui.label(service).classes("review-service")
