"""How errors reach the person: an expected one as a notification in its own words, a bug as an apology and a log entry."""

import logging
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

from fastapi import Response
from fastapi.responses import HTMLResponse
from nicegui import ui

from models.errors import AuthkeysError, DatabaseUnavailable
from models.wording import unavailable_html

log = logging.getLogger(__name__)


@contextmanager
def user_errors() -> Iterator[None]:
    """Show an AuthkeysError to the person instead of raising it."""
    try:
        yield
    except AuthkeysError as error:
        show_error(str(error))


async def built(building: Awaitable[None]) -> Response | None:
    """Build a page; while the database does not answer a plain one stands in for it, and asks again by itself."""
    try:
        await building
    except DatabaseUnavailable as error:
        return HTMLResponse(unavailable_html(error), 503)
    return None


def show_error(message: str) -> None:
    """A message above the bar, where it hides neither that nor the navigation and the filters. It stays until it is closed."""
    ui.notify(
        message,
        type="negative",
        position="bottom",
        timeout=0,
        close_button="Close",
        multi_line=True,
        classes="notice",
    )


def show_bug(error: Exception) -> None:
    """What the page says when its own code failed; the details are in the server's log."""
    log.error("A page failed", exc_info=error)
    show_error("Something went wrong here. Your staged changes are safe; reload the page if it looks odd.")
