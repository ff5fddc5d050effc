"""The toolbar of a view with a grid: search, filters, and the count of what is shown. Each view adds its own to it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Generic

from nicegui import ui

from models.errors import InvalidValue
from models.privileges import PRIVILEGES, mask_of, privilege, privileges_in
from models.subjects import Subject
from models.views import MAX_SEARCH_LENGTH
from models.wording import count_of
from services.listing import V

_PRIVILEGE_OPTIONS = {each.id: each.label for each in PRIVILEGES}


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
            self._search = (
                ui.input(placeholder=search_for, value=view.search, on_change=self.changed)
                .props(f"type=search outlined dense clearable debounce=200 maxlength={MAX_SEARCH_LENGTH}")
                .props(f'aria-label="{search_for}"')
                .classes("search")
                .mark("search")
            )
            with self._search.add_slot("prepend"):
                ui.icon("search", size="18px")
            with ui.element("div").classes("filters"):
                self._has = self._privileges("Has privilege", view.has)
                self._lacks = self._privileges("Lacks privilege", view.lacks)
                self.build_filters()
                self._staged = (
                    ui.checkbox("My staged changes", value=view.staged_only, on_change=self.changed)
                    .props("dense")
                    .classes("staged-only")
                    .mark("staged-only")
                )
                self._staged.set_visibility(view.is_live)
                self._clear = ui.button(icon="filter_alt_off", on_click=self.clear, color=None)
                self._clear.props('flat round dense aria-label="Clear search and filters"').classes("quiet")
                with self._clear:
                    ui.tooltip("Clear search and filters")
            ui.space()
            self._count = ui.label().classes("count").props("role=status").mark("count")
            self.build_actions()
        self.show_buttons()

    # -- what a subclass adds ------------------------------------------------------------------------------------------

    def build_filters(self) -> None:
        """Filters of its own."""

    def build_actions(self) -> None:
        """What can be done with many rows, or with none."""

    def own_values(self) -> dict[str, Any]:
        """What its own filters say, by the view's fields. Raises InvalidValue for what is not offered."""
        return {}

    def clear_own(self) -> None:
        """Set its own filters back."""

    # ------------------------------------------------------------------------------------------------------------------

    def choice(self, label: str, options: Any, value: object, mark: str, *, clearable: bool = True) -> ui.select:
        """A filter with one choice."""
        return (
            ui.select(options, label=label, value=value, clearable=clearable, on_change=self.changed)
            .props(f'outlined dense options-dense hide-bottom-space aria-label="{label}"')
            .classes(f"filter {mark}")
            .mark(mark)
        )

    def action(self, text: str, on_click: Callable[[], object], mark: str) -> ui.button:
        """A quiet button for what can be done with the rows of the view."""
        button = ui.button(text, on_click=on_click, color=None).props("flat dense no-caps")
        return button.classes("quiet stage-all").mark(mark)

    def show_buttons(self) -> None:
        """Show the buttons that mean something in this view."""
        self._clear.set_visibility(self.view.is_filtered)

    def _privileges(self, label: str, mask: int) -> ui.select:
        value = [each.id for each in privileges_in(mask)]
        return (
            ui.select(_PRIVILEGE_OPTIONS, label=label, multiple=True, value=value, on_change=self.changed)
            .props(f'outlined dense options-dense hide-bottom-space aria-label="{label}"')
            .classes("filter")
        )

    def show_count(self, shown: int, total: int) -> None:
        """Say how many rows there are and, of a filtered view, how many it shows."""
        all_ = count_of(self._subject, total)
        self._count.set_text(f"{shown:,} of {all_}" if self.view.is_filtered else all_)

    def clear(self) -> None:
        """Back to the view of all rows; what is sorted stays."""
        for element, value in ((self._search, ""), (self._has, []), (self._lacks, []), (self._staged, False)):
            element.value = value
        self.clear_own()

    def keep_sort(self, view: V) -> None:
        """The grid was sorted: the next view is sorted so too."""
        self.view = replace(self.view, sort=view.sort, descending=view.descending)

    async def changed(self) -> None:
        """Something was set here."""
        try:
            view = replace(
                self.view,
                search=str(self._search.value or "").strip()[:MAX_SEARCH_LENGTH],
                has=mask_of(privilege(each) for each in self._has.value),
                lacks=mask_of(privilege(each) for each in self._lacks.value),
                staged_only=self._staged.value is True,
                **self.own_values(),
            )
        except InvalidValue:  # a forged event: no such option is offered
            return
        if view != self.view:
            self.view = view
            self.show_buttons()
            await self._on_view(view)
