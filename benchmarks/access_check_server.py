"""The product's application with two routes more, for benchmarks/access_check.py, which runs it.

A bare 204 to compare the authorizer with, and a submission of 1,000 changes that runs while it is asked.
"""

import asyncio
import sys
import uuid
from contextlib import AsyncExitStack
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import Response

sys.path.insert(0, str(Path(__file__).parents[1]))

from cli.application import build_app
from models.access import LAUNCH_PATH
from models.privileges import privilege
from models.submissions import CellChange, Source
from services.console import Console, open_console
from services.submissions import Order
from storage.database import DatabaseLocation
from web.server import AnnouncedServer, Serving
from web.session_middleware import SessionMiddleware

MODIFY = privilege("modlisc")

BARE_PATH, SUBMIT_PATH = "/authorize/bare", "/authorize/submit"
SUBMITTED = 1_000


async def main(database: str) -> None:
    """Serve until the process is ended; the first line of output is a launch link."""
    serving = Serving(port=0)
    async with AsyncExitStack() as stack:
        console = await stack.enter_async_context(open_console(DatabaseLocation(database)))
        listener = stack.enter_context(serving.listen())
        url = serving.url(listener.getsockname()[1])
        link = f"{url}{LAUNCH_PATH}?token={await console.sessions.make_launch_link(console.admin)}"
        app = build_app(console, serving, closing=stack.pop_all())
    assert isinstance(app, SessionMiddleware)
    _add_routes(app._scripts, console)  # type: ignore[arg-type]
    config = serving.config()
    config.app = app

    async def answering() -> None:
        print(f"Authkeys is running at {link}", flush=True)

    await AnnouncedServer(config, answering).serve(sockets=[listener])


def _add_routes(scripts: FastAPI, console: Console) -> None:
    @scripts.get(BARE_PATH)
    async def bare() -> Response:
        return Response(status_code=204)

    @scripts.get(SUBMIT_PATH)
    async def submit() -> int:
        # The first ones made: among them are those that ask meanwhile.
        rows = (await console.authkeys.find(range(1, SUBMITTED + 1))).values()
        mask = MODIFY.mask
        changes = [CellChange(row.id, mask & ~row.privileges, mask & row.privileges) for row in rows]
        receipt = await console.submissions.submit(Order(uuid.uuid4(), console.admin, Source.GRID, changes))
        return receipt.change_count

    # In front of the catch-all of Manage2's functions.
    routes = scripts.router.routes
    routes[:0] = [routes.pop(), routes.pop()]


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
