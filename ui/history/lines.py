"""The small parts that all of the history's panels are made of: a row's name, and what was done to it."""

from collections.abc import Iterable

from nicegui import ui

_KINDS = {"+": "grant", "−": "revoke", "×": "remove", "↻": ""}


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
