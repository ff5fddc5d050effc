"""What the tests of second factors have in common: an account, its session, and its factors."""

import re
from datetime import datetime, timedelta

import pyotp
import pytest

from models.accounts import AdminIdentity, Role
from models.history import EntryKind
from models.second_factors import STEP_SECONDS, PasskeyPlace
from services.console import Console
from services.passkeys import KnownByPasskey
from services.sessions import SignedIn
from tests.authenticator import Authenticator
from tests.program import PASSWORD

HERE = "192.0.2.200"
BROWSER = "b" * 64
WHERE = PasskeyPlace("keys.example.com", "https://keys.example.com")


async def an_account(console: Console, name: str = "dana") -> tuple[AdminIdentity, SignedIn]:
    """An admin with a password, who has just signed in with it."""
    await console.admins.add(name, PASSWORD, Role.ADMIN, "a test")
    admin = await console.admins.authenticate(name, PASSWORD, HERE)
    assert admin is not None
    return admin, await session_of(console, await console.sessions.begin(admin, HERE))


async def session_of(console: Console, cookie: str) -> SignedIn:
    session = await console.sessions.find(cookie)
    assert session is not None
    return session


async def add_codes(console: Console, session: SignedIn) -> tuple[pyotp.TOTP, list[str]]:
    """Add an app with one-time codes; the app, and the recovery codes."""
    draft = console.second_factors.draft_codes(session, WHERE)
    app = pyotp.TOTP(draft.secret)
    return app, await console.second_factors.set_codes(session, draft, app.now())


async def add_passkey(console: Console, session: SignedIn, device: Authenticator, name: str = "laptop") -> list[str]:
    """Add a passkey; the recovery codes."""
    factors = console.second_factors
    asked = await factors.passkeys.ask_for_new(session.admin, WHERE, session.digest, HERE)
    return await factors.add_passkey(session, device.create(asked), name, WHERE)


async def with_passkey(console: Console, device: Authenticator) -> KnownByPasskey:
    """Sign in with nothing but a passkey, as far as it is known who it is."""
    passkeys = console.second_factors.passkeys
    answer = device.get(await passkeys.ask_who(WHERE, BROWSER, HERE))
    return await passkeys.sign_in(answer, WHERE, BROWSER, HERE)


async def on_record(console: Console, kind: EntryKind) -> list[str]:
    """What the entries of a kind say, oldest first."""
    return [each.detail for each in reversed(await console.history.accesses()) if each.kind is kind]


class Clock:
    """The clock of the services under test, which a test puts forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
        self._ahead = timedelta()
        clock = self

        class Moved(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + clock._ahead

        for module in modules:
            monkeypatch.setattr(f"{module}.datetime", Moved)

    def forward(self, **how_much: float) -> None:
        self._ahead += timedelta(**how_much)

    def next_step(self) -> None:
        """Until the app shows the next code."""
        self.forward(seconds=STEP_SECONDS)

    @property
    def now(self) -> datetime:
        return datetime.now().astimezone() + self._ahead


def codes_in(html: str) -> list[str]:
    """The recovery codes that a page shows."""
    return re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{5})</li>", html)
