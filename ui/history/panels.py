"""What the side panel shows of the history: an entry, the changes of one key or box, and what undoing would do."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from nicegui import ui

from models.errors import InvalidValue
from models.history import Change, Moment
from models.history_views import SOURCE_NAMES
from models.history_wording import effects, lasted
from models.privileges import PRIVILEGES, Privilege, privilege
from models.reversals import Line, Outcome
from models.subjects import Subject
from models.submissions import Kind, Modification
from models.wording import changes, count_of
from services.history import Told
from services.reversals import Preview
from ui.history.lines import effect_lines, name_label
from ui.shell.feedback import user_errors
from ui.shell.panel import SidePanel
from ui.shell.times import time_label
from ui.shell.window import Window

ROWS_AT_ONCE = 50
LINES_SHOWN = 200
"""Lines of a preview that can be chosen one by one; of more all others are taken or left together."""
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

    def __init__(self, window: Window, panel: SidePanel, on_shown: Callable[[str], object]) -> None:
        """`on_shown` is told what the address says of the panel, such as `entry=12`."""
        self._window = window
        self._console = window.console
        self.history = window.console.history
        self._panel = panel
        self._on_shown = on_shown

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
                _PreviewForm(self._window, found, preview, lambda: self._show_preview(preview, address))


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
            button = ui.button("Its history", on_click=lambda: self._panels.show_row(box), color=None)
            button.props("flat dense no-caps").classes("quiet history-of")
            button.props["aria-label"] = f"History of {done.ip} {done.service}"


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
            if self._box.privilege and done.kind in (Kind.CHANGED, Kind.REREGISTERED):
                mask = self._box.privilege.mask
                done = done._replace(kind=Kind.CHANGED, before=done.before & mask, after=done.after & mask)
            effect_lines(effects(done))
            if self._until is None:
                ui.label("It stands until now.").classes("history-stood")
            else:
                seconds = (self._until.at - change.at).total_seconds()
                ui.label(f"Stood for {lasted(max(seconds, 0))}.").classes("history-stood")
            self._panels.bring_back(self._box, change)


class _PreviewForm:
    """The lines of a preview, each to be taken or left, and the button that stages them."""

    def __init__(
        self,
        window: Window,
        preview: Preview,
        again: Callable[[], Awaitable[Preview]],
        show_again: Callable[[], Awaitable[None]],
    ) -> None:
        self._window, self._preview, self._again, self._show_again = window, preview, again, show_again
        self._chosen = {place for place, line in enumerate(preview.lines) if line.outcome is Outcome.UNDONE}
        ui.label(_totals(preview)).classes("history-sentence").mark("preview-totals")
        may_change = window.admin.may_change
        if may_change:
            with ui.row().classes("history-actions") as self._actions:
                self._button = ui.button(on_click=self._stage, color=None).props("unelevated no-caps")
                self._button.classes("primary").mark("stage-reversal")
            ui.label("It is only staged: review it, undo it, or submit it.").classes("history-meta")
        with ui.element("div"):
            for place, line in enumerate(preview.lines[:LINES_SHOWN]):
                self._line(
                    place, may_change=may_change, starts=not (place and _is_same_row(line, preview.lines[place - 1]))
                )
            if (rest := len(preview.lines) - LINES_SHOWN) > 0:
                ui.label(f"… and {changes(rest)} more; those that can be undone are taken too.").classes("review-empty")
        if not preview.lines:
            ui.label("Nothing differs.").classes("review-empty")
        self._show_count()

    def _line(self, place: int, *, may_change: bool, starts: bool) -> None:
        line = self._preview.lines[place]
        if starts:
            name_label(line.ip, line.service)
        with ui.element("div").classes("preview-line").mark("preview-line"):
            can = may_change and (line.outcome is Outcome.UNDONE or line.can_be_forced)
            said = line.why or (line.outcome.value if line.outcome is not Outcome.UNDONE else "will be undone")
            if can:
                box = ui.checkbox(
                    line.text, value=place in self._chosen, on_change=lambda e: self._choose(place, e.value)
                )
                box.props("dense")
                box.props["aria-label"] = f"{line.text}, {line.ip} {line.service}: {said}"
            else:
                ui.label(line.text)
            ui.label(said).classes(f"preview-outcome {line.outcome.name.lower()}")

    def _choose(self, place: int, chosen: object) -> None:
        if chosen is True:
            self._chosen.add(place)
        else:
            self._chosen.discard(place)
        self._show_count()

    def _show_count(self) -> None:
        if self._window.admin.may_change:
            self._button.set_text(f"Stage {changes(len(self._chosen))}")
            self._button.set_enabled(bool(self._chosen))

    async def _stage(self) -> None:
        with user_errors():
            await self._window.require_session()
            if (await self._again()).lines != self._preview.lines:
                await self._show_again()
                raise InvalidValue("Something was changed at this moment. Nothing is staged; this is how it is now.")
            count = await self._window.console.reversals.stage(
                self._window.admin.id, self._preview, frozenset(self._chosen)
            )
            place = "/" if self._preview.subject is Subject.AUTHKEY else "/passphrases"
            if not count:
                self._window.tell("All of that is staged already.")
                return
            self._button.set_text("Staged")
            self._button.disable()
            with self._actions:
                ui.link(f"Review {count_of(self._preview.subject, count)} and submit", f"{place}?staged=1").classes(
                    "history-link"
                ).mark("go-submit")


def _is_same_row(line: Line, other: Line) -> bool:
    return line.row_id == other.row_id


def _totals(preview: Preview) -> str:
    words = (
        (Outcome.UNDONE, "will be undone"),
        (Outcome.ALREADY, "already so"),
        (Outcome.CHANGED, "changed since"),
        (Outcome.GONE, "cannot be undone any more"),
    )
    parts = [f"{count:,} {said}" for outcome, said in words if (count := preview.count(outcome))]
    return " · ".join(parts) or "Nothing to undo"
