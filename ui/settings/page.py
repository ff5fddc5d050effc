"""Settings, at `/settings`: a list of sections, and the one that its address names."""

from collections.abc import Callable, Sequence
from functools import partial

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from nicegui import app, ui

from services.console import Console
from ui.settings.sections import SECTIONS, Section
from ui.shell.building import built, page_at
from ui.shell.dialogs import show_shortcuts
from ui.shell.frame import SETTINGS_PATH, STATIC_PATH, TITLE
from ui.shell.palette import Command
from ui.shell.window import Window


def register_settings_pages(console: Console, stop: Callable[[], None] | None) -> None:
    """Register `/settings` and the address of each section."""

    @app.get(SETTINGS_PATH, include_in_schema=False)
    async def first(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}{_path(SECTIONS[0])}", 307)

    for section in SECTIONS:
        _register(console, stop, section)


def _register(console: Console, stop: Callable[[], None] | None, section: Section) -> None:
    @page_at(_path(section), f"{section.title} · {TITLE}")
    async def settings(request: Request) -> Response | None:
        return await built(_build(Window(console, request, stop), section))


async def _build(window: Window, section: Section) -> None:
    """Load first, then build, then subscribe."""
    await window.load()
    build = await section.open(window)
    window.build_frame(SETTINGS_PATH)
    ui.add_head_html(f'<link rel="stylesheet" href="{window.root_path}{STATIC_PATH}/settings.css">')
    with ui.element("div").classes("page without-bar scrolling settings"):
        with ui.element("nav").classes("settings-sections").props('aria-label="Settings"'):
            ui.label("Settings").classes("settings-title").props("role=heading aria-level=2")
            for each in SECTIONS:
                link = ui.link(each.title, _path(each)).classes("settings-link")
                if each is section:
                    link.classes("current").props("aria-current=page")
        with ui.element("section").classes("settings-section") as place:
            place.props["aria-label"] = section.title
            ui.label(section.title).classes("settings-heading").props("role=heading aria-level=2")
            build()
    ui.on("shortcut", lambda event: show_shortcuts() if event.args == {"name": "help"} else None)
    window.subscribe()
    window.view_commands = partial(_commands, section)


async def _commands(shown: Section) -> Sequence[Command]:
    return [
        Command(
            f"Settings: {each.title}", "tune", partial(ui.navigate.to, _path(each)), "Go to", f"settings {each.words}",
            is_offered=each is not shown,
        )
        for each in SECTIONS
    ]  # fmt: skip


def _path(section: Section) -> str:
    return f"{SETTINGS_PATH}/{section.name}"
