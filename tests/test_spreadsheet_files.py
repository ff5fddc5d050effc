"""Files that spreadsheets made: what openpyxl and LibreOffice Calc wrote, and what Calc made of what our page exports and copies.

They are in `tests/spreadsheets`; `make.py` there made them.
"""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ImportRefused
from models.pasted import read_cells, read_named
from models.privileges import ALL_PRIVILEGES
from models.spreadsheets import from_cell, to_cell
from models.submissions import Assignment
from services.imports import read_assignments, read_lines
from tests.spreadsheets.keys import IN_WORKBOOK, KEYS, copied, exported

FILES = Path(__file__).parent / "spreadsheets"
FORMULA = next(key for key in KEYS if key.service == "=odd()")
AGAIN = "make the files anew: uv run --with openpyxl tests/spreadsheets/make.py"


def cells(name: str) -> list[list[str]]:
    text = (FILES / name).read_text("utf-8-sig")
    return list(csv.reader(text.splitlines(), delimiter="\t" if name.endswith(".tsv") else ","))


def test_what_the_page_exports_and_copies_is_what_the_files_were_made_of() -> None:
    assert exported() == (FILES / "exported.csv").read_bytes(), AGAIN
    assert copied() == (FILES / "copied.tsv").read_text(), AGAIN


@pytest.mark.parametrize("name", ["exported.csv", "copied.tsv"])
def test_a_spreadsheet_opens_and_saves_it_without_changing_a_cell(name: str) -> None:
    assert cells(name.replace(".", "-and-saved.")) == cells(name)


def test_an_export_that_a_spreadsheet_saved_imports_as_it_was() -> None:
    assert read_assignments(FILES / "exported-and-saved.csv") == KEYS


def test_a_copy_that_a_spreadsheet_saved_means_the_same_keys() -> None:
    read = read_named(read_cells((FILES / "copied-and-saved.tsv").read_text()))
    assert [Assignment(each.ip, each.service, each.grants) for each in read.rows] == [
        key._replace(texts=()) for key in KEYS
    ]
    assert {each.grants | each.revocations for each in read.rows} == {ALL_PRIVILEGES}
    assert (read.problems, read.empty_cells) == ([], 0)


def test_a_workbook_that_was_saved_as_csv_or_tsv_is_read_but_for_what_looks_like_a_formula() -> None:
    others = [key for key in IN_WORKBOOK if key != FORMULA]
    parsed = read_lines(FILES / "keys.csv")
    assert parsed.assignments == others
    [problem] = parsed.problems
    assert "'=odd()' is a formula instead of a service name" in problem
    pasted = read_named(read_cells((FILES / "keys.tsv").read_text()))
    assert [Assignment(each.ip, each.service, each.grants, texts=each.texts) for each in pasted.rows] == others
    assert len(pasted.problems) == 1


@pytest.mark.parametrize(
    ("name", "kind"), [("keys.xlsx", "an Excel workbook"), ("keys.ods", "an OpenDocument spreadsheet")]
)
def test_a_workbook_itself_is_refused_with_what_to_do(name: str, kind: str) -> None:
    words = f'{name} cannot be imported: it is {kind}, not CSV. Save the table as "CSV UTF-8"'
    with pytest.raises(ImportRefused, match=re.escape(words)):
        read_lines(FILES / name, name)


# -- what keeps a text as it is --------------------------------------------------------------------------------------------

ODD = st.text("0123456789.,:/-%eE+='#@ aApPmMjJnNtrue", max_size=12)


@given(st.one_of(st.text(), ODD))
def test_a_text_comes_back_from_its_cell(text: str) -> None:
    assert from_cell(to_cell(text)) == text


@given(st.ip_addresses().map(str))
def test_an_address_needs_no_apostrophe(ip: str) -> None:
    assert to_cell(ip) == ip


@pytest.mark.parametrize(
    "text", ["billing", "8080", "0", "marketing", "mayor", "web1", "v1.2.3", "10.0.0.1", "decoder 2"]
)
def test_what_spreadsheets_keep_is_written_plainly(text: str) -> None:
    assert to_cell(text) == text
