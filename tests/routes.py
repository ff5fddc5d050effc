"""Every route that the program registers, its own and NiceGUI's."""

from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack

from starlette.routing import BaseRoute, Mount

from cli.application import build_app
from services.console import Console
from web.server import Serving


async def registered_routes(console: Console) -> dict[str, list[str]]:
    """The paths behind the gate, and those for scripts beside it. Run in another process: an app is built once only."""
    gate = build_app(console, Serving(), closing=AsyncExitStack())
    return {"pages": sorted(set(_walk(gate._app._app.routes))), "scripts": sorted(set(_walk(gate._scripts.routes)))}  # type: ignore[attr-defined]


def _walk(routes: Iterable[BaseRoute], before: str = "") -> Iterator[str]:
    for route in routes:
        if router := getattr(route, "original_router", None):  # FastAPI's include_router, without a prefix
            yield from _walk(router.routes, before)
        elif isinstance(route, Mount):
            yield f"{before}{route.path}/"
            yield from _walk(getattr(route.app, "routes", []), before + route.path)
        else:
            yield before + route.path  # type: ignore[attr-defined]
