"""Accounts: who may do what, and what makes a good name and password."""

import unicodedata
from enum import StrEnum
from typing import NamedTuple

from models.errors import InvalidValue, NotAllowed
from models.texts import unseen_character

MAX_NAME_LENGTH = 64
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256
"""Characters. Hashing a longer one costs the server more than it adds."""

_NAME_PUNCTUATION = "._-@+"


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


# The most common passwords of published leaks that are long enough to pass, and the words that people make long with
# digits at the end.
_COMMON_PASSWORDS = frozenset(
    [
        "1234567890ab",
        "123456789012",
        "1234567890123",
        "12345678901234",
        "123456789abc",
        "123456789123",
        "123123123123",
        "121212121212",
        "0123456789ab",
        "0123456789abcdef",
        "0987654321ab",
        "098765432109",
        "987654321098",
        "a1b2c3d4e5f6",
        "1a2b3c4d5e6f",
        "abcd12345678",
        "abc123abc123",
        "abcdef123456",
        "abcdefghijkl",
        "abcdefghijklm",
        "abcdefghijklmnop",
        "abcdefghijklmnopqrstuvwxyz",
        "aabbccddeeff",
        "1q2w3e4r5t6y",
        "1q2w3e4r5t6y7u8i",
        "1qaz2wsx3edc",
        "1qaz2wsx3edc4rfv",
        "1qazxsw23edc",
        "zaq12wsxcde3",
        "q1w2e3r4t5y6",
        "qazwsxedcrfv",
        "qazwsxedc123",
        "qwerty123456",
        "qwerty1234567",
        "qwerty12345678",
        "qwertyqwerty",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiop[]",
        "qwertyuiopas",
        "qwertyuiopasdfghjkl",
        "qwertyasdfgh",
        "qweasdzxc123",
        "qwe123qwe123",
        "asdfghjkl123",
        "asdfghjklzxc",
        "asdfasdfasdf",
        "zxcvbnm12345",
        "zxcvbnmasdfg",
        "poiuytrewq12",
        "azertyuiop12",
        "azertyuiop123",
        "qwertzuiop12",
        "qwertzuiop123",
        "password",
        "password1",
        "password12",
        "password123",
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "passw0rd",
        "passw0rd1234",
        "p@ssword",
        "p@ssword1234",
        "p@ssw0rd",
        "p@ssw0rd1234",
        "pa$$word",
        "pa$$w0rd",
        "mypassword",
        "newpassword",
        "changeme",
        "changemenow",
        "changeme1234",
        "changemechangeme",
        "pleasechangeme",
        "letmein",
        "letmeinplease",
        "letmeinletmein",
        "welcome",
        "welcome1",
        "welcome12345",
        "welcomewelcome",
        "administrator",
        "administrator1",
        "adminadmin",
        "adminadminadmin",
        "admin",
        "adminpassword",
        "rootpassword",
        "root",
        "rootroot",
        "rootrootroot",
        "superuser",
        "superuserpassword",
        "supersecret",
        "supersecretpassword",
        "secretpassword",
        "topsecret",
        "defaultpassword",
        "default",
        "temppassword",
        "temporary",
        "testpassword",
        "testtesttest",
        "testtest",
        "iloveyou",
        "iloveyou1234",
        "iloveyouiloveyou",
        "iloveyousomuch",
        "iloveyouforever",
        "sunshine",
        "sunshinesunshine",
        "princess",
        "princessprincess",
        "football",
        "footballfootball",
        "baseball",
        "baseballbaseball",
        "basketball",
        "superman",
        "supermansuperman",
        "batmanbatman",
        "spidermanspiderman",
        "starwarsstarwars",
        "starwars",
        "pokemonpokemon",
        "dragondragon",
        "monkeymonkey",
        "trustno1trustno1",
        "whatever",
        "whateverwhatever",
        "computer",
        "computercomputer",
        "internet",
        "internetinternet",
        "michael",
        "jessica",
        "charlie",
        "jennifer",
        "christopher",
        "alexander",
        "correcthorsebatterystaple",
        "thisisapassword",
        "thisismypassword",
        "thisisasecret",
        "nopassword",
        "nopasswordneeded",
        "passwordispassword",
        "cpanelcpanel",
        "cpanelpassword",
        "webmaster",
        "webmasterpassword",
        "hostinghosting",
        "manage2manage2",
        "authkeysauthkeys",
    ]
) | {"correct horse battery staple"}
