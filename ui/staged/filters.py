"""The filters of a view: one button with a menu, and a chip for each that is set, in a row that may wrap."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from nicegui import ui

from models.privileges import PRIVILEGES, Privilege
from models.views import GridView
from ui.shell.palette import Command

_ANY, _HAS, _LACKS = "any", "has", "lacks"
_STATES = {_ANY: "Any", _HAS: "Has", _LACKS: "Lacks"}


class Chip(NamedTuple):
    """A filter that is set, and what sets it back."""

    text: str
    clear: Callable[[], object]


class FilterMenu:
    """The button and its menu. `on_change` is called when something was set, by the admin or by a chip."""

    def __init__(self, view: GridView, on_change: Callable[[], object], build_own: Callable[[], object]) -> None:
        self._button = ui.button("Filter", icon="filter_list", color=None).props("outline no-caps").classes("filter")
        self._button.mark("filter")
        with self._button, ui.menu().props('role=region aria-label="Filters" no-parent-event') as menu:
            self._menu = menu
            with ui.element("div").classes("filter-menu"):
                self._privileges = {each: self._privilege(each, view, on_change) for each in PRIVILEGES}
                build_own()
                self._staged = ui.checkbox("Only what I have staged", value=view.staged_only, on_change=on_change)
                self._staged.props("dense").mark("staged-only")
                self._staged.set_visibility(view.is_live)
        self._button.on("click", menu.open)

    @staticmethod
    def _privilege(privilege: Privilege, view: GridView, on_change: Callable[[], object]) -> ui.toggle:
        now = _HAS if view.has & privilege.mask else _LACKS if view.lacks & privilege.mask else _ANY
        with ui.element("div").classes("filter-line"):
            ui.label(privilege.label).classes("filter-label")
            toggle = ui.toggle(_STATES, value=now, on_change=on_change).props("dense no-caps unelevated")
            toggle.props["aria-label"] = privilege.label
        return toggle.props("role=group").mark(f"filter-{privilege.id}")

    @property
    def has(self) -> int:
        """The privileges that a row must have."""
        return self._mask(_HAS)

    @property
    def lacks(self) -> int:
        """The privileges that a row must not have."""
        return self._mask(_LACKS)

    @property
    def staged_only(self) -> bool:
        """Whether only rows are shown for which the admin has staged something."""
        return self._staged.value is True

    def _mask(self, state: str) -> int:
        return sum(privilege.mask for privilege, toggle in self._privileges.items() if toggle.value == state)

    def clear(self) -> None:
        """Set all of it back."""
        for toggle in self._privileges.values():
            toggle.value = _ANY
        self._staged.value = False

    def show_staged(self) -> None:
        """Only rows for which the admin has staged something."""
        self._staged.value = True

    def chips(self) -> list[Chip]:
        """Those that are set."""
        said = [
            Chip(f"{_STATES[toggle.value]} {privilege.label}", lambda toggle=toggle: toggle.set_value(_ANY))  # type: ignore[misc]
            for privilege, toggle in self._privileges.items()
            if toggle.value in (_HAS, _LACKS)
        ]
        return [*said, Chip("Staged by me", lambda: self._staged.set_value(False))] if self.staged_only else said

    def commands(self) -> list[Command]:
        """Each filter that can be set now."""
        group, icon = "Filter", "filter_list"
        return [
            Command(
                "Only what I have staged",
                icon,
                lambda: self._staged.set_value(True),
                group,
                "changes mine",
                is_offered=self._staged.visible and not self.staged_only,
            ),
            *(
                Command(
                    f"{_STATES[state]} {privilege.label}",
                    icon,
                    partial(toggle.set_value, state),
                    group,
                    "filter privilege",
                    is_offered=toggle.value != state,
                )
                for state in (_HAS, _LACKS)
                for privilege, toggle in self._privileges.items()
            ),
        ]

    def show_count(self, count: int) -> None:
        """Say on the button how many filters are set."""
        self._button.set_text(f"Filter · {count}" if count else "Filter")


class ChipRow:
    """The chips below the toolbar; no row where none is set."""

    def __init__(self, on_clear: Callable[[], object]) -> None:
        self._on_clear = on_clear
        self._texts: list[str] = []
        self._row = ui.row().classes("chips").props('role=group aria-label="Filters that are set"').mark("chips")
        self._row.set_visibility(False)

    def show(self, chips: Sequence[Chip]) -> None:
        """Draw them anew, where they are others."""
        texts = [chip.text for chip in chips]
        if texts == self._texts:
            return
        self._texts = texts
        self._row.clear()
        self._row.set_visibility(bool(chips))
        with self._row:
            for chip in chips:
                button = ui.button(chip.text, icon="close", on_click=chip.clear, color=None)
                button.props("flat dense no-caps size=sm").classes("chip")
                button.props["aria-label"] = f"{chip.text}: remove"
            if chips:
                ui.button("Clear all", on_click=self._on_clear, color=None).props("flat dense no-caps size=sm").classes(
                    "quiet"
                ).mark("clear-filters")
