"""The application for scripts in process, as a script at a loopback address calls it."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import defusedxml.ElementTree
import httpx
import yaml
from starlette.types import Receive, Scope, Send

from api.gateway import Backend
from api.scripts import scripts_app
from models.privileges import Privilege, mask_of
from models.proxies import TrustedProxies
from models.secrets import Secret, new_secret
from models.submissions import NewAuthkey
from services.console import Console
from tests.support import submit

HERE, ELSEWHERE = "192.0.2.50", "192.0.2.51"


READERS: dict[str, Callable[[str], Mapping[str, Any]]] = {
    "xml": lambda text: defusedxml.ElementTree.fromstring(text).attrib,
    "JSON": json.loads,
    "Yaml": yaml.safe_load,
}
"""How each format is read"""


class Recorder:
    """A backend that remembers what it got."""

    def __init__(self, *headers: tuple[bytes, bytes]) -> None:
        self._headers = headers or ((b"content-type", b"text/x"), (b"connection", b"close"), (b"x-own", b"1"))

    @property
    def headers(self) -> dict[str, str]:
        """What it was told in headers."""
        return {name.decode(): value.decode() for name, value in self.scope["headers"]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.body = scope, (await receive())["body"]
        headers = list(self._headers)
        await send({"type": "http.response.start", "status": 207, "headers": headers})
        await send({"type": "http.response.body", "body": b"as it is"})


@asynccontextmanager
async def calling(
    console: Console, *, address: str = HERE, backend: Backend | None = None, trusted: tuple[str, ...] = ()
) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose connection comes from this address."""
    transport = httpx.ASGITransport(scripts_app(console, TrustedProxies(trusted), backend), client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://keys.example") as client:
        yield client


async def add_key_with(console: Console, *privileges: Privilege, ip: str = HERE, service: str = "billing") -> Secret:
    """An authkey with these privileges; its secret."""
    secret = new_secret()
    await submit(console, NewAuthkey(ip, service, mask_of(privileges), secret.kept))
    return secret
