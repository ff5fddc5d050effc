"""Import: a CSV file of authkeys becomes one submission, all or nothing."""

import csv
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from models.accounts import AdminIdentity
from models.addresses import canonical_ip
from models.authkeys import canonical_service
from models.errors import ImportRefused, InvalidValue
from models.privileges import PRIVILEGES
from models.submissions import Assignment, Source
from services.submissions import Order, Progress, Receipt, Submissions

HEADER = ("ip", "service", *(privilege.id for privilege in PRIVILEGES))
MAX_PROBLEMS = 100
"""Bad lines that are told one by one; the rest is counted."""


class _Line(NamedTuple):
    number: int
    cells: list[str]


async def import_file(
    path: Path, admin: AdminIdentity, submissions: Submissions, on_progress: Progress | None = None
) -> Receipt:
    """Submit a CSV file: authkeys that do not exist are added, the others get exactly the privileges of their line.

    Raises ImportRefused with every bad line, and then nothing is changed.
    """
    assignments = read_assignments(path)
    order = Order(uuid.uuid4(), admin, Source.IMPORT, assignments)
    return await submissions.submit(order, on_progress=on_progress)


def read_assignments(path: Path) -> list[Assignment]:
    """The lines of a CSV file with the header `ip,service,` and the nine privilege ids; privileges are 0 or 1.

    Raises ImportRefused if the file cannot be read or has bad lines.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _check(path, _lines(file))
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror or error}. Nothing was imported.", ()) from error
    except UnicodeDecodeError as error:
        raise ImportRefused(
            f"{path} is not UTF-8 text (byte {error.start} is wrong). Save it as UTF-8. Nothing was imported.", ()
        ) from error
    except csv.Error as error:
        raise ImportRefused(f"{path} is not a CSV file: {error}. Nothing was imported.", ()) from error


def _lines(file: Iterable[str]) -> Iterator[_Line]:
    reader = csv.reader(file)
    return (_Line(reader.line_num, cells) for cells in reader if cells)


def _check(path: Path, lines: Iterator[_Line]) -> list[Assignment]:
    header = next(lines, _Line(1, []))
    if tuple(cell.strip() for cell in header.cells) != HEADER:
        raise ImportRefused(f"{path} must begin with the line {','.join(HEADER)}. Nothing was imported.", ())
    assignments: list[Assignment] = []
    problems: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for line in lines:
        try:
            assignment = _assignment(line.cells)
            first = seen.setdefault((assignment.ip, assignment.service), line.number)
            if first != line.number:
                raise InvalidValue(
                    f"{line.cells[0]!r}, {assignment.service!r} is the same authkey as in line {first}; keep one of them."
                )
            assignments.append(assignment)
        except InvalidValue as problem:
            problems.append(f"line {line.number}: {problem}")
    if problems:
        count = "1 bad line" if len(problems) == 1 else f"{len(problems):,} bad lines"
        more = [f"… and {len(problems) - MAX_PROBLEMS:,} more"] if len(problems) > MAX_PROBLEMS else []
        raise ImportRefused(f"{path} has {count}. Nothing was imported.", (*problems[:MAX_PROBLEMS], *more))
    return assignments


def _assignment(cells: list[str]) -> Assignment:
    if len(cells) != len(HEADER):
        raise InvalidValue(f"{','.join(cells)!r:.80} has {len(cells)} values instead of {len(HEADER)}.")
    privileges = 0
    ip, service = canonical_ip(cells[0]), canonical_service(cells[1])
    for privilege, cell in zip(PRIVILEGES, cells[2:], strict=True):
        if cell.strip() not in ("0", "1"):
            raise InvalidValue(f"{cell!r:.40} for {privilege.id} is neither 0 nor 1.")
        privileges |= privilege.mask * int(cell)
    return Assignment(ip, service, privileges)
