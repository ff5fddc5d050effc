"""An authkey as a value, and the rules for what its fields may be."""

import unicodedata
from typing import NamedTuple

from models.errors import InvalidValue

MAX_SERVICE_LENGTH = 100
"""Characters."""

# Control, surrogate, line and paragraph separators; and the invisible marks that turn the direction of the text after
# them, with which one service can be made to look like another (CVE-2021-42574).
_REFUSED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTION_MARKS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Authkey(NamedTuple):
    """One row of the grid as it is stored. It never carries the secret, only its hint."""

    id: int
    ip: str
    service: str
    privileges: int
    revision: int
    secret_hint: str | None = None

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.ip} ({self.service})"


def canonical_service(text: str) -> str:
    """The service name as it is stored: trimmed and in Unicode's composed form.

    Raises InvalidValue if it is empty, longer than 100 characters, or holds control characters.
    """
    service = unicodedata.normalize("NFC", text).strip()
    if not service:
        raise InvalidValue("A service name is needed: the name of the service that uses the key.")
    if len(service) > MAX_SERVICE_LENGTH:
        raise InvalidValue(
            f"The service name {service[:20]!r}… has {len(service)} characters; at most {MAX_SERVICE_LENGTH} are allowed."
        )
    if (character := control_character(service)) is not None:
        raise InvalidValue(
            f"The service name {service[:20]!r} holds the control character U+{ord(character):04X}; remove it."
        )
    return service


def control_character(text: str) -> str | None:
    """The first character that no text shown in the page may hold, or None."""
    return next(
        (each for each in text if unicodedata.category(each) in _REFUSED_CATEGORIES or each in _DIRECTION_MARKS), None
    )


def service_key(service: str) -> str:
    """The form of a service name that is searched and sorted: without upper and lower case."""
    return service.casefold()
