"""Showing the console on the desktop of this machine: in the browser, or in a window of its own.

The address with its launch token is never on another program's command line, where every user of the machine could read
it: the browser is given a file that only this user can read, and the window gets it through a pipe.
"""

import asyncio
import html
import importlib.util
import multiprocessing
import os
import tempfile
import webbrowser
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from models.errors import AuthkeysError

_BROWSER_SECONDS = 60
"""How long the browser may take to use the link."""
_TITLE = "API Authorization Keys"


class NoNativeWindow(AuthkeysError):
    """What a window of one's own needs is not installed."""


async def open_in_browser(url: str, is_unused: Callable[[], Awaitable[bool]]) -> None:
    """Open a launch link in this person's browser; ends when it was used, or nobody did within a minute."""
    with tempfile.TemporaryDirectory(prefix="authkeys-", dir=_runtime_folder()) as folder:
        page = Path(folder) / "open.html"
        page.touch(mode=0o600)
        page.write_text(f'<meta http-equiv="refresh" content="0; url={html.escape(url)}"><title>{_TITLE}</title>')
        await asyncio.to_thread(webbrowser.open, page.as_uri())
        with suppress(TimeoutError):
            async with asyncio.timeout(_BROWSER_SECONDS):
                while await is_unused():  # noqa: ASYNC110 - the database tells it, perhaps another process
                    await asyncio.sleep(0.2)


def _runtime_folder() -> str | None:
    """A folder that browsers packed as snaps or flatpaks can read: they see neither /tmp nor hidden folders."""
    home = Path.home()
    return str(home) if os.access(home, os.W_OK) else None


def require_native() -> None:
    """Raise NoNativeWindow, with the remedy, if this Python cannot open a window."""
    if importlib.util.find_spec("webview") is None:
        raise NoNativeWindow(
            "--native needs pywebview, which is not installed. Start with: uv run --extra native main.py --native"
        )


async def show_window(url: str) -> None:
    """Open a window on this address; ends when the person closes it."""
    process = multiprocessing.get_context("spawn").Process(target=_window, args=(url,), daemon=True)
    await asyncio.to_thread(process.start)
    try:
        await asyncio.to_thread(process.join)
    finally:
        process.terminate()


def _window(url: str) -> None:
    import webview  # noqa: PLC0415 - only here: it needs a desktop

    webview.settings["ALLOW_DOWNLOADS"] = True
    webview.create_window(_TITLE, url, width=1360, height=860, min_size=(390, 600))
    webview.start()
