"""Showing the console on the desktop of this machine: in the browser, or in a window of its own.

The address with its launch token is never on another program's command line, where every user of the machine could read
it: the browser is given a file that only this user can read, and the window gets it through a pipe.
"""

import asyncio
import html
import importlib.util
import os
import sys
import tempfile
import webbrowser
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from models.errors import AuthkeysError
from ui.desktop.native_window import TITLE

_BROWSER_SECONDS = 60
"""How long the browser may take to use the link."""
_CLOSING_SECONDS = 5
_WINDOW_PROGRAM = Path(__file__).with_name("native_window.py")


class NoNativeWindow(AuthkeysError):
    """What a window of one's own needs is not installed."""


async def open_in_browser(url: str, is_unused: Callable[[], Awaitable[bool]]) -> None:
    """Open a launch link in this person's browser; ends when it was used, or nobody did within a minute."""
    with tempfile.TemporaryDirectory(prefix="authkeys-", dir=_runtime_folder()) as folder:
        page = Path(folder) / "open.html"
        page.touch(mode=0o600)
        page.write_text(f'<meta http-equiv="refresh" content="0; url={html.escape(url)}"><title>{TITLE}</title>')
        await asyncio.to_thread(webbrowser.open, page.as_uri())
        with suppress(TimeoutError):
            async with asyncio.timeout(_BROWSER_SECONDS):
                while await is_unused():  # noqa: ASYNC110 - the database tells it, perhaps another process
                    await asyncio.sleep(0.2)


def _runtime_folder() -> str | None:
    """A folder that browsers packed as snaps or flatpaks can read: they see neither /tmp nor hidden folders."""
    home = Path.home()
    return str(home) if os.access(home, os.W_OK) else None


def require_native(is_desktop: bool) -> None:
    """Raise NoNativeWindow, with the remedy, if no window is possible: for others, or with this Python."""
    if not is_desktop:
        raise NoNativeWindow(
            "--native is for one's own machine. A server that others can reach, or with a proxy in front, opens no window."
        )
    if importlib.util.find_spec("webview") is None:
        raise NoNativeWindow(
            "--native needs pywebview, which is not installed. Start with: uv run --extra native main.py --native"
        )


async def show_window(url: str) -> None:
    """Open a window on this address; ends when the person closes it. Raises NoNativeWindow if none could be opened."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(_WINDOW_PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl+C is for the server, which then closes the window
    )
    assert process.stdin
    try:
        process.stdin.write(f"{url}\n".encode())
        code = await process.wait()
    finally:
        await _close_window(process)
    if code:
        raise NoNativeWindow(
            f"The window could not be opened, or broke down (exit status {code}; what it said is above). Without "
            "--native the page opens in the browser."
        )


async def _close_window(process: asyncio.subprocess.Process) -> None:
    """The end of its standard input closes the window, also when this program is killed."""
    assert process.stdin
    process.stdin.close()
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
