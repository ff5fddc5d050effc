"""The secret of an authkey: how it is made, and the only forms in which it is kept."""

import hashlib
import re
import secrets
import string
from typing import NamedTuple

from models.errors import InvalidValue

SECRET_LENGTH = 20
"""Characters; 20 of 62 are 119 bits, so a plain SHA-256 is a safe digest (there is nothing to guess)."""

_ALPHABET = string.ascii_letters + string.digits
_SHAPE = re.compile(rf"[A-Za-z0-9]{{{SECRET_LENGTH}}}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class KnownSecret(NamedTuple):
    """A secret as it is kept."""

    digest: str
    hint: str
    """Empty where only the digest is known"""


class Secret(NamedTuple):
    """A new secret. `text` is shown once and never stored."""

    text: str
    digest: str
    hint: str

    @property
    def kept(self) -> KnownSecret:
        """As it is kept."""
        return KnownSecret(self.digest, self.hint)


class IssuedKey(NamedTuple):
    """A secret that was just made, and for which authkey."""

    ip: str
    service: str
    secret: Secret


def new_secret() -> Secret:
    """A secret of 20 characters `[A-Za-z0-9]` (the form that Manage2's clients expect)."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_LENGTH))
    return Secret(text, digest(text), text[-4:])


def known_secret(text: str) -> KnownSecret:
    """A secret that somebody uses already. Raises InvalidValue, which never says what was given."""
    secret = text.strip()
    if not looks_like_key(secret):
        raise InvalidValue(
            f"its secret has {len(secret)} characters; a secret is {SECRET_LENGTH} letters and digits, A to Z, a to z, 0 to 9."
        )
    return KnownSecret(digest(secret), secret[-4:])


def known_digest(text: str) -> KnownSecret:
    """The SHA-256 of a secret that somebody uses already. Raises InvalidValue."""
    given = text.strip().lower()
    if not _DIGEST.fullmatch(given):
        raise InvalidValue(f"its sha256 has {len(given)} characters; a digest is 64 hexadecimal digits.")
    return KnownSecret(given, "")


def looks_like_key(text: str) -> bool:
    """Whether a text has the form of an authkey's secret, whatever stands around it."""
    return _SHAPE.fullmatch(text.strip()) is not None


def trimmed(text: str) -> str:
    """A secret without what copying and shells leave around it, such as a line end; any other text as it is."""
    return text.strip() if looks_like_key(text) else text


def digest(text: str) -> str:
    """SHA-256 of a secret, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
