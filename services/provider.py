"""The provider of single sign-on as this server knows it: what it publishes, the way there, and what it says of a person."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from models.errors import ProviderUnavailable, SignInRefused
from models.provider_options import is_safe_url
from models.single_sign_on import EMAIL_CLAIM, ProviderSettings, values_of
from services.id_tokens import ALGORITHMS, BadToken, UnknownKey, identity_claims, key_set, logout_claims
from services.provider_calls import ProviderCalls

if TYPE_CHECKING:
    from authlib.oauth2.client import OAuth2Client
    from joserfc.jwk import KeySet

PUBLISHED_LASTS_SECONDS = 3600.0
"""So long what the provider publishes is used without asking again: a key that it withdrew counts no longer than this."""
KEYS_AGAIN_SECONDS = 10.0
"""At most so often its keys are read anew because a token names an unknown one: anybody can send such a token."""


class Published(NamedTuple):
    """What the provider publishes (OpenID Connect Discovery 1.0), as far as it matters here."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    token_auth_methods: frozenset[str]
    algorithms: frozenset[str]
    names_itself: bool
    """Whether every answer says by `iss` whose it is (RFC 9207)"""
    keys: "KeySet"
    read_at: float


class Provider:
    """Knows the provider's addresses and keys, and asks it."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings
        self._calls = ProviderCalls(settings.label)
        self._published: Published | None = None
        self._reading = asyncio.Lock()
        self._failure: tuple[float, ProviderUnavailable] | None = None
        self._keys_again_at = 0.0

    async def close(self) -> None:
        """Close the connections to it."""
        await self._calls.close()

    async def published(self) -> Published:
        """What it publishes, read at most `PUBLISHED_LASTS_SECONDS` ago. Raises ProviderUnavailable."""
        asked = time.monotonic()
        async with self._reading:  # who comes meanwhile waits for the same answer
            known = self._published
            if known is not None and time.monotonic() - known.read_at <= PUBLISHED_LASTS_SECONDS:
                return known
            if self._failure is not None and self._failure[0] >= asked:
                raise self._failure[1]  # else a hundred that wait would each wait as long as the first
            try:
                self._published = await self._read()
            except ProviderUnavailable as error:
                self._failure = time.monotonic(), error
                raise
            return self._published

    async def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where a browser goes to sign in there. Raises ProviderUnavailable."""
        published = await self.published()
        url, _ = self._client(published, redirect_uri).create_authorization_url(
            published.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
        )
        return str(url)

    async def claims(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> dict[str, Any]:
        """What it says of who came back with this code, proven. Raises SignInRefused, ProviderUnavailable."""
        tokens = await self._exchange(code, redirect_uri, verifier)
        access_token = str(tokens.get("access_token") or "")
        claims = await self._proven(tokens.get("id_token"), nonce, access_token)
        return await self._completed(claims, access_token)

    async def logout_claims(self, token: str) -> dict[str, Any]:
        """What a logout token says. Raises BadToken, ProviderUnavailable."""
        published = await self.published()
        try:
            return logout_claims(token, published.keys, published.algorithms, self.settings)
        except UnknownKey:
            keys = await self._keys_again()
            return logout_claims(token, keys, published.algorithms, self.settings)

    # -- tokens --------------------------------------------------------------------------------------------------------

    async def _exchange(self, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        from authlib.oauth2.rfc6749.parameters import prepare_token_request  # noqa: PLC0415 - see `_client`

        published = await self.published()
        client = self._client(published, redirect_uri)
        form = prepare_token_request(
            "authorization_code", "", redirect_uri=redirect_uri, code=code, code_verifier=verifier
        )
        url, headers, body = client.client_auth(client.token_endpoint_auth_method).prepare(
            "POST", published.token_endpoint, {}, form
        )
        answer = await self._calls.post(url, body, headers)
        if answer.status == 200 and "id_token" in answer.content:
            return answer.content
        raise self._exchange_failed(answer.status, answer.content)

    def _exchange_failed(self, status: int, content: Mapping[str, Any]) -> SignInRefused | ProviderUnavailable:
        label, error = self.settings.label, content.get("error")
        if error == "invalid_grant":
            return SignInRefused(
                f"{label} does not accept this sign-in: its code was used already, or is too old. Start again.",
                "replayed, expired or foreign code",
            )
        if error in ("invalid_client", "unauthorized_client"):
            return self._calls.unavailable(
                f"it says {error}: check --oidc-client-id and --oidc-secret-file, and what is set up for them there"
            )
        if status == 200:
            return SignInRefused(
                f"{label} does not say who you are: its answer has no ID token. Tell who runs this server.",
                "no ID token",
            )
        what = f" and the error {error!r:.60}" if error else ""
        return self._calls.unavailable(f"its token endpoint answers with status {status}{what}")

    async def _proven(self, token: object, nonce: str, access_token: str) -> dict[str, Any]:
        published = await self.published()
        try:
            try:
                return identity_claims(token, published.keys, published.algorithms, self.settings, nonce, access_token)
            except UnknownKey:
                keys = await self._keys_again()
                return identity_claims(token, keys, published.algorithms, self.settings, nonce, access_token)
        except BadToken as error:
            raise SignInRefused(
                f"What {self.settings.label} says of you cannot be trusted ({error}), so nobody was signed in. Start again; if it "
                "stays so, tell who runs this server.",
                str(error),
            ) from error

    async def _completed(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """With what only its userinfo endpoint says, if something is missing that decides who is let in."""
        published, settings = await self.published(), self.settings
        needs_email = settings.allowed_domains or settings.claim == EMAIL_CLAIM
        lacks_email = not claims.keys() >= {EMAIL_CLAIM, "email_verified"}
        missing = not values_of(claims, settings.claim) or (needs_email and lacks_email)
        if not missing or not access_token or published.userinfo_endpoint is None:
            return claims
        answer = await self._calls.get(published.userinfo_endpoint, Authorization=f"Bearer {access_token}")
        if answer.status != 200:
            raise self._calls.unavailable(f"its userinfo endpoint answers with status {answer.status}")
        if answer.content.get("sub") != claims["sub"]:  # OpenID Connect Core 1.0, 5.3.2: it may be another person's
            raise SignInRefused(
                f"{self.settings.label} says two different things about who you are. Tell who runs this server.",
                "userinfo of another subject",
            )
        return {**answer.content, **claims}

    # -- what it publishes ---------------------------------------------------------------------------------------------

    def _client(self, published: Published, redirect_uri: str) -> "OAuth2Client":
        # Imported with a provider only: it takes half a second.
        from authlib.oauth2.client import OAuth2Client  # noqa: PLC0415

        return OAuth2Client(
            None,
            self.settings.client_id,
            self.settings.client_secret,
            self._auth_method(published),
            scope=self.settings.scopes,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _auth_method(self, published: Published) -> str:
        if self.settings.client_secret is None:
            return "none"
        methods = published.token_auth_methods
        if "client_secret_basic" not in methods and "client_secret_post" in methods:
            return "client_secret_post"
        return "client_secret_basic"

    async def _read(self) -> Published:
        url = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        answer = await self._calls.get(url)
        if answer.status != 200 or not answer.content:
            raise self._calls.unavailable(
                f"{url} answers with status {answer.status} and no description of a provider; check --oidc-issuer"
            )
        named = answer.content.get("issuer")
        if named != self.settings.issuer:  # Discovery 1.0, 4.3: else one provider could speak for another
            raise self._calls.unavailable(
                f"it names itself {named!r:.200}, and not {self.settings.issuer!r}; give --oidc-issuer to the letter"
            )
        return await self._parsed(answer.content)

    async def _parsed(self, told: Mapping[str, Any]) -> Published:
        jwks_uri = self._endpoint(told, "jwks_uri")
        algorithms = _texts(told, "id_token_signing_alg_values_supported") or frozenset({"RS256"})
        if not algorithms & ALGORITHMS:
            raise self._calls.unavailable("it signs with none of the algorithms that are accepted here, such as RS256")
        return Published(
            self._endpoint(told, "authorization_endpoint"),
            self._endpoint(told, "token_endpoint"),
            jwks_uri,
            self._endpoint(told, "userinfo_endpoint") if told.get("userinfo_endpoint") else None,
            _texts(told, "token_endpoint_auth_methods_supported"),
            algorithms & ALGORITHMS,
            told.get("authorization_response_iss_parameter_supported") is True,
            await self._read_keys(jwks_uri),
            time.monotonic(),
        )

    def _endpoint(self, told: Mapping[str, Any], name: str) -> str:
        url = told.get(name)
        is_local = self.settings.issuer.startswith("http://")
        if not isinstance(url, str) or not is_safe_url(url, loopback=is_local):
            raise self._calls.unavailable(f"its {name} is {url!r:.200}, and not an address that begins with https://")
        return url

    async def _read_keys(self, url: str) -> "KeySet":
        answer = await self._calls.get(url)
        try:
            return key_set(answer.content)
        except BadToken as error:
            raise self._calls.unavailable(f"{url} answers with status {answer.status}, and {error}") from error

    async def _keys_again(self) -> "KeySet":
        """Its keys, read anew if that was not done a moment ago: it may sign with a new one."""
        async with self._reading:
            assert self._published is not None
            now = time.monotonic()
            if now - self._keys_again_at >= KEYS_AGAIN_SECONDS or not self._keys_again_at:
                self._keys_again_at = now
                self._published = self._published._replace(keys=await self._read_keys(self._published.jwks_uri))
            return self._published.keys


def _texts(told: Mapping[str, Any], name: str) -> frozenset[str]:
    values = told.get(name)
    return frozenset(each for each in values if isinstance(each, str)) if isinstance(values, list) else frozenset()
