"""What every grid is made of: AG Grid's infinite row model over a URL of blocks, and how the browser is told of them.

After the page is built a grid is only spoken to through `window.authkeys` (`static/main.js`): `update()` or a change of its
options would destroy and rebuild it (scroll, focus and blocks lost).
"""

import json
from collections.abc import Sequence
from typing import Any

from nicegui import ui

BLOCK_SIZE = 100
"""Rows that the browser asks for at once."""

Column = dict[str, Any]


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


class Grid:
    """A grid element. There is one on a page."""

    def __init__(
        self, name: str, rows_url: str, query: str, columns: Sequence[Column], row_height: int | str, **told: Any
    ) -> None:
        """`row_height` is in pixels, or says in JavaScript how many; `told` is what else `static/page.js` knows."""
        self._tell_browser({"name": name, "rowsUrl": rows_url, "query": query, **told})
        self._grid = ui.aggrid(_options(columns, row_height), theme="quartz", auto_size_columns=False).classes("grid")
        self._grid.mark("grid")

    @staticmethod
    def _tell_browser(told: dict[str, Any]) -> None:
        """The first block is asked for at once, while all else is still being loaded."""
        first = f"{told['rowsUrl']}?{'&'.join(filter(None, (told['query'], f'start=0&end={BLOCK_SIZE}')))}"
        told_text, first_text = (json.dumps(each).replace("<", "\\u003c") for each in (told, first))
        ui.add_head_html(
            f"<script>window.authkeysPage = {told_text};"
            f'authkeysPage.firstBlock = fetch({first_text}, {{headers: {{Accept: "application/json"}}}});'
            "authkeysPage.firstBlock.catch(() => {});</script>"  # told by the grid, which asks again
        )

    def show_query(self, query: str) -> None:
        """Show another view, from its first row."""
        self.run("show", query)

    def refresh(self) -> None:
        """Read the shown blocks anew; scroll, focus and staged cells stay."""
        self.run("refresh")

    def refocus(self) -> None:
        """Give the keyboard a place again if what had it went away."""
        self.run("refocus")

    def run(self, function: str, *arguments: Any) -> None:
        """Call one of `window.authkeys`."""
        self._grid.client.run_javascript(f"authkeys.{function}({', '.join(map(json.dumps, arguments))})")


def _options(columns: Sequence[Column], row_height: int | str) -> dict[str, Any]:
    return {
        "rowModelType": "infinite",
        ":datasource": "authkeys.datasource",
        ":getRowId": "authkeys.rowId",
        ":rowClassRules": "authkeys.rowClassRules",
        ":onGridReady": "authkeys.onGridReady",
        ":onSortChanged": "authkeys.onSortChanged",
        ":onColumnMoved": "authkeys.onColumnMoved",
        ":onColumnResized": "authkeys.onColumnResized",
        ":onCellKeyDown": "authkeys.onCellKeyDown",
        ":onCellClicked": "authkeys.onCellClicked",
        ":onBodyScrollEnd": "authkeys.drawSelection",
        ":onModelUpdated": "authkeys.drawSelection",
        ":onCellContextMenu": "authkeys.onCellContextMenu",
        "preventDefaultOnContextMenu": True,
        # One Tab stop: keyboard.js leaves the grid, instead of walking through a million cells.
        ":focusGridInnerElement": "authkeys.enterGrid",
        "ensureDomOrder": True,
        ":onGridSizeChanged": "authkeys.onGridSizeChanged",
        "infiniteInitialRowCount": 1,
        "cacheBlockSize": BLOCK_SIZE,
        "maxBlocksInCache": 6,
        ":rowHeight": str(row_height),
        "rowBuffer": 2,
        "suppressColumnVirtualisation": True,
        "suppressDragLeaveHidesColumns": True,
        "enableCellTextSelection": True,
        "tooltipShowDelay": 400,
        "defaultColDef": {
            "sortable": True,
            "resizable": False,
            "suppressMovable": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
            "suppressHeaderMenuButton": True,
            "cellClassRules": {":cell-selected": "authkeys.selectedRule"},
            ":suppressKeyboardEvent": "authkeys.suppressKeyboardEvent",
            "sortingOrder": ["asc", "desc", None],
        },
        "columnDefs": list(columns),
    }
