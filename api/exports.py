"""Exports as downloads: of the history, of the table at any moment, and the program that checks them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse

from models import chain
from models.errors import AuthkeysError, DatabaseUnavailable, InvalidValue
from models.exports import ExportFormat
from models.history_views import parse_history_view
from models.views import parse_view
from services.console import Console
from services.sessions import session_of
from web.requests import address_of

_TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSONL: "application/x-ndjson"}


def exports_router(console: Console) -> APIRouter:
    """`POST /history/export` and `/export`, with `format` and a view's query; `GET /history/verifier.py`."""
    router = APIRouter()

    @router.post("/history/export")
    async def history(request: Request) -> Response:
        return await _download(
            request,
            "history",
            lambda kind: console.exports.of_history(
                parse_history_view(request.query_params), kind, session_of(request.scope).admin, address_of(request)
            ),
        )

    @router.post("/export")
    async def table(request: Request) -> Response:
        return await _download(
            request,
            "authkeys",
            lambda kind: console.exports.of_table(
                parse_view(request.query_params), kind, session_of(request.scope).admin, address_of(request)
            ),
        )

    @router.get("/history/verifier.py")
    async def verifier() -> Response:
        return FileResponse(Path(chain.__file__), media_type="text/x-python", filename="verify_history.py")

    return router


async def _download(
    request: Request, name: str, export: Callable[[ExportFormat], Awaitable[AsyncIterator[str]]]
) -> Response:
    try:
        kind = _format(request.query_params.get("format"))
        pieces = await export(kind)
    except DatabaseUnavailable as error:
        return PlainTextResponse(str(error), 503)
    except AuthkeysError as error:
        return PlainTextResponse(str(error), 400)
    file = f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    if kind is ExportFormat.CSV:
        pieces = _marked(pieces)
    return StreamingResponse(pieces, media_type=_TYPES[kind], headers=headers)


async def _marked(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """With the byte order mark by which spreadsheets see that it is UTF-8."""
    yield "\ufeff"
    async for piece in pieces:
        yield piece


def _format(text: str | None) -> ExportFormat:
    try:
        return ExportFormat(text or ExportFormat.CSV)
    except ValueError:
        raise InvalidValue(f"{text!r:.20} is no format of exports; known are {', '.join(ExportFormat)}.") from None
