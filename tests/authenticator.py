"""A passkey in software: answers what a browser would be asked, honestly or not (Web Authentication, sections 6.1 and 6.5)."""

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

_PRESENT, _VERIFIED, _HAS_CREDENTIAL = 0x01, 0x04, 0x40


class Authenticator:
    """One credential on one device."""

    def __init__(self, origin: str = "https://keys.example.com") -> None:
        self.origin = origin
        self.rp_id = ""
        """What it signs for; from what it is asked to make"""
        self.count, self.counts_by = 1, 1
        self.is_unlocked = True
        self.handle = ""
        self.credential = secrets.token_bytes(32)
        self._key = generate_private_key(SECP256R1())

    def create(self, asked: dict[str, Any]) -> str:
        """The answer to `navigator.credentials.create`, as the page sends it."""
        self.rp_id, self.handle = self.rp_id or asked["rp"]["id"], asked["user"]["id"]
        length = len(self.credential).to_bytes(2, "big")
        attested = bytes(16) + length + self.credential + cbor2.dumps(self._public_key())
        data = self._data(_HAS_CREDENTIAL) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"])
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def get(self, asked: dict[str, Any]) -> str:
        """The answer to `navigator.credentials.get`."""
        self.count += self.counts_by
        data, client = self._data(), self._client("webauthn.get", asked["challenge"])
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        handle = _bytes(self.handle)
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=handle)

    def _data(self, more: int = 0) -> bytes:
        flags = _PRESENT | (_VERIFIED if self.is_unlocked else 0) | more
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, what: str, challenge: str) -> bytes:
        return json.dumps({"type": what, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _answer(self, **response: bytes) -> str:
        id_ = _text(self.credential)
        parts = {name: _text(value) for name, value in response.items()}
        return json.dumps({"id": id_, "rawId": id_, "type": "public-key", "response": parts})

    def _public_key(self) -> dict[int, Any]:
        numbers = self._key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
