"""What of an authkey shall be different beside its privileges: its owner, its note, and a secret that exists already."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, StrEnum
from typing import NamedTuple

from models.access_checks import KeyState, Reason
from models.authkeys import Authkey
from models.errors import InvalidValue
from models.secrets import KnownSecret
from models.subjects import Row
from models.texts import canonical_text


class TextName(StrEnum):
    """A text that an authkey has."""

    OWNER = "owner"
    """Who answers for it: a person, a team, a customer"""
    NOTE = "note"


MAX_LENGTHS: Mapping[TextName, int] = {TextName.OWNER: 100, TextName.NOTE: 500}
"""Characters."""


class SecretOwner(NamedTuple):
    """The authkey that has a secret, or had it."""

    key: KeyState
    gone: Reason | None
    """Why it is no longer in force"""

    @property
    def said(self) -> str:
        """Whose it is: `it is that of 192.0.2.7 (billing)`."""
        name = f"{self.key.ip} ({self.key.service})"
        match self.gone:
            case Reason.REMOVED:
                return f"it is that of {name}, which was removed and can be restored"
            case Reason.REPLACED:
                return f"{name} had it until a new key was issued"
        return f"it is that of {name}"


class SecretOutcome(Enum):
    """What becomes of a secret that an authkey shall have."""

    NEW = "it gets it"
    ALREADY = "it has it"
    TAKEN = "it is or was another's, or its own that was replaced"
    KEYED = "it has another one"


class TextChange(NamedTuple):
    """Another text in the place of one that the admin saw; empty is none."""

    name: TextName
    before: str
    after: str


class Amendment(NamedTuple):
    """What shall be different of one authkey."""

    secret: KnownSecret | None = None
    """It has no secret yet, and shall have this one"""
    texts: tuple[TextChange, ...] = ()
    """At most one of a name, by name"""

    @property
    def change_count(self) -> int:
        """Changes as the bar counts them."""
        return (self.secret is not None) + len(self.texts)

    def texts_of(self, row: Row) -> dict[TextName, str]:
        """The texts of a row as they would be."""
        return {name: text_of(row, name) for name in TextName} | {each.name: each.after for each in self.texts}

    def with_text(self, name: TextName, row: Row, text: str) -> "Amendment":
        """With this text for a row, or no longer with one if that is what is stored."""
        others = [each for each in self.texts if each.name is not name]
        stored = text_of(row, name)
        mine = [TextChange(name, stored, text)] if text != stored else []
        return self._replace(texts=tuple(sorted([*others, *mine])))

    def without_text(self, name: TextName) -> "Amendment":
        """The same without a change of this text."""
        return self._replace(texts=tuple(each for each in self.texts if each.name is not name))

    def rebased(self, row: Row) -> "Amendment":
        """Without what is already so."""
        return self._replace(texts=tuple(each for each in self.texts if text_of(row, each.name) != each.after))

    def confirmed(self, row: Row) -> "Amendment":
        """As it is wanted although somebody changed the row: in the place of what is there now."""
        texts = tuple(each._replace(before=text_of(row, each.name)) for each in self.texts)
        return Amendment(None if has_key(row) else self.secret, texts).rebased(row)

    def is_overtaken(self, row: Row) -> bool:
        """Whether somebody else changed a text that it changes, or gave the row a key."""
        return bool(self.overtaken_texts(row)) or self.is_late_for_key(row)

    def overtaken_texts(self, row: Row) -> list[TextChange]:
        """What somebody else made of the texts that it changes."""
        now = [TextChange(each.name, each.before, text_of(row, each.name)) for each in self.texts]
        wanted = {each.name: each.after for each in self.texts}
        return [each for each in now if each.after not in (each.before, wanted[each.name])]

    def is_late_for_key(self, row: Row) -> bool:
        """Whether somebody else gave the row a key, where it shall have another one."""
        return self.secret is not None and has_key(row)

    def to_text(self) -> str | None:
        """As it is stored; None for nothing."""
        if not any(self):
            return None
        return json.dumps([self.secret, [list(each) for each in self.texts]], separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str | None) -> "Amendment":
        """As it was stored."""
        if not text:
            return UNAMENDED
        secret, texts = json.loads(text)
        return cls(KnownSecret(*secret) if secret else None, _texts(texts))


UNAMENDED = Amendment()


def canonical_owner_or_note(name: TextName, text: str) -> str:
    """The text as it is stored. Raises InvalidValue if it is too long, or holds characters that nobody can see."""
    stored = canonical_text(text, f"The {name}")
    if len(stored) > MAX_LENGTHS[name]:
        raise InvalidValue(f"The {name} has {len(stored)} characters; at most {MAX_LENGTHS[name]} are allowed.")
    return stored


def first_texts(texts: Iterable[tuple[TextName, str]]) -> tuple[TextChange, ...]:
    """Those of a row that is to be made, by name."""
    return tuple(TextChange(name, "", text) for name, text in sorted(texts) if text)


def text_of(row: Row, name: TextName) -> str:
    """What is stored of a row; pickup passphrases have a note of their own kind, which is not staged."""
    return str(getattr(row, name)) if isinstance(row, Authkey) else ""


def decide_secret(row: Row | None, owner: SecretOwner | None) -> SecretOutcome:
    """What becomes of a secret that has this owner, for a row, or for one that is not there yet."""
    if owner is not None:
        is_own = row is not None and owner.gone is None and owner.key.id == row.id
        return SecretOutcome.ALREADY if is_own else SecretOutcome.TAKEN
    return SecretOutcome.KEYED if row is not None and has_key(row) else SecretOutcome.NEW


def has_key(row: Row) -> bool:
    """Whether it has a secret."""
    return isinstance(row, Authkey) and row.has_key


def texts_to_text(texts: Sequence[TextChange]) -> str | None:
    """Changes of texts as the history has them: canonical JSON; None if there are none."""
    return json.dumps([list(each) for each in texts], separators=(",", ":"), ensure_ascii=False) if texts else None


def texts_from_text(text: str | None) -> tuple[TextChange, ...]:
    """Changes of texts, as the history has them."""
    return _texts(json.loads(text)) if text else ()


def _texts(rows: Iterable[Iterable[str]]) -> tuple[TextChange, ...]:
    return tuple(TextChange(TextName(name), before, after) for name, before, after in rows)
