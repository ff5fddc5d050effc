"""How a view with a grid gets its address: what that says is read, and what in it cannot be is said."""

from collections.abc import Callable

from fastapi import Request, Response

from models.views import Parse, read_view
from services.console import Console
from services.listing import V
from ui.shell.building import built, page_at
from ui.shell.feedback import show_error
from ui.shell.window import Window
from ui.staged.page import StagedPage


def register_staged_page(
    console: Console,
    stop: Callable[[], None] | None,
    page: Callable[[Window, V], StagedPage[V]],
    path: str,
    title: str,
    parse: Parse[V],
) -> None:
    """Register a page at `path`. `stop` ends the server; without it the menu does not offer to quit."""

    @page_at(path, title)
    async def staged_page(request: Request) -> Response | None:
        view, problems = read_view(request.query_params, parse)
        unavailable = await built(page(Window(console, request, stop), view).build())
        if problems and not unavailable:
            show_error(" ".join(problems))
        return unavailable
