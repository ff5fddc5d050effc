"""The toolbar of a view with a grid: search, filters, and the count of what is shown. Each view adds its own to it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Generic

from nicegui import ui

from models.errors import InvalidValue
from models.subjects import Subject
from models.views import MAX_SEARCH_LENGTH
from models.wording import count_of
from services.listing import V
from ui.shell.palette import Command
from ui.shell.toolbars import search_field
from ui.staged.filters import Chip, ChipRow, FilterMenu

TYPING_MS = 60
"""Between keys: so long a search waits for the next one. What then is asked, an index or one scan answers."""


class Toolbar(Generic[V]):
    """What the admin sets here becomes a new view, handed to `on_view`."""

    def __init__(
        self,
        subject: Subject,
        view: V,
        *,
        label: str,
        search_for: str,
        on_view: Callable[[V], Awaitable[object]],
    ) -> None:
        self._subject = subject
        self.view = view
        self._on_view = on_view
        with ui.row().classes("toolbar").props(f'role=search aria-label="{label}"'):
            self._search = search_field(search_for, view.search, self.changed, TYPING_MS)
            # Here, and before the actions, the page puts what is not of the view.
            self.beside_search = ui.element("div").classes("contents")
            self.build_choices()
            self._filters = FilterMenu(view, self.changed, self.build_filters)
            ui.space()
            self._count = ui.label().classes("count").props("role=status").mark("count")
            self.beside_actions = ui.element("div").classes("contents")
            self.build_actions()
        self._chips = ChipRow(self.clear)
        self.show_buttons()

    # -- what a subclass adds ------------------------------------------------------------------------------------------

    def build_choices(self) -> None:
        """What is always chosen, beside the filters."""

    def build_filters(self) -> None:
        """Filters of its own, in the menu."""

    def build_actions(self) -> None:
        """What can be done with many rows, or with none."""

    def own_values(self) -> dict[str, Any]:
        """What its own filters say, by the view's fields. Raises InvalidValue for what is not offered."""
        return {}

    def own_chips(self) -> list[Chip]:
        """Those of its own filters that are set."""
        return []

    def clear_own(self) -> None:
        """Set its own filters back."""

    def own_commands(self) -> list[Command]:
        """What can be found in the command palette, of its own actions and filters."""
        return []

    # ------------------------------------------------------------------------------------------------------------------

    def commands(self) -> list[Command]:
        """What can be done here now, for the command palette."""
        is_filtered = self.view.is_filtered
        clear = Command("Clear search and filters", "filter_list_off", self.clear, "Filter", is_offered=is_filtered)
        return [*self.own_commands(), clear, *self._filters.commands()]

    def choice(self, label: str, options: Any, value: object, mark: str, *, clearable: bool = True) -> ui.select:
        """A filter with one choice, in the menu."""
        return (
            ui.select(options, label=label, value=value, clearable=clearable, on_change=self.changed)
            .props(f'outlined dense options-dense hide-bottom-space aria-label="{label}"')
            .classes(f"filter-choice {mark}")
            .mark(mark)
        )

    def action(self, text: str, on_click: Callable[[], object], mark: str) -> ui.button:
        """A quiet button for what can be done with the rows of the view."""
        button = ui.button(text, on_click=on_click, color=None).props("flat dense no-caps")
        return button.classes("quiet toolbar-action").mark(mark)

    def show_buttons(self) -> None:
        """Show which filters are set, and the buttons that mean something in this view."""
        chips = [*self._filters.chips(), *self.own_chips()]
        self._filters.show_count(len(chips))
        self._chips.show(chips)  # not the search: nothing moves while one types

    def show_count(self, shown: int, total: int) -> None:
        """Say how many rows there are and, of a filtered view, how many it shows."""
        all_ = count_of(self._subject, total)
        self._count.set_text(f"{shown:,} of {all_}" if self.view.is_filtered else all_)

    def clear(self) -> None:
        """Back to the view of all rows; what is sorted stays."""
        self._search.value = ""
        self._filters.clear()
        self.clear_own()

    def show_staged(self) -> None:
        """All rows for which the admin has staged something, and no others."""
        self.clear()
        self._filters.show_staged()

    def keep_sort(self, view: V) -> None:
        """The grid was sorted: the next view is sorted so too."""
        self.view = replace(self.view, sort=view.sort, descending=view.descending)

    async def changed(self) -> None:
        """Something was set here."""
        try:
            view = replace(
                self.view,
                search=str(self._search.value or "").strip()[:MAX_SEARCH_LENGTH],
                has=self._filters.has,
                lacks=self._filters.lacks,
                staged_only=self._filters.staged_only,
                **self.own_values(),
            )
        except InvalidValue:  # a forged event: no such option is offered
            return
        if view != self.view:
            self.view = view
            self.show_buttons()
            await self._on_view(view)
