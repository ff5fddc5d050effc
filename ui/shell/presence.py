"""In the header: who else is here; opened, in which views, and what each has staged, to be read."""

from collections.abc import Sequence
from datetime import UTC, datetime

from nicegui import ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments

from models.marks import StagingChange
from models.presence import Person, StagedLine, StagedSummary
from models.subjects import Subject
from models.wording import changes_to, consequences, count_of
from services.console import Console
from ui.shell.feedback import user_errors
from ui.shell.frame import NAMES
from ui.shell.redrawing import Redrawing
from ui.shell.times import show_time, time_label

SHOWN_INITIALS = 3
SHOWN_ROWS = 50
"""Rows that are listed of what somebody has staged"""


class Others:
    """Those of one window, which is itself here as long as it is connected."""

    def __init__(self, console: Console, admin_id: int, path: str) -> None:
        self._console, self._admin_id, self._path = console, admin_id, path
        self._is_here = False
        self._cards: dict[int, _Card] = {}
        self._button = ui.button(color=None).props("flat dense no-caps").classes("who-is-here").mark("others")
        with self._button:
            self._initials = ui.element("div").classes("others-initials").props("aria-hidden=true")
            self._text = ui.label().classes("others-text")
            with ui.menu().props("role=region anchor='bottom right' self='top right'") as self._menu:
                self._menu.props["aria-label"] = "Who else is here"
                self._list = ui.element("div").classes("others-list")
        self._redrawing = Redrawing(self._list, self._draw, is_wanted=lambda: bool(self._menu.value))
        self._menu.on_value_change(self._opened)
        self._draw_button()
        self._listen()

    def _listen(self) -> None:
        client = self._button.client
        client.on_connect(self._come)
        client.on_disconnect(lambda: None if client.has_socket_connection else self._go())
        client.on_delete(self._go)
        self._console.presence.changed.subscribe(self._changed)
        for staging in (self._console.staging, self._console.passphrase_staging):
            staging.changed.subscribe(self._staged)

    def _come(self) -> None:
        if not self._is_here:
            self._is_here = True
            self._console.presence.enter(self._admin_id, self._path)

    def _go(self) -> None:
        if self._is_here:
            self._is_here = False
            self._console.presence.leave(self._admin_id, self._path)

    # -- the button ----------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._draw_button()
        self._redrawing.ask()

    def _draw_button(self) -> None:
        people = self._console.presence.others(self._admin_id)
        self._button.set_visibility(bool(people))
        if not people:
            self._menu.close()
        text = f"{len(people)} other{'s' if len(people) > 1 else ''} here"
        self._text.set_text(text)
        self._button.props["aria-label"] = f"{text}: {', '.join(each.name for each in people)}"
        self._initials.clear()
        with self._initials:
            for person in people[:SHOWN_INITIALS]:
                ui.label(person.name[:2].upper()).classes("others-initial")
            if len(people) > 1:
                ui.label(f"+{len(people) - 1}").classes("others-more")

    # -- the list ------------------------------------------------------------------------------------------------------

    def _opened(self, event: ValueChangeEventArguments) -> None:
        if event.value:
            self._redrawing.ask()

    def _staged(self, change: StagingChange) -> None:
        if change.admin_id in self._cards:
            self._redrawing.ask()

    async def _draw(self) -> None:
        people = self._console.presence.others(self._admin_id)
        staged = await self._console.presence.staged_by([each.admin_id for each in people])
        for gone in self._cards.keys() - {each.admin_id for each in people}:
            self._cards.pop(gone).delete()
        for person in people:
            if person.admin_id not in self._cards:
                self._cards[person.admin_id] = _Card(self._console, person)
            await self._cards[person.admin_id].draw(
                person, [each for each in staged if each.admin_id == person.admin_id]
            )


class _Card:
    """One person, who stays the same element while what is told of the person changes."""

    def __init__(self, console: Console, person: Person) -> None:
        self._console = console
        with ui.element("section").classes("other").mark("other") as self._card:
            self._card.props["aria-label"] = person.name
            ui.label(person.name[:2].upper()).classes("others-initial").props("aria-hidden=true")
            with ui.element("div").classes("other-told"):
                with ui.element("div").classes("other-head"):
                    ui.label(person.name).classes("other-name")
                    self._views = ui.label().classes("other-views")
                self._nothing = ui.label("Nothing staged").classes("other-views")
                self._desks = {subject: _StagedList(console, person.admin_id, subject) for subject in Subject}

    def delete(self) -> None:
        """The person is gone."""
        self._card.delete()

    async def draw(self, person: Person, staged: Sequence[StagedSummary]) -> None:
        """As it is now."""
        self._views.set_text(", ".join(NAMES.get(path, path) for path in person.paths))
        self._nothing.set_visibility(not staged)
        by_subject = {each.subject: each for each in staged}
        for subject, desk in self._desks.items():
            await desk.draw(by_subject.get(subject))


class _StagedList:
    """How much a person has staged for the rows of a subject; opened, for which rows what."""

    def __init__(self, console: Console, admin_id: int, subject: Subject) -> None:
        self._console, self._admin_id, self._subject = console, admin_id, subject
        self._summary: StagedSummary | None = None
        self._is_open = False
        with ui.element("details").classes("other-staged") as self._box:
            with ui.element("summary"):
                self._count = ui.label().mark("other-staged")
                self._at = time_label(datetime.now(UTC))
            self._lines = ui.element("div").classes("other-lines").props("role=list").mark("other-lines")
        self._box.on("toggle", self._toggled, js_handler="(event) => emit(event.target.open)").mark("other-box")
        self._box.set_visibility(False)

    async def draw(self, summary: StagedSummary | None) -> None:
        """As it is now; the rows are read only while they are shown."""
        if summary == self._summary:
            return
        self._summary = summary
        self._box.set_visibility(summary is not None)
        if summary is None:
            return
        self._count.set_text(changes_to(self._subject, summary.change_count, summary.key_count))
        self._at.set_visibility(summary.at is not None)
        if summary.at:
            show_time(self._at, summary.at)
        await self._draw_lines()

    async def _toggled(self, event: GenericEventArguments) -> None:
        self._is_open = event.args is True
        with user_errors():
            await self._draw_lines()

    async def _draw_lines(self) -> None:
        if not self._is_open or not self._summary:
            return
        lines = await self._console.presence.staged_lines(self._admin_id, self._subject, SHOWN_ROWS)
        self._lines.clear()
        with self._lines:
            for line in lines:
                self._build_line(line)
            if (rest := self._summary.key_count - len(lines)) > 0:
                ui.label(f"and {count_of(self._subject, rest)} more").classes("other-views").props("role=listitem")

    def _build_line(self, line: StagedLine) -> None:
        with ui.element("div").classes("other-line").props("role=listitem").mark("other-line"):
            ui.label(f"{line.ip} {line.service}".strip()).classes("other-row")
            for each in consequences(self._subject, line.entry):
                with ui.row().classes(f"review-line {each.kind}"):
                    ui.label(each.mark).classes("review-mark").props("aria-hidden=true")
                    ui.label(each.text).classes("review-text")
