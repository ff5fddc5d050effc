"""What must be kept so that it can be read again: encrypted with a key that is made of the server's secret."""

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from models.errors import SecretUnusable

_NONCE_BYTES = 12


class Seal:
    """Encrypts (AES-256-GCM) and digests (HMAC-SHA256) by keys of one purpose (HKDF, RFC 5869)."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._secret = secret
        self._purpose = purpose

    def seal(self, text: str, about: str) -> str:
        """Encrypt a text; it can be opened only with the same `about`, such as whose it is."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - for a fast start

        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._key("sealing")).encrypt(nonce, text.encode(), about.encode())
        return urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str, about: str) -> str:
        """The text. Raises SecretUnusable for what was not sealed so, or with another secret of the server."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - for a fast start
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - for a fast start

        try:
            raw = urlsafe_b64decode(sealed)
            return AESGCM(self._key("sealing")).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError):
            raise SecretUnusable("This was not sealed with the secret that this server has.") from None

    def digest(self, text: str) -> str:
        """A digest that is of no use without the server's secret, as 64 hexadecimal digits."""
        return hmac.digest(self._key("digests"), text.encode(), "sha256").hex()

    def handle(self, text: str) -> bytes:
        """32 bytes that stand for a text, and do not tell it."""
        return hmac.digest(self._key("handles"), text.encode(), "sha256")

    def _key(self, use: str) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - for a fast start
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 - for a fast start

        return HKDF(SHA256(), 32, salt=None, info=f"authkeys {self._purpose} {use}".encode()).derive(self._secret)
