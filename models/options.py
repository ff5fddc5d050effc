"""What the options and variables of the command line may say. What can never work is refused at start, in words."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from models.addresses import canonical_ip, canonical_network
from models.errors import InvalidValue

VARIABLE_PREFIX = "AUTHKEYS_"
LOG_FORMATS = ("text", "json")
MOST_WORKERS = 64
SOONEST, LATEST = 0.5, 600.0
"""Seconds within which a change may be asked to take effect"""

_SEPARATORS = re.compile(r"[,\s]+")
_HOST_NAME = re.compile(
    r"(?!.{254})([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?"
)
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")
# What Kubernetes puts into every container beside a service that is called "authkeys"
# (kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
_OF_KUBERNETES = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")


def check_variables(environment: Mapping[str, str], known: Collection[str]) -> None:
    """Raise InvalidValue for a variable of ours that is empty, or that nobody reads because it is misspelt."""
    for name in sorted(environment):
        if not name.upper().startswith(VARIABLE_PREFIX):
            continue
        if name not in known:
            if _OF_KUBERNETES.fullmatch(name.removeprefix(VARIABLE_PREFIX)):
                continue
            ends = [each.removeprefix(VARIABLE_PREFIX) for each in known]
            near = difflib.get_close_matches(name.upper().removeprefix(VARIABLE_PREFIX), ends, 1)
            meant = f"Did you mean {VARIABLE_PREFIX}{near[0]}?" if near else f"Known are {', '.join(sorted(known))}."
            raise InvalidValue(f"The variable {name} is not one of Authkeys'. {meant} Otherwise unset it.")
        if not environment[name].strip():
            raise InvalidValue(f"The variable {name} is set but empty. Give it a value, or unset it.")


def database_text(text: str) -> str:
    """A SQLite file or a PostgreSQL URL, as given with --database. Raises InvalidValue for what can be neither."""
    text = text.strip()
    if not text or text == ":memory:":
        raise InvalidValue(
            "--database takes a SQLite file or a postgres:// URL. A database to try out is made by --demo."
        )
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() not in _DATABASE_SCHEMES:
        # Not the rest: there may be a password in it.
        raise InvalidValue(
            f"--database takes a SQLite file or a postgres:// URL, not one that begins with {scheme}://."
        )
    return text


def metrics_host(text: str) -> str:
    """The address or name on which metrics are served. Raises InvalidValue for what is neither."""
    return listening_host(text, "--metrics-host")


def listening_host(text: str, option: str = "--host") -> str:
    """The address or name to listen on. Raises InvalidValue for what is neither."""
    text = text.strip()
    try:
        return canonical_ip(text)
    except InvalidValue:
        pass
    host, _, port = text.partition(":")
    if host and port.isdigit():
        raise InvalidValue(
            f"{option} takes an address without a port: {option} {host} {option.replace('host', 'port')} {port}."
        )
    if ":" in text and not re.search(r"[/\[\]\s]", text):
        return text  # an address with a zone id; the operating system knows its zones
    if not _HOST_NAME.fullmatch(text.lower()):
        raise InvalidValue(
            f"{option} takes one address of this machine, such as 127.0.0.1, or 0.0.0.0 or :: for all of them, "
            f"not {text!r:.80}."
        )
    return text


def port(given: str | int, option: str = "--port") -> int:
    """The TCP port to listen on; 0 for a free one. Raises InvalidValue for what is no port."""
    text = str(given).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535):
        raise InvalidValue(f"{option} takes a number from 0 to 65535, where 0 takes a free one: not {text!r:.80}.")
    return int(text)


def metrics_port(given: str | int | None) -> int | None:
    """The port for metrics alone, None for none. Raises InvalidValue."""
    return None if given is None else port(given, "--metrics-port")


def log_format(text: str) -> str:
    """How the log is written. Raises InvalidValue for what is no format."""
    name = text.strip().lower()
    if name not in LOG_FORMATS:
        raise InvalidValue(f"--log-format is {' or '.join(LOG_FORMATS)}, not {text!r:.80}.")
    return name


def server_url(text: str) -> str:
    """The address of a running server, as given with --url, without a slash at its end. Raises InvalidValue."""
    example = "--url takes the address of a running server, such as http://127.0.0.1:8080"
    return _http_url(text, example, "").rstrip("/")


def removals(given: str | int) -> int:
    """How many removals one submission may hold before another admin must approve it. Raises InvalidValue for what is no number."""
    text = str(given).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidValue(
            f"--four-eyes-removals takes a whole number, such as 100; with 0 every removal waits: not {text!r:.80}."
        )
    return int(text)


def trusted_proxies(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """The addresses and networks of proxies, in canonical form. Raises InvalidValue."""
    return tuple(dict.fromkeys(_trusted_proxy(each) for each in _each("--trusted-proxy", given)))


def allowed_hosts(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """The names under which browsers reach this server, as they stand in the Host header. Raises InvalidValue."""
    return tuple(dict.fromkeys(_allowed_host(each) for each in _each("--allowed-host", given)))


def root_path(text: str) -> str:
    """The path where a proxy puts the program: `/authkeys`, or nothing at the root. Raises InvalidValue."""
    path = text.strip().rstrip("/")
    if path and (not _ROOT_PATH.fullmatch(path) or {".", ".."} & set(path.split("/"))):
        raise InvalidValue(
            "--root-path begins with a slash and is a path only, such as /authkeys; it has no host, query, "
            f"space or percent sign: not {text!r:.80}."
        )
    return path


def backend_url(text: str | None) -> str | None:
    """The URL of the licensing backend. Raises InvalidValue, which never repeats a password."""
    if text is None:
        return None
    example = "--backend takes the URL of the licensing backend, such as http://127.0.0.1:9000"
    return _http_url(text, example, ": Authkeys signs in nowhere, it passes calls on")


def _http_url(text: str, example: str, why_no_name: str) -> str:
    """A URL with a host, and a path perhaps, trimmed. Raises InvalidValue, which begins with an example, and never repeats a password."""
    try:
        parts = urlsplit(text.strip())
        given_port = parts.port
    except ValueError as error:
        raise InvalidValue(f"{example}: {error}.") from None
    if "@" in parts.netloc:
        raise InvalidValue(f"{example}, without a name and a password{why_no_name}.")
    if parts.scheme not in ("http", "https") or not parts.hostname or given_port == 0:
        raise InvalidValue(f"{example}, with http:// or https:// and a host: not {text!r:.80}.")
    if parts.query or parts.fragment or re.search(r"\s", text.strip()):
        raise InvalidValue(f"{example}, without ?, # and spaces: not {text!r:.80}.")
    return text.strip()


def workers(given: str | int | None) -> int | None:
    """How many processes answer; None for one on each core. Raises InvalidValue."""
    if given is None:
        return None
    text = str(given).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_WORKERS):
        raise InvalidValue(
            f"--workers takes a number from 1 to {MOST_WORKERS}, one for each core that shall answer: not {text!r:.80}."
        )
    return int(text)


def fresh_within(given: str | float) -> float:
    """Within how many seconds a change takes effect, or nothing is answered. Raises InvalidValue."""
    text = str(given).strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not SOONEST <= seconds <= LATEST:  # nor is "nan"
        raise InvalidValue(
            f"--fresh-within takes seconds from {SOONEST:g} to {LATEST:g}, within which a revocation holds or nothing is answered: "
            f"not {text!r:.80}."
        )
    return seconds


def switch(option: str, given: str | bool) -> bool:
    """Whether an option without a value is on; its variable says so. Raises InvalidValue for what says neither."""
    text = str(given).strip().lower()
    if text not in _ON and text not in _OFF:
        raise InvalidValue(f"{option} is on or off: its variable takes 1 or 0, not {text!r:.80}.")
    return text in _ON


def _each(option: str, given: str | Iterable[str] | None) -> list[str]:
    """The values of a repeatable option; one value, or a variable, may hold several with commas or spaces between."""
    values: list[str] = []
    for text in [given] if isinstance(given, str) else given or ():
        parts = [part for part in _SEPARATORS.split(text) if part]
        if not parts:
            raise InvalidValue(f"{option} is given without a value.")
        values += parts
    return values


def _trusted_proxy(text: str) -> str:
    try:
        network = canonical_network(text)
    except InvalidValue as error:
        raise InvalidValue(
            f"--trusted-proxy takes the address of a proxy, such as 127.0.0.1, or a network of them: {error}"
        ) from None
    if network.prefixlen == 0:
        raise InvalidValue(
            f"--trusted-proxy takes the address of a proxy, or a network of them: {text} is everybody, and everybody "
            "could then claim any address."
        )
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _allowed_host(text: str) -> str:
    name = text.casefold()
    try:
        return str(ip_address(name.removeprefix("[").removesuffix("]")))
    except ValueError:
        pass
    if _HOST_NAME.fullmatch(name):
        return name.rstrip(".")
    shown = text.rpartition("@")[2]  # before it there may be a password
    if not name.isascii():
        raise InvalidValue(f"--allowed-host takes a name as browsers send it, in ASCII (xn--…): not {shown!r:.80}.")
    raise InvalidValue(
        "--allowed-host takes one name, such as keys.example.com, without https://, port, path or wildcard: "
        f"not {shown!r:.80}."
    )
