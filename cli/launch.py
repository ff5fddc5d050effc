"""Showing the page to who sits at this machine: launch links, the browser, a window of its own, the desktop's menu."""

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from cli.command import refuse, run
from cli.settings import Settings
from models.access import LAUNCH_PATH
from models.errors import AuthkeysError, NotAllowed
from services.console import Console, open_console
from services.running import Running
from ui.desktop.launcher import install_launcher
from ui.desktop.opening import open_in_browser, show_window

_PROGRAM = Path(__file__).resolve().parents[1] / "main.py"


class Display(Enum):
    """How the page is shown to who starts the program."""

    NOT = "not at all"
    BROWSER = "in the browser"
    WINDOW = "in a window of its own"


def open_running(
    context: typer.Context,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the link.")] = False,
) -> None:
    """Make a fresh launch link for the running server, and open it."""
    run(show_running(context.obj, Display.NOT if no_browser else Display.BROWSER))


def launcher() -> None:
    """Put Authkeys into this desktop's menu."""
    try:
        print(install_launcher(_PROGRAM))
    except AuthkeysError as error:
        refuse(error)


async def show_running(settings: Settings, display: Display) -> None:
    """Show the page of the server that runs on this database. Raises NotAllowed if there is none."""
    running = Running(settings.location.companion("server"))
    url = running.url()
    if url is None:
        raise NotAllowed(
            f"No server runs on {settings.location}. Start one with: "
            + settings.location.command(secret_file=settings.secret_file)
        )
    async with open_console(settings.location, settings.secret_file, needs_secret=False) as console:
        print(f"Authkeys is running at {await launch_link(console, url)}", flush=True)
        await show(console, url, display, None)


async def launch_link(console: Console, url: str) -> str:
    """A link that signs one browser in, once, as the admin who started the program."""
    return f"{url}{LAUNCH_PATH}?token={await console.sessions.make_launch_link(console.admin)}"


async def show(console: Console, url: str, display: Display, stop: Callable[[], None] | None) -> None:
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
