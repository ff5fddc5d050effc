"""The secret of an authkey: how it is made, and the only forms in which it is kept."""

import hashlib
import re
import secrets
import string
from typing import NamedTuple

SECRET_LENGTH = 20
"""Characters; 20 of 62 are 119 bits, so a plain SHA-256 is a safe digest (there is nothing to guess)."""

_ALPHABET = string.ascii_letters + string.digits
_SHAPE = re.compile(rf"[A-Za-z0-9]{{{SECRET_LENGTH}}}")


class Secret(NamedTuple):
    """A new secret. `text` is shown once and never stored."""

    text: str
    digest: str
    hint: str


class IssuedKey(NamedTuple):
    """A secret that was just made, and for which authkey."""

    ip: str
    service: str
    secret: Secret


def new_secret() -> Secret:
    """A secret of 20 characters `[A-Za-z0-9]` (the form that Manage2's clients expect)."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_LENGTH))
    return Secret(text, digest(text), text[-4:])


def looks_like_key(text: str) -> bool:
    """Whether a text has the form of an authkey's secret, whatever stands around it."""
    return _SHAPE.fullmatch(text.strip()) is not None


def trimmed(text: str) -> str:
    """A secret without what copying and shells leave around it, such as a line end; any other text as it is."""
    return text.strip() if looks_like_key(text) else text


def digest(text: str) -> str:
    """SHA-256 of a secret, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
