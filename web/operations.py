"""What an operator's programs ask: `/health/live`, `/health/ready` and `/metrics`.

Plain ASGI, so that a process without pages answers them as well, on a port of its own. No session is needed, and no host name
counts: a load balancer asks by address. So nothing secret is told, and metrics only where they may be.
"""

import hmac
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from models.access import LIVE_PATH, METRICS_PATH, READY_PATH
from services.health import Health
from web.requests import path_below_root

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Exposition = Callable[[], Awaitable[bytes]]


class Operations:
    """Answers what operators ask, and hands everything else on.

    `metrics` makes the metrics, if they are to be had here; with a `token` only for who brings it (RFC 6750). Without an `app`
    behind there is nothing else.
    """

    def __init__(
        self, health: Health, metrics: Exposition | None = None, token: bytes | None = None, app: ASGIApp | None = None
    ) -> None:
        self._app = app or _nothing_here
        self._health = health
        self._token = token
        self._answers: dict[str, Callable[[Headers], Awaitable[Response]]] = {
            LIVE_PATH: self._live,
            READY_PATH: self._ready,
        }
        if metrics:
            self._answers[METRICS_PATH] = partial(self._metrics, metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        answer = self._answers.get(path_below_root(scope)) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await _text("Only GET and HEAD are answered here.\n", 405, Allow="GET, HEAD")(scope, receive, send)
        else:
            await (await answer(Headers(scope=scope)))(scope, receive, send)

    async def _live(self, _: Headers) -> Response:
        return _json({"alive": True}, 200)

    async def _ready(self, _: Headers) -> Response:
        report = await self._health.check()
        return _json(report.to_json(), 200 if report.ready else 503)

    async def _metrics(self, metrics: Exposition, headers: Headers) -> Response:
        if self._token is not None and not self._is_right(headers.getlist("authorization")):
            return _text(
                "Metrics need the bearer token of --metrics-token-file.\n", 401, **{"WWW-Authenticate": "Bearer"}
            )
        return Response(await metrics(), 200, {**_HEADERS, "Content-Type": _METRICS_TYPE})

    def _is_right(self, given: list[str]) -> bool:
        scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
        # In constant time: whoever measures shall not find the token byte by byte.
        return hmac.compare_digest(token.strip().encode("latin-1"), self._token or b"") and scheme.lower() == "bearer"


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await _text(f"Here are {LIVE_PATH}, {READY_PATH} and {METRICS_PATH}.\n", 404)(scope, receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(content) + b"\n", status, {**_HEADERS, "Content-Type": "application/json"})


def _text(text: str, status: int, **more: str) -> Response:
    return Response(text, status, {**_HEADERS, **more}, media_type="text/plain")
