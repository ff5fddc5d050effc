"""Import: a CSV file of authkeys becomes one submission, all or nothing."""

import asyncio
import io
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.accounts import AdminIdentity
from models.amendments import SecretOutcome, decide_secret
from models.errors import ImportRefused, InvalidValue
from models.key_lines import HEADER, MAX_LINE_LENGTH, MAX_PROBLEMS, Parsed, parse_key_lines
from models.submissions import Assignment, Source
from models.wording import several
from services.submissions import Order, Progress, Receipt, Submissions
from storage import authkeys, secrets

__all__ = ["HEADER", "MAX_BYTES", "MAX_PROBLEMS", "import_file", "read_assignments", "read_lines"]

MAX_BYTES = 256_000_000
"""Of a file: some four million keys. What is larger is taken for a mistake before it fills the memory."""

_ZIP = b"PK\x03\x04"
_WORKBOOKS = {".xlsx": "an Excel workbook", ".xlsm": "an Excel workbook", ".ods": "an OpenDocument spreadsheet"}
# How files begin that are often given instead of a CSV file.
_OTHER_KINDS = {
    b"\xff\xfe": 'UTF-16 text, such as Excel\'s "Unicode Text"',
    b"\xfe\xff": 'UTF-16 text, such as Excel\'s "Unicode Text"',
    _ZIP: "a spreadsheet's own file (.xlsx or .ods) or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet's own file (.xls)",
    b"\x1f\x8b": "compressed with gzip",
    b"%PDF": "a PDF document",
}


async def import_file(
    path: Path, admin: AdminIdentity, submissions: Submissions, on_progress: Progress | None = None
) -> Receipt:
    """Submit a CSV file that is on the server: authkeys that do not exist are added, the others get exactly the privileges of their line.

    Raises ImportRefused with every bad line, and then nothing is changed.
    """
    assignments = await asyncio.to_thread(read_assignments, path)
    await _check_secrets(path, assignments)
    order = Order(uuid.uuid4(), admin, Source.IMPORT, assignments, by_operator=True)
    return await submissions.submit(order, on_progress=on_progress)


async def _check_secrets(path: Path, assignments: Sequence[Assignment]) -> None:
    """Raise ImportRefused, with all of them, for secrets that their keys cannot have: nothing is reissued by a file."""
    wanted = [(each, each.secret.digest) for each in assignments if each.secret]
    owners = await secrets.owners([digest for _, digest in wanted])
    ids = await authkeys.named((each.ip, each.service) for each, _ in wanted)
    rows = await authkeys.find(ids.values())
    problems = []
    for each, digest in wanted:
        row, owner = rows.get(ids.get((each.ip, each.service), 0)), owners.get(digest)
        match decide_secret(row, owner):
            case SecretOutcome.TAKEN if owner:
                problems.append(f"{each.ip} ({each.service}): its secret cannot be taken over, {owner.said}.")
            case SecretOutcome.KEYED:
                problems.append(f"{each.ip} ({each.service}) has another key already.")
    if problems:
        raise ImportRefused(
            f"{path} has {several(len(problems), 'secret')} that cannot be taken over. Nothing was imported.",
            (*problems[:MAX_PROBLEMS], *_untold(len(problems) - MAX_PROBLEMS)),
        )


def read_lines(path: Path, name: str = "") -> Parsed:
    """The lines of a CSV file with the header `ip,service,` and the nine privilege ids; privileges are 0 or 1.

    Raises ImportRefused if the file, called `name`, cannot be read, or is none. Reads no more than `MAX_BYTES`, and no more of a
    bad file than up to where it cannot be one.
    """
    try:
        with path.open("rb") as file:
            _check_kind(file, name or path.name)
            return parse_key_lines(_lines(file))
    except OSError as error:
        raise ImportRefused(
            f"{name or path} cannot be read: {error.strerror or error}. Nothing was imported.", ()
        ) from error
    except InvalidValue as error:
        raise ImportRefused(
            f"{name or path} cannot be imported: {str(error).rstrip('.')}. Nothing was imported.", ()
        ) from error


def read_assignments(path: Path) -> list[Assignment]:
    """The authkeys in a CSV file, as `read_lines` reads it. Raises ImportRefused like that, and if there are bad lines."""
    parsed = read_lines(path)
    if parsed.problem_count:
        count = "1 bad line" if parsed.problem_count == 1 else f"{parsed.problem_count:,} bad lines"
        more = _untold(parsed.problem_count - len(parsed.problems))
        raise ImportRefused(f"{path} has {count}. Nothing was imported.", (*parsed.problems, *more))
    return parsed.assignments


def _untold(count: int) -> list[str]:
    return [f"… and {count:,} more"] if count > 0 else []


def _check_kind(file: io.BufferedReader, name: str) -> None:
    begin = file.peek(4)[:4]
    kind = next((kind for mark, kind in _OTHER_KINDS.items() if begin.startswith(mark)), None)
    if begin == _ZIP:
        kind = _WORKBOOKS.get(Path(name).suffix.lower(), kind)
    if kind:
        raise InvalidValue(f'it is {kind}, not CSV. Save the table as "CSV UTF-8", with commas, and import that file')
    size = os.fstat(file.fileno()).st_size  # 0 for a pipe, whose characters are counted as they come
    if size > MAX_BYTES:
        raise InvalidValue(f"it has {size:,} bytes; at most {MAX_BYTES:,} are read. Import it in several files")


def _lines(file: io.BufferedReader) -> Iterator[str]:
    """The lines of a file, none of them longer than the first character that is too many."""
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        left = MAX_BYTES
        while line := text.readline(MAX_LINE_LENGTH + 1):
            left -= len(line)
            if left < 0:
                raise InvalidValue(f"it has more than {MAX_BYTES:,} characters. Import it in several files")
            yield line
