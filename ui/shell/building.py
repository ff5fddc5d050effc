"""How a page is registered and built; while it cannot be shown, a plain one stands in for it and asks again by itself."""

import asyncio
from collections.abc import Awaitable

from fastapi import Response
from fastapi.responses import HTMLResponse
from nicegui import ui

from models.errors import DatabaseUnavailable
from models.wording import unavailable_html, waiting_html

BUILDING_SECONDS = 20.0
"""So long a page may take to build, on a slow machine and with very much staged; proxies give up much later."""


def page_at(path: str, title: str) -> ui.page:
    """Register a page at `path`, whose function awaits `built`."""
    # NiceGUI's own limit is 3 s, after which its error page ends it for good.
    return ui.page(path, title=title, response_timeout=2 * BUILDING_SECONDS)


async def built(building: Awaitable[None]) -> Response | None:
    """Build a page; returns what stands in for it, if it cannot be shown now."""
    try:
        async with asyncio.timeout(BUILDING_SECONDS) as limit:  # in this task: NiceGUI keeps its slots by task
            await building
    except DatabaseUnavailable as error:
        return HTMLResponse(unavailable_html(error), 503)
    except TimeoutError:
        if not limit.expired():  # something within has a limit of its own, and a mistake
            raise
        return HTMLResponse(waiting_html(), 503)
    return None
