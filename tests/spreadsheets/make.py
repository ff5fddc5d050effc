"""Make the files of this folder anew: `uv run --with openpyxl tests/spreadsheets/make.py`.

openpyxl writes what Excel writes, and LibreOffice Calc (Debian's `libreoffice-calc`) opens and saves it, as it does what our page
exports and copies. They are kept, so that the tests need neither.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from openpyxl import Workbook  # type: ignore[import-untyped] # needed by this script only
from openpyxl.writer.excel import save_workbook  # type: ignore[import-untyped]

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from models.exports import TABLE_COLUMNS  # noqa: E402
from tests.spreadsheets.keys import IN_WORKBOOK, copied, exported  # noqa: E402 - from the checkout

CSV, TSV = "44,34,76", "9,34,76"
"""Separator, quotation mark, UTF-8: https://wiki.openoffice.org/wiki/Documentation/DevGuide/Spreadsheets/Filter_Options"""


def main() -> None:
    """All of them."""
    (HERE / "exported.csv").write_bytes(exported())
    (HERE / "copied.tsv").write_text(copied(), newline="")
    write_workbook(HERE / "keys.xlsx")
    with tempfile.TemporaryDirectory() as profile:
        save(profile, HERE / "keys.xlsx", "keys.csv", CSV)
        save(profile, HERE / "keys.xlsx", "keys.tsv", TSV)
        save(profile, HERE / "keys.xlsx", "keys.ods", None)
        save(profile, HERE / "exported.csv", "exported-and-saved.csv", CSV, f"--infilter=CSV:{CSV}")
        save(profile, HERE / "copied.tsv", "copied-and-saved.tsv", TSV, f"--infilter=CSV:{TSV}")


def write_workbook(path: Path) -> None:
    """The keys in a table whose names are texts, as whoever knows Excel formats the column, and whose boxes are numbers."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(TABLE_COLUMNS))
    for key in IN_WORKBOOK:
        sheet.append([key.ip, None, *(key.privileges >> bit & 1 for bit in range(9))])
        for column, text in [("service", key.service), *key.texts]:
            cell = sheet.cell(sheet.max_row, TABLE_COLUMNS.index(column) + 1)
            cell.value, cell.data_type, cell.number_format = text, "s", "@"
    save_workbook(book, path)


def save(profile: str, source: Path, name: str, options: str | None, *more: str) -> None:
    """Open a file in LibreOffice and save it under another name, in the format of its ending."""
    kind = f"csv:Text - txt - csv (StarCalc):{options}" if options else Path(name).suffix.removeprefix(".")
    with tempfile.TemporaryDirectory() as folder:
        command = ["soffice", "--headless", "--norestore", f"-env:UserInstallation=file://{profile}", *more]
        subprocess.run([*command, "--convert-to", kind, "--outdir", folder, str(source)], check=True)
        (made,) = Path(folder).iterdir()
        made.replace(HERE / name)


if __name__ == "__main__":
    main()
