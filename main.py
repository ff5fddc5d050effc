"""The command line, and how the parts are put together: settings -> database -> services -> pages and routes -> run."""

import gc

# Garbage is collected less often: at first for a faster start, as nothing that is imported is garbage; later because with
# a hundred thousand staged changes each collection stops every page for long.
gc.set_threshold(50_000, 20, 50)

import asyncio
import getpass
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.types import ASGIApp

from api.gate import Gate
from api.gateway import Backend
from api.rows import rows_router
from api.scripts import is_for_scripts, scripts_app
from api.server import AnnouncedServer, Serving
from api.sign_in import sign_in_router
from api.stub_backend import stub_backend
from models import options
from models.access import LAUNCH_PATH
from models.accounts import Role
from models.errors import AuthkeysError, ImportRefused, InvalidValue, NotAllowed
from models.proxies import TrustedProxies
from models.wording import keys
from services import demo as demo_data
from services.console import Console, open_console
from services.imports import import_file
from services.running import Running
from storage.database import DEFAULT_DATABASE, DatabaseLocation
from ui.desktop import open_in_browser, require_native, show_window
from ui.frame import FAVICON
from ui.launcher import install_launcher
from ui.page import register_pages

RECONNECT_SECONDS = 120
"""How long the server keeps a page whose browser is offline; what is staged is in the database anyway."""

cli = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="A live console for API authorization keys."
)
admin_cli = typer.Typer(help="Accounts: who may sign in.", no_args_is_help=True)
cli.add_typer(admin_cli, name="admin")


@dataclass(frozen=True, slots=True)
class Settings:
    """What all commands share."""

    location: DatabaseLocation
    secret_file: Path | None


class Display(Enum):
    """How the page is shown to who starts the program."""

    NOT = "not at all"
    BROWSER = "in the browser"
    WINDOW = "in a window of its own"


@cli.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    database: Annotated[
        str, typer.Option(envvar="AUTHKEYS_DATABASE", help="A SQLite file, or a postgres:// URL.")
    ] = DEFAULT_DATABASE,
    secret_file: Annotated[
        Path | None,
        typer.Option(envvar="AUTHKEYS_SECRET_FILE", help="The server's secret; made at first start, mode 0600."),
    ] = None,
    host: Annotated[str, typer.Option(envvar="AUTHKEYS_HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="AUTHKEYS_PORT", min=0, max=65535, help="0 takes a free one.")] = 8080,
    ssl_certfile: Annotated[Path | None, typer.Option(envvar="AUTHKEYS_SSL_CERTFILE", help="PEM, for TLS.")] = None,
    ssl_keyfile: Annotated[Path | None, typer.Option(envvar="AUTHKEYS_SSL_KEYFILE", help="PEM, for TLS.")] = None,
    root_path: Annotated[
        str, typer.Option(envvar="AUTHKEYS_ROOT_PATH", help="Where a reverse proxy puts it, such as /authkeys.")
    ] = "",
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            envvar="AUTHKEYS_TRUSTED_PROXY",
            help="Address or network of a proxy whose X-Forwarded-For counts. Repeatable.",
        ),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(envvar="AUTHKEYS_ALLOWED_HOST", help="A name under which browsers reach this server. Repeatable."),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(envvar="AUTHKEYS_BACKEND", help="URL of the licensing backend that allowed Manage2 calls go to."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser; serve all the same.")
    ] = False,
    native: Annotated[
        bool, typer.Option("--native", help="Open a window of its own; closing it ends the program.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="A temporary database with 500 believable keys.")] = False,
) -> None:
    """Serve the console (without a command)."""
    try:
        _check_given(context)
        context.obj = Settings(DatabaseLocation(options.database_text(database)), secret_file)
    except AuthkeysError as error:
        sys.exit(_say(error, code=1))
    if context.invoked_subcommand is not None:
        return

    async def work() -> None:
        serving = Serving(
            options.listening_host(host),
            port,
            ssl_certfile,
            ssl_keyfile,
            options.root_path(root_path),
            options.trusted_proxies(trusted_proxy),
            options.allowed_hosts(allowed_host),
        )
        if native:
            require_native(serving.is_desktop)
        await _serve(
            context.obj,
            serving,
            Display.WINDOW if native else Display.NOT if no_browser else Display.BROWSER,
            backend_url=options.backend_url(backend),
            demo=demo,
        )

    _run(work())


def _check_given(context: typer.Context) -> None:
    """Raise InvalidValue for variables that nobody reads, and for options that would be ignored without a word."""
    known = {each.envvar for each in context.command.params if isinstance(each.envvar, str)}
    options.check_variables(os.environ, known)
    given = {
        each.name: each.opts[0]
        for each in context.command.params
        if each.name and (source := context.get_parameter_source(each.name)) and source.name == "COMMANDLINE"
    }
    shared = {"database", "secret_file"}
    if context.invoked_subcommand and (others := [option for name, option in given.items() if name not in shared]):
        raise InvalidValue(f"{' and '.join(others)} is for serving; {context.invoked_subcommand!r} does not use it.")
    if "demo" in given and (others := [option for name, option in given.items() if name in shared]):
        raise InvalidValue(f"--demo makes a database of its own: leave out {' and '.join(others)}, or --demo.")


@cli.command("import")
def import_csv(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV with the header ip,service, and the nine privilege ids; 0 or 1.")],
    database: Annotated[str | None, typer.Option(help="As for serving.")] = None,
) -> None:
    """Add or update authkeys from a CSV file, as one submission: all or nothing."""
    settings: Settings = context.obj

    async def work() -> None:
        location = settings.location if database is None else DatabaseLocation(options.database_text(database))
        await _import(Settings(location, settings.secret_file), file)

    _run(work())


@cli.command("open")
def open_running(
    context: typer.Context,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the link.")] = False,
) -> None:
    """Make a fresh launch link for the running server, and open it."""
    _run(_open_running(context.obj, Display.NOT if no_browser else Display.BROWSER))


@cli.command("install-launcher")
def launcher() -> None:
    """Put Authkeys into this desktop's menu."""

    try:
        print(install_launcher(Path(__file__).resolve()))
    except AuthkeysError as error:
        sys.exit(_say(error, code=1))


Name = Annotated[str, typer.Argument(help="The account's name.")]


@admin_cli.command("add")
def add_admin(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Option(help="An auditor sees everything and changes nothing.")] = Role.ADMIN,
) -> None:
    """Add an account; asks for its password."""
    _admin(context, f"Added {name} ({role}).", lambda console: console.admins.add(name, _new_password(), role, _me()))


@admin_cli.command("passwd")
def change_password(context: typer.Context, name: Name) -> None:
    """Give an account a new password, and sign it out everywhere."""
    _admin(
        context,
        f"The password of {name} is changed, and its sessions have ended.",
        lambda console: console.admins.set_password(name, _new_password(), _me()),
    )


@admin_cli.command("disable")
def disable_admin(context: typer.Context, name: Name) -> None:
    """Let an account in no longer, and sign it out everywhere, at once."""
    _admin(context, f"{name} is disabled.", lambda console: console.admins.set_disabled(name, True, _me()))


@admin_cli.command("enable")
def enable_admin(context: typer.Context, name: Name) -> None:
    """Let a disabled account in again."""
    _admin(context, f"{name} is enabled.", lambda console: console.admins.set_disabled(name, False, _me()))


@admin_cli.command("role")
def change_role(context: typer.Context, name: Name, role: Role) -> None:
    """Give an account another role, and sign it out everywhere."""
    _admin(context, f"{name} is now {role}.", lambda console: console.admins.set_role(name, role, _me()))


@admin_cli.command("list")
def list_admins(context: typer.Context) -> None:
    """Show all accounts."""

    async def show(console: Console) -> None:
        for account in await console.admins.accounts():
            state = "disabled" if account.disabled else "password" if account.has_password else "launch link only"
            used = f"{account.last_used:%Y-%m-%d %H:%M} UTC" if account.last_used else "-"
            print(f"{account.name:<24} {account.role:<8} {state:<16} last signed in: {used}")

    _admin(context, "", show)


@admin_cli.command("record")
def show_record(
    context: typer.Context, lines: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50
) -> None:
    """Show who came in, who was refused, and what was changed at the accounts; newest first."""

    async def show(console: Console) -> None:
        for entry in await console.records.newest(lines):
            print(
                f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.kind:<20} {entry.admin_name:<24} {entry.address} {entry.detail}"
            )

    _admin(context, "", show)


def _admin(context: typer.Context, done: str, work: Callable[[Console], Coroutine[Any, Any, None]]) -> None:
    settings: Settings = context.obj

    async def run() -> None:
        async with open_console(settings.location, settings.secret_file) as console:
            await work(console)
        if done:
            print(done)

    _run(run())


def _new_password() -> str:
    """Ask twice on a terminal; otherwise take one line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _me() -> str:
    try:
        return f"{getpass.getuser()} on the command line"
    except (KeyError, OSError):
        return "the command line"


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


async def _import(settings: Settings, file: Path) -> None:
    async with open_console(settings.location, settings.secret_file) as console:
        with typer.progressbar(length=1, label="Importing", file=sys.stderr) as bar:

            def show(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            receipt = await import_file(file, console.admin, console.submissions, show)
    print(f"Imported {file}: {keys(receipt.key_count)} added or updated.")


def _backend(url: str | None, demo: bool) -> Backend | None:
    if url:
        return Backend(url)
    if not demo:
        return None
    import httpx  # noqa: PLC0415 - takes its time, and is needed with a backend only

    return Backend("http://demo", httpx.ASGITransport(stub_backend()))


async def _serve(
    settings: Settings, serving: Serving, display: Display, *, backend_url: str | None, demo: bool
) -> None:
    serving.check_certificate()
    gc.freeze()  # what was imported stays
    async with AsyncExitStack() as stack:
        if demo:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="authkeys-demo-"))
            settings = Settings(DatabaseLocation(str(Path(folder) / "demo.db")), None)
        running = Running(settings.location.companion("server"), is_needed=not settings.location.is_postgres)
        if not stack.enter_context(running.held()) and serving.is_desktop:
            await _open_running(settings, display)
            return
        console = await stack.enter_async_context(open_console(settings.location, settings.secret_file))
        if not serving.is_desktop and not await console.admins.has_accounts():
            raise NotAllowed(
                "Others can reach this address, and nobody has a password yet. Make an account first: "
                + console.command("admin add NAME")
            )
        if demo:
            await demo_data.fill(console.submissions, console.admin)
        backend = _backend(backend_url, demo)
        if backend:
            await stack.enter_async_context(backend.open())
        listener = stack.enter_context(serving.listen())
        port = listener.getsockname()[1]
        if serving.port not in (0, port):
            print(f"Port {serving.port} is taken; using {port} instead.", file=sys.stderr, flush=True)
        url = serving.url(port)

        async def answering() -> None:
            running.announce(url)
            if serving.is_desktop:
                print(f"Authkeys is running at {await _launch_link(console, url)}", flush=True)
                showing.add(asyncio.create_task(_show(console, url, display, server.stop)))
            else:
                print(f"Authkeys is running at {url}", flush=True)

        showing: set[asyncio.Task[None]] = set()
        server = AnnouncedServer(serving.config(), answering)
        server.config.app = build_app(
            console,
            serving,
            closing=stack.pop_all(),
            stop=server.stop if serving.is_desktop else None,
            backend=backend,
        )
    await server.serve(sockets=[listener])
    await _end(showing)


async def _end(showing: set[asyncio.Task[None]]) -> None:
    """Close what still shows the page. Raises what went wrong with it."""
    for task in showing:
        task.cancel()
    for result in await asyncio.gather(*showing, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _open_running(settings: Settings, display: Display) -> None:
    running = Running(settings.location.companion("server"))
    url = running.url()
    if url is None:
        raise NotAllowed(
            f"No server runs on {settings.location}. Start one with: "
            + settings.location.command(secret_file=settings.secret_file)
        )
    async with open_console(settings.location, settings.secret_file) as console:
        print(f"Authkeys is running at {await _launch_link(console, url)}", flush=True)
        await _show(console, url, display, None)


async def _launch_link(console: Console, url: str) -> str:
    return f"{url}{LAUNCH_PATH}?token={await console.sessions.make_launch_link(console.admin)}"


async def _show(console: Console, url: str, display: Display, stop: Callable[[], None] | None) -> None:
    """Show the page as it was asked for, by a link of its own; closing a window ends the server that it came with."""
    if display is Display.NOT:
        return
    token = await console.sessions.make_launch_link(console.admin)
    link = f"{url}{LAUNCH_PATH}?token={token}"
    if display is Display.WINDOW:
        try:
            await show_window(link)
        finally:
            if stop:
                stop()
    else:
        await open_in_browser(link, lambda: console.sessions.is_unused(token))


def build_app(
    console: Console,
    serving: Serving,
    *,
    closing: AsyncExitStack,
    stop: Callable[[], None] | None = None,
    backend: Backend | None = None,
) -> ASGIApp:
    """The whole application: routes on the parent app, pages by NiceGUI, the gate around both.

    `closing` is closed after everything else. `stop` ends the server, for who may quit it in the page.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(sign_in_router(console))
    app.include_router(rows_router(console))
    register_pages(console, stop)
    ui.run_with(
        app, dark=None, language="en-US", reconnect_timeout=RECONNECT_SECONDS, binding_refresh_interval=None, tailwind=False,
        show_welcome_message=False, favicon=FAVICON,
    )  # fmt: skip
    pages = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        # Outside of NiceGUI's own lifespan: its last background tasks still need the database.
        async with closing, pages(application):
            yield

    app.router.lifespan_context = lifespan
    proxies = TrustedProxies(serving.trusted_proxies)
    scripts = scripts_app(console, proxies, backend)
    return Gate(app, console.sessions, serving.hosts, scripts, is_for_scripts, proxies)


if __name__ == "__main__":
    cli()
