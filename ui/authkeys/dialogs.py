"""The dialogs of authkeys: add one, show a new key once, ask before a key is replaced or much is revoked."""

from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui

from models.addresses import canonical_ip
from models.amendments import TextName
from models.authkeys import MAX_SERVICE_LENGTH, Authkey, canonical_service
from models.errors import AuthkeysError
from models.privileges import PRIVILEGES, mask_of
from models.secrets import Secret
from models.wording import key_hint
from ui.authkeys.text_fields import TextFields
from ui.shell.dialogs import choice, open_dialog, secret_text
from ui.shell.forms import Problem


def ask_new_authkey(add: Callable[[str, str, int, Mapping[TextName, str]], Awaitable[None]]) -> None:
    """Ask for IP, service, privileges, owner and note; `add` raises AuthkeysError, which is said in the dialog, and nothing is lost."""
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
        texts = TextFields({})
        problem = Problem("add-problem")

        async def submit() -> None:
            chosen = mask_of(privilege for privilege, box in boxes.items() if box.value is True)
            save.disable()
            try:
                await add(str(ip.value or ""), str(service.value or ""), chosen, texts.values)
            except AuthkeysError as error:
                save.enable()
                problem.show(error, {ip: canonical_ip, service: canonical_service, **texts.rules})
            else:
                dialog.close()

        for field in (ip, service, *texts.inputs):
            field.on("keydown.enter", submit)
        with ui.row().classes("dialog-actions"):
            ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
            save = (
                ui.button("Add authkey", on_click=submit, color=None)
                .props("unelevated no-caps")
                .classes("primary")
                .mark("add-submit")
            )


def ask_revoke_unused(how_many: str, revoke: Callable[[], Awaitable[None]]) -> None:
    """Ask before one click stages very many revocations."""
    dialog, card = open_dialog("Revoke unused privileges")
    with card:
        ui.label(f"This stages {how_many} in one step. Review it, undo it, or submit it.").classes("dialog-text")
        choice(dialog, "Stage", revoke, "revoke-unused-confirm")


def ask_issue_new_key(row: Authkey, issue: Callable[[], Awaitable[None]]) -> None:
    """Ask before a key is replaced: servers that use the old one stop working."""
    dialog, card = open_dialog("Issue new key")
    with card:
        authkey_name(row.ip, row.service)
        ui.label(
            f"{key_hint(row)}: it stops working at once. The new one is shown once; the privileges stay as they are."
            if row.has_key
            else "This authkey has no key yet. The new one is shown once; the privileges stay as they are."
        ).classes("dialog-text")
        choice(dialog, "Issue new key", issue, "issue-confirm")


def show_secret(ip: str, service: str, secret: Secret) -> None:
    """Show a new key this once; it goes from the page with the dialog."""
    dialog, card = open_dialog("New key")
    dialog.props("persistent")
    with card:
        authkey_name(ip, service)
        secret_text(secret.text)
        ui.label("Keep it now: it is stored only as a digest and cannot be shown again.").classes("dialog-text")
        with ui.row().classes("dialog-actions"):
            ui.button("Done", on_click=dialog.close, color=None).props("unelevated no-caps").classes("primary").mark(
                "secret-done"
            )


def authkey_name(ip: str, service: str) -> None:
    """Which authkey a dialog is about."""
    with ui.row().classes("review-key"):
        ui.label(ip).classes("review-ip")
        ui.label(service).classes("review-service")
