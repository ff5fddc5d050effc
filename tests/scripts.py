"""The application for scripts in process, as a script at a loopback address calls it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from api.gateway import Backend
from api.scripts import scripts_app
from models.privileges import Privilege, mask_of
from models.proxies import TrustedProxies
from models.secrets import Secret, new_secret
from models.submissions import NewAuthkey
from services.console import Console
from tests.support import submit

HERE, ELSEWHERE = "192.0.2.50", "192.0.2.51"


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
    await submit(console, NewAuthkey(ip, service, mask_of(privileges), secret.digest, secret.hint))
    return secret
