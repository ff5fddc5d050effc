"""What was pasted: read as people mean it, and where it has no clear meaning said so, line by line."""

import pytest

from models.errors import InvalidValue
from models.key_lines import MAX_PROBLEMS
from models.pasted import MAX_LINES, read_block, read_cells, read_named, read_value
from models.privileges import PRIVILEGES
from models.staging_plans import WantedRow
from tests.support import ADD, SEARCH

ROWS = [(7, "192.0.2.7", "a"), (8, "192.0.2.8", "b"), (9, "192.0.2.9", "c")]


@pytest.mark.parametrize(
    "cell", ["1", "TRUE", " true ", "WAHR", "VRAI", "VERDADERO", "x", "X", "yes", "Ja", "oui", "sí", "✓", "✔"]
)
def test_what_says_yes_in_any_spreadsheet_is_yes(cell: str) -> None:
    assert read_value(cell) is True


@pytest.mark.parametrize("cell", ["0", "FALSE", "FALSCH", "faux", "no", "nein", "✗", "-"])
def test_what_says_no_is_no(cell: str) -> None:
    assert read_value(cell) is False


@pytest.mark.parametrize("cell", ["", "  ", "\u200b"])
def test_an_empty_cell_says_nothing(cell: str) -> None:
    assert read_value(cell) is None


@pytest.mark.parametrize("cell", ["maybe", "2", "#REF!", "=TRUE()", "10"])
def test_anything_else_is_told_and_never_guessed(cell: str) -> None:
    with pytest.raises(InvalidValue, match="neither yes nor no"):
        read_value(cell)


@pytest.mark.parametrize("text", ["1\t0\r\n\tx\r\n", "1\t0\n\tx", "\ufeff1\t0\r\tx\r"])
def test_a_block_changes_its_own_boxes_only(text: str) -> None:
    read = read_block(read_cells(text), ROWS, [ADD, SEARCH])
    assert read.rows == [
        WantedRow(1, "192.0.2.7", "a", ADD.mask, SEARCH.mask, 7),
        WantedRow(2, "192.0.2.8", "b", SEARCH.mask, 0, 8),
    ]
    assert (read.problems, read.empty_cells) == ([], 1)


def test_an_empty_line_keeps_its_place_so_that_what_follows_falls_on_its_own_row() -> None:
    read = read_block(read_cells("x\r\n\r\nx\r\n"), ROWS, [SEARCH])
    assert {row.row_id: row.grants for row in read.rows} == {7: SEARCH.mask, 8: 0, 9: SEARCH.mask}
    assert (read.problems, read.empty_cells) == ([], 1)
    leading = read_block(read_cells("\n0\n"), ROWS, [SEARCH])
    assert [(row.row_id, row.revocations) for row in leading.rows] == [(7, 0), (8, SEARCH.mask)]


def test_lines_are_told_by_the_numbers_that_they_have_in_the_text() -> None:
    read = read_named(read_cells('ip\tservice\tsearch\n\n192.0.2.7\t"a\n"\t1\nx\ty\t1\n'))
    assert read.problems[-1].startswith("line 5: ")


def test_what_lies_beyond_the_grid_is_told_and_left_out() -> None:
    read = read_block(read_cells("1\t1\n1\n1\n1"), ROWS[:2], [SEARCH])
    assert [row.row_id for row in read.rows] == [8]
    assert read.problems == [
        "line 1: it has more values than there are columns of boxes beside it.",
        "line 3: there is no row for it: the view ends above.",
        "line 4: there is no row for it: the view ends above.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "ip\tservice\tsearch\taddlicense\n192.0.2.7\tbilling\tx\t0\n",
        "IP\tService\tSearch for a License\tAdd a New License\r\n192.0.2.7\tbilling\tTRUE\tFALSE\r\n",
        "ip,service,search,addlicense\n192.0.2.7,billing,1,no\n",
        '"ip"\t"service"\t"search"\t"addlicense"\t\t\n"::ffff:192.0.2.7"\t" billing"\t"1"\t"0"\t\t\n',
    ],
)
def test_rows_with_a_heading_name_their_privileges_in_any_order(text: str) -> None:
    pasted = read_cells(text)
    assert pasted.has_names
    assert read_named(pasted).rows == [WantedRow(2, "192.0.2.7", "billing", SEARCH.mask, ADD.mask)]


def test_the_column_remove_of_a_copied_row_is_overlooked_unless_it_says_yes() -> None:
    read = read_named(read_cells("ip\tservice\tsearch\tremove\n192.0.2.7\ta\t1\t0\n192.0.2.8\ta\t1\t1\n"))
    assert [row.ip for row in read.rows] == ["192.0.2.7"]
    assert read.problems == ["line 3: it is marked for removal, and a paste removes nothing: mark it in the grid."]


def test_rows_without_a_heading_have_them_in_the_order_of_the_grid() -> None:
    pasted = read_cells("2001:DB8::7\tbilling\t1\t\t0\n")
    assert pasted.has_names
    read = read_named(pasted)
    assert read.rows == [WantedRow(1, "2001:db8::7", "billing", PRIVILEGES[0].mask, PRIVILEGES[2].mask)]


def test_bad_lines_are_told_with_their_numbers_and_the_others_taken() -> None:
    text = "ip\tservice\tsearch\n300.1.1.1\ta\t1\n192.0.2.7\ta\tmaybe\n192.0.2.7\t\t1\n192.0.2.8\tb\t1\n192.0.2.8\tb\t0\n44562\tc\t1\n192.0.2.9\n"
    read = read_named(read_cells(text))
    assert [row.ip for row in read.rows] == ["192.0.2.8"]
    assert [problem.split(":")[0] for problem in read.problems] == [f"line {n}" for n in (2, 3, 4, 6, 7, 8)]
    assert "stands in line 5 already" in read.problems[3]
    assert "what a spreadsheet made of an IP address" in read.problems[4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" \n\t\n", "empty"),
        ("x\n" * (MAX_LINES + 1), "at most 100,000 are read"),
        ('a\t"b\n' + "x" * 200_000, "no table"),
    ],
    ids=["nothing", "blanks", "too many", "no table"],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        read_cells(text)


@pytest.mark.parametrize("heading", ["ip\tservice\tcolour", "ip\tservice\tsearch\tsearch"])
def test_an_unknown_heading_is_refused_as_a_whole(heading: str) -> None:
    with pytest.raises(InvalidValue, match=r"is not a privilege|stands twice"):
        read_named(read_cells(f"{heading}\n192.0.2.7\ta\t1\t1\n"))


def test_of_very_many_bad_lines_the_first_are_told_and_the_others_counted() -> None:
    read = read_named(read_cells("ip\tservice\n" + "x\ty\n" * 5_000))
    assert (len(read.problems), read.problem_count) == (MAX_PROBLEMS, 5_000)
    assert not read.rows


def test_a_value_of_one_cell_is_known_as_such() -> None:
    assert read_cells("x\n").is_single
    assert not read_cells("x\ty").is_single


def test_ip_and_service_may_stand_in_any_column_of_the_heading_as_a_copy_of_moved_columns_has_them() -> None:
    pasted = read_cells("ip\tsearch\tservice\taddlicense\tremove\n192.0.2.7\t1\tbilling\t0\t0\n")
    assert pasted.has_names
    assert read_named(pasted).rows == [WantedRow(2, "192.0.2.7", "billing", SEARCH.mask, ADD.mask)]
    short = read_named(read_cells("search\tservice\tip\n1\tbilling\n"))
    assert short.problems == ["line 2: an IP and a service are needed."]


def test_the_heading_of_copied_boxes_is_no_row_of_boxes() -> None:
    pasted = read_cells("search\tAdd a New License\n1\t0\nx\t\n")
    read = read_block(pasted.without_heading, ROWS, [ADD, SEARCH])
    assert [(row.line, row.row_id, row.grants) for row in read.rows] == [(2, 7, ADD.mask), (3, 8, ADD.mask)]
    plain = read_cells("1\t0\nx\t")
    assert plain.without_heading == plain


@pytest.mark.parametrize(
    ("text", "missing"), [("ip\tsearch\n192.0.2.7\t1", "service"), ("service\tsearch\na\t1", "ip")]
)
def test_rows_that_are_named_by_half_are_refused_in_words(text: str, missing: str) -> None:
    with pytest.raises(InvalidValue, match=f"has no column {missing}: a key is known by its IP and its service"):
        _ = read_cells(text).without_heading
