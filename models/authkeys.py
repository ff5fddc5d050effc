"""An authkey as a value, and the rules for what its fields may be."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from models.addresses import canonical_ip
from models.errors import InvalidValue
from models.subjects import Subject
from models.texts import canonical_text

MAX_SERVICE_LENGTH = 100
"""Characters."""


class Authkey(NamedTuple):
    """One row of the grid as it is stored. It never carries the secret, only its hint."""

    id: int
    ip: str
    service: str
    privileges: int
    revision: int
    secret_hint: str | None = None
    """The last characters of its secret; empty where only the digest is known, None if it has none"""
    owner: str = ""
    note: str = ""

    @property
    def has_key(self) -> bool:
        """Whether it has a secret."""
        return self.secret_hint is not None

    @property
    def subject(self) -> Subject:
        """What kind of row this is."""
        return Subject.AUTHKEY

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.ip} ({self.service})"

    @property
    def removed(self) -> bool:
        """Never: a removed authkey leaves its table."""
        return False

    def texts(self, now: datetime) -> Mapping[str, str]:
        """Its address and its service, its owner and its note."""
        return {"ip": self.ip, "service": self.service, "owner": self.owner, "note": self.note}


def name_in_address(ip: str, service: str) -> str:
    """An authkey as an address names it: `192.0.2.7,billing`. No IP has a comma."""
    return f"{ip},{service}"


def parse_name(text: str) -> int | tuple[str, str]:
    """The authkey that an address names: its number, or its canonical IP and service. Raises InvalidValue."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    ip, comma, service = text.partition(",")
    if not comma:
        raise InvalidValue(f"{text!r:.60} in the address names no key; write IP and service, as in 192.0.2.7,billing.")
    return canonical_ip(ip), canonical_service(service)


def canonical_service(text: str) -> str:
    """The service name as it is stored: trimmed, in Unicode's composed form, with one plain space for any white space.

    Raises InvalidValue if it is empty, longer than 100 characters, or holds characters that nobody can see.
    """
    service = canonical_text(text, f"The service name {text.strip()[:20]!r}")
    if not service:
        raise InvalidValue("A service name is needed: the name of the service that uses the key.")
    if len(service) > MAX_SERVICE_LENGTH:
        raise InvalidValue(
            f"The service name {service[:20]!r}… has {len(service)} characters; at most {MAX_SERVICE_LENGTH} are allowed."
        )
    return service
