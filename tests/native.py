"""A desktop without a screen (Xvfb), and the program with a window of its own on it."""

import ctypes.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright
from Xlib import X
from Xlib.display import Display
from Xlib.error import BadWindow
from Xlib.protocol.event import ClientMessage
from Xlib.xobject.drawable import Window

from tests.browser import PATIENCE_MS
from tests.nginx import free_port
from tests.program import environment
from tests.requirements import INSTALL_HINT
from tests.starting import ROOT
from tests.waiting import soon
from ui.desktop.native_window import TITLE

_ENVIRONMENT = ROOT / ".venv-native"
"""Where the extra `native` is installed, once: whoever runs the tests need not have it in their own environment."""
_LIBRARIES = ("xcb-cursor", "xcb-icccm", "xcb-keysyms", "xcb-shape", "xcb-xinerama", "xkbcommon-x11", "EGL", "nss3")
_UV_RUN = ("uv", "run", "--quiet", "--no-dev", "--extra", "native")
_SECONDS = 60
_DEBUGGER = re.compile(r"DevTools listening on (ws://\S+)")

needs_desktop = pytest.mark.skipif(
    not shutil.which("Xvfb") or not all(map(ctypes.util.find_library, _LIBRARIES)), reason=INSTALL_HINT
)


def install_native() -> None:
    """Install the extra, as `uv run --extra native` does; the first time it fetches Qt."""
    subprocess.run(["uv", "sync", "--quiet", "--no-dev", "--extra", "native"], cwd=ROOT, env=_uv(), check=True)


@contextmanager
def running_xvfb() -> Iterator[str]:
    """A display of our own; its name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as process:
        os.close(write)
        try:
            with os.fdopen(read) as told:
                yield f":{int(told.readline())}"
        finally:
            process.terminate()


class NativeProgram:
    """`uv run --extra native main.py --native`, started in a terminal of its own."""

    def __init__(self, display: str, database: Path) -> None:
        self._display = display
        self._errors = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen(
            [*_UV_RUN, "main.py", "--native", "--port", "0", "--database", str(database)],
            cwd=ROOT,
            # Root cannot have the sandbox of Qt's browser. By its debugger a test moves the mouse in it.
            env=_uv(DISPLAY=display, QTWEBENGINE_DISABLE_SANDBOX="1", QTWEBENGINE_REMOTE_DEBUGGING=str(free_port())),
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
        )

    def announcement(self) -> str:
        """The line that says where it runs."""
        assert self.process.stdout
        return self.process.stdout.readline()

    def errors(self) -> str:
        """What it, and Qt, wrote to standard error."""
        return Path(self._errors.name).read_text()

    @asynccontextmanager
    async def window(self) -> AsyncIterator[Page]:
        """The page in the window, when its first row shows."""
        async with async_playwright() as playwright:
            browser = await playwright.chromium.connect_over_cdp(
                self._debugger(), timeout=PATIENCE_MS, no_defaults=True
            )
            [page] = browser.contexts[0].pages
            page.set_default_timeout(PATIENCE_MS)
            await page.locator('.ag-row [col-id="ip"]:not(:empty)').first.wait_for()
            yield page

    def close_window(self) -> None:
        """Click the window's close button: what its frame then does."""
        with _connected(self._display) as display:
            [window] = _windows(display.screen().root)
            protocols, delete = map(display.intern_atom, ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
            data = (32, [delete, X.CurrentTime, 0, 0, 0])
            window.send_event(ClientMessage(window=window, client_type=protocols, data=data))
            display.sync()

    def windows(self) -> int:
        """How many windows it shows."""
        with _connected(self._display) as display:
            return len(list(_windows(display.screen().root)))

    def interrupt(self) -> None:
        """Press Ctrl+C in the terminal."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End everything that the terminal started, as `kill -9` does."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end; the exit status."""
        return self.process.wait(_SECONDS)

    def _debugger(self) -> str:
        assert soon(lambda: self.process.poll() is not None or bool(_DEBUGGER.search(self.errors()))), self.errors()
        found = _DEBUGGER.search(self.errors())
        assert found, self.errors()
        return found[1]


@contextmanager
def running_native(display: str, database: Path) -> Iterator[NativeProgram]:
    """The program, which is killed after the block if it still runs."""
    program = NativeProgram(display, database)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.kill()
            program.wait()


def _uv(**more: str) -> dict[str, str]:
    return environment(UV_PROJECT_ENVIRONMENT=str(_ENVIRONMENT), **more)


@contextmanager
def _connected(name: str) -> Iterator[Display]:
    display = Display(name)
    try:
        yield display
    finally:
        display.close()


def _windows(parent: Window) -> Iterator[Window]:
    try:
        for child in parent.query_tree().children:
            if child.get_wm_name() == TITLE:
                yield child
            yield from _windows(child)
    except BadWindow:
        return  # it closed while it was looked at
