"""The small parts that all of the history's panels are made of: a moment, a row's name, what was done to it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from nicegui import ui

from models.history_wording import lasted
from models.wording import minute

_KINDS = {"+": "grant", "−": "revoke", "×": "remove", "↻": ""}


def moment_label(at: datetime) -> ui.label:
    """How long ago something was; exactly on hover."""
    label = ui.label(ago(at)).classes("ago")
    label.props["data-at"] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    label.props["title"] = minute(at)
    return label


def ago(at: datetime) -> str:
    """`3 days ago`."""
    seconds = (datetime.now(UTC) - at).total_seconds()
    return "just now" if seconds < 60 else f"{lasted(seconds)} ago"


def name_label(ip: str, service: str) -> None:
    """Which row it is about."""
    with ui.row().classes("review-key"):
        if ip:
            ui.label(ip).classes("review-ip")
        ui.label(service).classes("review-service")


def effect_lines(effects: Iterable[tuple[str, str]]) -> None:
    """What was done to a row, a line for each."""
    for mark, text in effects:
        with ui.row().classes(f"review-line {_KINDS.get(mark, '')}"):
            ui.label(mark).classes("review-mark").props("aria-hidden=true")
            ui.label(text).classes("review-text")
