"""What Settings has: one section under one address each. Who adds one writes it here, and nowhere else."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ui.settings.access import open_access
from ui.settings.account import open_account
from ui.settings.accounts import open_accounts
from ui.settings.own_sessions import open_own_sessions
from ui.shell.window import Window

Building = Callable[[], None]
"""Builds what was read before"""


class Section(NamedTuple):
    """One section of Settings."""

    name: str
    """The end of its address"""
    title: str
    words: str
    """Others by which the command palette finds it"""
    open: Callable[[Window], Awaitable[Building]]
    """Reads what it shows; then it can be built"""


SECTIONS = (
    Section("account", "Your account", "password name role", open_account),
    Section("sessions", "Sessions", "devices signed in sign out", open_own_sessions),
    Section("accounts", "Accounts", "admins auditors invite add disable reset", open_accounts),
    Section("access", "Access record", "sign-ins refused who came in", open_access),
)
