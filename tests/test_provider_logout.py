"""The provider ends what it began: OpenID Connect Back-Channel Logout 1.0, as a service on both databases."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from models.history import EntryKind
from models.single_sign_on import ProviderSettings
from models.tables import ProviderSession, SpentToken
from services.console import Console, open_console
from services.identities import end_sessions
from services.sessions import SignedIn
from storage.database import DatabaseLocation
from tests.oidc_provider import ADMINS, OidcProvider, person
from tests.other_process import another_process
from tests.single_sign_on import HERE, refusal, rules, sign_in, sso
from tests.support import listening


async def session_of(console: Console, address: str = HERE) -> SignedIn:
    """A session that was begun at the provider."""
    arrival = await sign_in(console)
    cookie = await console.sessions.begin(arrival.admin, address, EntryKind.SIGNED_IN_BY_PROVIDER)
    session = await console.sessions.find(cookie)
    assert session is not None
    return session


@pytest.mark.parametrize(
    "said",
    [{"sub": "subject-of-dana"}, {"sid": "session-of-dana"}, {"sub": "subject-of-dana", "sid": "session-of-dana"}],
)
async def test_who_is_signed_out_there_is_signed_out_here_at_once_and_others_are_not(
    linked_console: Console, provider: OidcProvider, said: dict[str, Any]
) -> None:
    sessions = [await session_of(linked_console), await session_of(linked_console, "192.0.2.201")]
    provider.person = person("ben", groups=[ADMINS])
    bens = await session_of(linked_console)
    async with listening(linked_console.sessions.ended) as ended:
        await sso(linked_console).end_by_provider(provider.logout_token(**said), HERE)
        assert await ended.next() == (frozenset(each.id for each in sessions),)
    assert not any(linked_console.sessions.lasts(each) for each in sessions)
    assert linked_console.sessions.lasts(bens)
    newest = (await linked_console.history.accesses(1))[0]
    assert (newest.kind, newest.name) == (EntryKind.SIGNED_OUT_BY_PROVIDER, "dana")


async def test_a_logout_that_another_instance_was_told_of_ends_the_session_here(
    database: DatabaseLocation, provider: OidcProvider
) -> None:
    settings = rules(provider)
    async with open_console(database, provider=settings) as console:
        session = await session_of(console)
        async with listening(console.sessions.ended) as ended, another_process(database, None) as other:
            assert await other.do(_end_there, settings) == 1
            assert await ended.next() == (frozenset({session.id}),)


async def _end_there(_: Console, settings: ProviderSettings) -> int:
    return await end_sessions(settings, "subject-of-dana", "", HERE, ("digest", datetime.now(UTC)))


async def test_it_is_no_error_if_that_person_is_not_signed_in_here(
    linked_console: Console, provider: OidcProvider
) -> None:
    await sso(linked_console).end_by_provider(provider.logout_token(sub="a stranger", sid="unknown"), HERE)
    assert await linked_console.history.accesses(5) == []


HOUR = 3600
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": ({"sub": None}, "the logout token says nobody"),
    "nobody by a number": ({"sub": 5}, "invalid claim sub"),
    "an ID token": ({"events": None}, "not a logout token"),
    "another event": ({"events": {"http://example.com/event": {}}}, "not a logout token"),
    "with a nonce": ({"nonce": "x"}, "not a logout token: it has a nonce"),
    "wrong audience": ({"aud": "another"}, "wrong audience"),
    "wrong issuer": ({"iss": "https://evil.example"}, "wrong issuer"),
    "without an id": ({"jti": None}, "missing claim jti"),
    "without expiry": ({"exp": None}, "missing claim exp"),
    "expired": ({"exp": time.time() - HOUR}, "expired token"),
    "old": ({"iat": time.time() - HOUR}, "expired token: it was issued too long ago"),
}


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_logout_token_ends_nothing_and_is_on_record(
    sqlite_database: DatabaseLocation, provider: OidcProvider, what: str
) -> None:
    changes, reason = BAD[what]
    async with open_console(sqlite_database, provider=rules(provider)) as console:
        session = await session_of(console)
        token = provider.logout_token(**{"sub": "subject-of-dana", **changes})
        _, record = await refusal(console, sso(console).end_by_provider(token, HERE))
        assert record == f"logout token: {reason}"
        assert console.sessions.lasts(session)


async def test_a_logout_token_of_a_stranger_or_used_twice_is_refused(
    linked_console: Console, provider: OidcProvider
) -> None:
    session = await session_of(linked_console)
    forged = provider.logout_token(RSAKey.generate_key(2048, {"kid": "first"}), sub="subject-of-dana")
    for token, reason in ((forged, "wrong signature"), ("", "the token is damaged"), ("a.b.c", "the token is damaged")):
        _, record = await refusal(linked_console, sso(linked_console).end_by_provider(token, HERE))
        assert record == f"logout token: {reason}"
    assert linked_console.sessions.lasts(session)
    token = provider.logout_token(sub="subject-of-dana")
    await sso(linked_console).end_by_provider(token, HERE)
    again = await session_of(linked_console)
    _, record = await refusal(linked_console, sso(linked_console).end_by_provider(token, HERE))
    assert record == "logout token: it was used already"
    assert linked_console.sessions.lasts(again)


async def test_what_nobody_can_use_any_more_is_forgotten(
    linked_console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(linked_console)
    await sso(linked_console).purge()
    assert (await SpentToken.all().count(), await ProviderSession.all().count()) == (1, 1)
    monkeypatch.setattr("services.single_sign_on.datetime", _InAMonth)
    await sso(linked_console).purge()
    assert (await SpentToken.all().count(), await ProviderSession.all().count()) == (0, 0)


class _InAMonth:
    @staticmethod
    def now(zone: Any) -> Any:
        return datetime.now(zone) + timedelta(days=30)
