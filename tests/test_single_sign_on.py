"""Signing in at a provider, as a service on both databases: who is let in, with which account, and what is refused and on record."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from models.accounts import Role
from models.errors import SignInRefused
from models.history import EntryKind
from models.single_sign_on import ProviderSettings
from models.tables import Admin
from services.console import Console, open_console
from services.single_sign_on import Arrival, SingleSignOn
from storage.database import DatabaseLocation
from tests.oidc_provider import ADMINS, AUDITORS, CLIENT_ID, CLIENT_SECRET, OidcProvider, oidc_provider

HERE = "192.0.2.200"
CALLBACK = "http://127.0.0.1:8080/sign-in/provider/callback"


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as provider:
        provider.redirect_uris = {CALLBACK}
        yield provider


def rules(provider: OidcProvider, **more: Any) -> ProviderSettings:
    told = {
        "client_secret": CLIENT_SECRET,
        "name": "Company",
        "admins": frozenset({ADMINS}),
        "auditors": frozenset({AUDITORS}),
    }
    return ProviderSettings(provider.issuer, CLIENT_ID, **{**told, **more})


@asynccontextmanager
async def a_console(database: DatabaseLocation, settings: ProviderSettings) -> AsyncIterator[Console]:
    async with open_console(database, provider=settings) as console:
        yield console


@pytest.fixture
async def console(database: DatabaseLocation, provider: OidcProvider) -> AsyncIterator[Console]:
    async with a_console(database, rules(provider)) as console:
        yield console


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
    departure = await sso(console).depart(CALLBACK, to)
    return await sso(console).arrive(departure.cookie, await answer_of(departure.url), HERE)


async def refused(console: Console, words: str) -> str:
    """What is on record of a sign-in that is refused with these words."""
    with pytest.raises(SignInRefused, match=words):
        await sign_in(console)
    return await on_record(console)


async def on_record(console: Console) -> str:
    entry = (await console.history.accesses(1))[0]
    assert entry.kind is EntryKind.REFUSED
    assert entry.address == HERE
    return f"{entry.name}: {entry.detail}" if entry.name else entry.detail


async def test_who_signs_in_first_gets_an_account_without_a_password(console: Console, provider: OidcProvider) -> None:
    arrival = await sign_in(console, "/history?what=keys")
    assert arrival.admin.name == "dana"
    assert arrival.admin.role is Role.ADMIN
    assert arrival.to == "/history?what=keys"
    assert (await Admin.get(name="dana")).password_hash is None
    assert await console.admins.authenticate("dana", "", HERE) is None
