"""Sign-ins that are under way at the provider: all that must be known again when the browser comes back.

It travels in the browser's own cookie, encrypted and signed with a key from the server's secret. So a stranger who starts
a thousand sign-ins stores nothing here, the answer may come to another instance, and only the browser that started it can
bring it back. What a cookie cannot say, that it was used already, is a row in the database that all instances share.
"""

import base64
import hashlib
import json
import secrets
from typing import TYPE_CHECKING, NamedTuple

from models.single_sign_on import ATTEMPT_LASTS

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_MAX_TO = 1_000
"""Characters of the page that was wanted; the whole must fit into a cookie (4,096 bytes, RFC 6265)."""


class SignInAttempt(NamedTuple):
    """A sign-in that is under way."""

    state: str
    """That the browser must bring back"""
    nonce: str
    """That the ID token must hold"""
    verifier: str
    """That proves to the provider who started it (PKCE, RFC 7636)"""
    redirect_uri: str
    to: str
    """The page that was wanted"""

    @property
    def digest(self) -> str:
        """Under which it is remembered that it was used."""
        return hashlib.sha256(f"state {self.state}".encode()).hexdigest()


def new_attempt(redirect_uri: str, to: str) -> SignInAttempt:
    """A new one, each of its secrets with 256 bits."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return SignInAttempt(state, nonce, verifier, redirect_uri, to if len(to) <= _MAX_TO else "/")


class AttemptSeal:
    """Turns attempts into cookies and back."""

    def __init__(self, secret: bytes) -> None:
        """`secret` is the server's."""
        self._secret = secret

    def seal(self, attempt: SignInAttempt) -> str:
        """The attempt, so that only this server's instances can read or make it."""
        return self._fernet().encrypt(json.dumps(attempt).encode()).decode()

    def open(self, cookie: str | None) -> SignInAttempt | None:
        """The attempt in a cookie; None if there is none, it is too old, or it is not ours."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - see `_fernet`

        try:
            text = self._fernet().decrypt((cookie or "").encode(), ttl=round(ATTEMPT_LASTS.total_seconds()))
        except (InvalidToken, UnicodeError):
            return None
        return SignInAttempt(*json.loads(text))

    def _fernet(self) -> "Fernet":
        from cryptography.fernet import Fernet  # noqa: PLC0415 - needed with a provider only
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

        key = HKDF(SHA256(), 32, salt=None, info=b"authkeys single sign-on attempt").derive(self._secret)
        return Fernet(base64.urlsafe_b64encode(key))
