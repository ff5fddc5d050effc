"""IP addresses: one canonical text for each, a key that sorts them, and the ranges a search means."""

import re
import socket
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network

from models.errors import InvalidValue

MAX_ADDRESS_LENGTH = 39

_IPV4_START = re.compile(r"\d{1,3}(\.\d{1,3}){0,2}\.")
_IPV6_START = re.compile(r"([0-9a-f]{1,4}:){1,7}:?", re.IGNORECASE)
_LOOKS_LIKE_NAME = re.compile(r"[^0-9a-f:.]", re.IGNORECASE)


@lru_cache(maxsize=10_000)
def canonical_ip(text: str) -> str:
    """The one spelling of an IP address under which it is stored and compared.

    An IPv4-mapped IPv6 address becomes IPv4 (RFC 4291, 2.5.5.2). Raises InvalidValue for everything that is not
    exactly one address: networks, zone ids, host names, leading zeros (which some programs read as octal).
    """
    text = text.strip()
    if not text:
        raise InvalidValue("An IP address is needed, such as 192.0.2.7 or 2001:db8::7.")
    if "%" in text:
        raise InvalidValue(f"{text!r:.80} has a zone id; an authkey needs an address without one.")
    if "/" in text:
        raise InvalidValue(f"{text!r:.80} is a network; an authkey belongs to one address.")
    try:
        return str(_parse(text))
    except ValueError as error:
        raise InvalidValue(f"{text!r:.80} is not an IP address: {_reason(text, error)}") from None


def sort_key(ip: str) -> bytes:
    """Bytes that sort canonical addresses numerically, IPv4 before IPv6, on every database."""
    # inet_pton: a long import asks this a million times, and what it gets is canonical already.
    if ":" in ip:
        return b"\x06" + socket.inet_pton(socket.AF_INET6, ip)
    return b"\x04" + socket.inet_pton(socket.AF_INET, ip)


def search_range(text: str) -> tuple[bytes, bytes] | None:
    """The first and last sort key that a search text means, or None if it does not mean addresses.

    A network (`192.0.2.0/24`), a whole address, or its beginning up to a separator (`192.0.2.`, `2001:db8:`,
    `2001:db8::`).
    """
    text = text.strip()
    return _network_range(text) or _prefix_range(text) or _address_range(text)


def _network_range(text: str) -> tuple[bytes, bytes] | None:
    if "/" not in text:
        return None
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    return _key(network.network_address), _key(network.broadcast_address)


def _prefix_range(text: str) -> tuple[bytes, bytes] | None:
    if _IPV4_START.fullmatch(text):
        octets = text.count(".")
        return _network_range(f"{text}{'0.' * (3 - octets)}0/{8 * octets}")
    if _IPV6_START.fullmatch(text):
        groups = text.rstrip(":").count(":") + 1
        return _network_range(f"{text.rstrip(':')}{'::' if groups < 8 else ''}/{16 * groups}")
    return None


def _address_range(text: str) -> tuple[bytes, bytes] | None:
    try:
        key = _key(_parse(text))
    except ValueError:
        return None
    return key, key


def _parse(text: str) -> IPv4Address | IPv6Address:
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise AddressValueError("it has a zone id")
        return address.ipv4_mapped or address
    return address


def _key(address: IPv4Address | IPv6Address) -> bytes:
    return bytes([address.version]) + address.packed


def _reason(text: str, error: ValueError) -> str:
    if _LOOKS_LIKE_NAME.search(text):
        return "it looks like a name. Give the address itself, such as 192.0.2.7 or 2001:db8::7."
    detail = ""
    for family in (IPv6Address,) if ":" in text else (IPv4Address,):
        try:
            family(text)
        except ValueError as specific:
            detail = str(specific)
    return f"{detail or error}. Give one such as 192.0.2.7 or 2001:db8::7."
