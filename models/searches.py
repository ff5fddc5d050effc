"""What a search of authkeys means: alternatives with commas or on lines, each of words that must all be found.

Addresses, networks, `10.0.0.*` and beginnings of addresses are places; of several places alone any may be found. All else is a
text in the service or the address, or the last four characters of a secret.
"""

import re
from typing import NamedTuple

from models.addresses import search_range
from models.texts import search_key

_BETWEEN = re.compile(r"[,;\n]+")
_INCOMPLETE_IPV4 = re.compile(r"\d{1,3}(\.\d{1,3}){1,2}")
_WILDCARD = re.compile(r"(\d{1,3}\.){1,3}\*")
_LAST_FOUR = re.compile(r"[A-Za-z0-9]{4}")


class Term(NamedTuple):
    """One word of a search."""

    text: str
    """As it stands in the keys of services"""
    addresses: tuple[bytes, bytes] | None = None
    """The first and the last sort key that it means; then it means nothing else"""
    begins_address: bool = False
    """Whether an address must begin with it, rather than hold it"""
    hint: str = ""
    """The last four characters of a secret, which it may be"""


def alternatives(text: str) -> list[list[Term]]:
    """What is searched: at least one of these must be found, with all of its terms."""
    found: list[list[Term]] = []
    for part in _BETWEEN.split(text):
        terms = [_term(word) for word in part.split()]
        if len(terms) > 1 and all(term.addresses for term in terms):
            found += [[term] for term in terms]
        elif terms:
            found.append(terms)
    several = len(found) > 1 or any(len(terms) > 1 for terms in found)
    if several and not all(term.addresses for terms in found for term in terms):
        found.append([Term(search_key(" ".join(text.split())))])  # a service of just this name
    return found or [[Term(search_key(text))]]


def _term(word: str) -> Term:
    place = search_range(word.removesuffix("*") if _WILDCARD.fullmatch(word) else word)
    hint = word if _LAST_FOUR.fullmatch(word) else ""
    return Term(search_key(word), place, _INCOMPLETE_IPV4.fullmatch(word) is not None, hint)
