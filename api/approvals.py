"""The lines of what waits for approval, fetched by the browser as it scrolls, as those of the own review are."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.reviewed import part_json
from api.rows import block_range, json_answer, with_words
from models.authkeys import name_in_address
from models.errors import RowNotFound
from models.reviews import parse_folds
from models.subjects import Subject
from models.views import parse_view
from services.console import Console


def approvals_router(console: Console) -> APIRouter:
    """`GET /grid/approvals/NUMBER/review`, as `/grid/rows/review`; nothing of it can be changed, so each line is `fixed`."""
    router = APIRouter()

    async def part(request: Request) -> Response:
        number, asked = request.path_params["number"], request.query_params
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise RowNotFound(f"There is no approval {number!r:.40}.")
        approval = await console.approvals.find(int(number))
        search = parse_view({"search": asked.get("search", "")}).search
        folds = parse_folds(asked.get("open", ""), asked.get("closed", ""))
        start, end = block_range(asked.get("start"), asked.get("end"))
        found = await console.approvals.plans.part(approval, search, folds, start, end)
        return json_answer(_fixed(approval.subject, part_json(approval.subject, found)))

    router.add_api_route("/grid/approvals/{number}/review", with_words(part), methods=["GET", "HEAD"])
    return router


def _fixed(subject: Subject, answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "lines": [line if "title" in line else _fixed_line(subject, line) for line in answer["lines"]]}


def _fixed_line(subject: Subject, line: dict[str, Any]) -> dict[str, Any]:
    """With where its row is shown, below the root path; a row that is not there yet is shown nowhere."""
    if subject is Subject.PASSPHRASE:
        link = f"/passphrases?phrase={line['id']}"
    else:
        link = f"/?{urlencode({'key': name_in_address(line['ip'], line['service'])}, safe=',/:')}"
    return {**line, "fixed": True, "link": link if line["id"] > 0 else ""}
