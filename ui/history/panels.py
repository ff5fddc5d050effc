"""What the side panel shows of the history: an entry, the changes of one key or box, and what undoing would do."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from nicegui import ui

from models.authkeys import name_in_address
from models.errors import InvalidValue
from models.history import Change, Moment
from models.history_views import SOURCE_NAMES
from models.history_wording import effects, lasted
from models.privileges import PRIVILEGES, Privilege, privilege
from models.subjects import Subject
from models.submissions import Kind, Modification
from models.wording import count_of
from services.history import Told
from services.reversals import Preview
from ui.history.lines import effect_lines, name_label
from ui.history.preview import PreviewForm
from ui.shell.feedback import user_errors
from ui.shell.panel import SidePanel
from ui.shell.times import time_label
from ui.shell.window import Window

ROWS_AT_ONCE = 50
_ANY = ""


class BoxName(NamedTuple):
    """An authkey or passphrase, or one privilege of it, as an address names it: `12.search`."""

    row_id: int
    privilege: Privilege | None = None
    subject: Subject = Subject.AUTHKEY

    def __str__(self) -> str:
        return f"{self.row_id}.{self.privilege.id}" if self.privilege else str(self.row_id)


def parse_box(text: str, subject: Subject = Subject.AUTHKEY) -> BoxName:
    """What an address names. Raises InvalidValue for what cannot be a row."""
    number, _, privilege_id = text.partition(".")
    return BoxName(parse_number(number), privilege(privilege_id) if privilege_id else None, subject)


def parse_number(text: str) -> int:
    """The number of an entry or a row in an address. Raises InvalidValue for what cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidValue(f"{text!r:.40} in the address is no number of an entry or a row.")
    return int(text)


class HistoryPanels:
    """Fills the side panel of one window."""

    def __init__(
        self,
        window: Window,
        panel: SidePanel,
        on_shown: Callable[[str], object],
        on_details: Callable[[int], Awaitable[object]] | None = None,
    ) -> None:
        """`on_shown` is told what the address says of the panel, such as `entry=12`.

        `on_details` shows the details of a row here; without it links lead to the page that does.
        """
        self._window = window
        self._console = window.console
        self.history = window.console.history
        self._panel = panel
        self._on_shown = on_shown
        self._on_details = on_details

    async def open(self, query: Mapping[str, str]) -> bool:
        """Show what an address says; whether it says anything. Raises InvalidValue for what cannot be."""
        match query:
            case {"entry": number}:
                await self.show_entry(parse_number(number))
            case {"history": box}:
                await self.show_row(parse_box(box))
            case {"phrase-history": box}:
                await self.show_row(parse_box(box, Subject.PASSPHRASE))
            case {"undo": number}:
                await self.show_undo(parse_number(number))
            case {"restore": state}:
                box, _, number = state.rpartition("@")
                await self.show_state(parse_box(box), parse_number(number))
            case _:
                return False
        return True

    def details_link(self, done: Modification) -> None:
        """What leads to the details of a row."""
        if self._on_details:
            act = self._on_details
            ui.button("Details", on_click=lambda: act(done.row_id), color=None).props("flat dense no-caps").classes(
                "quiet history-of"
            )
        elif done.subject is Subject.AUTHKEY:
            query = urlencode({"key": name_in_address(done.ip, done.service)}, safe=",/:")
            ui.link("Details", f"/?{query}").classes("history-link")
        else:
            ui.link("Details", f"/passphrases?phrase={done.row_id}").classes("history-link")

    # -- one entry -----------------------------------------------------------------------------------------------------

    async def show_entry(self, number: int) -> None:
        """An entry: who, when, and everything that it did."""
        with user_errors():
            await self._window.require_session()
            told = await self.history.entry(number)
            if told is None:
                raise InvalidValue(f"There is no entry #{number} on record.")
            part = told.entry.submission
            done = await self.history.done_in(part.revision, 0, ROWS_AT_ONCE) if part else []
            self._on_shown(f"entry={number}")
            with self._panel.show(f"Entry #{number}"):
                self._entry_head(told)
                if part is not None:
                    self._entry_actions(number, part.subject)
                    _Rows(self, part.revision, part.row_count, part.subject, done)

    def _entry_head(self, told: Told) -> None:
        entry = told.entry
        with ui.element("div").classes("history-head"):
            ui.label(f"{entry.name or 'Somebody'} {told.sentence}").classes("history-sentence").mark("entry-sentence")
            with ui.row().classes("history-meta"):
                time_label(entry.at)
                ui.label(f"{entry.at:%Y-%m-%d %H:%M:%S} UTC")
            more = [entry.address and f"from {entry.address}", entry.detail if entry.submission else ""]
            if entry.submission:
                more = [SOURCE_NAMES.get(entry.submission.source, entry.submission.source), *more]
            if said := " · ".join(filter(None, more)):
                ui.label(said).classes("history-meta")

    def _entry_actions(self, number: int, subject: Subject) -> None:
        with ui.row().classes("history-actions"):
            if self._window.admin.may_change:
                ui.button("Undo…", icon="undo", on_click=lambda: self.show_undo(number), color=None).props(
                    "outline dense no-caps"
                ).mark("undo-submission")
            if subject is Subject.AUTHKEY:
                for text, moment in (("Table before", number - 1), ("Table after", number)):
                    ui.link(text, f"/?as_of={moment}").classes("history-link")

    # -- one row, or one box -------------------------------------------------------------------------------------------

    async def show_row(self, box: BoxName) -> None:
        """Each change of a row, or of one privilege of it: by whom, and for how long it stood."""
        with user_errors():
            await self._window.require_session()
            mask = box.privilege.mask if box.privilege else 0
            found = await self.history.changes_of(box.subject, box.row_id, mask, count=ROWS_AT_ONCE + 1)
            first = found or await self.history.changes_of(box.subject, box.row_id, count=1)
            if not first:
                raise InvalidValue("Nothing is on record of it.")
            self._on_shown(f"{'history' if box.subject is Subject.AUTHKEY else 'phrase-history'}={box}")
            with self._panel.show("History"):
                name_label(first[0].done.ip, first[0].done.service)
                self.details_link(first[0].done)
                self._privilege_choice(box)
                if not found:
                    ui.label("This privilege was never granted to it.").classes("review-empty")
                _Changes(self, box, found)

    def _privilege_choice(self, box: BoxName) -> None:
        async def choose() -> None:
            chosen = privilege(choice.value) if choice.value else None
            await self.show_row(box._replace(privilege=chosen))

        options = {_ANY: "All privileges", **{each.id: each.label for each in PRIVILEGES}}
        choice = ui.select(
            options, value=box.privilege.id if box.privilege else _ANY, label="Privilege", on_change=choose
        )
        choice.props("outlined dense options-dense").classes("history-choice").mark("history-privilege")

    def change_head(self, change: Change) -> None:
        """Who did it, when, and in which entry."""
        with ui.row().classes("history-meta"):
            ui.label(change.admin_name).classes("history-who")
            time_label(change.at)
            button = ui.button(f"#{change.number}", on_click=lambda: self.show_entry(change.number), color=None)
            button.props("flat dense no-caps").classes("history-number")
            button.props["aria-label"] = f"Entry #{change.number}"

    def bring_back(self, box: BoxName, change: Change) -> None:
        """The button that gives the row, or the box, what it had after a change."""
        if not self._window.admin.may_change or box.subject is not Subject.AUTHKEY:
            return
        button = ui.button("Bring this back…", on_click=lambda: self.show_state(box, change.number), color=None).props(
            "flat dense no-caps"
        )
        button.classes("quiet").props["aria-label"] = f"Bring back what it had after #{change.number}"

    # -- what undoing would do -----------------------------------------------------------------------------------------

    async def show_undo(self, number: int) -> None:
        """What undoing an entry's submission would do now."""
        await self._show_preview(lambda: self._console.reversals.of_entry(number), f"undo={number}")

    async def show_state(self, box: BoxName, number: int) -> None:
        """What it takes to give a row, or a box, what it had after an entry."""
        mask = box.privilege.mask if box.privilege else 0

        async def preview() -> Preview:
            moment = await self._console.past.moment(number)
            return await self._console.reversals.of_row(box.row_id, moment, mask)

        await self._show_preview(preview, f"restore={box}@{number}")

    async def show_difference(self, earlier: Moment, later: Moment) -> None:
        """What became of the table between two moments, and what of it can be brought back."""
        address = f"compare={earlier.number}..{later.number}"
        await self._show_preview(lambda: self._console.reversals.between(earlier, later), address)

    async def _show_preview(self, preview: Callable[[], Awaitable[Preview]], address: str) -> None:
        with user_errors():
            await self._window.require_session()
            found = await preview()
            self._on_shown(address)
            with self._panel.show(found.title):
                PreviewForm(self._window, found, preview, lambda: self._show_preview(preview, address))


class _Rows:
    """What a submission did, some rows at a time."""

    def __init__(
        self, panels: HistoryPanels, revision: int, total: int, subject: Subject, done: list[Modification]
    ) -> None:
        self._panels, self._revision, self._total, self._subject = panels, revision, total, subject
        self._shown = 0
        self._list = ui.element("div")
        self._more = ui.button("Show more", on_click=self._load, color=None).props("flat dense no-caps")
        self._add(done)

    async def _load(self) -> None:
        with user_errors():
            self._add(await self._panels.history.done_in(self._revision, self._shown, ROWS_AT_ONCE))

    def _add(self, done: list[Modification]) -> None:
        self._shown += len(done)
        with self._list:
            for each in done:
                self._row(each)
        self._more.set_text(f"Show more of {count_of(self._subject, self._total)}")
        self._more.set_visibility(self._shown < self._total)

    def _row(self, done: Modification) -> None:
        box = BoxName(done.row_id, None, self._subject)
        with ui.element("div").classes("review-item"):
            name_label(done.ip, done.service)
            effect_lines(effects(done))
            with ui.row().classes("history-meta"):
                button = ui.button("Its history", on_click=lambda: self._panels.show_row(box), color=None)
                button.props("flat dense no-caps").classes("quiet history-of")
                button.props["aria-label"] = f"History of {done.ip} {done.service}"
                self._panels.details_link(done)


class _Changes:
    """The changes of a row, newest first, some at a time."""

    def __init__(self, panels: HistoryPanels, box: BoxName, found: list[Change]) -> None:
        self._panels, self._box = panels, box
        self._until: Change | None = None
        self._list = ui.element("div")
        self._more = ui.button("Show earlier ones", on_click=self._load, color=None).props("flat dense no-caps")
        self._add(found)

    async def _load(self) -> None:
        with user_errors():
            box, before = self._box, self._until.revision if self._until else 2**62
            mask = box.privilege.mask if box.privilege else 0
            self._add(await self._panels.history.changes_of(box.subject, box.row_id, mask, before, ROWS_AT_ONCE + 1))

    def _add(self, found: list[Change]) -> None:
        with self._list:
            for change in found[:ROWS_AT_ONCE]:
                self._change(change)
                self._until = change
        self._more.set_visibility(len(found) > ROWS_AT_ONCE)

    def _change(self, change: Change) -> None:
        with ui.element("div").classes("review-item"):
            self._panels.change_head(change)
            done = change.done
            if self._box.privilege and done.alters_row:
                mask = self._box.privilege.mask
                done = done._replace(kind=Kind.CHANGED, before=done.before & mask, after=done.after & mask)
            effect_lines(effects(done))
            if self._until is None:
                ui.label("It stands until now.").classes("history-stood")
            else:
                seconds = (self._until.at - change.at).total_seconds()
                ui.label(f"Stood for {lasted(max(seconds, 0))}.").classes("history-stood")
            self._panels.bring_back(self._box, change)
