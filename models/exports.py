"""What exports of the history and of the table look like: lines of JSON, and CSV that no spreadsheet runs."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from models.amendments import TextName
from models.authkeys import Authkey
from models.chain import Anchor, Record, Row
from models.privileges import PRIVILEGES, privileges_in
from models.secrets import IssuedKey
from models.spreadsheets import to_cell

ENTRY_COLUMNS = (
    "entry", "at", "who", "what", "how", "submission", "ip", "service", "change", "granted", "revoked", "address", "detail",
)  # fmt: skip
TABLE_COLUMNS = ("ip", "service", *(each.id for each in PRIVILEGES), *TextName)


class ExportFormat(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSONL = "jsonl"


def beginning(anchor: Anchor, *, whole: bool, query: str, exported_at: str) -> str:
    """The first line of an export in JSONL: what it holds, and what its chain begins after."""
    return json_line(
        {
            "history": {
                "after": anchor.number,
                "digest": anchor.digest,
                "whole": whole,
                "query": query,
                "at": exported_at,
            }
        }
    )


def entry_line(record: Record, previous: str, digest: str, who: str, approved_by: str = "") -> str:
    """An entry. Beside what is digested only who it was, and who approved it: a name may be erased."""
    approved = {"approved_by": approved_by} if approved_by else {}
    return json_line({"entry": {**record, "previous": previous}, "digest": digest, "who": who, **approved})


def modification_line(row: Row) -> str:
    """What was done to one row, below its submission's entry."""
    named = dict(zip(("row", "kind", "ip", "service", "before", "after", "texts"), row, strict=False))
    before, after = named["before"], named["after"]
    words = {"granted": _ids(int(after) & ~int(before)), "revoked": _ids(int(before) & ~int(after))}
    return json_line({"modification": {**named, **words}})


def entry_cells(record: Record, who: str, row: Row | None, approved_by: str = "") -> Sequence[object]:
    """An entry, or one modification of it, as a line of CSV."""
    part: Mapping[str, Any] = record["submission"] or {}
    done: Sequence[object] = ("",) * 5
    if row:
        _, kind, ip, service, before, after = row[:6]
        granted, revoked = int(after) & ~int(before), int(before) & ~int(after)
        done = (ip, service, kind, " ".join(_ids(granted)), " ".join(_ids(revoked)))
    return (
        record["number"], record["at"], who, record["kind"], part.get("source", ""), part.get("revision", ""), *done,
        record["address"], f"{record['detail']}, approved by {approved_by}" if approved_by else record["detail"],
    )  # fmt: skip


def key_cells(key: Authkey) -> Sequence[object]:
    """An authkey as a line of CSV: as `import` reads it."""
    boxes = (int(bool(key.privileges & each.mask)) for each in PRIVILEGES)
    return (key.ip, key.service, *boxes, key.owner, key.note)


def key_line(key: Authkey) -> str:
    """An authkey as a line of JSON."""
    texts = {"owner": key.owner, "note": key.note}
    return json_line({"ip": key.ip, "service": key.service, "privileges": _ids(key.privileges), **texts})


def csv_text(lines: Iterable[Sequence[object]]) -> str:
    """Lines of CSV (RFC 4180), whose texts no spreadsheet changes or runs."""
    text = io.StringIO()
    csv.writer(text).writerows([to_cell(cell) if isinstance(cell, str) else cell for cell in line] for line in lines)
    return text.getvalue()


def issued_text(keys: Iterable[IssuedKey]) -> str:
    """New keys as CSV, with their secrets."""
    return csv_text([("ip", "service", "secret"), *((each.ip, each.service, each.secret.text) for each in keys)])


def json_line(value: object) -> str:
    """One line of JSONL."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def _ids(mask: int) -> list[str]:
    return [each.id for each in privileges_in(mask)]
