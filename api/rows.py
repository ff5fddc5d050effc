"""The grids' blocks: rows of a view as JSON, fetched by the browser as it scrolls."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.reviewed import part_json
from models.errors import AuthkeysError, DatabaseUnavailable, InvalidValue
from models.history import timestamp
from models.history_views import SOURCE_NAMES, parse_history_view
from models.reviews import parse_folds
from models.selections import parse_selection
from models.views import Parse, parse_passphrase_view, parse_view
from services.console import Console
from services.history import History, Told
from services.listing import MAX_BLOCK, V
from services.selecting import text_of
from services.sessions import session_of
from services.staging import Staging
from web.requests import read_body

MAX_PLACES = 400
"""Rows that one request may ask the places of: the corners of a selection."""
_AN_ID = re.compile(r"-?[0-9]{1,18}")


def rows_router(console: Console) -> APIRouter:
    """`GET /grid/rows` (authkeys), `/grid/passphrases` and `/grid/history`: a view's query, `start` and `end`.

    The answer is `{"rows": [...], "total": n}`, with the rows as `models.grid_rows.overlay` makes them; the total is null where
    counting takes longer than reading the rows, and then `…/count` says it. Below
    a grid's path: `/places`, `/copy` and `/review`.
    """
    router = APIRouter()
    _add_grid(router, "/grid/rows", console.staging, parse_view)
    _add_grid(router, "/grid/passphrases", console.passphrase_staging, parse_passphrase_view)
    router.add_api_route("/grid/history", with_words(_history(console.history)), methods=["GET", "HEAD"])
    return router


Handler = Callable[[Request], Awaitable[Response]]


def _add_grid(router: APIRouter, path: str, staging: Staging[V], parse: Parse[V]) -> None:
    for at, handler, methods in (
        (path, _blocks(staging, parse), ["GET", "HEAD"]),
        (f"{path}/count", _count(staging, parse), ["GET", "HEAD"]),
        (f"{path}/places", _places(staging, parse), ["GET", "HEAD"]),
        (f"{path}/copy", _copy(staging, parse), ["POST"]),
        (f"{path}/review", _review(staging, parse), ["GET", "HEAD"]),
    ):
        router.add_api_route(at, with_words(handler), methods=methods)


def with_words(handler: Handler) -> Handler:
    """What went wrong, in the answer."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except DatabaseUnavailable as error:
            return json_answer({"error": str(error)}, 503)
        except AuthkeysError as error:
            return json_answer({"error": str(error)}, 400)

    return answered


def _places(staging: Staging[V], parse: Parse[V]) -> Handler:
    """Where rows stand in a view: `ids` with commas; the answer is `{"7": 120, "9": null}`."""

    async def places(request: Request) -> Response:
        admin = session_of(request.scope).admin
        view = parse(request.query_params)
        wanted = _ids(request.query_params.get("ids", ""))
        found = {str(id_): await staging.shown.place(view, admin.id, id_) for id_ in wanted}
        return json_answer(found)

    return places


def _copy(staging: Staging[V], parse: Parse[V]) -> Handler:
    """A selection as a text for the clipboard; the body is the selection as the page tells it."""

    async def copy(request: Request) -> Response:
        admin = session_of(request.scope).admin
        view = parse(request.query_params)
        selection = parse_selection(_json(await read_body(request)))
        text = await text_of(staging, admin.id, view, selection)
        return Response(
            text, media_type="text/tab-separated-values; charset=utf-8", headers={"Cache-Control": "no-store"}
        )

    return copy


def _review(staging: Staging[V], parse: Parse[V]) -> Handler:
    """A part of the admin's review: `search`, the groups that are `open` and `closed`, `start` and `end`."""

    async def part(request: Request) -> Response:
        admin, asked = session_of(request.scope).admin, request.query_params
        search = parse({"search": asked.get("search", "")}).search
        folds = parse_folds(asked.get("open", ""), asked.get("closed", ""))
        start, end = block_range(asked.get("start"), asked.get("end"))
        return json_answer(part_json(staging.subject, await staging.reviewed.part(admin.id, search, folds, start, end)))

    return part


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        raise InvalidValue("The selection is no JSON.") from None


def _ids(text: str) -> list[int]:
    ids = text.split(",")
    if len(ids) > MAX_PLACES or not all(_AN_ID.fullmatch(each) for each in ids):
        raise InvalidValue(f"ids must be at most {MAX_PLACES} numbers of rows, with commas.")
    return list(map(int, ids))


def _blocks(staging: Staging[V], parse: Parse[V]) -> Handler:
    async def block(request: Request) -> Response:
        admin = session_of(request.scope).admin
        view = parse(request.query_params)
        start, end = block_range(request.query_params.get("start"), request.query_params.get("end"))
        rows = await staging.shown.block(view, admin.id, start, end)
        total = await staging.shown.total(view, admin.id, start, end, len(rows))
        overlaid = await staging.overlaid(admin.id, rows) if view.is_live else staging.plain(rows)
        return json_answer({"rows": overlaid, "total": total})

    return block


def _count(staging: Staging[V], parse: Parse[V]) -> Handler:
    """How many rows a view has: `{"total": n}`."""

    async def count(request: Request) -> Response:
        view = parse(request.query_params)
        return json_answer({"total": await staging.shown.count(view, session_of(request.scope).admin.id)})

    return count


def _history(history: History) -> Handler:
    async def block(request: Request) -> Response:
        view = parse_history_view(request.query_params)
        start, end = block_range(request.query_params.get("start"), request.query_params.get("end"))
        told = await history.block(view, start, end)
        total = await history.count(view)
        return json_answer({"rows": [_line(each) for each in told], "total": total})

    return block


def _line(told: Told) -> dict[str, Any]:
    """An entry as its grid shows it."""
    entry = told.entry
    how = SOURCE_NAMES.get(entry.submission.source, entry.submission.source) if entry.submission else ""
    return {
        "id": entry.number,
        "number": f"{entry.number:,}",
        "at": timestamp(entry.at),
        "who": entry.name or "–",
        "what": told.sentence,
        "from": " · ".join(filter(None, (how, entry.address))),
    }


def block_range(start: str | None, end: str | None) -> tuple[int, int]:
    """The positions that a browser asks for. Raises InvalidValue for what are none, or too many."""
    try:
        first, last = int(start or 0), int(end or MAX_BLOCK)
    except ValueError:
        raise InvalidValue("start and end must be whole numbers.") from None
    if not 0 <= first <= last < 2**31 or last - first > MAX_BLOCK:
        raise InvalidValue(f"A block has at most {MAX_BLOCK} rows, from start to end.")
    return first, last


def json_answer(content: dict[str, Any], status: int = 200) -> JSONResponse:
    """An answer that nobody keeps."""
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})
