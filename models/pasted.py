"""What was pasted: a block of boxes, or rows of IP, service and privileges, as spreadsheets put them on the clipboard.

Other than a file, whose every line decides what a key may do (`key_lines`), it is read as people mean it, because what it comes to
is shown before it is staged; what has no clear meaning is said, and left alone.
"""

import csv
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models.addresses import canonical_ip
from models.amendments import TextName
from models.errors import InvalidValue
from models.key_lines import SECRETS, BadLines, ip_of_cell, service_of_cell, text_of_cell
from models.privileges import PRIVILEGES, Privilege
from models.staging_plans import WantedRow
from models.texts import search_key, trim_unseen

MAX_LINES = 100_000

# fmt: off
_YES = frozenset((
    "1", "true", "wahr", "vrai", "verdadero", "vero", "waar", "sant",
    "x", "yes", "y", "ja", "oui", "si", "sí", "✓", "✔", "☑", "✅", "on", "granted",
))
_NO = frozenset((
    "0", "false", "falsch", "faux", "falso", "onwaar", "falskt",
    "no", "n", "nein", "non", "nee", "nej", "✗", "✘", "☐", "❌", "off", "-",
))
# fmt: on
_COLUMNS: Mapping[str, Privilege | TextName] = {
    **{name: each for each in PRIVILEGES for name in (each.id, search_key(each.label))},
    **{name.value: name for name in TextName},
}
_REMOVE = ("remove", "remove?")
_NAMES = ("ip", "service")


class Pasted(NamedTuple):
    """A text as cells, line by line. An empty line stands for a row without values: it keeps its place."""

    lines: Sequence[tuple[int, Sequence[str]]]
    """Each with its number, from 1"""

    @property
    def is_single(self) -> bool:
        """Whether it is one value."""
        return len(self.lines) == 1 and len(self.lines[0][1]) == 1

    @property
    def heading(self) -> list[str]:
        """The first line that holds anything, as headings are compared."""
        first: Sequence[str] = next((cells for _, cells in self.lines if any(cells)), ())
        return [search_key(trim_unseen(each)) for each in first]

    @property
    def has_names(self) -> bool:
        """Whether its lines say by IP and service which keys they mean; a heading may have these in any place."""
        first = self.heading
        return {"ip", "service"} <= set(first) or (len(first) > 1 and _is_ip(first[0]))

    @property
    def without_heading(self) -> "Pasted":
        """Its lines, but for a heading of boxes as a copy from the grid has it.

        Raises InvalidValue if that names keys by half.
        """
        first = self.heading
        if not first or not all(each in _COLUMNS or each in _REMOVE or each in _NAMES for each in first):
            return self
        if missing := next((name for name in _NAMES if name not in first and not {*first}.isdisjoint(_NAMES)), None):
            raise InvalidValue(f"What was pasted has no column {missing}: a key is known by its IP and its service.")
        at = next(at for at, (_, cells) in enumerate(self.lines) if any(cells))
        return Pasted(self.lines[at + 1 :])


Column = Privilege | TextName | None
"""None is "Remove?", as a copied row has it"""


class ReadLines(NamedTuple):
    """What lines want, and what is wrong with those that cannot be read."""

    rows: list[WantedRow]
    problems: list[str]
    problem_count: int
    empty_cells: int
    """Cells without content: what they stand for is left as it is"""


def read_cells(text: str) -> Pasted:
    """The cells of a pasted text. Raises InvalidValue if there is nothing in it, or far too much."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    if not text.strip():
        raise InvalidValue("What was pasted is empty.")
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise InvalidValue(f"{len(lines):,} lines were pasted; at most {MAX_LINES:,} are read. Import them as a file.")
    separator = "\t" if "\t" in text else "," if lines[0].count(",") >= 1 else "\t"
    reader = csv.reader(lines, delimiter=separator)
    found, last = [], 0
    try:
        for cells in reader:  # one may go over several lines of the text
            found.append((last + 1, cells))
            last = reader.line_num
    except csv.Error as error:
        raise InvalidValue(f"What was pasted is no table: {error}.") from None
    return Pasted(found)


def read_value(cell: str) -> bool | None:
    """Whether a cell says yes or no; None if it is empty. Raises InvalidValue for anything else."""
    text = search_key(trim_unseen(cell))
    if not text:
        return None
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise InvalidValue(f"{cell.strip()!r:.40} is neither yes nor no; write 1 or 0, TRUE or FALSE, x or nothing.")


def read_named(pasted: Pasted) -> ReadLines:
    """Lines of IP, service and privileges: without a heading in the order of the grid as nobody has arranged it.

    Raises InvalidValue for a heading with a column that is not known.
    """
    heading = pasted.heading
    has_heading = not _is_ip(heading[0])
    ip_at, service_at = map(heading.index, _NAMES) if has_heading else (0, 1)
    columns: list[Column] = _columns(_without(heading, ip_at, service_at)) if has_heading else list(PRIVILEGES)
    reader = _Reader()
    seen: dict[tuple[str, str], int] = {}
    filled = [(number, cells) for number, cells in pasted.lines if any(cell.strip() for cell in cells)]
    for number, cells in filled[has_heading:]:
        try:
            if len(cells) <= max(ip_at, service_at):
                raise InvalidValue("an IP and a service are needed.")
            ip, service = ip_of_cell(cells[ip_at]), service_of_cell(cells[service_at])
            if (twice := seen.setdefault((ip, service), number)) != number:
                raise InvalidValue(f"{ip}, {service!r} stands in line {twice} already.")
            values = _without(cells, ip_at, service_at)
            grants, revocations = reader.boxes(columns, values)
            texts = tuple(
                (name, text_of_cell(name, cell))
                for name, cell in zip(columns, values, strict=False)
                if isinstance(name, TextName)
            )
            reader.rows.append(WantedRow(number, ip, service, grants, revocations, texts=texts))
        except InvalidValue as problem:
            reader.bad.add(number, problem)
    return reader.done()


def read_block(pasted: Pasted, rows: Sequence[tuple[int, str, str]], columns: Sequence[Privilege]) -> ReadLines:
    """A block of boxes laid onto rows (id, IP, service) and columns, from their first ones on."""
    reader = _Reader()
    for place, (number, cells) in enumerate(pasted.lines):
        try:
            if place >= len(rows):
                raise InvalidValue("there is no row for it: the view ends above.")
            grants, revocations = reader.boxes(columns, cells or [""])
            id_, ip, service = rows[place]
            reader.rows.append(WantedRow(number, ip, service, grants, revocations, id_))
        except InvalidValue as problem:
            reader.bad.add(number, problem)
    return reader.done()


class _Reader:
    """Gathers rows and problems."""

    def __init__(self) -> None:
        self.rows: list[WantedRow] = []
        self.bad = BadLines()
        self._empty = 0

    def boxes(self, columns: Sequence[Column], cells: Sequence[str]) -> tuple[int, int]:
        """What these cells say of boxes."""
        grants = revocations = 0
        if any(cell.strip() for cell in cells[len(columns) :]):
            raise InvalidValue("it has more values than there are columns of boxes beside it.")
        for privilege, cell in zip(columns, cells, strict=False):
            if isinstance(privilege, TextName):
                continue
            value = read_value(cell)
            if privilege is None:
                if value:
                    raise InvalidValue("it is marked for removal, and a paste removes nothing: mark it in the grid.")
                continue
            self._empty += value is None
            grants |= privilege.mask if value else 0
            revocations |= privilege.mask if value is False else 0
        return grants, revocations

    def done(self) -> ReadLines:
        return ReadLines(self.rows, self.bad.told, self.bad.count, self._empty)


def _without(cells: Sequence[str], *places: int) -> list[str]:
    return [cell for place, cell in enumerate(cells) if place not in places]


def _columns(headings: Sequence[str]) -> list[Column]:
    while headings and not headings[-1]:
        headings = headings[:-1]
    unknown = [each for each in headings if each not in _COLUMNS and each not in _REMOVE]
    if unknown and unknown[0] in SECRETS:
        raise InvalidValue("Secrets are not pasted: save the table as CSV and import that file.")
    if unknown:
        known = ", ".join(each.id for each in PRIVILEGES)
        raise InvalidValue(f"The heading {unknown[0]!r:.40} is not a privilege; known are {known}.")
    found = [_COLUMNS.get(each) for each in headings]
    if len(set(found)) < len(found):
        raise InvalidValue("One privilege stands twice in the heading.")
    return found


def _is_ip(text: str) -> bool:
    try:
        canonical_ip(text)
    except InvalidValue:
        return False
    return True
