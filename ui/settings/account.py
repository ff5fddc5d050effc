"""Section "Your account": who one is here, and how one signs in."""

from collections.abc import Callable
from functools import partial

from nicegui import ui

from models.access import FACTORS_PATH
from models.wording import ROLE_WORDS
from ui.settings.live import quiet_button
from ui.shell.window import Window


def _name(window: Window) -> None:
    ui.label(window.admin.name).classes("settings-name")


def _role(window: Window) -> None:
    ui.label(ROLE_WORDS[window.admin.role])


def _password(window: Window) -> None:
    if window.has_password:
        ui.label("Set. A new one ends your other sessions.")
        quiet_button("Change password", window.ask_password)
    else:
        ui.label("None: you come in by a launch link.")


def _second_factor(window: Window) -> None:
    ui.label("Passkeys, one-time codes and recovery codes.")
    quiet_button("Second factor", partial(ui.navigate.to, FACTORS_PATH))


LINES: tuple[tuple[str, Callable[[Window], object]], ...] = (
    ("Name", _name),
    ("Role", _role),
    ("Password", _password),
    ("Second factor", _second_factor),
)
"""What the section has, line by line: a title, and what builds the rest. Another way to sign in is one line more"""


async def open_account(window: Window) -> Callable[[], None]:
    """Nothing is to be read that the window does not know."""
    return lambda: _build(window)


def _build(window: Window) -> None:
    with ui.element("dl").classes("settings-card settings-lines"):
        for title, build in LINES:
            with ui.element("div").classes("settings-line"):
                with ui.element("dt"):
                    ui.label(title)
                with ui.element("dd"):
                    build(window)
