"""The command line, and how the parts are put together: settings -> database -> services -> pages and routes -> run."""

import asyncio
import socket
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from fastapi import FastAPI
from nicegui import ui

from api.rows import rows_router
from models.database import DEFAULT_DATABASE, DatabaseLocation
from models.errors import AuthkeysError, ImportRefused
from models.wording import keys
from services import demo as demo_data
from services.console import Console, open_console
from services.imports import import_file
from ui.page import register_pages

RECONNECT_SECONDS = 120
"""How long the server keeps a page whose browser is offline; what is staged is in the database anyway."""

cli = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="A live console for API authorization keys."
)
Database = Annotated[
    str, typer.Option(envvar="AUTHKEYS_DATABASE", help="A SQLite file, or a postgres:// URL.", show_envvar=True)
]


@cli.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    database: Database = DEFAULT_DATABASE,
    host: Annotated[str, typer.Option(envvar="AUTHKEYS_HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="AUTHKEYS_PORT", min=0, max=65535, help="0 takes a free one.")] = 8080,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser; serve all the same.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="A temporary database with 500 believable keys.")] = False,
) -> None:
    """Serve the console (without a command)."""
    context.obj = database
    if context.invoked_subcommand is None:
        _run(_serve(DatabaseLocation(database), host, port, open_browser=not no_browser, demo=demo))


@cli.command("import")
def import_csv(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV with the header ip,service, and the nine privilege ids; 0 or 1.")],
    database: Annotated[str | None, typer.Option(help="As for serving.")] = None,
) -> None:
    """Add or update authkeys from a CSV file, as one submission: all or nothing."""
    _run(_import(DatabaseLocation(database or context.obj), file))


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(work)
    except ImportRefused as error:
        sys.exit(_say(error, *error.problems, code=2))
    except AuthkeysError as error:
        sys.exit(_say(error, code=1))
    except KeyboardInterrupt:
        sys.exit(130)


def _say(*lines: object, code: int) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return code


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    return uvicorn.Config("").get_loop_factory()


async def _import(location: DatabaseLocation, file: Path) -> None:
    async with open_console(location) as console:
        with typer.progressbar(length=1, label="Importing", file=sys.stderr) as bar:

            def show(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            receipt = await import_file(file, console.admin, console.submissions, show)
    print(f"Imported {file}: {keys(receipt.key_count)} added or updated.")


async def _serve(location: DatabaseLocation, host: str, port: int, *, open_browser: bool, demo: bool) -> None:
    listener = _listen(host, port)
    async with AsyncExitStack() as stack:
        if demo:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="authkeys-demo-"))
            location = DatabaseLocation(str(Path(folder) / "demo.db"))
        console = await stack.enter_async_context(open_console(location))
        if demo:
            await demo_data.fill(console.submissions, console.admin)
        app = build_app(console, closing=stack.pop_all())
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        ws_max_size=1_000_000,
    )
    await AnnouncedServer(config, host, open_browser=open_browser).serve(sockets=[listener])


def build_app(console: Console, closing: AsyncExitStack) -> FastAPI:
    """The whole application: routes on the parent app, pages by NiceGUI. `closing` is closed after everything else."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(rows_router(console))
    register_pages(console)
    ui.run_with(
        app, dark=None, language="en-US", reconnect_timeout=RECONNECT_SECONDS, binding_refresh_interval=None, tailwind=False,
        show_welcome_message=False,
    )  # fmt: skip
    pages = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        # Outside of NiceGUI's own lifespan: its last background tasks still need the database.
        async with closing, pages(application):
            yield

    app.router.lifespan_context = lifespan
    return app


class AnnouncedServer(uvicorn.Server):
    """Says on standard output when it can answer, and opens the browser then."""

    def __init__(self, config: uvicorn.Config, host: str, *, open_browser: bool) -> None:
        super().__init__(config)
        self._host = host
        self._open_browser = open_browser

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        if not sockets or self.should_exit:
            return
        host = f"[{self._host}]" if ":" in self._host else self._host
        url = f"http://{host}:{sockets[0].getsockname()[1]}"
        print(f"Authkeys is running at {url}", flush=True)
        if self._open_browser:
            asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise CannotListen(
            f"Authkeys cannot listen on {host} port {port}: {error.strerror or error}. "
            "Another program may use it; choose another port with --port, or --port 0 for a free one."
        ) from error
    return listener


class CannotListen(AuthkeysError):
    """The address or port is taken or not ours."""


if __name__ == "__main__":
    cli()
