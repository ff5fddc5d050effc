"""What the rows are sorted by, chosen on a phone, where no heading can be clicked. The grid sorts, and tells of it."""

from collections.abc import Callable, Mapping

from nicegui import ui

from models.views import GridView


class SortMenu:
    """A button with a menu: a column that is chosen again is sorted the other way round."""

    def __init__(self, columns: Mapping[str, str], view: GridView, on_sort: Callable[[str, bool], object]) -> None:
        """`columns` are their headings by their ids; `on_sort` is told the id, and whether descending."""
        self._columns, self._on_sort = columns, on_sort
        self._button = ui.button("Sort", icon="swap_vert", color=None).props("outline no-caps").classes("sort")
        with self._button, ui.menu().props('role=region aria-label="Sort" no-parent-event auto-close') as menu:
            self._list = ui.element("div").props("role=menu")
        self._button.mark("sort").on("click", menu.open)
        self.show(view)

    def show(self, view: GridView) -> None:
        """Mark what a view is sorted by."""
        way = "descending" if view.descending else "ascending"
        self._button.props["aria-label"] = f"Sort: {self._columns[view.sort]}, {way}"
        self._list.clear()
        with self._list:
            for column, heading in self._columns.items():
                self._entry(column, heading, view)

    def _entry(self, column: str, heading: str, view: GridView) -> None:
        is_now = column == view.sort
        with ui.menu_item(on_click=lambda: self._on_sort(column, is_now and not view.descending)) as item:
            ui.label(heading).classes("sort-heading")
            if is_now:
                ui.icon("arrow_downward" if view.descending else "arrow_upward", size="18px")
        item.props(f"role=menuitemradio tabindex=0 aria-checked={str(is_now).lower()}").mark(f"sort-{column}")
