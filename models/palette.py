"""Which commands a few typed letters mean."""

import re
from collections.abc import Iterable
from enum import IntEnum
from typing import Protocol, TypeVar

from models.texts import search_key

_WORD = re.compile(r"\w+")


class Findable(Protocol):
    """What can be found by its name."""

    @property
    def name(self) -> str:
        """As it is shown."""

    @property
    def words(self) -> str:
        """Other words by which people may look for it."""


F = TypeVar("F", bound=Findable)


class Match(IntEnum):
    """How well a command answers; the best is the least."""

    BEGINS = 0
    """Its name begins with what was typed"""
    IN_ORDER = 1
    """The typed words begin words of its name, in the same order"""
    IN_NAME = 2
    """They begin words of its name"""
    IN_WORDS = 3
    """They begin words of its name, or its other words"""


def found(query: str, commands: Iterable[F]) -> list[F]:
    """Those that a query means, the best first, equally good ones in their order; all of them for an empty query."""
    matches = [(match, command) for command in commands if (match := match_of(query, command)) is not None]
    return [command for _, command in sorted(matches, key=lambda each: each[0])]


def match_of(query: str, command: Findable) -> Match | None:
    """How well a command answers a query; None if not every word of the query begins one of its words."""
    typed, name = _words(query), _words(command.name)
    if not typed or " ".join(name).startswith(" ".join(typed)):
        return Match.BEGINS
    if _begin_in_order(typed, name):
        return Match.IN_ORDER
    if _begin(typed, name):
        return Match.IN_NAME
    return Match.IN_WORDS if _begin(typed, [*name, *_words(command.words)]) else None


def _words(text: str) -> list[str]:
    return _WORD.findall(search_key(text))


def _begin(typed: list[str], words: list[str]) -> bool:
    return all(any(word.startswith(each) for word in words) for each in typed)


def _begin_in_order(typed: list[str], words: list[str]) -> bool:
    remaining = iter(words)
    return all(any(word.startswith(each) for word in remaining) for each in typed)
