"""The grid of the pickup passphrases: its columns before the privileges, and its words."""

from models.subjects import Subject
from ui.shell.grids import text_column
from ui.staged.grid import GridKind

PASSPHRASES_GRID = GridKind(
    subject=Subject.PASSPHRASE,
    name="Pickup passphrases",
    rows_path="/grid/passphrases",
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
            resizable=True,
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
    shows_removed=True,
)
