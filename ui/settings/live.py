"""Parts of Settings that follow what happens elsewhere, as long as their page is open."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from nicegui import Event, ui

from ui.shell.parts import Part
from ui.shell.redrawing import Redrawing

F = TypeVar("F")


class Following(Generic[F]):
    """Reads something again after each of some events, and shows it within `element`; what comes meanwhile is read once."""

    def __init__(
        self, element: ui.element, event: Event[[]], read: Callable[[], Awaitable[F]], show: Callable[[F], object]
    ) -> None:
        self._read, self._show = read, show
        self._redrawing = Redrawing(element, self._draw)
        self.refresh = self._redrawing.ask
        """To be called when something may be another by now"""
        event.subscribe(self.refresh)

    async def _draw(self) -> None:
        found = await self._read()
        if not self._redrawing.is_outdated:
            self._show(found)


class LiveRows(Generic[F]):
    """The body of a table: a line whose facts are the same as before stays as it is, with whatever somebody is about to press."""

    def __init__(self, key: Callable[[F], Hashable], draw: Callable[[F], object]) -> None:
        self._key, self._draw = key, draw
        self._rows: dict[Hashable, Part[F]] = {}
        self._body = ui.element("tbody")

    def show(self, facts: Sequence[F]) -> None:
        """These lines, in this order."""
        for key in self._rows.keys() - {self._key(each) for each in facts}:
            self._rows.pop(key).element.delete()
        for place, each in enumerate(facts):
            key = self._key(each)
            if key not in self._rows:
                with self._body:
                    self._rows[key] = Part(self._draw, "tr")
            row = self._rows[key]
            row.show(each)
            if self._body.default_slot.children[place] is not row.element:
                row.element.move(self._body, place)


def settings_table(name: str, *headings: str) -> ui.element:
    """A table of a section, whose body is built within it. The last heading, of what can be done, is not seen."""
    table = ui.element("table").classes("table texts settings-table")
    table.props["aria-label"] = name
    with table, ui.element("thead"), ui.element("tr"):
        for heading in headings:
            with ui.element("th").props("scope=col"):
                ui.label(heading).classes("visually-hidden" if heading == headings[-1] else "")
    return table


def cell(classes: str = "") -> ui.element:
    """A cell of a line, to be filled."""
    return ui.element("td").classes(classes)


def quiet_button(text: str, on_click: Callable[[], object], name: str = "") -> ui.button:
    """What can be done with a line; `name` says to a screen reader with which."""
    button = ui.button(text, on_click=on_click, color=None).props("flat dense no-caps").classes("settings-action")
    if name:
        button.props["aria-label"] = f"{text}: {name}"
    return button
