"""What a provider says is believed only if it is proven: bad tokens, keys that change, and a provider that is not itself."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from models.errors import ProviderUnavailable, SignInRefused
from models.tables import Admin
from services import provider as provider_module
from services.console import Console, open_console
from services.id_tokens import BadToken, key_set
from services.provider_calls import MAX_BYTES
from storage.database import DatabaseLocation
from tests.oidc_provider import OidcProvider
from tests.single_sign_on import CALLBACK, HERE, refusal, rules, sign_in, sso


@pytest.fixture
async def console(sqlite_database: DatabaseLocation, provider: OidcProvider) -> AsyncIterator[Console]:
    async with open_console(sqlite_database, provider=rules(provider)) as console:
        yield console


def claim(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    """Makes an ID token say this; None: say nothing of it."""
    return lambda claims: claims.update({name: value}) if value is not None else claims.pop(name)


HOUR = 3600

BAD = {
    "nonce of another sign-in": (claim("nonce", "another"), "wrong nonce"),
    "no nonce": (claim("nonce", None), "missing claim nonce"),
    "wrong audience": (claim("aud", "another client"), "wrong audience"),
    "no audience": (claim("aud", None), "missing claim aud"),
    "also for another, without azp": (claim("aud", ["authkeys", "another"]), "missing claim azp"),
    "authorized for another": (claim("azp", "another"), "wrong audience: azp is another client"),
    "wrong issuer": (claim("iss", "https://evil.example"), "wrong issuer"),
    "no issuer": (claim("iss", None), "missing claim iss"),
    "expired": (lambda claims: claims.update(exp=time.time() - 31), "expired token"),
    "no expiry": (claim("exp", None), "missing claim exp"),
    "expiry that is not a number": (claim("exp", "tomorrow"), "no proper time of expiry"),
    "from the future": (lambda claims: claims.update(iat=time.time() + HOUR), "issued in the future, or at no proper time"),
    "not valid yet": (lambda claims: claims.update(nbf=time.time() + HOUR), "not yet valid"),
    "old": (lambda claims: claims.update(iat=time.time() - HOUR), "expired token: it was issued too long ago"),
    "of another access token": (claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "the access token is another one's"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_token_signs_nobody_in_and_is_on_record(
    console: Console, provider: OidcProvider, what: str
) -> None:
    provider.spoil, reason = BAD[what]
    words, record = await refusal(console, sign_in(console))
    assert f"cannot be trusted ({reason})" in words
    assert record == reason
    assert not await Admin.filter(name="dana").exists()


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a_token_that_others_could_make_is_refused_although_the_provider_announces_it(
    console: Console, provider: OidcProvider, algorithm: str
) -> None:
    provider.algorithm = algorithm
    _, record = await refusal(console, sign_in(console))
    assert record == "unsigned token, or one signed in a way that others could forge"


async def test_a_clock_that_is_five_seconds_off_keeps_nobody_out(console: Console, provider: OidcProvider) -> None:
    for seconds in (-5, 5):
        provider.spoil = claim("iat", int(time.time()) + seconds)
        assert (await sign_in(console)).admin.name == "dana"


async def test_a_new_key_of_the_provider_is_read_at_once_and_a_strangers_is_refused(
    console: Console, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(console)
    provider.key = provider.published = RSAKey.generate_key(2048, {"kid": "second"})
    assert (await sign_in(console)).admin.name == "dana"
    assert provider.asked.count("/keys") == 2
    provider.key = RSAKey.generate_key(2048, {"kid": "stranger's"})
    for _ in range(3):
        _, record = await refusal(console, sign_in(console))
        assert record == "the token is signed with an unknown key"
    assert provider.asked.count("/keys") == 2  # anybody can send such tokens
    monkeypatch.setattr(provider_module, "KEYS_AGAIN_SECONDS", 0.0)
    await refusal(console, sign_in(console))
    assert provider.asked.count("/keys") == 3
    provider.key = RSAKey.generate_key(2048, {"kid": "second"})
    assert (await refusal(console, sign_in(console)))[1] == "wrong signature"


async def test_what_is_published_is_asked_once_and_again_when_it_is_old(
    console: Console, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await sign_in(console)
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    monkeypatch.setattr(provider_module, "PUBLISHED_LASTS_SECONDS", 0.0)
    await sso(console).depart(CALLBACK, "/")
    assert provider.asked.count("/.well-known/openid-configuration") == 2


def test_only_keys_that_can_prove_something_are_taken() -> None:
    strong, weak = RSAKey.generate_key(2048, {"kid": "strong"}), RSAKey.generate_key(1024, {"kid": "weak"})
    shared, sealing = OctKey.generate_key(256, {"kid": "shared"}), RSAKey.generate_key(2048, {"kid": "e", "use": "enc"})
    keys = [each.as_dict(private=True) for each in (strong, weak, shared, sealing)]
    found = key_set({"keys": [*keys, {"kty": "new"}, {"kty": "RSA"}, {"kty": "EC", "crv": "?"}, 5]})
    assert [key.kid for key in found] == ["strong"]
    unusable: list[dict[str, Any]] = [{}, {"keys": None}, {"keys": []}, {"keys": keys[1:]}]
    for nothing in unusable:
        with pytest.raises(BadToken, match="no usable key"):
            key_set(nothing)


# -- a provider that is not as it must be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"issuer": "https://evil.example"}, "names itself 'https://evil.example'"),
        ({"issuer": None}, "names itself None"),
        ({"token_endpoint": "http://evil.example/token"}, "token_endpoint is 'http://evil.example/token'"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri is 'file:///etc/passwd'"),
        ({"authorization_endpoint": 5}, "authorization_endpoint is 5"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "none of the algorithms"),
        ({"much": "x" * MAX_BYTES}, "sends more than 1,000,000 bytes"),
    ],
)
async def test_a_provider_that_is_not_itself_is_not_used_and_the_log_says_why(
    console: Console, provider: OidcProvider, caplog: pytest.LogCaptureFixture, metadata: dict[str, Any], problem: str
) -> None:
    provider.metadata = metadata
    with pytest.raises(ProviderUnavailable, match="sign in with the password of an account of this server") as caught:
        await sso(console).depart(CALLBACK, "/")
    assert problem in caught.value.problem
    assert problem in caplog.text


async def test_a_provider_that_does_not_answer_in_the_middle_signs_nobody_in(
    console: Console, provider: OidcProvider
) -> None:
    departure = await sso(console).depart(CALLBACK, "/")
    state = departure.url.partition("state=")[2].partition("&")[0]
    provider.is_down = True
    with pytest.raises(ProviderUnavailable, match="cannot be used to sign in at the moment"):
        await sso(console).arrive(departure.cookie, [("code", "x"), ("state", state)], HERE)
    provider.is_down = False
    assert (await sign_in(console)).admin.name == "dana"


async def test_a_wrong_client_secret_is_said_to_the_operator_only(
    sqlite_database: DatabaseLocation, provider: OidcProvider, caplog: pytest.LogCaptureFixture
) -> None:
    settings = rules(provider, client_secret="wrong-and-not-shown")
    async with open_console(sqlite_database, provider=settings) as console:
        with pytest.raises(ProviderUnavailable) as caught:
            await sign_in(console)
    assert "--oidc-secret-file" in caplog.text
    assert "secret" not in str(caught.value)
    assert "wrong-and-not-shown" not in caplog.text + repr(settings)


@pytest.mark.parametrize(("secret", "method"), [(None, "none"), ("s3cret-of-the-client", "client_secret_post")])
async def test_other_ways_of_a_client_to_prove_itself(
    sqlite_database: DatabaseLocation, provider: OidcProvider, secret: str | None, method: str
) -> None:
    provider.auth_methods = {method}
    async with open_console(sqlite_database, provider=rules(provider, client_secret=secret)) as console:
        assert (await sign_in(console)).admin.name == "dana"


# -- what the provider answers instead ---------------------------------------------------------------------------------


async def answered(console: Console, *answer: tuple[str, str]) -> tuple[str, str]:
    departure = await sso(console).depart(CALLBACK, "/")
    state = departure.url.partition("state=")[2].partition("&")[0]
    return await refusal(console, sso(console).arrive(departure.cookie, [("state", state), *answer], HERE))


async def test_the_providers_errors_are_told_in_words_and_nothing_that_a_stranger_wrote_is_shown(
    console: Console,
) -> None:
    words, record = await answered(console, ("error", "access_denied"), ("error_description", "Call 555-1234"))
    assert words.startswith("Company did not let you in here")
    assert "555" not in words
    assert record == "the provider says access_denied"
    assert "answered with the error 'new_error'" in (await answered(console, ("error", "new_error")))[0]
    assert (await answered(console, ("error", "<b>!")))[1] == "the provider says unknown error"
    assert (await answered(console))[1] == "no code"
    assert (await answered(console, ("code", "a"), ("code", "b")))[1] == "repeated parameters"


async def test_an_answer_that_another_provider_gave_is_refused(console: Console, provider: OidcProvider) -> None:
    assert (await answered(console, ("code", "x"), ("iss", "https://evil.example")))[1] == "wrong issuer"
    provider.names_itself = True
    async with open_console(console.location, provider=rules(provider)) as other:
        assert (await answered(other, ("code", "x")))[1] == "wrong issuer"
        provider.denies = "access_denied"
        with pytest.raises(SignInRefused, match="Company did not let you in"):
            await sign_in(other)
