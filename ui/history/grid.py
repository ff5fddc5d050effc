"""The grid of the history: one line an entry, newest first."""

from models.history_views import HistoryView
from ui.shell.grids import Grid, text_column

ROW_HEIGHT = 42


class HistoryGrid(Grid):
    """The grid element of one page."""

    def __init__(self, view: HistoryView, root_path: str) -> None:
        columns = [
            {
                "colId": "at",
                "field": "at",
                "headerName": "When",
                "width": 118,
                "cellClass": "cell-time",
                ":cellRenderer": "authkeys.TimeCell",
                "sortable": False,
            },
            text_column("who", "Who", field="who", width=116, sortable=False, cellAriaRole="rowheader"),
            text_column("what", "What", field="what", more="who", flex=1, minWidth=260, sortable=False),
            text_column("from", "How", field="from", width=136, sortable=False),
            {"colId": "number", "field": "number", "headerName": "#", "width": 74, "sortable": False},
        ]
        super().__init__(
            "History",
            f"{root_path}/grid/history",
            view.to_query(),
            columns,
            ROW_HEIGHT,
            noun="entry",
            names=["who", "what"],
            opens=True,
            narrowless=["who", "from", "number"],
            mayChange=False,
        )
