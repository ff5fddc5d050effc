"""The gateway: a call that was let through is passed on to the licensing backend, without the caller's key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from models.door import KeyState
from models.errors import AuthkeysError, InvalidValue
from models.manage2_functions import Manage2Function
from models.manage2_requests import without_apikey

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
_NOT_PASSED_BACK = _HOP_BY_HOP | {"server", "date"}
_PREFIX = "x-authkeys-"


class BackendUnavailable(AuthkeysError):
    """The backend does not answer, or too late."""

    def __init__(self, message: str, http_status: int) -> None:
        super().__init__(message)
        self.http_status = http_status


def trusted_headers(key: KeyState | None, user: str | None) -> dict[str, str]:
    """Who was let through, for the backend: it gets these headers from us alone, never from the caller."""
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

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Raises InvalidValue for what is no http or https URL. `transport` takes the place of the network."""
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

    async def forward(self, function: Manage2Function, request: Request, body: bytes, who: dict[str, str]) -> Response:
        """Pass a call on and its answer back as it comes. Raises BackendUnavailable."""
        query = without_apikey(request.scope["query_string"]).decode("latin-1")
        forwarded = self._client.build_request(
            request.method,
            # The documented path, not the caller's spelling of it: what was checked is what is called.
            f"{self._url}{function.path}{f'?{query}' if query else ''}",
            headers=[*_passed(request.headers.items(), _NOT_PASSED_ON), *who.items()],
            content=without_apikey(body) if body else None,
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
            headers=dict(_passed(answer.headers.items(), _NOT_PASSED_BACK)),
        )


async def _content(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The answer's bytes as the backend sent them, compressed or not."""
    try:
        async for part in answer.aiter_raw():
            yield part
    finally:
        await answer.aclose()


def _passed(headers: Any, but: frozenset[str]) -> list[tuple[str, str]]:
    return [
        (name, value) for name, value in headers if name.lower() not in but and not name.lower().startswith(_PREFIX)
    ]
