"""Section "Access record": what was on record lately of who came in, and the ways into it.

It is the history, filtered, and no list of its own: there the entries stand with their search by address and network, their
filters by person, kind and time, all in the address, and with what follows from them, and there they are exported.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from nicegui import ui

from models.history_views import HistoryView, What
from services.console import Console
from ui.settings.live import Following, LiveRows, cell, settings_table
from ui.shell.times import time_label
from ui.shell.window import Window

_DAYS = 7
_KINDS = {
    What.SIGN_INS: "Sign-ins and sign-outs",
    What.REFUSED: "Refused",
    What.ACCOUNTS: "Changes of accounts",
    What.RECORDS: "Exports and prunes",
    What.ACCESS: "All of it",
}


class _KindOfAccess(NamedTuple):
    """One kind of entries, and how it stands."""

    what: What
    lately: int
    at: datetime | None
    newest: str


async def open_access(window: Window) -> Callable[[], None]:
    """Count them."""
    found = await _read(window.console)
    return lambda: _build(window, found)


async def _read(console: Console) -> list[_KindOfAccess]:
    since = (datetime.now(UTC) - timedelta(days=_DAYS)).replace(second=0, microsecond=0)
    lines = []
    for what in _KINDS:
        lately = await console.history.count(HistoryView(what=what, since=since))
        newest = await console.history.block(HistoryView(what=what), 0, 1)
        told = next(iter(newest), None)
        who = f"{told.entry.name}: " if told and told.entry.name else ""
        lines.append(
            _KindOfAccess(what, lately, told.entry.at if told else None, f"{who}{told.sentence}" if told else "")
        )
    return lines


def _build(window: Window, found: list[_KindOfAccess]) -> None:
    ui.label(
        "It is part of the history, which nobody changes unnoticed. Each line opens it there, where person, kind, address or "
        "network, and time are chosen, and where it is exported."
    ).classes("settings-said")

    def draw(line: _KindOfAccess) -> None:
        with ui.element("th").props("scope=row"):
            ui.link(_KINDS[line.what], f"/history?{HistoryView(what=line.what).to_query()}").classes("history-link")
        with cell("number lately"):
            ui.label(f"{line.lately:,}")
        with cell("newest"):
            ui.label(line.newest or "None on record").classes("" if line.newest else "settings-quiet")
        with cell("time"):
            if line.at:
                time_label(line.at)

    card = ui.element("div").classes("settings-card access")
    with card, settings_table("Access record", "What", f"Last {_DAYS} days", "Newest", "When"):
        rows = LiveRows[_KindOfAccess](lambda line: line.what, draw)
    rows.show(found)
    Following(card, window.console.history.grown, lambda: _read(window.console), rows.show)
