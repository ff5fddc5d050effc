"""Calls to the provider of single sign-on: never longer than some seconds, never larger than it must be, never elsewhere."""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from models.errors import ProviderUnavailable

if TYPE_CHECKING:
    import httpx

CALL_SECONDS = 10.0
"""For a whole call, however it is dripped"""
MAX_BYTES = 1_000_000
"""Of an answer; a set of keys has some thousand"""


class ProviderAnswer(NamedTuple):
    """An answer in JSON; `content` is empty for what is no JSON object."""

    status: int
    content: dict[str, Any]


class ProviderCalls:
    """Asks the provider, and reads its answers."""

    def __init__(self, label: str) -> None:
        """`label` is what people are told of the provider."""
        self._label = label
        self._client: httpx.AsyncClient | None = None

    async def get(self, url: str, **headers: str) -> ProviderAnswer:
        """Ask for something. Raises ProviderUnavailable."""
        return await self._call("GET", url, headers, None)

    async def post(self, url: str, body: str, headers: Mapping[str, str]) -> ProviderAnswer:
        """Send a form. Raises ProviderUnavailable."""
        return await self._call("POST", url, {**headers, "Content-Type": "application/x-www-form-urlencoded"}, body)

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def unavailable(self, problem: str) -> ProviderUnavailable:
        """What to raise if the provider cannot be used; `problem` is for the operator."""
        return ProviderUnavailable(
            f"{self._label} cannot be used to sign in at the moment. Try again in a minute, or sign in with the password of "
            "an account of this server.",
            problem,
        )

    async def _call(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> ProviderAnswer:
        import httpx  # noqa: PLC0415 - takes its time, and is needed with a provider only

        if self._client is None:
            # Redirects are not followed: what is sent may hold the client's secret.
            self._client = httpx.AsyncClient(timeout=CALL_SECONDS)
        try:
            async with (
                asyncio.timeout(CALL_SECONDS),
                self._client.stream(
                    method,
                    url,
                    headers={"Accept": "application/json", "Accept-Encoding": "identity", **headers},
                    content=body,
                ) as response,
            ):
                return ProviderAnswer(response.status_code, _object_in(await self._read(response, url)))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise self.unavailable(f"{_place(url)} does not answer: {error or type(error).__name__}") from error
        finally:
            self._client.cookies.clear()  # one person's calls have nothing to do with another's

    async def _read(self, response: "httpx.Response", url: str) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self.unavailable(f"{_place(url)} sends a compressed answer, although none was asked for")
        content = bytearray()
        async for part in response.aiter_raw():
            content += part
            if len(content) > MAX_BYTES:
                raise self.unavailable(f"{_place(url)} sends more than {MAX_BYTES:,} bytes")
        return bytes(content)


def _object_in(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _place(url: str) -> str:
    """The address without its query, for the log."""
    return url.partition("?")[0][:200]
