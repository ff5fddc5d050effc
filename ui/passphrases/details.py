"""The details of one pickup passphrase: who made and last changed it, how it may be used, and by which servers it was."""

from collections.abc import Sequence
from datetime import UTC, datetime

from nicegui import ui

from models.passphrases import Passphrase, PickupUse
from models.submissions import Kind, LastChange
from models.wording import minute
from ui.shell.dialogs import open_dialog
from ui.shell.tables import table_head, table_line

SHOWN_USES = 50

_HAPPENED = {Kind.CHANGED: "Privileges changed", Kind.REMOVED: "Removed", Kind.RESTORED: "Restored after its removal"}


def show_details(passphrase: Passphrase, last: LastChange | None, uses: Sequence[PickupUse]) -> None:
    """Open the dialog; `uses` are the newest ones, at most SHOWN_USES."""
    dialog, card = open_dialog("Details")
    with card:
        ui.label(passphrase.label).classes("details-name")
        ui.label(f"Made by {passphrase.made_by}, {minute(passphrase.made_at)}.").classes("dialog-text")
        if last and last.done.kind in _HAPPENED:
            ui.label(f"{_HAPPENED[last.done.kind]} by {last.admin_name}, {minute(last.at)}.").classes("dialog-text")
        ui.label(_allowance(passphrase)).classes("dialog-text")
        _table(uses)
        if passphrase.used > len(uses):
            ui.label(f"… and {passphrase.used - len(uses):,} before.").classes("dialog-text")
        with ui.row().classes("dialog-actions"):
            ui.button("Close", on_click=dialog.close).props("flat no-caps")


def _allowance(passphrase: Passphrase) -> str:
    over = passphrase.why_over(datetime.now(UTC))
    state = f"{over}: used" if over else "Used"
    expiry = f"expires {minute(passphrase.expires_at)}" if passphrase.expires_at else "never expires"
    networks = ", ".join(passphrase.networks) or "any address"
    return f"{state} {passphrase.used:,} of {passphrase.uses:,}, {expiry}, from {networks}."


def _table(uses: Sequence[PickupUse]) -> None:
    if not uses:
        ui.label("No server has registered with it.").classes("dialog-text")
        return
    with ui.element("table").classes("table texts").mark("phrase-uses-table"):
        table_head("Server", "Service", "Registered")
        with ui.element("tbody"):
            for use in uses:
                table_line(use.ip, use.service, minute(use.at))
