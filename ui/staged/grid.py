"""The live grid: AG Grid's infinite row model over a URL of blocks, its columns, and the few words it exchanges with Python.

After the page is built the grid is only spoken to through `window.authkeys` (`static/main.js`): `update()` or a change of its
options would destroy and rebuild it (scroll, focus and blocks lost).
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from nicegui import ui

from models.accounts import AdminIdentity
from models.grid_rows import GridRow
from models.marks import Marks
from models.privileges import PRIVILEGES
from models.subjects import Subject
from models.submissions import Kind, Modification
from models.views import GridView
from models.wording import noun

BLOCK_SIZE = 100
"""Rows that the browser asks for at once."""

Column = dict[str, Any]


class GridKind(NamedTuple):
    """What tells the grid of one subject from that of another."""

    subject: Subject
    name: str
    """For a screen reader"""
    rows_path: str
    """Where its blocks are"""
    names: tuple[str, ...]
    """The fields of a row that say which one it is"""
    columns: tuple[Column, ...]
    """Those before the privileges"""
    remove_label: str
    remove_description: str
    row_height: int = 38
    """Pixels"""


def text_column(
    column_id: str, heading: str, *, field: str, more: str = "", marks: bool = False, **options: object
) -> Column:
    """A column of texts: `field` of each row, below it `more`, and where wanted the marks of who else staged something."""
    return {
        "colId": column_id,
        "field": field,
        "headerName": heading,
        "tooltipField": field,
        "cellClass": "cell-text",
        ":cellRenderer": "authkeys.TextCell",
        "cellRendererParams": {"more": more, "marks": marks},
        **options,
    }


class StagedGrid:
    """The grid element of one page."""

    def __init__(self, kind: GridKind, view: GridView, root_path: str, admin: AdminIdentity) -> None:
        self._tell_browser(kind, view, f"{root_path}{kind.rows_path}", admin)
        self._grid = ui.aggrid(_options(kind, view), theme="quartz", auto_size_columns=False).classes("grid")
        self._grid.mark("grid")

    @staticmethod
    def _tell_browser(kind: GridKind, view: GridView, rows_url: str, admin: AdminIdentity) -> None:
        """What `static/page.js` knows; and the first block is asked for at once, while all else is still being loaded."""
        told = {
            "name": kind.name,
            "noun": noun(kind.subject),
            "rowsUrl": rows_url,
            "query": view.to_query(),
            "names": kind.names,
            "tickStore": _tick_store(kind.subject, admin),
            "mayChange": admin.may_change,
        }
        first = f"{rows_url}?{'&'.join(filter(None, (view.to_query(), f'start=0&end={BLOCK_SIZE}')))}"
        told_text, first_text = (json.dumps(each).replace("<", "\\u003c") for each in (told, first))
        ui.add_head_html(
            f"<script>window.authkeysPage = {told_text};"
            f'authkeysPage.firstBlock = fetch({first_text}, {{headers: {{Accept: "application/json"}}}});'
            "authkeysPage.firstBlock.catch(() => {});</script>"  # told by the grid, which asks again
        )

    def show(self, view: GridView) -> None:
        """Show another view, from its first row."""
        self._run("show", view.to_query())

    def put(self, rows: Sequence[GridRow]) -> None:
        """Replace rows where they are shown."""
        if rows:
            self._run("put", rows)

    def mark(self, marks: Marks) -> None:
        """Show for which rows another admin has something staged now, and for which no more."""
        self._run("mark", marks.name, sorted(marks.staged), sorted(marks.cleared))

    def flash(self, modifications: Sequence[Modification], admin_name: str) -> None:
        """Mark for some seconds what an admin just changed, with the name."""
        self._run(
            "flash", [[m.row_id, m.before ^ m.after, m.kind is not Kind.CHANGED] for m in modifications], admin_name
        )

    def refresh(self) -> None:
        """Read the shown blocks anew; scroll, focus and staged cells stay."""
        self._run("refresh")

    def acknowledge(self, sequence: int) -> None:
        """Tell the browser that its ticks up to this one are stored or refused."""
        self._run("ack", sequence)

    def resend(self) -> None:
        """Ask the browser for the ticks that are not acknowledged."""
        self._run("resend")

    def refocus(self) -> None:
        """Give the keyboard a place again if what had it went away."""
        self._run("refocus")

    def _run(self, function: str, *arguments: Any) -> None:
        self._grid.client.run_javascript(f"authkeys.{function}({', '.join(map(json.dumps, arguments))})")


def _tick_store(subject: Subject, admin: AdminIdentity) -> str:
    """That of authkeys as earlier releases named it: a page that is open during an upgrade loses no tick."""
    return f"authkeys.pending.{admin.id}" + ("" if subject is Subject.AUTHKEY else f".{subject}")


def _options(kind: GridKind, view: GridView) -> dict[str, Any]:
    return {
        "rowModelType": "infinite",
        ":datasource": "authkeys.datasource",
        ":getRowId": "authkeys.rowId",
        ":rowClassRules": "authkeys.rowClassRules",
        ":onGridReady": "authkeys.onGridReady",
        ":onSortChanged": "authkeys.onSortChanged",
        ":onCellKeyDown": "authkeys.onCellKeyDown",
        # One Tab stop: keyboard.js leaves the grid, instead of walking through a million cells.
        ":focusGridInnerElement": "authkeys.enterGrid",
        "ensureDomOrder": True,
        ":onGridSizeChanged": "authkeys.onGridSizeChanged",
        "infiniteInitialRowCount": 1,
        "cacheBlockSize": BLOCK_SIZE,
        "maxBlocksInCache": 6,
        "rowHeight": kind.row_height,
        "rowBuffer": 2,
        "suppressColumnVirtualisation": True,
        "suppressMovableColumns": True,
        "enableCellTextSelection": True,
        "tooltipShowDelay": 400,
        "defaultColDef": {
            "sortable": True,
            "resizable": False,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
            "suppressHeaderMenuButton": True,
            ":suppressKeyboardEvent": "authkeys.suppressKeyboardEvent",
            "sortingOrder": ["asc", "desc", None],
        },
        "columnDefs": _columns(kind, view),
    }


def _columns(kind: GridKind, view: GridView) -> list[Column]:
    columns = [
        *(dict(column) for column in kind.columns),
        *(_checkbox(each.id, each.label, each.description, each.bit) for each in PRIVILEGES),
        {
            **_checkbox("remove", kind.remove_label, kind.remove_description, None),
            "pinned": "right",
            "width": 82,
            "flex": None,
            "sortable": False,
        },
        {
            "colId": "menu",
            "headerName": "",
            "headerComponentParams": {"template": '<span class="visually-hidden">Actions</span>'},
            "pinned": "right",
            "width": 44,
            "sortable": False,
            "cellClass": "cell-menu",
            ":cellRenderer": "authkeys.MenuCell",
        },
    ]
    natural = view.natural()
    for column in columns:
        if column["colId"] == view.sort and (view.sort, view.descending) != (natural.sort, natural.descending):
            column["initialSort"] = "desc" if view.descending else "asc"
    return columns


def _checkbox(column_id: str, label: str, description: str, bit: int | None) -> Column:
    return {
        "colId": column_id,
        "headerName": label,
        "headerTooltip": description,
        "headerClass": "header-privilege",
        "cellClass": "cell-checkbox",
        "flex": 2,
        "minWidth": _width_of_longest_word(label),
        "cellRendererParams": {"bit": bit, "label": label},
        ":cellRenderer": "authkeys.CheckboxCell",
        ":cellClassRules": "authkeys.cellClassRules",
        ":valueGetter": "authkeys.cellValue",
    }


def _width_of_longest_word(label: str) -> int:
    """Pixels that keep every word of a heading whole, at 12 px bold."""
    return max(84, 12 + round(6.3 * max(map(len, label.split()))))
