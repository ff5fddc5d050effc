"""What a browser shows where there is no page, or where building one failed, in place of NiceGUI's own two pages."""

import logging
from html import escape

from fastapi import Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse
from nicegui import app
from starlette.exceptions import HTTPException

from models.wording import plain_html

log = logging.getLogger(__name__)


def register_error_pages() -> None:
    """Take the place of NiceGUI's pages for 404 and for what its pages raise while they are built."""
    app.add_exception_handler(404, _not_found)
    app.add_exception_handler(Exception, _failed)


async def _not_found(request: Request, error: Exception) -> Response:
    if "text/html" not in request.headers.get("accept", "") and isinstance(error, HTTPException):
        return await http_exception_handler(request, error)
    root = escape(request.scope.get("root_path", ""), quote=True)
    return HTMLResponse(
        plain_html(
            "There is no such page",
            f"<p>Authkeys has nothing at <code>{escape(request.url.path)}</code>. "
            f'<a href="{root}/">Go to the authorization keys</a>.</p>',
        ),
        404,
    )


async def _failed(request: Request, error: Exception) -> Response:
    if not request.scope.get("nicegui_page_path"):
        raise error  # not a page: the server answers with its plain 500
    log.error("A page could not be built", exc_info=error)
    return HTMLResponse(
        plain_html(
            "Something went wrong here",
            "<p>This page could not be shown. What you staged is safe; the details are in the server's log.</p>"
            '<p><a href="">Try again</a></p>',
        ),
        500,
    )
