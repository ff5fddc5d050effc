"""The keys in the files of this folder: names of the kinds that spreadsheets have changed, run or mangled."""

from models.amendments import TextName
from models.exports import TABLE_COLUMNS, csv_text, key_cells
from models.privileges import PRIVILEGES
from models.selections import Selected, table_text
from models.staged_rows import NOTHING
from models.submissions import Assignment
from tests.program import as_stored

NAMES = (
    "billing", "Büro", "日本", 'the "new" one', "a, b; c", "'t Hart",
    "=odd()", "+plus", "-minus", "@home", "#1",
    "007", "12345678901234567890", "1.50", "3E5", "50%", ".5", "1,234", "8080", "0",
    "1/2", "1-2", "1.2.2026", "2026-01-02", "12:30", "MAR1", "2 Sept", "marketing", "true", "FALSE",
)  # fmt: skip
KEYS = [
    *(
        Assignment(
            f"192.0.2.{number}",
            name,
            number * 37 % 512,
            texts=((TextName.OWNER, "Ana"), (TextName.NOTE, NAMES[-number])),
        )
        for number, name in enumerate(NAMES, 1)
    ),
    Assignment("2001:db8::7", "over IPv6", 1, texts=((TextName.OWNER, ""), (TextName.NOTE, ""))),
]
CHANGED = KEYS[0]._replace(privileges=KEYS[0].privileges ^ 0b11)
NEW = [
    Assignment("198.51.100.1", "new here", 0b1, texts=KEYS[-1].texts),
    Assignment("198.51.100.2", "007", 0, texts=KEYS[-1].texts),
]
IN_WORKBOOK = [CHANGED, *KEYS[1:], *NEW]
"""What the workbook has: one box granted and one revoked, and two keys more"""


def exported() -> bytes:
    """What the page exports of them."""
    return csv_text([TABLE_COLUMNS, *map(key_cells, map(as_stored, KEYS))]).encode("utf-8-sig")


def copied() -> str:
    """What the page copies of them."""
    selected = [Selected(as_stored(key), NOTHING, 0) for key in KEYS]
    return table_text(selected, ["ip", "service", *(each.id for each in PRIVILEGES), "remove"])
