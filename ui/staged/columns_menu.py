"""The menu of the columns: which are shown, in which order, and how close the rows stand."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from models.arrangements import Arrangement, Density
from models.errors import InvalidValue
from ui.shell.feedback import user_errors
from ui.staged.grid import GridKind

_DENSITIES = {Density.COMFORTABLE.value: "Comfortable", Density.COMPACT.value: "Compact"}

Change = Callable[[Callable[[Arrangement], Arrangement]], Awaitable[object]]


class ColumnsMenu:
    """The button and its menu, which is built when it opens."""

    def __init__(
        self, kind: GridKind, now: Callable[[], Arrangement], change: Change, announce: Callable[[str], object]
    ) -> None:
        """`announce` tells a screen reader where a column went."""
        self._headings, self._natural = kind.arranged, kind.natural
        self._now, self._change, self._announce = now, change, announce
        self._lines: dict[str, _ColumnLine] = {}
        button = ui.button("Columns", icon="view_column", color=None).props("flat dense no-caps")
        button.classes("quiet toolbar-action columns-button").mark("columns").on("click", self._open)
        with button:
            self._menu = ui.menu().props('role=region aria-label="Columns" no-parent-event')

    def _open(self) -> None:
        self._build()
        self._menu.open()

    def _build(self) -> None:
        first, *others = self._now().columns
        self._menu.clear()
        with self._menu, ui.element("div").classes("columns-menu"):
            self._list = ui.element("ul").classes("columns-list").props('aria-label="Columns, from left to right"')
            with self._list:
                self._lines = {each.id: _ColumnLine(self._headings[each.id], each.is_shown) for each in others}
            for id_, line in self._lines.items():
                line.connect(lambda shown, id_=id_: self._show(id_, shown), lambda step, id_=id_: self._move(id_, step))  # type: ignore[misc]
            ui.label(f"{self._headings[first.id]} stays at the left.").classes("menu-hint")
            with ui.row().classes("columns-foot"):
                density = self._now().density.value
                rows = ui.toggle(_DENSITIES, value=density, on_change=lambda event: self._set_density(event.value))
                rows.props("dense no-caps unelevated role=group aria-label='Height of the rows'").mark("density")
                ui.space()
                reset = ui.button("Reset", on_click=self._reset, color=None).props("flat dense no-caps")
                reset.classes("quiet").mark("columns-reset")
        self._mark_ends()

    def _mark_ends(self) -> None:
        ids = [each.id for each in self._now().columns[1:]]
        for place, id_ in enumerate(ids):
            self._lines[id_].set_ends(is_first=place == 0, is_last=place == len(ids) - 1)

    async def _show(self, column_id: str, is_shown: object) -> None:
        await self._change(lambda now: now.with_shown(column_id, is_shown is True))

    async def _move(self, column_id: str, step: int) -> None:
        await self._change(lambda now: now.moved(column_id, step))
        line, ids = self._lines[column_id], [each.id for each in self._now().columns[1:]]
        place = ids.index(column_id)
        line.element.move(self._list, place)
        self._mark_ends()
        line.refocus(step)
        self._announce(f"{self._headings[column_id]} is column {place + 1} of {len(ids)}")

    async def _set_density(self, claim: object) -> None:
        with user_errors():
            if claim not in set(Density):
                raise InvalidValue("There is no such height of rows.")
            await self._change(lambda now: now._replace(density=Density(str(claim))))

    async def _reset(self) -> None:
        await self._change(lambda _: self._natural)
        self._build()


class _ColumnLine:
    """One column: its box, and the buttons that move it."""

    def __init__(self, heading: str, is_shown: bool) -> None:
        with ui.element("li").classes("columns-line") as self.element:
            self._box = ui.checkbox(heading, value=is_shown).props("dense").mark(f"column: {heading}")
            self._left = self._button("arrow_upward", f"Move {heading} to the left", f"left: {heading}")
            self._right = self._button("arrow_downward", f"Move {heading} to the right", f"right: {heading}")

    @staticmethod
    def _button(icon: str, label: str, mark: str) -> ui.button:
        button = ui.button(icon=icon, color=None).props("flat round dense size=sm").classes("quiet").mark(mark)
        button.props["aria-label"] = button.props["title"] = label
        return button

    def connect(
        self, on_show: Callable[[object], Awaitable[object]], on_move: Callable[[int], Awaitable[object]]
    ) -> None:
        self._box.on_value_change(lambda event: on_show(event.value))
        self._left.on_click(lambda: on_move(-1))
        self._right.on_click(lambda: on_move(1))

    def set_ends(self, *, is_first: bool, is_last: bool) -> None:
        self._left.set_enabled(not is_first)
        self._right.set_enabled(not is_last)

    def refocus(self, step: int) -> None:
        """A line that was moved has lost the keyboard; at an end the other button takes it."""
        buttons = (self._left, self._right) if step < 0 else (self._right, self._left)
        button = next(each for each in buttons if each.enabled)
        ui.run_javascript(f"authkeys.focusOn({button.html_id!r})")
