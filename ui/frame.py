"""What surrounds every view: head, theme, header with the live mark, and the sorry state of a lost database."""

from pathlib import Path

from fastapi import Request
from nicegui import app, ui

STATIC = Path(__file__).parent / "static"
TITLE = "API Authorization Keys"
THEME_COOKIE = "authkeys-theme"

_VERSION = str(int(max(file.stat().st_mtime for file in STATIC.iterdir())))


def serve_static_files() -> None:
    """Serve the style sheet and the script of this package; the version in their URL lets browsers keep them."""
    app.add_static_files("/static", STATIC, max_cache_age=31_536_000)


class Frame:
    """The head and the header of a page."""

    def __init__(self, request: Request, admin_name: str, *, available: bool) -> None:
        root = request.scope.get("root_path", "")
        ui.add_head_html(
            f'<link rel="stylesheet" href="{root}/static/authkeys.css?{_VERSION}">'
            f'<script src="{root}/static/authkeys.js?{_VERSION}"></script>'
        )
        ui.colors(primary="#4f46e5", dark="#111827", dark_page="#0b1020", negative="#b91c1c", positive="#15803d")
        self._dark = ui.dark_mode({"dark": True, "light": False}.get(request.cookies.get(THEME_COOKIE, "")))
        with ui.header().classes("header"):
            ui.icon("vpn_key", size="22px").classes("logo")
            ui.label(TITLE).classes("title").props("role=heading aria-level=1")
            with ui.element("nav").classes("views").props('aria-label="Views"'):
                ui.link("Authorization keys", "/").classes("view current").props("aria-current=page")
            ui.space()
            with ui.element("div").classes("live").props("role=status") as self._live:
                ui.element("span").classes("live-dot").props("aria-hidden=true")
                self._state = ui.label().classes("live-text").mark("live")
            ui.button(icon="dark_mode", on_click=self._switch_theme, color=None).props(
                'flat round dense aria-label="Switch between light and dark"'
            ).classes("theme").mark("theme")
            with ui.element("div").classes("avatar").props(f'role=img aria-label="Signed in as {admin_name}"'):
                ui.label(admin_name[:2].upper()).props("aria-hidden=true")
                ui.tooltip(admin_name)
        self.show_available(available)

    def show_available(self, available: bool) -> None:
        """Say whether the database answers. A lost connection to the server is shown by the browser itself."""
        self._state.set_text("Live" if available else "Database unavailable")
        self._live.classes(remove="live-down") if available else self._live.classes("live-down")

    async def _switch_theme(self) -> None:
        is_dark = await ui.run_javascript("Quasar.Dark.isActive")
        self._dark.set_value(not is_dark)
        ui.run_javascript(f"authkeys.remember_theme('{'light' if is_dark else 'dark'}')")
