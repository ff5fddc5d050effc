"""How the parts are put together: pages by NiceGUI, routes on the parent application, the gate around both."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Scope

from api.approvals import approvals_router
from api.exports import exports_router
from api.gateway import Backend
from api.issued_keys import issued_keys_router
from api.rows import rows_router
from api.scripts import is_for_scripts, scripts_app
from api.uploads import uploads_router
from models.errors import DatabaseUnavailable
from models.proxies import TrustedProxies
from services.console import Console
from ui.shell.frame import FAVICON, STATIC_PATH
from ui.shell.routes import register_pages
from web.invitation import invitation_router
from web.lasting_files import LastingFiles
from web.own_factors import own_factors_router
from web.plain import scripts_router, unavailable_page
from web.second_step import second_step_router
from web.server import Serving
from web.session_middleware import SessionMiddleware
from web.sign_in import sign_in_router
from web.single_sign_on import single_sign_on_router

RECONNECT_SECONDS = 120
"""How long the server keeps a page whose browser is offline; what is staged is in the database anyway."""


def build_app(
    console: Console,
    serving: Serving,
    *,
    closing: AsyncExitStack,
    stop: Callable[[], None] | None = None,
    backend: Backend | None = None,
) -> ASGIApp:
    """The whole application.

    `closing` is closed after everything else. `stop` ends the server, for who may quit it in the page.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(sign_in_router(console))
    app.include_router(invitation_router(console))
    app.include_router(single_sign_on_router(console))
    app.include_router(second_step_router(console))
    app.include_router(own_factors_router(console))
    app.include_router(scripts_router())
    app.include_router(rows_router(console))
    app.include_router(exports_router(console))
    app.include_router(issued_keys_router(console))
    app.include_router(uploads_router(console))
    if console.approvals.four_eyes.is_on:
        app.include_router(approvals_router(console))
    app.add_exception_handler(DatabaseUnavailable, unavailable_page)
    register_pages(console, stop)
    ui.run_with(
        app, dark=None, language="en-US", reconnect_timeout=RECONNECT_SECONDS, binding_refresh_interval=None, tailwind=False,
        show_welcome_message=False, favicon=FAVICON, gzip_middleware_factory=None,
        viewport="width=device-width, initial-scale=1, viewport-fit=cover",
    )  # fmt: skip
    app.add_middleware(GZipMiddleware, compresslevel=6)  # around NiceGUI and our own routes
    pages = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        # Outside of NiceGUI's own lifespan: its last background tasks still need the database.
        async with closing, pages(application):
            yield

    app.router.lifespan_context = lifespan
    proxies = TrustedProxies(serving.trusted_proxies)
    scripts = scripts_app(console, proxies, backend)
    files = LastingFiles(app, _is_lasting, cache_folder())
    return SessionMiddleware(files, console.sessions, serving.hosts, scripts, is_for_scripts, proxies)


def _is_lasting(scope: Scope) -> bool:
    """Whether a path holds the version, or a digest, of what is there."""
    path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
    return path.startswith(("/_nicegui/", f"{STATIC_PATH}/"))


def cache_folder() -> Path:
    """Where this user keeps what can be made anew (XDG Base Directory)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "authkeys"
