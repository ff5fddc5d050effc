"""What the tests of single sign-on have in common: a console that knows the provider, and a browser that goes there and back."""

from collections.abc import Awaitable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from models.errors import SignInRefused
from models.history import EntryKind
from models.single_sign_on import ProviderSettings
from services.console import Console
from services.single_sign_on import Arrival, SingleSignOn
from tests.oidc_provider import ADMINS, AUDITORS, CLIENT_ID, CLIENT_SECRET, OidcProvider

HERE = "192.0.2.200"
CALLBACK = "http://127.0.0.1:8080/sign-in/provider/callback"


def rules(provider: OidcProvider, **more: Any) -> ProviderSettings:
    """What the operator says of this provider."""
    told = {"client_secret": CLIENT_SECRET, "name": "Company"}
    roles = {"admins": frozenset({ADMINS}), "auditors": frozenset({AUDITORS})}
    return ProviderSettings(provider.issuer, CLIENT_ID, **{**told, **roles, **more})


def sso(console: Console) -> SingleSignOn:
    assert console.single_sign_on is not None
    return console.single_sign_on


async def answer_of(url: str) -> list[tuple[str, str]]:
    """What the provider sends a browser back with that signs in there."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(url)
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(CALLBACK)
    return parse_qsl(urlsplit(answer.headers["location"]).query)


async def sign_in(console: Console, to: str = "/") -> Arrival:
    """Go to the provider, sign in there, and come back."""
    departure = await sso(console).depart(CALLBACK, to)
    return await sso(console).arrive(departure.cookie, await answer_of(departure.url), HERE)


async def refusal(console: Console, attempt: Awaitable[Any]) -> tuple[str, str]:
    """With which words something is refused, and what is on record of it."""
    with pytest.raises(SignInRefused) as caught:
        await attempt
    return str(caught.value), await newest_refusal(console)


async def newest_refusal(console: Console) -> str:
    """What is on record of the refusal just now: whom it is about, and why."""
    entry = next(each for each in await console.history.accesses(5) if each.kind is EntryKind.REFUSED)
    assert entry.address == HERE
    reason = entry.detail.removeprefix("single sign-on: ")
    return f"{entry.name}: {reason}" if entry.name else reason
