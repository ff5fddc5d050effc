"""New keys as a file: fetched once, by the admin who had them made."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from models.errors import AuthkeysError
from models.exports import csv_text
from services.console import Console
from services.sessions import session_of
from web.requests import read_body


def issued_keys_router(console: Console) -> APIRouter:
    """`POST /issued-keys` with the form field `token`."""
    router = APIRouter()

    @router.post("/issued-keys")
    async def fetch(request: Request) -> Response:
        admin = session_of(request.scope).admin
        form = parse_qs((await read_body(request)).decode("utf-8", "replace"))
        try:
            issued = console.handouts.take(admin.id, form.get("token", [""])[0])
        except AuthkeysError as error:
            return PlainTextResponse(str(error), 410)
        rows = [("ip", "service", "secret"), *((each.ip, each.service, each.secret.text) for each in issued)]
        headers = {"Content-Disposition": 'attachment; filename="new-keys.csv"', "Cache-Control": "no-store"}
        return Response(csv_text(rows), media_type="text/csv; charset=utf-8", headers=headers)

    return router
