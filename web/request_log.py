"""The log: a request's id in each of its records, one line a request if wanted, as text or as JSON.

Never a secret: of a request only its method, its path, and who asked are logged, not its query, headers or body; and of a path
only the words that are ours, for a caller may have written a key there, or a phrase. Whatever somebody else wrote stands in one line, so that nobody can forge another.
"""

import logging
import re
from collections.abc import Callable, Container, Iterable
from contextvars import ContextVar
from itertools import count, groupby
from secrets import token_hex
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.proxies import TrustedProxies
from web.requests import path_below_root

REQUEST_ID: ContextVar[str] = ContextVar("request id", default="")
"""Of the request that is answered now; empty outside of one"""
HEADER = b"x-request-id"
ACCESS_LOG = "authkeys.access"

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})
_LEFT_OUT = "…"
_NO_ANSWER = 499
"""As nginx logs it: the client went before it was answered."""

access_log = logging.getLogger(ACCESS_LOG)


class RequestLog:
    """Wraps everything: gives each request its id, and logs it."""

    def __init__(
        self, app: ASGIApp, proxies: TrustedProxies, *, words: Container[str] = (), log_requests: bool = False
    ) -> None:
        """`words` may stand in a logged path."""
        self._app = app
        self._proxies = proxies
        self._words = words
        self._log_requests = log_requests
        self._new_id = _ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, with an id; the same in the answer."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = self._told_id(scope) or self._new_id()
        # Not put back: each request has a task, and so a context, of its own, and the server logs what failed after this.
        REQUEST_ID.set(request_id)
        answer = _Answer(send, request_id.encode())
        if self._log_requests:
            await self._logged(scope, receive, answer)
        else:
            await self._app(scope, receive, answer.send)

    async def _logged(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        began, method = perf_counter(), scope.get("method", "WEBSOCKET")
        method = method if method in _METHODS else _LEFT_OUT
        path = shown_path(path_below_root(scope), self._words)
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            answer.status = answer.status or 500
            raise
        finally:
            # The address only now: by now the gate has put the caller's there, if a trusted proxy told it.
            address = (scope.get("client") or ("",))[0]
            milliseconds = round((perf_counter() - began) * 1000, 2)
            status = answer.status or _NO_ANSWER
            fields = {"method": method, "path": path, "status": status, "ms": milliseconds, "address": address}
            access_log.info("%s %s %d %.2f ms %s", *fields.values(), extra=fields)

    def _told_id(self, scope: Scope) -> str:
        """What a trusted proxy calls this request, if that is well-formed."""
        for name, value in scope["headers"]:
            if name == HEADER:
                peer = (scope.get("client") or ("",))[0]
                return value.decode("ascii") if _WELL_FORMED.fullmatch(value) and self._proxies.trusts(peer) else ""
        return ""


class _Answer:
    """Sends an answer on, with the id, and remembers its status."""

    __slots__ = ("_header", "_send", "status")

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._header = (HEADER, request_id)
        self.status = 0

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self._with_id(message.get("headers", ()))}
        elif kind == "websocket.accept":
            self.status = 101
        elif kind == "websocket.close" and not self.status:
            self.status = 403
        await self._send(message)

    def _with_id(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        all_headers = list(headers)
        for name, _ in all_headers:
            if name == HEADER:
                return all_headers  # the backend's own stays
        all_headers.append(self._header)
        return all_headers


def shown_path(path: str, words: Container[str]) -> str:
    """A path as it may be logged: with one mark for whatever stands there that is not one of these words."""
    segments = (segment if segment in words else _LEFT_OUT for segment in path.removeprefix("/").split("/"))
    return f"/{'/'.join(segment for segment, _ in groupby(segments))}"


def _ids() -> Callable[[], str]:
    """Ids that no other process makes; nobody need guess them, so they may count."""
    process, numbers = token_hex(6), count(1)
    return lambda: f"{process}-{next(numbers):x}"
