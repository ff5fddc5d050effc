"""The toolbar: search, filters, the count of what is shown, and "Add authkey"."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from nicegui import ui

from models.errors import InvalidValue
from models.privileges import PRIVILEGES, mask_of, privilege, privileges_in
from models.usage import QUIET_DAYS
from models.views import MAX_SEARCH_LENGTH, View
from models.wording import keys

_PRIVILEGE_OPTIONS = {each.id: each.label for each in PRIVILEGES}

_UNUSED_OPTIONS = {days: f"{days} days" for days in QUIET_DAYS}


class Toolbar:
    """What the admin sets here becomes a new View, handed to `on_view`."""

    def __init__(
        self,
        view: View,
        *,
        on_view: Callable[[View], Awaitable[object]],
        on_stage_all: Callable[[], Awaitable[object]],
        on_add: Callable[[], object],
        on_revoke_unused: Callable[[], Awaitable[object]],
        may_change: bool,
    ) -> None:
        self._view = view
        self._on_view = on_view
        with ui.row().classes("toolbar").props('role=search aria-label="Authorization keys"'):
            self._search = (
                ui.input(placeholder="Search IP, network or service", value=view.search, on_change=self._changed)
                .props(f"type=search outlined dense clearable debounce=200 maxlength={MAX_SEARCH_LENGTH}")
                .props('aria-label="Search IP, network or service"')
                .classes("search")
                .mark("search")
            )
            with self._search.add_slot("prepend"):
                ui.icon("search", size="18px")
            with ui.element("div").classes("filters"):
                self._has = self._filter("Has privilege", view.has)
                self._lacks = self._filter("Lacks privilege", view.lacks)
                self._unused = (
                    ui.select(
                        _UNUSED_OPTIONS,
                        label="Unused",
                        value=view.unused_days or None,
                        clearable=True,
                        on_change=self._changed,
                    )
                    .props('outlined dense options-dense hide-bottom-space aria-label="Unused"')
                    .classes("filter unused")
                    .mark("unused")
                )
                self._staged = (
                    ui.checkbox("My staged changes", value=view.staged_only, on_change=self._changed)
                    .props("dense")
                    .classes("staged-only")
                    .mark("staged-only")
                )
                self._clear = ui.button(icon="filter_alt_off", on_click=self.clear, color=None)
                self._clear.props('flat round dense aria-label="Clear search and filters"').classes("quiet")
                with self._clear:
                    ui.tooltip("Clear search and filters")
            ui.space()
            self._count = ui.label().classes("count").props("role=status").mark("count")
            self._may_change = may_change
            if may_change:
                self._revoke_unused = (
                    ui.button("Revoke unused", on_click=on_revoke_unused, color=None)
                    .props("flat dense no-caps")
                    .classes("quiet stage-all")
                    .mark("revoke-unused")
                )
                self._stage_all = (
                    ui.button("Stage for all…", on_click=on_stage_all, color=None)
                    .props("flat dense no-caps")
                    .classes("quiet stage-all")
                    .mark("stage-for-all")
                )
                ui.button("Add authkey", icon="add", on_click=on_add).props("outline no-caps").classes("add").mark(
                    "add"
                )
        self._show_buttons()

    def _show_buttons(self) -> None:
        self._clear.set_visibility(self._view.is_filtered)
        if self._may_change:
            self._revoke_unused.set_visibility(self._view.unused_days > 0)
            self._stage_all.set_visibility(self._view.unused_days == 0)

    def _filter(self, label: str, mask: int) -> ui.select:
        return (
            ui.select(
                _PRIVILEGE_OPTIONS,
                label=label,
                multiple=True,
                value=[each.id for each in privileges_in(mask)],
                on_change=self._changed,
            )
            .props(f'outlined dense options-dense hide-bottom-space aria-label="{label}"')
            .classes("filter")
        )

    def show_count(self, shown: int, total: int) -> None:
        """Say how many keys there are and, of a filtered view, how many it shows."""
        self._count.set_text(f"{shown:,} of {keys(total)}" if self._view.is_filtered else keys(total))

    def clear(self) -> None:
        """Back to the view of all keys; what is sorted stays."""
        for element, value in (
            (self._search, ""),
            (self._has, []),
            (self._lacks, []),
            (self._unused, None),
            (self._staged, False),
        ):
            element.value = value

    def keep_sort(self, view: View) -> None:
        """The grid was sorted: the next view is sorted so too."""
        self._view = replace(self._view, sort=view.sort, descending=view.descending)

    async def _changed(self) -> None:
        try:
            view = replace(
                self._view,
                search=str(self._search.value or "").strip()[:MAX_SEARCH_LENGTH],
                has=mask_of(privilege(each) for each in self._has.value),
                lacks=mask_of(privilege(each) for each in self._lacks.value),
                staged_only=self._staged.value is True,
                unused_days=self._unused.value or 0,
            )
        except InvalidValue:  # a forged event: no such option is offered
            return
        if view != self._view:
            self._view = view
            self._show_buttons()
            await self._on_view(view)
