"""The details of one authkey: who last changed it, and how often and when last each privilege was used."""

from collections.abc import Mapping
from datetime import datetime

from nicegui import ui

from models.authkeys import Authkey
from models.privileges import PRIVILEGES
from models.submissions import Kind, LastChange
from models.usage import NO_PRIVILEGE
from models.wording import key_hint, minute
from ui.authkeys.dialogs import authkey_name
from ui.shell.dialogs import open_dialog
from ui.shell.tables import table_head, table_line

_HAPPENED = {
    Kind.CHANGED: "Privileges changed",
    Kind.REMOVED: "Removed",
    Kind.ADDED: "Added",
    Kind.RESTORED: "Restored after its removal",
    Kind.REKEYED: "New key issued",
    Kind.REGISTERED: "Registered by its server, with a passphrase",
    Kind.REREGISTERED: "Registered again by its server, with a passphrase",
}

Uses = Mapping[int, tuple[int, datetime]]
"""By the bit of a privilege: how often it was used, and when last"""


def show_details(row: Authkey, last: LastChange | None, uses: Uses, since: datetime) -> None:
    """Open the dialog. `since` is when uses began to be counted."""
    dialog, card = open_dialog("Details")
    with card:
        authkey_name(row.ip, row.service)
        key = f"{key_hint(row)}."
        change = f" {_HAPPENED[last.done.kind]} by {last.admin_name}, {minute(last.at)}." if last else ""
        ui.label(f"{key}{change}").classes("dialog-text")
        _table(row, uses)
        ui.label(f"Uses are counted since {minute(since)}, and written every few seconds.").classes("dialog-text")
        with ui.row().classes("dialog-actions"):
            ui.button("Close", on_click=dialog.close).props("flat no-caps")


def _table(row: Authkey, uses: Uses) -> None:
    with ui.element("table").classes("table texts").mark("uses"):
        table_head("Privilege", "Used", "Last used")
        with ui.element("tbody"):
            for privilege in PRIVILEGES:
                if row.privileges & privilege.mask:
                    _line(privilege.label, uses.get(privilege.bit))
                elif privilege.bit in uses:
                    _line(f"{privilege.label} (no longer granted)", uses[privilege.bit])
            if NO_PRIVILEGE in uses:
                _line("Calls that need no privilege", uses[NO_PRIVILEGE])
            if not row.privileges and not uses:
                _line("No privilege is granted", None)


def _line(name: str, use: tuple[int, datetime] | None) -> None:
    count, at = use or (0, None)
    table_line(name, f"{count:,} times" if count != 1 else "once", minute(at) if at else "never")
