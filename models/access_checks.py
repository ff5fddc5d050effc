"""Access checks: may this key, from this address, do that? Pure: what is stored is handed in."""

from enum import Enum, StrEnum
from typing import NamedTuple

from models.manage2_functions import Requirement
from models.privileges import Privilege


class KeyState(NamedTuple):
    """What the authorizer knows of an authkey."""

    id: int
    ip: str
    service: str
    privileges: int


class Reason(StrEnum):
    """Why a request was denied. The page says it; to the caller many of them are the same."""

    NO_KEY = "no key"
    UNKNOWN_KEY = "unknown key"
    REMOVED = "removed key"
    REPLACED = "replaced key"
    """Its authkey has a newer one."""
    WRONG_IP = "wrong IP"
    PRIVILEGE_MISSING = "privilege missing"
    NOT_FOR_KEYS = "not for keys"
    """No privilege covers what was asked."""
    UNKNOWN_WHAT = "unknown privilege"
    """Neither a privilege nor a function that we know."""
    UNCLEAR = "unclear question"
    """The proxy in front does not say what it asks for: what stands there may be the caller's word."""
    BACKEND = "backend's answer"
    """The call was let through, and the licensing backend gave an answer that is not passed on."""
    PHRASE_UNKNOWN = "unknown phrase"
    PHRASE_REMOVED = "removed phrase"
    PHRASE_USED_UP = "used-up phrase"
    PHRASE_EXPIRED = "expired phrase"
    PHRASE_WRONG_NETWORK = "phrase: wrong network"
    PHRASE_MAKER_DISABLED = "phrase: maker disabled"
    TOO_MANY_PHRASES = "too many phrases"

    @property
    def is_about_phrase(self) -> bool:
        """Whether a registration was refused, rather than an access check."""
        return self.name.startswith("PHRASE_") or self is Reason.TOO_MANY_PHRASES

    @property
    def is_about_who(self) -> bool:
        """Whether the caller is not recognised, rather than not allowed.

        A key from a wrong address is as unknown as one that does not exist: who stole it shall not learn that it is real.
        """
        return self in (Reason.NO_KEY, Reason.UNKNOWN_KEY, Reason.REMOVED, Reason.REPLACED, Reason.WRONG_IP)


class Place(Enum):
    """Where an access check was asked for."""

    AUTHORIZER = "authorizer"
    """By a proxy, which may hand a refused call on to the gateway, for its caller to learn the reason."""
    GATEWAY = "gateway"
    BACKEND = "backend"
    """By a backend, about its own caller."""


class Verdict(NamedTuple):
    """The answer: `reason` is None if the call is allowed."""

    reason: Reason | None
    key: KeyState | None = None

    @property
    def allowed(self) -> bool:
        """Whether the call may go through."""
        return self.reason is None


def decide(key: KeyState | None, ip: str, needs: Privilege | Requirement) -> Verdict:
    """Whether a key that is in force may, from this canonical address, do what needs this."""
    if key is None:
        return Verdict(Reason.UNKNOWN_KEY)
    if key.ip != ip:
        return Verdict(Reason.WRONG_IP, key)
    if isinstance(needs, Requirement):
        return Verdict(Reason.NOT_FOR_KEYS if needs is Requirement.NO_KEY else None, key)
    if not key.privileges & needs.mask:
        return Verdict(Reason.PRIVILEGE_MISSING, key)
    return Verdict(None, key)
