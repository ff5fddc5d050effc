"""The application for scripts: the routes that need no session, because each call brings its own key or phrase."""

from fastapi import FastAPI

from api.authorize import AUTHORIZE_PATH, authorize_router
from api.gateway import Backend
from api.manage2 import is_manage2, manage2_router
from models.proxies import TrustedProxies
from services.for_scripts import ForScripts


def scripts_app(console: ForScripts, trusted: TrustedProxies, backend: Backend | None) -> FastAPI:
    """`/authorize` and Manage2's functions; `trusted` proxies may ask for others."""
    app = FastAPI(title="Authkeys", openapi_url=f"{AUTHORIZE_PATH}/openapi.json", docs_url=None, redoc_url=None)
    app.include_router(authorize_router(console.authorizer, trusted))
    app.include_router(manage2_router(console, backend))
    return app


def is_for_scripts(raw_path: str) -> bool:
    """Whether a path, as it was sent, belongs to this application."""
    return raw_path == AUTHORIZE_PATH or raw_path.startswith(f"{AUTHORIZE_PATH}/") or is_manage2(raw_path)
