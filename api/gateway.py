"""The gateway: a call that was let through is passed on to the licensing backend, without the caller's key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from api.callers import address_of
from models.door import KeyState
from models.errors import AuthkeysError, InvalidValue
from models.manage2_functions import Manage2Function
from models.manage2_requests import without_key

if TYPE_CHECKING:
    # Really imported only where there is a backend: it would take a tenth of the time to start.
    import httpx

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 30.0

# RFC 9110, 7.6.1: these are between two neighbours, not between the ends.
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
_NOT_PASSED_ON = _HOP_BY_HOP | {"host", "content-length", "authorization", "x-api-key", "cookie", "expect"}
# Whose word the backend may take for the caller's address: ours, not the caller's.
_ABOUT_CALLER = frozenset(["forwarded", "x-forwarded-for", "x-real-ip", "x-client-ip", "true-client-ip"])
# A cookie would be one of the console's host, and it would not be passed on with the next call.
_NOT_PASSED_BACK = _HOP_BY_HOP | {"server", "date", "set-cookie"}
_PREFIX = "x-authkeys-"


class BackendUnavailable(AuthkeysError):
    """The backend does not answer, or too late."""

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
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Backend"]:
        """Keep connections until the block ends."""
        async with self._client:
            yield self

    async def forward(
        self, function: Manage2Function, request: Request, body: bytes, who: dict[str, str], secret: str
    ) -> Response:
        """Pass a call on, without the caller's `secret`, and its answer back as it comes. Raises BackendUnavailable."""
        import httpx  # noqa: PLC0415 - see above

        query = without_key(request.scope["query_string"], secret).decode("latin-1")
        forwarded = self._client.build_request(
            request.method,
            # The documented path, not the caller's spelling of it: what was checked is what is called.
            f"{self._url}{function.path}{f'?{query}' if query else ''}",
            headers=[*_passed_on(request, secret), *who.items()],
            # The body of a GET says nothing, so nobody has looked at it.
            content=without_key(body, secret) if body and request.method == "POST" else None,
        )
        try:
            answer = await self._client.send(forwarded, stream=True)
        except httpx.TimeoutException as error:
            raise BackendUnavailable("The licensing backend does not answer in time. Try again later.", 504) from error
        except httpx.HTTPError as error:
            raise BackendUnavailable("The licensing backend cannot be reached. Try again later.", 502) from error
        return StreamingResponse(
            _content(answer),
            answer.status_code,
            headers=dict(_without(answer.headers.items(), _NOT_PASSED_BACK)),
        )


async def _content(answer: "httpx.Response") -> AsyncIterator[bytes]:
    """The answer's bytes as the backend sent them, compressed or not."""
    try:
        async for part in answer.aiter_raw():
            yield part
    finally:
        await answer.aclose()


def _passed_on(request: Request, secret: str) -> list[tuple[str, str]]:
    headers = _without(request.headers.items(), _NOT_PASSED_ON | _ABOUT_CALLER)
    # A Referer, or the original URI that a proxy in front tells, may hold the key too.
    kept = [(name, value) for name, value in headers if secret not in unquote(value)]
    return [*kept, ("X-Forwarded-For", address_of(request))]


def _without(headers: Any, but: frozenset[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if not _is_ours(_as_read(name), but)]


def _is_ours(name: str, but: frozenset[str]) -> bool:
    return name in but or name.startswith(_PREFIX)


def _as_read(name: str) -> str:
    """A header's name as CGI and WSGI programs read it: to them X_Authkeys_User is X-Authkeys-User."""
    return name.lower().replace("_", "-")
