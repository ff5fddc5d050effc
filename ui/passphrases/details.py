"""The details of one pickup passphrase: how it may be used, what it hands on, who made it, and which servers used it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar, NamedTuple
from urllib.parse import urlencode

from nicegui import ui

from models.authkeys import name_in_address
from models.errors import InvalidValue
from models.passphrases import Passphrase, PickupUse
from models.privileges import PRIVILEGES
from models.staged_rows import StagedRow
from models.submissions import Kind, LastChange
from models.views import PassphraseView
from models.wording import minute
from services.staging import Staging
from ui.history.panels import parse_number
from ui.shell.parts import Part
from ui.shell.tables import table_head
from ui.shell.times import time_label
from ui.shell.window import Window
from ui.staged.details import PrivilegeList, RowActions, RowDetails, box_facts, last_change_line, section
from ui.staged.steps import Do

SHOWN_USES = 50


class PhraseFacts(NamedTuple):
    """All that the details of a passphrase tell."""

    passphrase: Passphrase
    entry: StagedRow
    """What this admin has staged for it"""
    last: LastChange | None
    uses: Sequence[PickupUse]
    """The newest ones, at most SHOWN_USES"""


class _PhraseState(NamedTuple):
    over: str | None
    """Why it lets nobody register any more"""
    is_marked: bool
    last: LastChange | None


class PhraseDetails(RowDetails[PhraseFacts]):
    """Those of one window."""

    query_name: ClassVar[str] = "phrase"

    def __init__(self, window: Window, staging: Staging[PassphraseView], do: Do) -> None:
        self._window, self._staging = window, staging
        self._actions = RowActions(staging, window.admin, do)
        self._passphrases = window.console.passphrases

    async def id_of(self, named: str) -> int:
        """By its number."""
        return parse_number(named)

    def address_of(self, facts: PhraseFacts) -> str:
        """By its number: a note may be given twice."""
        return f"{self.query_name}={facts.passphrase.id}"

    async def read(self, row_id: int) -> PhraseFacts:
        """All that is told of a passphrase. Raises InvalidValue if there is none."""
        passphrase = await self._passphrases.find_any(row_id)
        if passphrase is None:
            raise InvalidValue("There is no such passphrase.")
        entry = (await self._staging.of(self._window.admin.id))[row_id]
        last = await self._passphrases.last_change(row_id)
        return PhraseFacts(passphrase, entry, last, await self._passphrases.uses(row_id, SHOWN_USES))

    # -- the parts, from the top ---------------------------------------------------------------------------------------

    def build(self) -> None:
        """Name, state, how it may be used, what it hands on, and by whom it was used."""
        self._name: Part[str] = Part(lambda name: ui.label(name).classes("details-name"))
        self._state = Part(_draw_state)
        self._state.element.props("role=status").mark("details-state")
        self._allowance = Part(_draw_allowance)
        section("Privileges that it hands on")
        self._boxes = PrivilegeList(with_uses=False)
        section("Servers that registered with it")
        self._uses = Part(_draw_uses)

    def build_actions(self) -> None:
        """The removal."""
        self._actions.build()

    def draw(self, facts: PhraseFacts) -> None:
        """Show it."""
        passphrase, entry = facts.passphrase, facts.entry
        self._name.show(passphrase.label)
        self._state.show(_PhraseState(passphrase.why_over(datetime.now(UTC)), entry.removal, facts.last))
        self._allowance.show(passphrase._replace(privileges=0, revision=0))
        self._boxes.show({each: box_facts(each, passphrase.privileges, entry) for each in PRIVILEGES})
        self._uses.show((passphrase.used, tuple(facts.uses)))
        self._actions.show(passphrase.id, can_change=not passphrase.removed, is_marked=entry.removal)


def _draw_state(state: _PhraseState) -> None:
    with ui.element("div").classes("details-line"):
        if state.over:
            ui.label(f"{state.over}: no server can register with it.").classes("details-removed")
        else:
            ui.label("Active: servers can register with it.")
        if state.is_marked:
            ui.label("× removal staged").classes("details-staged remove")
    if state.last and state.last.done.kind is not Kind.ADDED:
        last_change_line(state.last)


def _draw_allowance(passphrase: Passphrase) -> None:
    left = max(passphrase.uses - passphrase.used, 0)
    expiry = minute(passphrase.expires_at) if passphrase.expires_at else "never"
    with ui.element("dl").classes("details-list"):
        for name, text in (
            ("Uses left", f"{left:,} of {passphrase.uses:,}"),
            ("Expires", expiry),
            ("From", ", ".join(passphrase.networks) or "any address"),
            ("Made by", passphrase.made_by + (" (account disabled)" if passphrase.maker_disabled else "")),
        ):
            with ui.element("dt"):
                ui.label(name)
            with ui.element("dd"):
                ui.label(text)
                if name == "Made by":
                    time_label(passphrase.made_at)


def _draw_uses(uses: tuple[int, Sequence[PickupUse]]) -> None:
    used, newest = uses
    if not newest:
        ui.label("No server has registered with it.").classes("details-line")
        return
    with ui.element("table").classes("table texts").mark("phrase-uses-table"):
        table_head("Server", "Service", "Registered")
        with ui.element("tbody"):
            for use in newest:
                _draw_use(use)
    if used > len(newest):
        ui.label(f"… and {used - len(newest):,} before.").classes("details-line")


def _draw_use(use: PickupUse) -> None:
    query = urlencode({"key": name_in_address(use.ip, use.service)}, safe=",/:")
    with ui.element("tr"):
        with ui.element("th").props("scope=row"):
            ui.link(use.ip, f"/?{query}").classes("history-link")
        with ui.element("td"):
            ui.label(use.service)
        with ui.element("td"):
            time_label(use.at)
