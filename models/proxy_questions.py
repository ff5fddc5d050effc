"""What a reverse proxy asks the authorizer: which privilege, or which Manage2 function, a call needs.

Nothing that the caller can write may be taken for the proxy's question. The proxy's own word is the path
(`/authorize/search`), and the original URI that it tells in a header. The query `?privilege=` is older, and not safe by
itself: Caddy's `forward_auth` with `uri /authorize`, and nginx's with `$is_args$args`, hand the caller's query on to us. So
it counts only together with an original URI in which no `privilege` stands; where one does, the question may be the
proxy's or the caller's, and the call must be allowed whichever it is.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from models.errors import InvalidValue
from models.manage2_functions import Requirement, function_at
from models.privileges import Privilege, privilege

NAME_IT_IN_THE_PATH = (
    "The proxy in front must say what it asks for: the privilege in the path, as in /authorize/search, or the original "
    "URI in X-Original-URI or X-Forwarded-Uri, once. A privilege in the query alone may be the caller's own, so it does "
    "not count."
)

_PIECES = re.compile(r"[?&;#\s]")
_DECODED = 3
"""How often percent-encoding is undone in search of a `privilege`: a proxy may have undone some of it already."""


class UnclearQuestion(InvalidValue):
    """It cannot be told what the proxy asks for; the message says what to write into its file."""


class Need(NamedTuple):
    """Something that a call needs, and its name on record."""

    needs: Privilege | Requirement
    name: str


def needs_asked(path_part: str, query: bytes, original_uri: str) -> list[Need]:
    """All that a call needs, by the path below `/authorize/`, the query, and the original URI (empty if none is told).

    Raises UnclearQuestion, and InvalidValue for an unknown privilege or function.
    """
    if path_part:
        if path_part == original_uri.partition("?")[0].strip("/"):
            raise UnclearQuestion(NAME_IT_IN_THE_PATH)  # the proxy hands the caller's path on
        return [_privilege_need(path_part)]
    asked = _asked_in(query)
    if not asked:
        return [_function_need(original_uri)]
    if not original_uri:
        raise UnclearQuestion(NAME_IT_IN_THE_PATH)
    if not _names_privilege(original_uri):
        if len(asked) > 1:
            raise UnclearQuestion("The proxy asks for more than one privilege.")
        return [_privilege_need(asked[0])]
    return [_function_need(original_uri), *_known(asked)]


def _function_need(original_uri: str) -> Need:
    if not original_uri:
        raise UnclearQuestion(NAME_IT_IN_THE_PATH)
    function = function_at(original_uri.partition("?")[0])
    return Need(function.needs, function.name)


def _privilege_need(privilege_id: str) -> Need:
    return Need(privilege(privilege_id), privilege_id)


def _known(privilege_ids: Iterable[str]) -> list[Need]:
    """Those that a proxy could have asked for: with an unknown one no call at all would pass."""
    known = []
    for each in privilege_ids:
        try:
            known.append(_privilege_need(each))
        except InvalidValue:
            continue
    return known


@lru_cache(maxsize=100)
def _asked_in(query: bytes) -> tuple[str, ...]:
    """The values of `privilege` in a query."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return tuple(value for name, value in pairs if name == "privilege")


@lru_cache(maxsize=1_000)
def _names_privilege(uri: str) -> bool:
    """Whether a `privilege` stands in a URI in any spelling, so that a query made of its parts could hold one."""
    for _ in range(_DECODED + 1):
        if any(piece.partition("=")[0].strip().lower() == "privilege" for piece in _PIECES.split(uri)):
            return True
        uri = unquote(uri.replace("+", " "), encoding="latin-1")
    return False
