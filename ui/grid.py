"""The live grid: AG Grid's infinite row model over `/grid/rows`, its columns, and the few words it exchanges with Python.

After the page is built the grid is only spoken to through `authkeys.js`: `update()` or a change of its options would
destroy and rebuild it (scroll, focus and blocks lost).
"""

import json
from collections.abc import Sequence
from typing import Any

from nicegui import ui

from models.accounts import AdminIdentity
from models.grid_rows import GridRow
from models.privileges import PRIVILEGES
from models.submissions import Kind, Modification
from models.views import View

BLOCK_SIZE = 100
"""Rows that the browser asks for at once."""

REMOVE_LABEL = "Remove?"
REMOVE_DESCRIPTION = "Remove all privileges for this IP address and service; the key stops working at submission."


class AuthkeyGrid:
    """The grid element of one page."""

    def __init__(self, view: View, root_path: str, admin: AdminIdentity) -> None:
        arguments = json.dumps([view.to_query(), root_path, BLOCK_SIZE, admin.id, admin.may_change]).replace(
            "<", "\\u003c"
        )
        ui.add_head_html(f"<script>authkeys.start(...{arguments})</script>")
        self._grid = ui.aggrid(_options(view), theme="quartz", auto_size_columns=False).classes("grid")
        self._grid.mark("grid")

    def show(self, view: View) -> None:
        """Show another view, from its first row."""
        self._run("show", view.to_query())

    def put(self, rows: Sequence[GridRow]) -> None:
        """Replace rows where they are shown."""
        if rows:
            self._run("put", rows)

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


def _options(view: View) -> dict[str, Any]:
    return {
        "rowModelType": "infinite",
        ":datasource": "authkeys.datasource",
        ":getRowId": "authkeys.rowId",
        ":rowClassRules": "authkeys.rowClassRules",
        ":onGridReady": "authkeys.onGridReady",
        ":onSortChanged": "authkeys.onSortChanged",
        ":onCellKeyDown": "authkeys.onCellKeyDown",
        # One Tab stop: keyboard.js leaves the grid, instead of walking through a million cells.
        ":focusGridInnerElement": "keyboard.enterGrid",
        "ensureDomOrder": True,
        ":onGridSizeChanged": "authkeys.onGridSizeChanged",
        "infiniteInitialRowCount": 1,
        "cacheBlockSize": BLOCK_SIZE,
        "maxBlocksInCache": 6,
        "rowHeight": 38,
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
        "columnDefs": _columns(view),
    }


def _columns(view: View) -> list[dict[str, Any]]:
    columns = [
        {
            "colId": "ip",
            "field": "ip",
            "headerName": "IP",
            "pinned": "left",
            "width": 176,
            "resizable": True,
            "cellClass": "cell-ip",
            "cellAriaRole": "rowheader",
            "tooltipField": "ip",
        },
        {
            "colId": "service",
            "field": "service",
            "headerName": "Service",
            "flex": 3,
            "minWidth": 150,
            "resizable": True,
            "cellClass": "cell-service",
            ":cellRenderer": "authkeys.ServiceCell",
            "tooltipField": "service",
        },
        *(_checkbox(privilege.id, privilege.label, privilege.description, privilege.bit) for privilege in PRIVILEGES),
        {
            **_checkbox("remove", REMOVE_LABEL, REMOVE_DESCRIPTION, None),
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
    for column in columns:
        if column["colId"] == view.sort and (view.sort != "ip" or view.descending):
            column["initialSort"] = "desc" if view.descending else "asc"
    return columns


def _checkbox(column_id: str, label: str, description: str, bit: int | None) -> dict[str, Any]:
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
