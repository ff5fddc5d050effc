"""Accounts: who may do what, and what makes a good name and password."""

import unicodedata
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from models.errors import InvalidValue, NotAllowed
from models.texts import unseen_character

MAX_NAME_LENGTH = 64
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256
"""Characters. Hashing a longer one costs the server more than it adds."""

_NAME_PUNCTUATION = "._-@+"
_COMMON_PASSWORDS = frozenset(Path(__file__).with_name("common_passwords.txt").read_text("utf-8").splitlines())
"""The most common ones of published leaks that are long enough to pass, and the words that people make long with digits"""


class Role(StrEnum):
    """What an admin may do."""

    ADMIN = "admin"
    """Everything."""
    AUDITOR = "auditor"
    """See everything, change nothing."""


class AdminIdentity(NamedTuple):
    """An admin, as pages and services hand it around."""

    id: int
    name: str
    role: Role = Role.ADMIN

    @property
    def may_change(self) -> bool:
        """Whether this admin may stage and submit."""
        return self.role is Role.ADMIN


def require_change(role: Role) -> None:
    """Raise NotAllowed unless this role may change something."""
    if role is not Role.ADMIN:
        raise NotAllowed("You are signed in as an auditor: you see everything and change nothing. Nothing was changed.")


def normalized(name: str) -> str:
    """The name as it is stored: trimmed, and however the keyboard composed its letters (Unicode NFKC)."""
    return unicodedata.normalize("NFKC", name).strip()


def account_name(text: str) -> str:
    """A name for an account: letters and digits of any script and `. _ - @ +`. Raises InvalidValue."""
    name = normalized(text)
    if not name:
        raise InvalidValue("An account needs a name.")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidValue(f"The name has {len(name)} characters; at most {MAX_NAME_LENGTH} are allowed.")
    if (unseen := unseen_character(name)) is not None:
        # Some count as letters: with a Hangul filler behind it a name looks like another one.
        raise InvalidValue(f"The name {text!r:.80} holds the invisible character U+{ord(unseen):04X}; remove it.")
    for character in name:
        if not (character.isalnum() or character in _NAME_PUNCTUATION):
            what = f"{character!r}" if character.isprintable() else f"the character U+{ord(character):04X}"
            raise InvalidValue(
                f"The name {text!r:.80} has {what} in it; letters, digits and {' '.join(_NAME_PUNCTUATION)} are allowed."
            )
    if not name[0].isalnum():
        raise InvalidValue(f"The name {text!r:.80} must begin with a letter or a digit.")
    return name


def check_password(password: str, name: str) -> None:
    """Raise InvalidValue, in words that do not repeat it, if this is too weak a password for the account `name`.

    The rules are NIST SP 800-63B's: a length, and no well-known password; nothing about kinds of characters.
    """
    if len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidValue(
            f"This password has {len(password)} characters; at least {MIN_PASSWORD_LENGTH} are needed. "
            "Some words that do not belong together make a good one."
        )
    if len(password) > MAX_PASSWORD_LENGTH:
        raise InvalidValue(f"This password is too long; at most {MAX_PASSWORD_LENGTH} characters are allowed.")
    folded = password.casefold()
    if len(set(folded)) < 5:
        raise InvalidValue("This password repeats a few characters only; choose one with more different ones.")
    if folded in _COMMON_PASSWORDS or folded.rstrip("0123456789!.") in _COMMON_PASSWORDS:
        raise InvalidValue("This is one of the most common passwords; choose another one.")
    if len(name) >= 4 and len(folded.replace(name.casefold(), "")) < MIN_PASSWORD_LENGTH - 4:
        raise InvalidValue("This password is little more than the name of the account; choose another one.")
