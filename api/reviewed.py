"""The lines of a review as JSON, fetched by the browser as it scrolls."""

from typing import Any

from models.amendments import TextName
from models.decisions import Decision
from models.privileges import Privilege
from models.reviews import TITLES, Heading
from models.subjects import Subject
from models.wording import consequences
from services.reviewed import ReviewedRow, ReviewPart

_KINDS = {"+": "grant", "−": "revoke"}


def part_json(subject: Subject, part: ReviewPart) -> dict[str, Any]:
    """`{"lines": [...], "total": n, "rows": m}`: n headings and rows can be asked for, m rows match in open and closed groups."""
    lines = [_heading(each) if isinstance(each, Heading) else _row(subject, each) for each in part.lines]
    return {"lines": lines, "total": part.length, "rows": part.row_count}


def _heading(heading: Heading) -> dict[str, Any]:
    return {
        "key": heading.group.value,
        "title": TITLES[heading.group],
        "count": heading.row_count,
        "open": heading.is_open,
    }


def _row(subject: Subject, row: ReviewedRow) -> dict[str, Any]:
    return {
        "key": str(row.position.row_id),
        "id": row.position.row_id,
        "number": row.position.number,
        "count": row.position.row_count,
        "ip": row.ip,
        "service": row.service,
        "decision": row.decision and _decision(row.decision),
        "changes": [
            {"mark": each.mark, "kind": each.kind, "text": each.text, "column": _column(each.part)}
            for each in consequences(subject, row.entry)
        ],
    }


def _column(part: Privilege | TextName | None) -> str | None:
    return part.id if isinstance(part, Privilege) else part


def _decision(told: Decision) -> dict[str, Any]:
    return {
        "head": told.head,
        "at": told.at.isoformat() if told.at else None,
        "rest": told.rest,
        "summary": told.summary,
        "effects": [{"mark": each.mark, "kind": _KINDS.get(each.mark, ""), "text": each.text} for each in told.effects],
        "confirmation": told.confirmation,
    }
