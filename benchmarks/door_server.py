"""The product's application with one route more: a bare 204, to compare the door with. Run by benchmarks/door.py."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response

sys.path.insert(0, str(Path(__file__).parents[1]))

from api.gate import Gate
from api.server import Serving
from main import build_app
from models.access import LAUNCH_PATH
from models.database import DatabaseLocation
from services.console import open_console

BARE_PATH = "/authorize/bare"


async def main(database: str) -> None:
    """Serve until the process is ended; the first line of output is a launch link."""
    serving = Serving(port=0)
    async with AsyncExitStack() as stack:
        console = await stack.enter_async_context(open_console(DatabaseLocation(database)))
        listener = stack.enter_context(serving.listen())
        url = serving.url(listener.getsockname()[1])
        link = f"{url}{LAUNCH_PATH}?token={await console.sessions.make_launch_link(console.admin)}"
        app = build_app(console, serving, closing=stack.pop_all())
    assert isinstance(app, Gate)
    _add_bare_route(app._scripts)  # type: ignore[arg-type]
    config = serving.config()
    config.app = app
    print(f"Authkeys is running at {link}", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


def _add_bare_route(scripts: FastAPI) -> None:
    @scripts.get(BARE_PATH)
    async def bare() -> Response:
        return Response(status_code=204)

    # In front of the catch-all of Manage2's functions.
    scripts.router.routes.insert(0, scripts.router.routes.pop())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
