"""What spreadsheets make of a list of keys.

The bytes are those that Excel for Windows ("CSV UTF-8", "CSV", "Unicode Text"), Excel for Mac ("CSV (Macintosh)"), LibreOffice Calc
("Text CSV") and Google Sheets write, put together here from what each of them does: byte order mark, line ends, quoting,
separators of the user's country, empty rows and columns of the used range.
"""

import itertools
import os
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ImportRefused, InvalidValue
from models.key_lines import MAX_LINE_LENGTH, MAX_PROBLEMS, parse_key_lines
from models.privileges import ALL_PRIVILEGES
from models.submissions import Assignment
from services import imports
from services.imports import HEADER, read_assignments

FIRST_LINE = ",".join(HEADER)
ALL, NONE = ",1" * 9, ",0" * 9
TWO_KEYS = [Assignment("192.0.2.7", "Büro", ALL_PRIVILEGES), Assignment("2001:db8::7", "billing, new", 0)]
ROWS = [FIRST_LINE, f"192.0.2.7,Büro{ALL}", f'2001:db8::7,"billing, new"{NONE}']


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.csv"


def refusal(file: Path, content: bytes | str) -> ImportRefused:
    """With what the file with this content is refused."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ImportRefused) as refused:
        read_assignments(file)
    assert "Nothing was imported." in str(refused.value)
    return refused.value


def lines(*rows: str) -> str:
    return "\n".join([FIRST_LINE, *rows]) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("\r\n".join(ROWS).encode("utf-8-sig") + b"\r\n", id="Excel for Windows, CSV UTF-8"),
        pytest.param("\r".join(ROWS).encode() + b"\r", id="Excel for Mac: lines end in CR"),
        pytest.param("\r\n".join(ROWS).encode(), id="Google Sheets: no line end at the end"),
        pytest.param(
            (
                ",".join(f'"{name}"' for name in HEADER)
                + f'\n"192.0.2.7","Büro"{ALL}\n"2001:db8::7","billing, new"{NONE}\n'
            ).encode(),
            id="LibreOffice, all text cells quoted",
        ),
        pytest.param("".join(f"{row},,,\r\n" for row in ROWS).encode(), id="empty columns of the used range"),
        pytest.param("".join(f"{row}{',' * 16_373}\r\n" for row in ROWS).encode(), id="all columns that Excel has"),
        pytest.param(
            f"{ROWS[0]}\r\n{',' * 10}\r\n{ROWS[1]}\r\n , ,{',' * 8}\r\n{ROWS[2]}\r\n{f'{chr(44) * 10}{chr(10)}' * 1_000}".encode(),
            id="empty rows of the used range",
        ),
        pytest.param(f"{',' * 10}\n\n{chr(10).join(ROWS)}".encode(), id="empty rows before the header"),
        pytest.param(
            "\n".join(
                [" IP , Service ,ADDLICENSE" + FIRST_LINE.removeprefix("ip,service,addlicense"), *ROWS[1:]]
            ).encode(),
            id="headings with capitals and spaces",
        ),
        pytest.param("\r\n".join(["sep=,", *ROWS]).encode(), id="Excel's own line about the separator"),
        pytest.param(f"{ROWS[0]}\r\n{ROWS[1]}\r{ROWS[2]}\n".encode(), id="line ends of all kinds"),
        pytest.param("\n".join(ROWS).encode("utf-8-sig").replace(b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2), id="two marks"),
    ],
)
def test_what_has_no_meaning_is_overlooked(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert read_assignments(file) == TWO_KEYS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            "\r\n".join(ROWS).replace(",", ";").encode("utf-8-sig"), "separated by semicolons", id="Excel, German"
        ),
        pytest.param("\n".join(ROWS).replace(",", "\t").encode(), "separated by tabs", id="pasted cells"),
        pytest.param("\n".join(ROWS).replace(",", "|").encode(), "separated by vertical bars", id="vertical bars"),
        pytest.param(
            b"sep=;\r\n" + "\r\n".join(ROWS).replace(",", ";").encode(), "separated by semicolons", id="sep=;"
        ),
        pytest.param(
            "\r\n".join(ROWS).encode("cp1252"), "line 2 is not UTF-8 text: byte 0xFC, 'ü' in Windows-1252", id="ANSI"
        ),
        pytest.param(
            "\r\n".join(ROWS).replace(",", "\t").encode("utf-16"), "it is UTF-16 text", id="Excel, Unicode Text"
        ),
        pytest.param(b"\xfe\xff" + "\r\n".join(ROWS).encode("utf-16-be"), "it is UTF-16 text", id="UTF-16, big-endian"),
        pytest.param("\r\n".join(ROWS).encode("utf-16-le"), "line 1 holds a NUL character: it is UTF-16", id="no mark"),
        pytest.param(b"PK\x03\x04\x14\x00" + os.urandom(100), "a spreadsheet's own file (.xlsx or .ods)", id=".xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "an old spreadsheet's own file", id=".xls"),
        pytest.param(b"\x1f\x8b\x08" + bytes(100), "compressed with gzip", id=".gz"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(file: Path, content: bytes, words: str) -> None:
    refused = refusal(file, content)
    assert words in str(refused)
    assert "CSV" in str(refused)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (FIRST_LINE + ",more", "('more' is not known)"),
        (FIRST_LINE.replace("secverify,", ""), "('secverify' is missing)"),
        (FIRST_LINE.replace("secverify", "addlicense"), "('addlicense' is twice in it)"),
        (",".join([*HEADER[:-2], HEADER[-1], HEADER[-2]]), "(they are in another order)"),
        (FIRST_LINE + ",,notes", "('', 'notes' are not known)"),
    ],
)
def test_a_header_that_is_nearly_right_is_told_what_is_different(file: Path, header: str, words: str) -> None:
    assert f"must begin with the line {FIRST_LINE} {words}" in str(refusal(file, f"{header}\n192.0.2.7,a{NONE}\n"))


@pytest.mark.parametrize(
    "ip", ["1.92E+08", '"1,92E+08"', "3221225991", "192.02", '"192,02"', "10/01/2002", "2002-01-10", "#REF!"]
)
def test_an_address_that_a_spreadsheet_mangled_is_refused_as_such(file: Path, ip: str) -> None:
    assert refusal(file, lines(f"{ip},billing{NONE}")).problems == (
        f"line 2: {ip.strip(chr(34))!r} is what a spreadsheet made of an IP address, or of a formula. Format the column as text, and "
        "write the address anew, such as 192.0.2.7.",
    )


def test_an_apostrophe_before_an_address_is_named(file: Path) -> None:
    [problem] = refusal(file, lines(f"'192.0.2.7,billing{NONE}")).problems
    assert "begins with an apostrophe" in problem


@pytest.mark.parametrize("service", ["#REF!", "#NAME?", "#N/A", "#DIV/0!", "Err:508", "=A1", '"=CONCAT(A1,""-x"")"'])
def test_an_error_or_a_formula_is_no_service(file: Path, service: str) -> None:
    [problem] = refusal(file, lines(f"192.0.2.7,{service}{NONE}")).problems
    assert "instead of a service name" in problem


@pytest.mark.parametrize(
    ("written", "service"),
    [
        ("'=sum", "=sum"),
        ("'-x", "-x"),
        ("'@home", "@home"),
        ("'t Hart", "'t Hart"),
        ("#1", "#1"),
        ("-x", "-x"),
        ("007", "007"),
    ],
)
def test_an_apostrophe_that_keeps_a_name_from_being_a_formula_is_not_part_of_it(
    file: Path, written: str, service: str
) -> None:
    file.write_text(lines(f"192.0.2.7,{written}{NONE}"))
    assert read_assignments(file) == [Assignment("192.0.2.7", service, 0)]


def test_each_bad_line_is_told_by_its_number_among_empty_rows_quotes_and_line_breaks(file: Path) -> None:
    content = lines(
        f"192.0.2.1,fine{NONE}",
        "," * 10,
        f"192.0.2.2,bil\u200bling{NONE}",
        f'192.0.2.3,"a line\nbreak"{NONE}',
        f'192.0.2.4,"wrong"quote{NONE}',
        f"192.0.2.5,fine{NONE}",
        f"192.0.2.6,short{NONE[2:]}",
        f'192.0.2.7,"not closed{NONE}',
        f"192.0.2.8,fine{NONE}",
    )
    problems = refusal(file, content).problems
    assert [problem.partition(": ")[0] for problem in problems] == ["line 4", "line 5", "line 7", "line 9", "line 10"]
    for problem, words in zip(
        problems,
        [
            "U+200B (zero width space)",
            "ends in line 6 only: a value holds a line break",
            "it is not CSV",
            "has 10 values",
            "it is not CSV",
        ],
        strict=True,
    ):
        assert words in problem


def test_of_very_many_bad_lines_a_thousand_are_told_in_bounded_memory(file: Path) -> None:
    with file.open("w") as out:
        out.write(f"{FIRST_LINE}\n")
        out.writelines(f"not an address {n},billing{NONE}\n" for n in range(50_000))
    tracemalloc.start()
    try:
        with pytest.raises(ImportRefused) as refused:
            read_assignments(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.problems[0].startswith("line 2: ")
    assert refused.value.problems[MAX_PROBLEMS:] == ("… and 49,000 more",)
    assert peak < 5_000_000


def sparse(file: Path, begin: bytes, size: int) -> Path:
    """A file that begins with this and then holds NULs, which take no room on the disk."""
    file.write_bytes(begin)
    os.truncate(file, size)
    return file


def peak_of_refusal(file: Path, words: str) -> int:
    """Bytes that it takes to refuse a file with these words."""
    tracemalloc.start()
    try:
        with pytest.raises(ImportRefused, match=words):
            read_assignments(file)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_file_of_a_gigabyte_is_refused_unread(file: Path) -> None:
    sparse(file, lines(f"192.0.2.7,billing{ALL}").encode(), 1_000_000_000)
    assert peak_of_refusal(file, "it has 1,000,000,000 bytes; at most 256,000,000") < 2_000_000


def test_one_endless_line_is_refused_at_its_beginning(file: Path) -> None:
    file.write_bytes(FIRST_LINE.encode() + b"\n" + b"x" * 50_000_000)
    assert peak_of_refusal(file, f"line 2 has more than {MAX_LINE_LENGTH:,} characters") < 5_000_000


def test_binary_content_is_refused_at_its_beginning(file: Path) -> None:
    sparse(file, lines(f"192.0.2.7,billing{ALL}").encode(), 200_000_000)
    assert peak_of_refusal(file, "line 3 (holds a NUL character|has more than)") < 5_000_000


def test_a_pipe_that_does_not_end_is_read_only_up_to_the_limit(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_BYTES", 1_000_000)
    os.mkfifo(file)

    def write_for_ever() -> None:
        with file.open("wb", buffering=0) as pipe:
            pipe.write(f"{FIRST_LINE}\n".encode())
            try:
                for n in itertools.count():
                    pipe.write(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255},billing{NONE}\n".encode())
            except BrokenPipeError:
                return

    writer = threading.Thread(target=write_for_ever)
    writer.start()
    with pytest.raises(ImportRefused, match="it has more than 1,000,000 characters"):
        read_assignments(file)
    writer.join()


cells = st.one_of(
    st.sampled_from(
        ["192.0.2.7", "::1", "billing", "0", "1", "", '"', "sep=,", "'", "=", "\udcfc", "\0", "1.0", FIRST_LINE]
    ),
    st.text(max_size=20),
)
csv_lines = st.lists(st.lists(cells, max_size=13).map(",".join).map("{}\n".format), max_size=8)


@given(st.booleans(), csv_lines)
def test_whatever_a_file_holds_is_taken_or_refused_in_words(with_header: bool, rows: list[str]) -> None:
    given_lines = [f"{FIRST_LINE}\n"] * with_header + rows
    try:
        parsed = parse_key_lines(given_lines)
    except InvalidValue:
        return
    assert parsed.problem_count == len(parsed.problems)
    held = [row for row in rows if row.replace(",", "").strip()]
    assert len(parsed.assignments) + parsed.problem_count <= len(held)
    assert parse_key_lines([f"{FIRST_LINE}\n", *map(as_line, parsed.assignments)]).assignments == parsed.assignments


def as_line(key: Assignment) -> str:
    """An authkey as a spreadsheet quotes it, with the apostrophe that keeps a name from being a formula."""
    service = (
        f"'{key.service}" if key.service[:1] in "=+-@" or key.service[:2] in ("'=", "'+", "'-", "'@") else key.service
    )
    bits = ",".join("1" if key.privileges >> bit & 1 else "0" for bit in range(9))
    return '{},"{}",{}\n'.format(key.ip, service.replace('"', '""'), bits)
