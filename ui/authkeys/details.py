"""The details of one authkey: how it is called, its key, what it may do and does, and how a script asks with it."""

import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple
from urllib.parse import urlencode

from nicegui import ui

from models.amendments import TextName
from models.authkeys import Authkey, name_in_address
from models.denial_views import DeniedView
from models.denial_wording import REASON_NAMES, asked
from models.denials import DeniedRequests
from models.errors import InvalidValue
from models.privileges import PRIVILEGES, privilege, privileges_in
from models.staged_rows import StagedRow
from models.submissions import LastChange
from models.usage import NO_PRIVILEGE, DayCount
from models.wording import day_name, key_hint, minute, several
from services.authkey_staging import AuthkeyStaging
from ui.authkeys.uses_chart import uses_in_words, uses_svg
from ui.shell.copying import copy_command, copy_line
from ui.shell.feedback import user_errors
from ui.shell.parts import Part
from ui.shell.times import time_label
from ui.shell.window import Window
from ui.staged.details import (
    PrivilegeList,
    RowActions,
    RowDetails,
    box_facts,
    last_change_line,
    panel_action,
    section,
)
from ui.staged.steps import Do


class KeyFacts(NamedTuple):
    """All that the details of an authkey tell."""

    id: int
    ip: str
    service: str
    row: Authkey | None
    """As it is; None if it was removed"""
    entry: StagedRow
    """What this admin has staged for it"""
    last: LastChange | None
    uses: Mapping[int, tuple[int, datetime]]
    """By the bit of a privilege: how often it was used, and when last"""
    days: Sequence[DayCount]
    denied: Sequence[DeniedRequests]
    """Newest first"""


class _KeyState(NamedTuple):
    """What becomes of the key itself."""

    key: str | None
    """How one knows it; None if the authkey was removed"""
    is_marked: bool
    last: LastChange | None


class _TextFacts(NamedTuple):
    """The owner, or the note."""

    name: TextName
    text: str
    is_staged: bool


class KeyDetails(RowDetails[KeyFacts]):
    """Those of one window."""

    query_name: ClassVar[str] = "key"

    def __init__(
        self,
        window: Window,
        staging: AuthkeyStaging,
        do: Do,
        *,
        issue: Callable[[Authkey], Awaitable[object]],
        ask_texts: Callable[[list[int]], Awaitable[object]],
    ) -> None:
        """`issue` asks, and makes a new key for an authkey; `ask_texts` asks for the owner and note of some."""
        self._window, self._staging, self._issue, self._ask_texts = window, staging, issue, ask_texts
        self._actions = RowActions(staging, window.admin, do)
        self._console = window.console

    async def id_of(self, named: str) -> int:
        """By its number, or by IP and service: `192.0.2.7,billing`."""
        return await self._console.authkeys.id_of(named)

    def address_of(self, facts: KeyFacts) -> str:
        """By IP and service, which everybody can read."""
        return urlencode({self.query_name: name_in_address(facts.ip, facts.service)}, safe=",/:")

    async def read(self, row_id: int) -> KeyFacts:
        """All that is told of an authkey. Raises InvalidValue if nothing is known of it."""
        authkeys, uses = self._console.authkeys, self._console.uses
        row = (await authkeys.find([row_id])).get(row_id)
        last = await authkeys.last_change(row_id)
        name = row or (last and last.done)
        if name is None:
            raise InvalidValue("There is no such key, and nothing is on record of it.")
        return KeyFacts(
            row_id,
            name.ip,
            name.service,
            row,
            (await self._staging.of(self._window.admin.id))[row_id],
            last,
            await uses.counts(row_id),
            await uses.by_day(row_id),
            await uses.denied_with(row_id),
        )

    # -- the parts, from the top ---------------------------------------------------------------------------------------

    def build(self) -> None:
        """Names, state, privileges, uses, and how a script asks."""
        self._names = Part(_draw_names)
        self._state = Part(_draw_state)
        self._state.element.props("role=status").mark("details-state")
        self._of_live = ui.element("div")
        with self._of_live:
            section("Owner and note")
            self._texts = Part(self._draw_texts)
            section("Privileges")
            self._boxes = PrivilegeList(with_uses=True)
            self._other_uses = Part(_draw_other_uses)
        section("Uses")
        self._chart = Part(self._draw_chart)
        self._denied = Part(_draw_denied)
        self._call = Part(_draw_call)

    def build_actions(self) -> None:
        """A new key, and the removal."""
        self._actions.build(lambda: panel_action("Issue new key…", "details-issue", self._issue_key))

    def draw(self, facts: KeyFacts) -> None:
        """Show it."""
        row, entry = facts.row, facts.entry
        self._facts = facts
        self._names.show((facts.ip, facts.service))
        self._state.show(_KeyState(row and key_hint(row), entry.removal, facts.last))
        self._texts.show(_texts_of(row, entry) if row else ())
        self._of_live.set_visibility(row is not None)
        boxes = {each: box_facts(each, row.privileges if row else 0, entry) for each in PRIVILEGES}
        for each, box in boxes.items():
            times, at = facts.uses.get(each.bit, (0, None))
            boxes[each] = box._replace(used=times, last_at=at)
        self._boxes.show(boxes)
        self._other_uses.show(facts.uses.get(NO_PRIVILEGE))
        self._chart.show(tuple(facts.days))
        self._denied.show(_last_denied(facts.denied))
        self._call.show(self._line_for(row) if row else "")
        self._actions.show(facts.id, can_change=row is not None, is_marked=entry.removal)

    def _draw_texts(self, texts: Sequence[_TextFacts]) -> None:
        for name, text, is_staged in texts:
            with ui.element("div").classes("details-line").mark(f"details-{name}"):
                ui.label(f"{name.title()}:")
                ui.label(text or "none")
                if is_staged:
                    ui.label("✎ staged").classes("details-staged grant")
        if texts and self._window.admin.may_change:
            panel_action("Change…", "details-texts", self._change_texts)

    async def _change_texts(self) -> None:
        with user_errors():
            await self._window.require_session()
            await self._ask_texts([self._facts.id])

    def _draw_chart(self, days: Sequence[DayCount]) -> None:
        if not any(each.times for each in days):
            ui.label(f"{uses_in_words(days)}.").classes("details-line")
        else:
            ui.html(uses_svg(days), sanitize=False).classes("uses-frame")  # numbers and dates of our own
            with ui.element("div").classes("uses-axis").props("aria-hidden=true"):
                ui.label(day_name(days[0].day))
                ui.label("today")
            ui.label(f"{uses_in_words(days)}.").classes("details-line").mark("details-uses")
        since = self._console.uses.since
        if since.date() > days[0].day:
            ui.label(f"Uses are counted since {minute(since)}.").classes("details-line")

    def _line_for(self, row: Authkey) -> str:
        """An access check from the key's own server, as a shell takes it; the key itself is never in it."""
        needed = next(iter(privileges_in(row.privileges)), privilege("search"))
        url = shlex.quote(f"{self._window.origin}/authorize/{needed.id}")
        return f'curl -i -H "X-Api-Key: $AUTHKEY" {url}'

    async def _issue_key(self) -> None:
        with user_errors():
            await self._window.require_session()
            row = (await self._console.authkeys.find([self._facts.id])).get(self._facts.id)
            if row is None:
                raise InvalidValue("This key was removed meanwhile.")
            await self._issue(row)


def _texts_of(row: Authkey, entry: StagedRow) -> tuple[_TextFacts, ...]:
    """The owner and the note as they are staged, or stored."""
    staged = {each.name for each in entry.amendment.texts}
    return tuple(_TextFacts(name, text, name in staged) for name, text in entry.amendment.texts_of(row).items())


def _draw_names(names: tuple[str, str]) -> None:
    ip, service = names
    copy_line(ip, "the IP", "details-ip")
    copy_line(service, "the service", "details-service")


def _draw_state(state: _KeyState) -> None:
    with ui.element("div").classes("details-line"):
        if state.key is None:
            ui.label("Removed: it authorises nothing any more.").classes("details-removed")
        else:
            ui.label(state.key)
        if state.is_marked:
            ui.label("× removal staged").classes("details-staged remove")
    last_change_line(state.last)


def _draw_other_uses(use: tuple[int, datetime] | None) -> None:
    if use:
        with ui.element("div").classes("details-line"):
            ui.label(f"Calls that need no privilege: {use[0]:,}, the last")
            time_label(use[1])


class _Denied(NamedTuple):
    times: int
    last_at: datetime
    why: str
    ip: str
    """From where the last came"""


def _last_denied(denied: Sequence[DeniedRequests]) -> _Denied | None:
    if not denied:
        return None
    newest = denied[0]
    why = ": ".join(filter(None, (REASON_NAMES[newest.reason], asked(newest.what))))
    return _Denied(sum(each.times for each in denied), newest.last_at, why, newest.ip)


def _draw_denied(denied: _Denied | None) -> None:
    with ui.element("div").classes("details-line").mark("details-denied"):
        if denied is None:
            ui.label("No request with this key was denied lately.")
            return
        theirs = f"/denied?{DeniedView(search=denied.ip).to_query()}"
        ui.link(f"{several(denied.times, 'request')} denied", theirs).classes("history-link")
        ui.label("· the last")
        time_label(denied.last_at)
        ui.label(f"· {denied.why}")


def _draw_call(line: str) -> None:
    if line:
        section("Ask as a script does")
        copy_command(line, "the curl line")
