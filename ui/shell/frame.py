"""What surrounds every view: head, theme, header with the live mark, and the sorry state of a lost database."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from fastapi import Request
from nicegui import Client, app, ui

from models.access import FACTORS_PATH, SIGN_IN_PATH
from models.accounts import AdminIdentity

STATIC = Path(__file__).parents[1] / "static"
FAVICON = STATIC / "authkeys.svg"
TITLE = "API Authorization Keys"
VIEWS = {
    "/": "Authorization keys",
    "/passphrases": "Pickup passphrases",
    "/denied": "Denied requests",
    "/history": "History",
}
SETTINGS_PATH = "/settings"
"""Not among the views: it is reached by the account menu"""
APPROVALS_PATH = "/approvals"
"""Only where submissions need four eyes; it is reached by its mark"""
NAMES = {**VIEWS, SETTINGS_PATH: "Settings", APPROVALS_PATH: "Approvals"}
"""What each page is called, as others hear who is where"""
_SHORT_NAMES = {"/": "Keys", "/passphrases": "Passphrases", "/denied": "Denied"}
"""Of views where there is little room: words of their names"""
THEME_COOKIE = "authkeys-theme"

_FAREWELL_SECONDS = 0.5
"""Until a page is closed whose browser was told to leave: a deleted page delivers no more messages."""
_ANSWER_SECONDS = 30
"""For a browser's answer: a phone far away, or with much to draw, needs longer than NiceGUI's second."""

# Of the content: two instances, and two deployments of the same files, agree.
_VERSION = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(STATIC.iterdir()))).hexdigest()[:12]
STATIC_PATH = f"/static/{_VERSION}"
"""Where style sheets and scripts are: for ever the same under one address, also those that scripts import"""
_STYLES = (
    "icons.css",
    "shell.css",
    "page.css",
    "grid.css",
    "screens.css",
    "phone.css",
)  # of two rules the later one counts
# After the scripts of NiceGUI, which then need not wait for it, and before the page is mounted. It imports all others itself;
# links that preload them made an opening slower.
_BODY = '<script type="module" src="{base}/main.js"></script>'
_HEAD = "".join(
    (
        '<script src="{base}/storage.js"></script>',  # at once; modules wait for the page
        *(f'<link rel="stylesheet" href="{{base}}/{name}">' for name in _STYLES),
        # A browser that translates replaces the texts, and what is then told of changes reaches none of them.
        '<meta name="google" content="notranslate"><script>document.documentElement.translate = false</script>',
    )
)


def serve_static_files() -> None:
    """Serve style sheets and scripts, which browsers may keep."""
    app.add_static_files(STATIC_PATH, STATIC, max_cache_age=31_536_000)


class Frame:
    """The head and the header of a page."""

    def __init__(
        self,
        request: Request,
        admin: AdminIdentity,
        path: str,
        *,
        available: bool,
        is_demo: bool,
        on_commands: Callable[[], Awaitable[None]],
        on_change_password: Callable[[], object] | None,
        on_quit: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._root = root = request.scope.get("root_path", "")
        self._client = ui.context.client
        ui.add_head_html(_HEAD.format(base=f"{root}{STATIC_PATH}"))
        ui.add_body_html(_BODY.format(base=f"{root}{STATIC_PATH}"))
        ui.colors(primary="#4f46e5", dark="#111827", dark_page="#0b1020", negative="#b91c1c", positive="#15803d")
        self._dark = ui.dark_mode({"dark": True, "light": False}.get(request.cookies.get(THEME_COOKIE, "")))
        with ui.header().classes("header"):
            ui.icon("vpn_key", size="22px").classes("logo")
            ui.label(TITLE).classes("title").props("role=heading aria-level=1")
            if is_demo:
                with ui.element("div").classes("demo-mark") as demo:
                    ui.label("Demo")
                    ui.label(": all of it is temporary").classes("demo-more")
                demo.props('title="A demonstration: all of it goes when the program ends"')
            with ui.element("nav").classes("views").props('aria-label="Views"'):
                for view, name in VIEWS.items():
                    link = ui.link(name, view).classes("view")  # NiceGUI itself puts the root path before it
                    link.props["data-short"] = _SHORT_NAMES.get(view, name)
                    if view == path:
                        link.classes("current").props("aria-current=page")
            ui.space()
            with ui.element("div").classes("live").props("role=status") as self._live:
                ui.element("span").classes("live-dot").props("aria-hidden=true")
                self._state = ui.label().classes("live-text").mark("live")
            self.others = ui.element("div").classes("others-place")  # who else is here
            ui.button(icon="keyboard_command_key", on_click=on_commands, color=None).props(
                'flat round dense aria-label="Commands" title="Commands (Ctrl+K, on a Mac ⌘K)"'
            ).classes("theme").mark("commands")
            ui.button(icon="dark_mode", on_click=self.switch_theme, color=None).props(
                'flat round dense aria-label="Switch between light and dark"'
            ).classes("theme").mark("theme")
            self._account_menu(admin, on_change_password, on_quit)
        self.show_available(available)

    def _account_menu(
        self,
        admin: AdminIdentity,
        on_change_password: Callable[[], object] | None,
        on_quit: Callable[[], Awaitable[None]] | None,
    ) -> None:
        button = ui.button(color=None).props("flat round dense aria-haspopup=menu").classes("avatar").mark("account")
        button.props["aria-label"] = f"Account: signed in as {admin.name}"
        with button:
            ui.label(admin.name[:2].upper()).props("aria-hidden=true")
            with ui.menu().props("role=region aria-label=Account auto-close anchor='bottom right' self='top right'"):
                ui.label(admin.name).classes("account-name")
                ui.label("Auditor: sees everything, changes nothing" if not admin.may_change else "Admin").classes(
                    "account-role"
                )
                with ui.element("div").classes("row-menu").props("role=menu"):
                    settings = ui.element("a").classes("menu-button export-link").mark("settings")
                    with settings.props(f'href="{self._root}{SETTINGS_PATH}" role=menuitem'):
                        ui.label("Settings")
                    if on_change_password:
                        ui.menu_item("Change password", on_change_password).props("role=menuitem")
                    ui.menu_item("Second factor", lambda: ui.navigate.to(FACTORS_PATH)).props("role=menuitem")
                    self._form_item("Sign out", "/sign-out")
                    self._form_item("Sign out everywhere", "/sign-out-everywhere")
                    if on_quit:
                        ui.menu_item("Quit Authkeys", on_quit).props("role=menuitem").mark("quit")

    def _form_item(self, text: str, path: str) -> None:
        """An entry that posts a form: it works without the page's socket too."""
        with (
            ui.element("form").props(f'method=post action="{self._root}{path}"').classes("menu-form"),
            ui.element("button").props("type=submit role=menuitem").classes("menu-button"),
        ):
            ui.label(text)

    def leave(self) -> None:
        """The session is over: send the browser away and close this page for good, whatever the browser does.

        The sign-in page says why, and leads back to the same view.
        """
        self._client.run_javascript(f"authkeys.leave({json.dumps(self._root)}, {json.dumps(SIGN_IN_PATH)})")
        asyncio.get_running_loop().call_later(_FAREWELL_SECONDS, self._close)

    def _close(self) -> None:
        if self._client.id in Client.instances:
            self._client.delete()

    async def show_stopped(self) -> None:
        """Say that the server was stopped, instead of that the connection is lost; returns when the browser knows."""
        with suppress(TimeoutError):
            await self._client.run_javascript("authkeys.stopped()")

    def show_available(self, available: bool) -> None:
        """Say whether the database answers. A lost connection to the server is shown by the browser itself."""
        self._state.set_text("Live" if available else "Database unavailable")
        self._live.classes(remove="live-down") if available else self._live.classes("live-down")

    def sign_out(self) -> None:
        """End the session, as the account menu does."""
        self._client.run_javascript(f"authkeys.post({json.dumps(f'{self._root}/sign-out')})")

    async def switch_theme(self) -> None:
        """From light to dark, or back; remembered by the browser."""
        is_dark = await ui.run_javascript("Quasar.Dark.isActive", timeout=_ANSWER_SECONDS)
        self._dark.set_value(not is_dark)
        ui.run_javascript(f"authkeys.rememberTheme('{'light' if is_dark else 'dark'}')")
