"""The gate of a server that answers access checks and the gateway only: there are no pages, so there is nothing to sign in to."""

from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from models.proxies import TrustedProxies
from web.caller import prepare, raw_path

_NOTHING_ELSE = PlainTextResponse(
    "Here only access checks (/authorize) and Manage2's functions are answered. The console is served by another process: "
    "`main.py` without `check`.\n",
    404,
    headers={"Cache-Control": "no-store"},
)


class ScriptsGate:
    """Lets in what is for scripts; each call brings its own key or phrase."""

    def __init__(self, scripts: ASGIApp, is_for_scripts: Callable[[str], bool], proxies: TrustedProxies) -> None:
        self._scripts = scripts
        self._is_for_scripts = is_for_scripts
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or answer."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            prepare(scope, self._proxies)
            if not self._is_for_scripts(raw_path(scope)):
                await _NOTHING_ELSE(scope, receive, send)
                return
        await self._scripts(scope, receive, send)
