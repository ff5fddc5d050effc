"""Pickup passphrases: what makes a good one, the only form in which it is kept, and when it lets a server register."""

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from models.addresses import canonical_network, is_in_networks
from models.authkeys import MAX_SERVICE_LENGTH
from models.errors import InvalidValue
from models.subjects import Subject
from models.texts import canonical_text, check_unseen

MIN_LENGTH, MAX_LENGTH = 8, 200
"""Characters. Manage2 documents no limits; its clients' examples have around 18."""
MAX_NOTE_LENGTH = 100
"""Characters."""
MAX_USES = 10_000
MAX_NETWORKS = 20

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what is read or typed as something else
_GROUPS, _GROUP = 5, 4

_ANY_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_JOINERS = re.compile(
    "[\u200c\u200d]|[\U000e0020-\U000e007f]"
)  # not printable to Python, but part of some scripts and emoji


class Passphrase(NamedTuple):
    """A pickup passphrase, without the phrase itself."""

    id: int
    privileges: int
    revision: int
    uses: int
    used: int
    expires_at: datetime | None
    networks: tuple[str, ...]
    """From where it may be used; empty for anywhere"""
    made_by: str
    made_at: datetime
    removed: bool = False
    maker_disabled: bool = False
    note: str = ""
    """What it is for, in the maker's words"""

    @property
    def subject(self) -> Subject:
        """What kind of row this is."""
        return Subject.PASSPHRASE

    @property
    def ip(self) -> str:
        """It belongs to no address."""
        return ""

    @property
    def service(self) -> str:
        """How the record of submissions names it."""
        return self.label[:MAX_SERVICE_LENGTH]

    @property
    def label(self) -> str:
        """How the record names it."""
        return f"#{self.id} {self.note}".strip()

    @property
    def name(self) -> str:
        """What it is called in messages: the phrase is not known any more."""
        return (
            f"The passphrase {self.note!r}"
            if self.note
            else f"The passphrase that {self.made_by} made at {self.made_at:%Y-%m-%d %H:%M} UTC"
        )

    def texts(self, now: datetime) -> Mapping[str, str]:
        """How its row names it, who made it, how often it was used, until when it may be, and from where."""
        expiry = f"until {self.expires_at:%Y-%m-%d}" if self.expires_at else "no expiry"
        return {
            "name": self.label,
            "made": f"{self.made_by}, {self.made_at:%Y-%m-%d}",
            "used": f"{self.used:,} of {self.uses:,} used",
            "until": self.why_over(now) or expiry,
            "networks": f"From {', '.join(self.networks) or 'any address'}",
        }

    def why_over(self, now: datetime) -> str:
        """Why it lets no server register any more, as its row says it; empty while it does."""
        for is_so, word in (
            (self.removed, "Removed"),
            (self.used >= self.uses, "Used up"),
            (self.expires_at is not None and self.expires_at <= now, "Expired"),
            (self.maker_disabled, "Maker disabled"),
        ):
            if is_so:
                return word
        return ""


class PickupUse(NamedTuple):
    """A registration with a passphrase."""

    at: datetime
    ip: str
    service: str


class PhraseProblem(StrEnum):
    """Why a phrase does not let a server register. Only the record says it; to the caller they are all the same."""

    UNKNOWN = "unknown phrase"
    REMOVED = "removed phrase"
    USED_UP = "used-up phrase"
    EXPIRED = "expired phrase"
    WRONG_NETWORK = "phrase: wrong network"
    TOO_MANY_ATTEMPTS = "too many phrases"
    MAKER_DISABLED = "phrase: maker disabled"


def judge(passphrase: Passphrase | None, ip: str, now: datetime) -> PhraseProblem | None:  # noqa: PLR0911
    """Why this passphrase does not let a server with this canonical address register now, or None if it does."""
    match passphrase:
        case None:
            return PhraseProblem.UNKNOWN
        case Passphrase(removed=True):
            return PhraseProblem.REMOVED
        case Passphrase(maker_disabled=True):
            return PhraseProblem.MAKER_DISABLED
        case Passphrase(uses=uses, used=used) if used >= uses:
            return PhraseProblem.USED_UP
        case Passphrase(expires_at=datetime() as expiry) if expiry <= now:
            return PhraseProblem.EXPIRED
        case Passphrase(networks=networks) if networks and not is_in_networks(ip, networks):
            return PhraseProblem.WRONG_NETWORK
    return None


def canonical_phrase(text: str) -> str:
    """The phrase as it is compared: composed, trimmed, and with a plain space for each no-break or other space.

    Raises InvalidValue, without repeating it, for one that is too short or too long.
    """
    phrase = _ANY_SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()
    if len(phrase) < MIN_LENGTH:
        raise InvalidValue(f"The passphrase has {len(phrase)} characters; at least {MIN_LENGTH} are needed.")
    if len(phrase) > MAX_LENGTH:
        raise InvalidValue(f"The passphrase has {len(phrase)} characters; at most {MAX_LENGTH} are allowed.")
    if not _JOINERS.sub("", phrase).isprintable():
        check_unseen(phrase, "The passphrase")
        raise InvalidValue("The passphrase holds a control character.")
    if len(set(phrase)) < 4:
        raise InvalidValue("The passphrase repeats a few characters only.")
    return phrase


def new_phrase(text: str) -> str:
    """A phrase that is added, in the form in which it is compared. Raises InvalidValue also for what nobody can see.

    Phrases that were added before that was looked at can still be used: they are compared, not judged again.
    """
    phrase = canonical_phrase(text)
    check_unseen(phrase, "The passphrase")
    return phrase


def suggest_phrase() -> str:
    """A strong phrase that can be read out and typed: 20 of 31 characters are 99 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def digest(secret: bytes, phrase: str) -> str:
    """The keyed digest of a canonical phrase: without the server's secret it cannot be guessed at from the database."""
    key = hmac.digest(secret, b"pickup passphrase", "sha256")
    return hmac.new(key, phrase.encode(), hashlib.sha256).hexdigest()


def parse_note(text: str) -> str:
    """What a passphrase is for. Raises InvalidValue if it is too long or holds characters that nobody can see."""
    note = canonical_text(text, "The note")
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidValue(f"The note has {len(note)} characters; at most {MAX_NOTE_LENGTH} are allowed.")
    return note


def parse_uses(text: str) -> int:
    """How often a passphrase may be used. Raises InvalidValue."""
    if not (text.strip().isascii() and text.strip().isdigit()) or not 1 <= int(text.strip()[:9]) <= MAX_USES:
        raise InvalidValue(f"Uses must be a whole number from 1 to {MAX_USES:,}, not {text!r:.40}.")
    return int(text)


def parse_networks(text: str) -> tuple[str, ...]:
    """Networks in CIDR notation, or single addresses, separated by commas or spaces. Raises InvalidValue."""
    networks = tuple(dict.fromkeys(str(canonical_network(each)) for each in text.replace(",", " ").split()))
    if len(networks) > MAX_NETWORKS:
        raise InvalidValue(f"At most {MAX_NETWORKS} networks are allowed.")
    return networks


def parse_expiry(text: str, now: datetime) -> datetime | None:
    """A date (then its end, UTC) or a date and time in ISO 8601; empty for never. Raises InvalidValue, also if it is past."""
    text = text.strip()
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f"{text!r:.40} is not a date; write it as in 2026-12-31.") from None
    if len(text) <= len("2026-12-31"):
        at = at.replace(hour=23, minute=59, second=59)
    try:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:  # in UTC it is in the year 0, or 10000
        raise InvalidValue(f"{text!r:.40} is out of range; write a date as in 2026-12-31.") from None
    if at <= now:
        raise InvalidValue(f"{text} is already over; choose a later date.")
    return at
