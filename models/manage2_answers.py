"""The answers of Manage2's API functions, as XML, JSON or YAML.

XML is what Perl's `XML::Simple::XMLout` 2.25 makes: it reproduces the samples of docs.cpanel.net/manage2/api/ byte for
byte. JSON and YAML are UTF-8 without `\\u` escapes, because YAML.pm 1.30, YAML::Syck and JSON::Syck 1.34, which
cPanelLicensing.pm 3.6 may use, leave those escapes as they are.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import NamedTuple, TypeAlias
from xml.sax.saxutils import escape

from models.manage2_functions import Manage2Function, function_at

REALM = "cPanel Licensing System"
CHALLENGE = f'Basic realm="{REALM}"'
"""The WWW-Authenticate header of a 401. cPanelLicensing.pm 3.6 sends its password only to exactly this realm."""

Value: TypeAlias = "str | int | Mapping[str, Value]"


class Output(Enum):
    """A format of answers; the value is what the `output` variable says."""

    XML = "xml"
    JSON = "json"
    YAML = "yaml"


class Status(IntEnum):
    """The `status` of an answer (docs.cpanel.net/manage2/api/ has 1 and 0, cPanel's older TWiki adds -1)."""

    DONE = 1
    REFUSED = 0
    INVALID = -1
    """The input itself was invalid."""


class Rendered(NamedTuple):
    """An answer as it is sent."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answers. `fields` are its values beyond status and reason.

    A field is a text, a number, a record (such as `packages`), or records by name (such as `licenses`). What can hold a
    secret (a new key, a phrase within the reason) is left out of the repr, which may end up in a log.
    """

    function: Manage2Function
    status: Status
    reason: str = field(repr=False)
    fields: Mapping[str, Value] = field(default_factory=dict, repr=False)

    def render(self, output: Output) -> Rendered:
        """The answer in a format.

        Characters that XML 1.0 cannot hold, and the other control characters, become U+FFFD in every format.
        Raises ValueError if XML cannot hold the name of a field: that is a mistake of the program, not of a caller.
        """
        content = {"status": int(self.status), "reason": self.reason, **self.fields}
        return _RENDERERS[output](self.function.root, _readable(content))


def registered(service: str, ip: str, key: str) -> Answer:
    """The answer to a registration that succeeded (docs.cpanel.net/manage2/api/, 2021 March 16)."""
    reason = f"Successfully registered {service} on {ip}"
    return Answer(_REGISTER, Status.DONE, reason, {"key": key, "ip": ip})


def phrase_added(phrase: str, user: str) -> Answer:
    """The answer to a pickup phrase that was added (docs.cpanel.net/manage2/api/, 2021 March 12)."""
    return Answer(_ADD_PHRASE, Status.DONE, f"Successfully added pickup phrase '{phrase}' for {user}")


def refused(function: Manage2Function, reason: str) -> Answer:
    """A call that was understood and not allowed, or that failed."""
    return Answer(function, Status.REFUSED, reason)


def invalid(function: Manage2Function, reason: str) -> Answer:
    """A call whose variables are wrong."""
    return Answer(function, Status.INVALID, reason)


_REGISTER = function_at("/XMLregisterAuth.cgi")
_ADD_PHRASE = function_at("/XMLaddPickupPass.cgi")

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# PyYAML folds the first two as line breaks, and some readers drop the third as a byte order mark.
_TROUBLE_IN_YAML = re.compile("[\u2028\u2029\ufeff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS_OF_YAML = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_XML_ENTITIES = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_FIRST_ATTRIBUTES = ("name", "key", "id")


def _readable(content: Mapping[str, Value]) -> dict[str, Value]:
    return {_readable_text(name): _readable_value(value) for name, value in content.items()}


def _readable_value(value: Value) -> Value:
    if isinstance(value, Mapping):
        return _readable(value)
    return _readable_text(value) if isinstance(value, str) else value


def _readable_text(text: str) -> str:
    return _UNREADABLE.sub("\ufffd", text)


def _xml(root: str, content: Mapping[str, Value]) -> Rendered:
    return Rendered(_element(root, content).encode(), "application/xml; charset=utf-8")


def _element(name: str, content: Mapping[str, Value], indent: str = "") -> str:
    start = f"{indent}<{_xml_name(name)}{_attributes(content)}"
    children = "".join(
        _elements(child, value, f"{indent}  ") for child, value in sorted(content.items()) if isinstance(value, Mapping)
    )
    if children:
        return f"{start}>\n{children}{indent}</{name}>\n"
    return f"{start} />\n" if content else f"{start}></{name}>\n"


def _elements(name: str, value: Mapping[str, Value], indent: str) -> str:
    records = [{**record, "name": key} for key, record in sorted(value.items()) if isinstance(record, Mapping)]
    if records and len(records) == len(value):
        return "".join(_element(name, record, indent) for record in records)
    return _element(name, value, indent)


def _attributes(content: Mapping[str, Value]) -> str:
    scalars = {name: str(value) for name, value in content.items() if not isinstance(value, Mapping)}
    first = next((name for name in _FIRST_ATTRIBUTES if name in scalars), None)
    names = sorted(scalars, key=lambda name: (name != first, name))
    return "".join(f' {_xml_name(name)}="{escape(scalars[name], _XML_ENTITIES)}"' for name in names)


def _xml_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r:.60} cannot be the name of a field.")
    return name


def _json(_root: str, content: Mapping[str, Value]) -> Rendered:
    return Rendered(f"{json.dumps(content, ensure_ascii=False)}\n".encode(), "application/json")


def _yaml(_root: str, content: Mapping[str, Value]) -> Rendered:
    return Rendered(f"---\n{_yaml_lines(content)}".encode(), "application/yaml")


def _yaml_lines(content: Mapping[str, Value], indent: str = "") -> str:
    return "".join(f"{indent}{_yaml_name(name)}:{_yaml_value(value, indent)}" for name, value in content.items())


def _yaml_value(value: Value, indent: str) -> str:
    if isinstance(value, Mapping) and value:
        return f"\n{_yaml_lines(value, f'{indent}  ')}"
    return f" {_yaml_scalar(value)}\n"


def _yaml_scalar(value: Value) -> str:
    """A JSON text, number or `{}` is YAML too; only plain texts would have to be told from numbers and dates."""
    return _TROUBLE_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _yaml_name(name: str) -> str:
    is_plain = _NAME.fullmatch(name) and name.lower() not in _WORDS_OF_YAML
    return name if is_plain else _yaml_scalar(name)


_RENDERERS = {Output.XML: _xml, Output.JSON: _json, Output.YAML: _yaml}
