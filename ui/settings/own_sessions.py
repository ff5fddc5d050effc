"""Section "Sessions": where one is signed in, and the way to end that elsewhere."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from nicegui import ui

from models.wording import several
from ui.settings.live import Following, LiveRows, cell, quiet_button, settings_table
from ui.shell.feedback import user_errors
from ui.shell.times import time_label
from ui.shell.window import Window


class OwnSession(NamedTuple):
    """A line of the list."""

    id: int
    device: str
    address: str
    created_at: datetime
    used_at: datetime
    is_this_one: bool


async def open_own_sessions(window: Window) -> Callable[[], None]:
    """Read them."""
    found = await _read(window)
    return lambda: _OwnSessions(window).show(found)


async def _read(window: Window) -> list[OwnSession]:
    stored = await window.console.sessions.of(window.admin.id)
    here = window.session.id
    own = [
        OwnSession(s.id, s.device or "Unknown device", s.address, s.created_at, s.used_at, s.id == here) for s in stored
    ]
    return sorted(own, key=lambda each: not each.is_this_one)


class _OwnSessions:
    """The list of one window."""

    def __init__(self, window: Window) -> None:
        self._window = window
        with ui.element("div").classes("settings-bar"):
            self._said = ui.label().classes("settings-said").props("role=status").mark("sessions-count")
            self._all = quiet_button("Sign out all others", self._end_others).mark("end-others")
        card = ui.element("div").classes("settings-card")
        with card, settings_table("Your sessions", "Device", "Address", "Signed in", "Last use", "What can be done"):
            self._rows = LiveRows[OwnSession](lambda each: each.id, self._draw)
        self._following = Following(card, window.console.history.grown, lambda: _read(window), self.show)

    def show(self, found: list[OwnSession]) -> None:
        """What was read."""
        others = len(found) - 1
        self._said.set_text(f"{several(others, 'other session')}." if others > 0 else "You are signed in here only.")
        self._all.set_visibility(others > 0)
        self._rows.show(found)

    def _draw(self, each: OwnSession) -> None:
        with ui.element("th").props("scope=row"):
            ui.label(each.device)
            if each.is_this_one:
                ui.label("This one").classes("settings-mark")
        with cell("address"):
            ui.label(each.address)
        with cell("time since"):
            time_label(each.created_at)
        with cell("time used"):
            time_label(each.used_at)
        with cell("actions"):
            if not each.is_this_one:
                quiet_button("Sign out", partial(self._end, each), f"{each.device}, {each.address}")

    async def _end(self, each: OwnSession) -> None:
        with user_errors():
            await self._window.require_session()
            if await self._window.console.sessions.end_chosen(self._window.session, each.id):
                self._window.tell(f"{each.device}, {each.address} is signed out.")
            else:
                self._window.tell("That session had ended already.")
            self._following.refresh()

    async def _end_others(self) -> None:
        with user_errors():
            await self._window.require_session()
            ended = await self._window.console.sessions.end_others(self._window.session)
            self._window.tell(f"Signed out: {several(ended, 'other session')}.")
            self._following.refresh()
