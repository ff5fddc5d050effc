"""New keys as a file: fetched once, by the admin who had them made."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from models.errors import AuthkeysError
from models.exports import issued_text
from services.console import Console
from services.sessions import session_of
from web.requests import read_form


def issued_keys_router(console: Console) -> APIRouter:
    """`POST /issued-keys` with the form field `token`."""
    router = APIRouter()

    @router.post("/issued-keys")
    async def fetch(request: Request) -> Response:
        admin = session_of(request.scope).admin
        try:
            issued = console.handouts.take(admin.id, (await read_form(request)).get("token", ""))
        except AuthkeysError as error:
            return PlainTextResponse(str(error), 410)
        headers = {"Content-Disposition": 'attachment; filename="new-keys.csv"', "Cache-Control": "no-store"}
        return Response(issued_text(issued), media_type="text/csv; charset=utf-8", headers=headers)

    return router
