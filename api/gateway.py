"""The gateway: a call that was let through is passed on to the licensing backend, without the caller's key.

The backend gets what the caller sent and nothing that an HTTP library would add to it (a made-up Accept-Encoding brings an
answer that the caller cannot read), and no cookie goes either way: callers share nothing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from models.access_checks import KeyState
from models.errors import AuthkeysError, InvalidValue
from models.manage2_functions import Manage2Function
from models.manage2_requests import without_key
from web.connections import ABORT
from web.requests import address_of

if TYPE_CHECKING:
    # Really imported only where there is a backend: it would take a tenth of the time to start.
    import httpx

CONNECT_SECONDS, SILENT_SECONDS, TOTAL_SECONDS = 5.0, 30.0, 120.0
"""Within which the backend must take a connection, say something more, and have said everything"""
AT_ONCE, AT_ONCE_FROM_ONE = 40, 20
"""Calls of one function that may be under way: all in all, and from one caller. A slow function keeps no other waiting."""

log = logging.getLogger(__name__)

T = TypeVar("T")
Header = tuple[str, str]

# RFC 9110, 7.6.1: these are between two neighbours, not between the ends; so are those that Connection names.
_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
_NOT_PASSED_ON = _HOP_BY_HOP | {"host", "content-length", "authorization", "x-api-key", "cookie", "cookie2", "expect"}
# Whose word the backend may take for the caller's address: ours, not the caller's.
_ABOUT_CALLER = frozenset(["forwarded", "x-forwarded-for", "x-real-ip", "x-client-ip", "true-client-ip"])
# What a backend says about its own site, to browsers, would hold for the console's: it has the same host name. What may be
# kept, and which pages may read it, is ours to say.
_NOT_PASSED_BACK = _HOP_BY_HOP | {
    "age",
    "alt-svc",
    "cache-control",
    "clear-site-data",
    "content-security-policy",
    "date",
    "expires",
    "pragma",
    "refresh",
    "server",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "www-authenticate",
}
_CORS = "access-control-"
_PREFIX = "x-authkeys-"


class BackendUnavailable(AuthkeysError):
    """The backend gives no answer that can be passed on; `http_status` says of which kind that is."""

    def __init__(self, message: str, http_status: int) -> None:
        super().__init__(message)
        self.http_status = http_status


def trusted_headers(key: KeyState | None, user: str | None) -> dict[str, str]:
    """Who was let through, for the backend: it gets these headers from us alone, never from the caller.

    `user` is an account whose password was right; the name that a caller puts beside a key is only a claim.
    """
    headers = {"X-Authkeys-User": quote(user, safe="@ ")} if user else {}
    if key is not None:
        headers |= {
            "X-Authkeys-Key": str(key.id),
            "X-Authkeys-IP": key.ip,
            "X-Authkeys-Service": quote(key.service, safe="@ "),
        }
    return headers


class Backend:
    """The licensing backend at one base URL."""

    def __init__(self, url: str, transport: "httpx.AsyncBaseTransport | None" = None) -> None:
        """Raises InvalidValue for what is no http or https URL. `transport` takes the place of the network."""
        import httpx  # noqa: PLC0415 - see above

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise InvalidValue(
                f"--backend takes the URL of the licensing backend, such as http://127.0.0.1:9000, not {url!r}."
            )
        self._url = url.rstrip("/")
        # A transport, not a client: that would keep cookies, and add headers of its own. `AT_ONCE` limits connections.
        self._transport = transport or httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=50), trust_env=False
        )
        self._timeout = httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS).as_dict()
        self._under_way: Counter[tuple[str, ...]] = Counter()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Backend"]:
        """Keep connections until the block ends."""
        async with self._transport:
            yield self

    async def forward(
        self, function: Manage2Function, request: Request, body: bytes, who: dict[str, str], secret: str
    ) -> Response:
        """Pass a call on, without the caller's `secret`, and its answer back as it comes. Raises BackendUnavailable."""
        import httpx  # noqa: PLC0415 - see above

        slot = self._take_slot(function, who)
        gone = asyncio.create_task(_until_gone(request.receive))
        done = ExitStack()
        done.callback(self._free_slot, slot)
        done.callback(gone.cancel)
        try:
            async with asyncio.timeout(SILENT_SECONDS):  # a time-out of httpx's begins anew with each byte of the head
                answer = await _unless(
                    gone, self._transport.handle_async_request(self._request(function, request, body, who, secret))
                )
        except (httpx.TimeoutException, TimeoutError) as error:
            done.close()
            raise BackendUnavailable("The licensing backend does not answer in time. Try again later.", 504) from error
        except httpx.ProtocolError as error:
            done.close()
            log.warning("The backend's answer to %s is no HTTP: %s", function.name, error)
            raise BackendUnavailable(_NOT_HTTP, 502) from error
        except httpx.HTTPError as error:
            done.close()
            raise BackendUnavailable("The licensing backend cannot be reached. Try again later.", 502) from error
        except BaseException:
            done.close()
            raise
        if problem := _not_to_be_passed_back(answer.status_code):
            done.close()
            await answer.aclose()
            log.warning("The backend's answer to %s was refused: %s", function.name, problem)
            raise BackendUnavailable(problem, 502)
        return _PassedBack(function.name, answer, gone, done)

    def _request(
        self, function: Manage2Function, request: Request, body: bytes, who: dict[str, str], secret: str
    ) -> "httpx.Request":
        import httpx  # noqa: PLC0415 - see above

        query = without_key(request.scope["query_string"], secret).decode("latin-1")
        return httpx.Request(
            request.method,
            # The documented path, not the caller's spelling of it: what was checked is what is called.
            f"{self._url}{function.path}{f'?{query}' if query else ''}",
            headers=[*_passed_on(request, secret), *who.items()],
            # The body of a GET says nothing, so nobody has looked at it.
            content=without_key(body, secret) if body and request.method == "POST" else None,
            extensions={"timeout": self._timeout},
        )

    def _take_slot(self, function: Manage2Function, who: dict[str, str]) -> list[tuple[str, ...]]:
        slot = [(function.name,), (function.name, *sorted(who.values()))]
        for which, limit in zip(slot, (AT_ONCE, AT_ONCE_FROM_ONE), strict=True):
            if self._under_way[which] >= limit:
                raise BackendUnavailable(
                    f"Too many calls of {function.name} are under way. Try again when some have ended.", 503
                )
        self._under_way.update(slot)
        return slot

    def _free_slot(self, slot: list[tuple[str, ...]]) -> None:
        for which in slot:
            self._under_way[which] -= 1
            if not self._under_way[which]:
                del self._under_way[which]


_NOT_HTTP = "The licensing backend's answer is none that can be passed on."


def _not_to_be_passed_back(status: int) -> str | None:
    """What is wrong with a backend's answer of this status, in words for the caller; None if nothing is."""
    if status in (401, 407):
        return "The licensing backend asks for a password of its own, which its callers do not have."
    if 300 <= status < 400 and status != 304:
        return "The licensing backend sends its callers to another address, which they cannot follow."
    # 304 too: it is about a copy of the answer that the caller has kept, and we say that none is to be kept.
    return None if status in _STATUSES and status != 304 else _NOT_HTTP


_STATUSES = frozenset(status.value for status in HTTPStatus if status >= 200)


class _PassedBack(Response):
    """An answer on its way back, byte by byte as the backend sends it, compressed or not."""

    def __init__(self, name: str, answer: "httpx.Response", gone: asyncio.Task[None], done: ExitStack) -> None:
        self._name = name
        self._answer = answer
        self._gone = gone
        self._done = done
        self.status_code = answer.status_code
        self.background = None
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in _passed_back(answer)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; where it breaks off, break off as well, so that nobody takes a part of it for the whole."""
        import httpx  # noqa: PLC0415 - see above

        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                async for part in self._parts():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except CallerGone:
            log.debug("The caller of %s has hung up.", self._name)
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("The backend's answer to %s broke off: %s", self._name, type(error).__name__)
            if abort := scope.get(ABORT):
                abort()
                await self._gone
            else:
                raise BackendUnavailable("The licensing backend's answer broke off.", 502) from error
        finally:
            self._done.close()
            await self._answer.aclose()

    async def _parts(self) -> AsyncIterator[bytes]:
        stream = self._answer.stream
        assert hasattr(stream, "__aiter__")
        parts = aiter(stream)
        while (part := await _unless(self._gone, anext(parts, None))) is not None:
            yield part


class CallerGone(BackendUnavailable):
    """The caller has hung up: nobody waits for the answer."""

    def __init__(self) -> None:
        super().__init__("The caller has hung up.", 502)


async def _unless(gone: asyncio.Task[None], work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives. Raises CallerGone, and gives it up, as soon as nobody waits for it."""
    working = asyncio.create_task(work)
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise CallerGone
        return working.result()
    finally:
        working.cancel()


async def _until_gone(receive: Receive) -> None:
    """Wait until the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _passed_on(request: Request, secret: str) -> list[Header]:
    headers = _without(request.headers.items(), _NOT_PASSED_ON | _ABOUT_CALLER)
    # A Referer, or the original URI that a proxy in front tells, may hold the key too.
    kept = [(name, value) for name, value in headers if secret not in unquote(value)]
    return [*kept, ("X-Forwarded-For", address_of(request))]


def _passed_back(answer: "httpx.Response") -> Iterator[Header]:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw]
    if "transfer-encoding" in answer.headers:  # which then says where it ends (RFC 9112, 6.3)
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return (
        (name, value) for name, value in _without(headers, _NOT_PASSED_BACK) if not _as_read(name).startswith(_CORS)
    )


def _without(headers: Iterable[Header], but: frozenset[str]) -> list[Header]:
    headers = list(headers)
    named = {
        part.strip().lower() for name, value in headers if name.lower() == "connection" for part in value.split(",")
    }
    return [(name, value) for name, value in headers if not _is_ours(_as_read(name), but) and name.lower() not in named]


def _is_ours(name: str, but: frozenset[str]) -> bool:
    return name in but or name.startswith(_PREFIX)


def _as_read(name: str) -> str:
    """A header's name as CGI and WSGI programs read it: to them X_Authkeys_User is X-Authkeys-User."""
    return name.lower().replace("_", "-")
