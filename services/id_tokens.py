"""What proves a token of the provider: its signature by one of the published keys, and claims that are meant for us, now.

Rules: OpenID Connect Core 1.0, 3.1.3.7, and Back-Channel Logout 1.0, 2.6. Only signatures that nobody but the provider can
make count: "none" signs nothing, and HS256 could be made with a public key, or by whoever has the client's secret.
"""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from models.errors import AuthkeysError
from models.single_sign_on import BACK_CHANNEL_LOGOUT, ProviderSettings

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
LEEWAY_SECONDS = 30
"""By so much the provider's clock may differ from ours."""
LONGEST_AGE_SECONDS = 600
"""A token that was issued longer ago is not the answer to what was just asked."""
_KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
_LEAST_RSA_BITS = 2048  # NIST SP 800-131A


class BadToken(AuthkeysError):
    """A token proves nothing; the text says what is wrong with it, for the record."""


class UnknownKey(BadToken):
    """It is signed with a key that is not among those that are known."""


class _Proven(NamedTuple):
    header: dict[str, Any]
    claims: dict[str, Any]


def key_set(published: Mapping[str, Any]) -> "KeySet":
    """The keys of a published set that can prove a token. Raises BadToken if there is none."""
    from joserfc.errors import JoseError  # noqa: PLC0415 - takes its time, and is needed with a provider only
    from joserfc.jwk import JWKRegistry, KeySet, RSAKey  # noqa: PLC0415

    usable = []
    for each in published.get("keys") if isinstance(published.get("keys"), list) else []:  # type: ignore[union-attr]
        if not isinstance(each, dict) or each.get("kty") not in _KEY_TYPES or each.get("use", "sig") != "sig":
            continue
        try:
            key = JWKRegistry.import_key(each)
            if not isinstance(key, RSAKey) or key.public_key.key_size >= _LEAST_RSA_BITS:
                usable.append(key)
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # one key of a kind that we do not know does not make the others useless (RFC 7517, 5)
    if not usable:
        raise BadToken("no usable key is published")
    return KeySet(usable)


def identity_claims(
    token: object, keys: "KeySet", algorithms: Iterable[str], settings: ProviderSettings, nonce: str, access_token: str
) -> dict[str, Any]:
    """What an ID token says of a person. Raises BadToken, UnknownKey."""
    from authlib.oidc.core.claims import CodeIDToken  # noqa: PLC0415 - see above
    from joserfc.errors import JoseError  # noqa: PLC0415

    header, claims = _proven(token, keys, algorithms)
    params = {"nonce": nonce, "client_id": settings.client_id, "access_token": access_token}
    try:
        CodeIDToken(claims, header, _expected(settings), params).validate(leeway=LEEWAY_SECONDS)
    except JoseError as error:
        raise BadToken(_reason(error)) from error
    except (TypeError, ValueError) as error:
        raise BadToken("the ID token holds claims of the wrong kind") from error
    _check_age(claims)
    return claims


def logout_claims(
    token: object, keys: "KeySet", algorithms: Iterable[str], settings: ProviderSettings
) -> dict[str, Any]:
    """What a logout token says: a `jti`, and `sub`, `sid` or both. Raises BadToken, UnknownKey."""
    from authlib.oauth2.claims import JWTClaims  # noqa: PLC0415 - see above
    from joserfc.errors import JoseError  # noqa: PLC0415

    header, claims = _proven(token, keys, algorithms)
    try:
        JWTClaims(claims, header, {**_expected(settings), "jti": {"essential": True}}).validate(leeway=LEEWAY_SECONDS)
    except JoseError as error:
        raise BadToken(_reason(error)) from error
    _check_age(claims)
    _check_logout(claims)
    return claims


def _proven(token: object, keys: "KeySet", algorithms: Iterable[str]) -> _Proven:
    from joserfc import jwt  # noqa: PLC0415 - see above
    from joserfc.errors import InvalidKeyIdError, JoseError  # noqa: PLC0415

    if not isinstance(token, str) or not token.isascii():
        raise BadToken("there is no token")
    try:
        decoded = jwt.decode(token, keys, algorithms=sorted(ALGORITHMS.intersection(algorithms)))
    except InvalidKeyIdError as error:
        raise UnknownKey("the token is signed with an unknown key") from error
    except JoseError as error:
        raise BadToken(_reason(error)) from error
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise BadToken("the token is damaged") from error
    return _Proven(decoded.header, decoded.claims)


def _expected(settings: ProviderSettings) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": settings.issuer},
        "aud": {"essential": True, "value": settings.client_id},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }


def _check_age(claims: Mapping[str, Any]) -> None:
    if time.time() - claims["iat"] > LONGEST_AGE_SECONDS + LEEWAY_SECONDS:
        raise BadToken("expired token: it was issued too long ago")


def _check_logout(claims: Mapping[str, Any]) -> None:
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(BACK_CHANNEL_LOGOUT), dict):
        raise BadToken("not a logout token")
    if "nonce" in claims:  # else an ID token could pass for one
        raise BadToken("not a logout token: it has a nonce")
    given = [claims[name] for name in ("sub", "sid") if name in claims]
    if not given or not all(isinstance(each, str) and each for each in given):
        raise BadToken("the logout token says nobody")


_OF_CLAIM = {
    "iss": "wrong issuer",
    "aud": "wrong audience",
    "azp": "wrong audience: azp is another client",
    "nonce": "wrong nonce",
    "exp": "no proper time of expiry",
    "iat": "issued in the future, or at no proper time",
    "nbf": "not yet valid",
    "at_hash": "the access token is another one's",
}
_OF_ERROR = {
    "expired_token": "expired token",
    "bad_signature": "wrong signature",
    "unsupported_algorithm": "unsigned token, or one signed in a way that others could forge",
    "decode_error": "the token is damaged",
}


def _reason(error: Exception) -> str:
    """What is wrong with a token, in words of ours: the library's name the claim and not what it is for."""
    code = str(getattr(error, "error", "")) or type(error).__name__
    claim = str(getattr(error, "claim", "") or "")
    if claim in _OF_CLAIM and code == "invalid_claim":
        return _OF_CLAIM[claim]
    return _OF_ERROR.get(code, f"{code.replace('_', ' ')} {claim}".strip()[:100])
