"""A list of authkeys as CSV: what its lines may hold, and what is wrong with those that cannot be taken.

Exact on purpose: a line decides what a key may do. What spreadsheets leave behind without a meaning is overlooked (rows and
columns without content, upper case and spaces in headings, a byte order mark); what has one is never guessed. TRUE is
refused, too: spreadsheets write it in their user's language (WAHR, VRAI, VERDADERO).
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from models.addresses import canonical_ip
from models.amendments import TextName, canonical_owner_or_note
from models.authkeys import canonical_service
from models.errors import InvalidValue
from models.privileges import PRIVILEGES
from models.secrets import known_digest, known_secret
from models.spreadsheets import from_cell
from models.submissions import Assignment

HEADER = ("ip", "service", *(privilege.id for privilege in PRIVILEGES))
TEXTS = tuple(name.value for name in TextName)
SECRETS = {"secret": known_secret, "sha256": known_digest}
"""Columns with secrets that are in use elsewhere, as they are or as digests, and how they are read"""
MORE = (*TEXTS, *SECRETS)
"""Columns that may follow: what is not in a file stays as it is"""
MAX_LINE_LENGTH = 100_000
"""Characters. A spreadsheet can leave 16,384 empty columns behind; a line of ours has some 200."""
MAX_PROBLEMS = 1_000
"""Bad lines that are told one by one; the rest is counted."""

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SEPARATOR_HINT = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_AS_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?(e[+-]?\d+)?", re.IGNORECASE)
_AS_DATE = re.compile(r"\d{1,4}[/-]\d{1,2}[/-]\d{1,4}")
_FORMULA_ERROR = re.compile(r"#(REF!|NAME\?|VALUE!|DIV/0!|N/A|NULL!|NUM!|SPILL!|CALC!|FIELD!|BUSY!|ERROR!)|Err:\d{3}")
_CSV_SAVE = 'Save the table as "CSV UTF-8 (comma delimited)", or in LibreOffice as CSV with UTF-8 and commas.'


class Parsed(NamedTuple):
    """What a list comes to. With problems none of it may be imported."""

    assignments: list[Assignment]
    problems: list[str]
    """One sentence for each bad line, at most `MAX_PROBLEMS`"""
    problem_count: int
    numbers: list[int]
    """Of the line of each assignment"""


class BadLines:
    """What is wrong with the bad lines of a list: each is counted, and the first are told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        """One sentence for each, at most `MAX_PROBLEMS`"""
        self.count = 0

    def add(self, number: int, problem: InvalidValue) -> None:
        """One more."""
        self.count += 1
        if len(self.told) < MAX_PROBLEMS:
            self.told.append(f"line {number}: {problem}")


class _Line(NamedTuple):
    number: int
    """Of the line, as an editor shows it"""
    cells: list[str]
    problem: str = ""
    """Why it is no row at all"""


def parse_key_lines(lines: Iterable[str]) -> Parsed:
    """The authkeys in the lines of a CSV file, with their line ends, or what is wrong with each bad line.

    Raises InvalidValue if it is no such file at all: another header or separator, a line that is too long, a quotation
    that does not end, a NUL, or a byte that was no UTF-8 (as `errors="surrogateescape"` leaves it).
    """
    rows = _rows(lines)
    more = _read_header(next(rows, None))
    assignments: list[Assignment] = []
    numbers: list[int] = []
    bad = BadLines()
    seen: dict[tuple[str, str], int] = {}
    secrets: dict[str, int] = {}
    for row in rows:
        try:
            assignment = _assignment(row, more)
            first = seen.setdefault((assignment.ip, assignment.service), row.number)
            if first != row.number:
                raise InvalidValue(
                    f"{row.cells[0]!r:.80}, {assignment.service!r} is the same authkey as in line {first}; "
                    "keep one of them."
                )
            secret = assignment.secret
            if secret and (first := secrets.setdefault(secret.digest, row.number)) != row.number:
                raise InvalidValue(f"its secret stands in line {first} already; each authkey has its own.")
            assignments.append(assignment)
            numbers.append(row.number)
        except InvalidValue as problem:
            bad.add(row.number, problem)
    return Parsed(assignments, bad.told, bad.count, numbers)


def _rows(lines: Iterable[str]) -> Iterator[_Line]:
    """The rows that hold something."""
    reader = csv.reader(_checked(lines), strict=True)
    last = 0
    while True:
        problem = ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = []
            problem = f'it is not CSV ({error}). A " may only stand around a whole value, and twice within one.'
        number, last = last + 1, reader.line_num
        if cells and number != last:
            problem = f"its row ends in line {last} only: a value holds a line break, or a quotation is not closed."
        if problem or any(cell.strip() for cell in cells):
            yield _Line(number, cells, problem)


def _checked(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE_LENGTH:
            raise InvalidValue(f"line {number} has more than {MAX_LINE_LENGTH:,} characters; it is no list of keys.")
        if "\0" in line:
            raise InvalidValue(f"line {number} holds a NUL character: it is UTF-16 or no text. {_CSV_SAVE}")
        if not line.isascii() and (wrong := next((each for each in line if "\udc80" <= each <= "\udcff"), None)):
            byte = ord(wrong) - 0xDC00
            raise InvalidValue(
                f"line {number} is not UTF-8 text: byte 0x{byte:02X}, "
                f"{bytes([byte]).decode('cp1252', 'replace')!r} in Windows-1252. {_CSV_SAVE}"
            )
        if number == 1 and (hint := _SEPARATOR_HINT.fullmatch(line)):
            _refuse_separator(hint[1])
            yield "\n"  # Excel's own line, which says no more than that commas separate
            continue
        yield line


def _read_header(row: _Line | None) -> Sequence[str]:
    """The columns that follow those that must be there. Raises InvalidValue."""
    if row and row.problem:
        raise InvalidValue(f"line {row.number}: {row.problem}")
    given = [cell.strip().strip("\ufeff").strip().lower() for cell in row.cells] if row else []
    given = _without_empty(given, len(HEADER))
    more = given[len(HEADER) :]
    if tuple(given[: len(HEADER)]) == HEADER and set(more) <= set(MORE) and len(set(more)) == len(more):
        if len(set(more) & set(SECRETS)) > 1:
            raise InvalidValue("it has the columns secret and sha256; keep one of them.")
        return more
    if len(given) == 1:
        separator = next((each for each in _SEPARATORS if given[0].count(each) >= len(HEADER) - 1), None)
        if separator:
            _refuse_separator(separator)
    raise InvalidValue(f"it must begin with the line {','.join(HEADER)}{_difference(given)}")


def _without_empty(cells: Sequence[str], count: int) -> list[str]:
    """Cells without the empty ones behind, but so many at least."""
    kept = list(cells)
    while len(kept) > count and not kept[-1].strip():
        kept.pop()
    return kept


def _refuse_separator(found: str) -> None:
    if found != ",":
        raise InvalidValue(
            f"its values are separated by {_SEPARATORS.get(found, repr(found))}, not by commas. {_CSV_SAVE}"
        )


def _difference(given: list[str]) -> str:
    """What is different in a header that names some of the columns; nothing if it names none."""
    if not set(given) & set(HEADER):
        return ""
    twice = [name for name in (*HEADER, *MORE) if given.count(name) > 1]
    missing = [name for name in HEADER if name not in given]
    unknown = [name for name in given if name not in (*HEADER, *MORE)]
    for names, what in ((twice, "twice in it"), (missing, "missing"), (unknown, "not known")):
        if names:
            shown = ", ".join(f"{name!r:.40}" for name in names[:20])
            return f" ({shown} {'is' if len(names) == 1 else 'are'} {what})"
    return " (they are in another order)"


def _assignment(row: _Line, more: Sequence[str]) -> Assignment:
    count = len(HEADER) + len(more)
    cells = _without_empty(row.cells, count)
    if row.problem:
        raise InvalidValue(row.problem)
    if len(cells) != count:
        named = ",".join(cells[: len(HEADER)])  # a secret is never said
        raise InvalidValue(f"{named!r:.80} has {len(cells)} values instead of {count}.")
    ip, service = ip_of_cell(cells[0]), service_of_cell(cells[1])
    privileges = 0
    for privilege, cell in zip(PRIVILEGES, cells[2 : len(HEADER)], strict=True):
        if cell.strip() not in ("0", "1"):
            raise InvalidValue(
                f"{cell!r:.40} for {privilege.id} is neither 0 nor 1; write 1 for granted, 0 for not granted."
            )
        privileges |= privilege.mask * int(cell)
    if not more:
        return Assignment(ip, service, privileges)
    values = dict(zip(more, cells[len(HEADER) :], strict=True))
    secrets = [read(cell) for name, read in SECRETS.items() if (cell := values.get(name, "").strip())]
    texts = tuple((name, text_of_cell(name, values[name])) for name in TextName if name in values)
    return Assignment(ip, service, privileges, secrets[0] if secrets else None, texts)


def text_of_cell(name: TextName, cell: str) -> str:
    """An owner or a note in a cell of a spreadsheet. Raises InvalidValue."""
    text = cell.strip()
    return canonical_owner_or_note(name, from_cell(text))


def ip_of_cell(cell: str) -> str:
    """The address in a cell of a spreadsheet. Raises InvalidValue, also for what a spreadsheet made of an address."""
    try:
        return canonical_ip(cell)
    except InvalidValue:
        text = cell.strip()
        if text.startswith("'"):
            raise InvalidValue(
                f"{text!r:.80} begins with an apostrophe, as spreadsheets mark text; remove it."
            ) from None
        if _AS_NUMBER.fullmatch(text) or _AS_DATE.fullmatch(text) or _FORMULA_ERROR.fullmatch(text):
            raise InvalidValue(
                f"{text!r:.80} is what a spreadsheet made of an IP address, or of a formula. Format the column as text, "
                "and write the address anew, such as 192.0.2.7."
            ) from None
        raise


def service_of_cell(cell: str) -> str:
    """The service in a cell of a spreadsheet, without the apostrophe with which exports keep it as it is."""
    text = cell.strip()
    if text[:1] not in ("#", "E", "=", "'"):
        return canonical_service(text)
    if _FORMULA_ERROR.fullmatch(text):
        raise InvalidValue(f"{text!r:.80} is a spreadsheet's error message instead of a service name.")
    if text.startswith("="):
        raise InvalidValue(
            f"{text!r:.80} is a formula instead of a service name. If it is the name, write an apostrophe before it."
        )
    return canonical_service(from_cell(text))
