"""The grid's blocks: rows of a view as JSON, fetched by the browser as it scrolls."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from models.errors import DatabaseUnavailable, InvalidValue
from models.grid_rows import overlay
from models.views import parse_view
from services.authkeys import MAX_BLOCK
from services.console import Console
from services.sessions import session_of
from services.staging import others


def rows_router(console: Console) -> APIRouter:
    """`GET /grid/rows`: a view's query (`models.views`), `start` and `end`; answers `{"rows": [...], "total": n}`."""
    router = APIRouter()

    @router.api_route("/grid/rows", methods=["GET", "HEAD"])
    async def rows(request: Request) -> JSONResponse:
        admin = session_of(request.scope).admin
        try:
            view = parse_view(request.query_params)
            start, end = _range(request.query_params.get("start"), request.query_params.get("end"))
            total = await console.authkeys.count(view, admin.id)
            block = await console.authkeys.block(view, admin.id, start, end)
            unused = await console.uses.unused_marks(block)
            who = await console.staging.who_staged(row.id for row in block)
            staged = await console.staging.of(admin.id)
            step = console.staging.step(admin.id)
        except InvalidValue as error:
            return _answer({"error": str(error)}, 400)
        except DatabaseUnavailable as error:
            return _answer({"error": str(error)}, 503)
        return _answer(
            {
                "rows": [
                    overlay(row, staged[row.id], others(who, row.id, admin.id), unused.get(row.id, 0), step)
                    for row in block
                ],
                "total": total,
            }
        )

    return router


def _range(start: str | None, end: str | None) -> tuple[int, int]:
    try:
        first, last = int(start or 0), int(end or MAX_BLOCK)
    except ValueError:
        raise InvalidValue("start and end must be whole numbers.") from None
    if not 0 <= first <= last < 2**31 or last - first > MAX_BLOCK:
        raise InvalidValue(f"A block has at most {MAX_BLOCK} rows, from start to end.")
    return first, last


def _answer(content: dict[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})
