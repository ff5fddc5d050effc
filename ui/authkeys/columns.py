"""The grid of the authkeys: its columns before the privileges, and its words."""

from models.subjects import Subject
from models.views import parse_view
from ui.shell.grids import text_column
from ui.staged.grid import GridKind

AUTHKEYS_GRID = GridKind(
    subject=Subject.AUTHKEY,
    name="Authorization keys",
    rows_path="/grid/rows",
    parse=parse_view,
    names=("ip", "service"),
    columns=(
        {
            "colId": "ip",
            "field": "ip",
            "headerName": "IP",
            "pinned": "left",
            "width": 176,
            "cellClass": "cell-ip",
            "cellAriaRole": "rowheader",
            "tooltipField": "ip",
        },
        text_column("service", "Service", field="service", marks=True, flex=3, minWidth=150),
    ),
    card_lines=(("service", "owner"),),
    remove_label="Remove?",
    remove_description="Remove all privileges for this IP address and service; the key stops working at submission.",
)
