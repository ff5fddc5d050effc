"""IP addresses and networks: one canonical form for each, a key that sorts them, and the ranges a search means.

IPv4 addresses travel inside of IPv6 ones in several ways. Only the mapped form (RFC 4291, 2.5.5.2) is undone: it is how
one's own machine writes an IPv4 caller on a socket that serves both. The addresses of NAT64 (RFC 6052), 6to4 (RFC 3056)
and Teredo come over the wire as IPv6 from a translator or tunnel that anybody may run, or forge: whoever could make up
such an address would else be taken for the IPv4 address in it.
"""

import re
import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from models.errors import InvalidValue
from models.texts import check_unseen

MAX_CALLER_LENGTH = 45
"""Characters of a caller's address as it is recorded. A zone id can make an address of any length."""

_MAPPED_BITS = 96
"""The first bits of an IPv4-mapped address, which say that it is one."""
_IPV4_START = re.compile(r"\d{1,3}(\.\d{1,3}){0,2}\.")
_IPV6_START = re.compile(r"([0-9a-f]{1,4}:){1,7}:?", re.IGNORECASE)
_MAPPED_START = re.compile(r"^(::|(0{1,4}:){5})ffff:(?=\d{1,3}\.)", re.IGNORECASE)
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
    if not text.isascii():
        check_unseen(text, _shown(text))
    if "%" in text:
        raise InvalidValue(f"{text!r:.80} has a zone id; an authkey needs an address without one.")
    if "/" in text:
        raise InvalidValue(f"{text!r:.80} is a network; an authkey belongs to one address.")
    try:
        return str(_parse(text))
    except ValueError as error:
        raise InvalidValue(f"{text!r:.80} is not an IP address: {_reason(text, error)}") from None


@lru_cache(maxsize=10_000)
def canonical_network(text: str) -> IPv4Network | IPv6Network:
    """The one form of a network in CIDR notation; an address alone is a network of one.

    Bits of the host are cleared, and a network of IPv4-mapped addresses becomes IPv4. Raises InvalidValue for what is
    no network, has a zone id, or is a mapped address with so short a prefix that it would mean far more than IPv4.
    """
    text = text.strip()
    if not text:
        raise InvalidValue("A network is needed, such as 192.0.2.0/24 or 2001:db8::/48.")
    if not text.isascii():
        check_unseen(text, _shown(text))
    if "%" in text:
        raise InvalidValue(f"{text!r:.80} has a zone id; give the network without one.")
    try:
        network = ip_network(text, strict=False)
        address = ip_address(text.partition("/")[0])
    except ValueError:
        raise InvalidValue(f"{text!r:.80} is not a network; write it as in 192.0.2.0/24 or 2001:db8::/48.") from None
    if isinstance(network, IPv4Network) or not isinstance(address, IPv6Address) or address.ipv4_mapped is None:
        return network
    if network.prefixlen < _MAPPED_BITS:
        raise InvalidValue(
            f"{text!r:.80} is an IPv4 address with a prefix of IPv6 that is shorter than {_MAPPED_BITS} bits; "
            f"write it as IPv4, as in {address.ipv4_mapped}/24."
        )
    return IPv4Network((address.ipv4_mapped, network.prefixlen - _MAPPED_BITS), strict=False)


def is_in_networks(address: str, networks: Iterable[str]) -> bool:
    """Whether an address is one of these, or in one of these networks, however any of them is spelled.

    What is no address is in none. Raises InvalidValue for what is no network.
    """
    try:
        ip = ip_address(canonical_ip(address))
    except InvalidValue:
        return False
    return any(ip in canonical_network(network) for network in networks)


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
    text = _MAPPED_START.sub("", text.strip(), count=1) if "/" not in text else text.strip()
    return _network_range(text) or _prefix_range(text) or _address_range(text)


def _network_range(text: str) -> tuple[bytes, bytes] | None:
    if "/" not in text:
        return None
    try:
        network = canonical_network(text)
    except InvalidValue:
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


def _shown(text: str) -> str:
    """What can be seen of a text that may hold what cannot."""
    return repr("".join(each for each in text if each.isascii() and each.isprintable()))[:80]


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
