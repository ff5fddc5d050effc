"""What Manage2's clients send: variables in a query or a body, and credentials in one of several places."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from models.errors import InvalidValue
from models.manage2_answers import Output
from models.secrets import trimmed

MAX_BYTES = 64 * 1024
"""Of a query, and of a body. A route may stop reading a body after one byte more."""
MAX_VARIABLES = 200

FORM_TYPE = "application/x-www-form-urlencoded"


class Variables:
    """The variables of one call.

    Of a repeated one the first counts: no page of Manage2 says which, and the first is what `param` of Perl's CGI.pm
    gives a `.cgi` program. Values are decoded when they are asked for, so that a call may be forwarded whatever
    encoding its other values have.
    """

    __slots__ = ("_values",)

    def __init__(self, raw: bytes) -> None:
        self._values: dict[bytes, bytes] = {}
        for name, value in _pairs(raw):
            self._values.setdefault(name, value)

    def has(self, name: str) -> bool:
        """Whether a variable was sent, if only with an empty value."""
        return name.encode() in self._values

    def get(self, name: str) -> str | None:
        """The value of a variable, or None if it was not sent. Raises InvalidValue if the value is not UTF-8."""
        value = self._values.get(name.encode())
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            raise InvalidValue(f"The value of {name!r} is not UTF-8 text.") from None

    def require(self, name: str) -> str:
        """The value of a variable. Raises InvalidValue if it was not sent, is empty or is not UTF-8."""
        value = self.get(name)
        if not value:
            raise InvalidValue(f"The variable {name!r} is needed.")
        return value

    @property
    def output(self) -> Output:
        """The format that the answer is wanted in; XML where none, or no known one, was asked for.

        Upper and lower case are one: docs.cpanel.net has `output=JSON` and `output=json`. What Manage2 does with an
        unknown format is documented nowhere; its clients without `output` need XML.
        """
        return _OUTPUTS.get(self._values.get(b"output", b"").strip().lower(), Output.XML)


def parse_variables(method: str, query: bytes, body: bytes = b"", content_type: str | None = None) -> Variables:
    """The variables of a call, separated by `&` or `;`.

    A POST's body is read alone: beside one, the query is ignored (docs.cpanel.net/manage2/knowledge-base/
    guide-to-the-manage2-api/, 2022 July 27). Raises InvalidValue for a body that is not a form, for more than
    MAX_BYTES and for more than MAX_VARIABLES.
    """
    has_body = _has_body(method, body)
    if has_body and content_type and content_type.partition(";")[0].strip().lower() != FORM_TYPE:
        raise InvalidValue(f"A body of this type is not understood; send {FORM_TYPE}.")
    return Variables(_checked(body, "body") if has_body else _checked(query, "query"))


def wanted_output(method: str, query: bytes, body: bytes = b"") -> Output:
    """The format to answer in, also for a call that parse_variables refuses, such as one with a multipart body. Never raises."""
    if _has_body(method, body) and (part := _OUTPUT_PART.search(body)):
        return Variables(b"output=" + part[1]).output
    return Variables(_read_part(method, query, body)).output


def split_uri(uri: str) -> tuple[str, bytes]:
    """The path and the query of the original URI that a proxy tells in a header (Starlette reads those as Latin-1)."""
    path, _, query = uri.partition("?")
    return path, query.encode("latin-1", "replace")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a caller claims to be."""

    secret: str = field(repr=False)
    """A key, or with a username perhaps the account's password. It may be empty or nonsense: it is a claim."""
    username: str | None = None
    """The account's, where Basic authentication named one."""


def credentials_of(
    variables: Variables, authorization: str | None = None, x_api_key: str | None = None
) -> Credentials | None:
    """The credentials of a call; None if it has none and is to be asked for them with a 401.

    Where clients put a key: in `apikey` (cPanel's PHP class 3.13; docs.cpanel.net, Manage2 API - Authentication
    Methods), as the Basic password after the account's username (cPanelLicensing.pm 3.6, PHP class 3.6); and, not
    Manage2's but of this program, in X-Api-Key or as a Bearer token. They count in the order apikey, X-Api-Key,
    Authorization. A header without a secret is none: PHP class 3.6 sends `Basic Og==`, an empty name and password.
    Raises InvalidValue only for an `apikey` that is not UTF-8.
    """
    apikey = variables.get("apikey")
    if apikey is not None:
        return Credentials(apikey.strip())
    if x_api_key and x_api_key.strip():
        return Credentials(x_api_key.strip())
    return _from_authorization(authorization or "")


def has_apikey(method: str, query: bytes, body: bytes = b"") -> bool:
    """Whether a call brings its key in `apikey`, also for a call that parse_variables refuses. Never raises."""
    return Variables(_read_part(method, query, body)).has("apikey")


def without_key(raw: bytes, secret: str | None = None) -> bytes:
    """A query or body without the caller's key, and otherwise as it was, for a backend that trusts our word.

    Out go the variables named `apikey`, upper and lower case and blanks around it being one, because a backend may
    read names less strictly than we do; and every other one in which `secret` stands.
    """
    pieces = _AFTER_SEPARATOR.split(raw)
    return b"".join(piece for piece in pieces if not _holds_key(piece.rstrip(b"&;"), (secret or "").encode()))


_SEPARATOR = re.compile(rb"[&;]")
# RFC 7578: a part's head, an empty line, its value.
_OUTPUT_PART = re.compile(
    rb'^content-disposition: *form-data; *name="?output"?\s*?\r?\n\r?\n(\w{1,10})', re.IGNORECASE | re.M
)
_AFTER_SEPARATOR = re.compile(rb"(?<=[&;])")
_OUTPUTS = {output.value.encode(): output for output in Output}


def _has_body(method: str, body: bytes) -> bool:
    return method.upper() == "POST" and bool(body)


def _read_part(method: str, query: bytes, body: bytes) -> bytes:
    return (body if _has_body(method, body) else query)[:MAX_BYTES]


def _holds_key(piece: bytes, secret: bytes) -> bool:
    name, value = _pair(piece)
    return name.strip().lower() == b"apikey" or bool(secret and (secret in name or secret in value))


def _checked(raw: bytes, place: str) -> bytes:
    if len(raw) > MAX_BYTES:
        raise InvalidValue(f"The {place} is longer than {MAX_BYTES:,} bytes.")
    if len(_SEPARATOR.findall(raw)) >= MAX_VARIABLES:
        raise InvalidValue(f"The {place} has more than {MAX_VARIABLES} variables.")
    return raw


def _pairs(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    for piece in _SEPARATOR.split(raw):
        if piece:
            yield _pair(piece)


def _pair(piece: bytes) -> tuple[bytes, bytes]:
    name, _, value = piece.replace(b"+", b" ").partition(b"=")
    return unquote_to_bytes(name), unquote_to_bytes(value)


def _from_authorization(header: str) -> Credentials | None:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return Credentials(rest.strip())
    return _from_basic(rest.strip()) if scheme.lower() == "basic" else None


def _from_basic(encoded: str) -> Credentials | None:
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return Credentials(trimmed(password), username) if password else None
