"""Files and pastes on their way to a page: the body as it is, however large, and not through the page's socket."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from models.accounts import require_change
from models.errors import InvalidValue, NotAllowed
from services.console import Console
from services.sessions import session_of

WITHIN_SECONDS = 300.0


def uploads_router(console: Console) -> APIRouter:
    """`POST /uploads`; the answer is `{"token": …}`, which the page then names."""
    router = APIRouter()

    @router.post("/uploads")
    async def put(request: Request) -> JSONResponse:
        admin = session_of(request.scope).admin
        try:
            require_change(admin.role)  # an auditor stages nothing, and so fills no disk
            async with asyncio.timeout(WITHIN_SECONDS):
                token = await console.uploads.put(admin.id, request.stream())
        except NotAllowed as error:
            return JSONResponse({"error": str(error)}, 403)
        except InvalidValue as error:
            return JSONResponse({"error": str(error)}, 413)
        except (TimeoutError, ClientDisconnect):
            return JSONResponse({"error": "It did not arrive. Try again."}, 408)
        return JSONResponse({"token": token})

    return router
