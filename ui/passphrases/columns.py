"""The grid of the pickup passphrases: its columns before the privileges, and its words."""

from models.subjects import Subject
from models.views import parse_passphrase_view
from ui.shell.grids import text_column
from ui.staged.grid import GridKind

PASSPHRASES_GRID = GridKind(
    subject=Subject.PASSPHRASE,
    name="Pickup passphrases",
    rows_path="/grid/passphrases",
    parse=parse_passphrase_view,
    names=("name",),
    columns=(
        text_column(
            "made",
            "Passphrase",
            field="name",
            more="made",
            marks=True,
            pinned="left",
            width=186,
            cellAriaRole="rowheader",
        ),
        text_column(
            "expires", "Uses and expiry", field="used", more="until", flex=1, minWidth=126, tooltipField="networks"
        ),
    ),
    card_lines=(("used", "until"), ("networks",)),
    remove_label="Remove?",
    remove_description="Remove this passphrase: no server can register with it any more, from the submission on.",
    row_height=48,
    compact_height=38,
    shows_removed=True,
)
