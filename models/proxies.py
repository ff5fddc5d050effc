"""Whose word counts about where a call comes from: the connection's own, and of a trusted proxy what it forwards.

The one place that decides it. A caller can write any header; only what a proxy that the operator named (`--trusted-proxy`)
has put there itself is believed, and every address is compared in its canonical form: on a socket that serves IPv4 and IPv6
alike the proxy 127.0.0.1 arrives as ::ffff:127.0.0.1.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from models.addresses import canonical_ip, canonical_network
from models.errors import InvalidValue

UNKNOWN_ADDRESS = "unknown"
"""Where a trusted proxy names no address, as RFC 7239, 6.2, calls it. No authkey belongs to it."""

_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+")
_MAX_LENGTH = 60
_SCHEMES = frozenset(["http", "https"])


class Caller(NamedTuple):
    """Where a call comes from."""

    address: str
    """Canonical; `UNKNOWN_ADDRESS` if a proxy tells none, or nothing for a connection without an address"""
    scheme: str | None
    """`http` or `https` as a trusted proxy tells it; None if the connection's own counts"""


class TrustedProxies:
    """The addresses and networks of the proxies whose word counts."""

    def __init__(self, given: Iterable[str] = ()) -> None:
        """Raises InvalidValue for what is neither an address nor a network."""
        networks = [canonical_network(each) for each in given]

        @lru_cache(maxsize=10_000)
        def knows(address: str) -> bool:
            try:
                ip = ip_address(address)
            except ValueError:
                return False
            return any(ip in network for network in networks)

        self._knows = knows if networks else lambda _: False

    def __contains__(self, address: str) -> bool:
        """Whether a canonical address is one of theirs."""
        return self._knows(address)

    def trusts(self, peer: str) -> bool:
        """Whether a connection comes from one of theirs, however its address is written."""
        return _canonical(peer) in self

    def caller(self, peer: str, forwarded_for: Iterable[str], forwarded_proto: Iterable[str]) -> Caller:
        """Who calls, by the connection's other end and the values of X-Forwarded-For and X-Forwarded-Proto.

        Each proxy appends the address that it was called from, so the list is read from its end: the first address that
        is no trusted proxy's is the caller's, and what stands before it is only the caller's claim.
        """
        address = _canonical(peer)
        if address not in self:
            return Caller(address, None)
        for hop in reversed(_values(forwarded_for)):
            address = _canonical(_without_port(hop))
            if address not in self:
                break
        proto = _values(forwarded_proto)[-1:]
        scheme = proto[0].lower() if proto else ""
        return Caller(address, scheme if scheme in _SCHEMES else None)


def _values(headers: Iterable[str]) -> list[str]:
    """The values of a header that may be repeated, and hold several with commas between; empty ones say nothing."""
    return [value for header in headers for each in header.split(",") if (value := each.strip())]


def _without_port(hop: str) -> str:
    """The address of `192.0.2.7:1234`, `[2001:db8::7]:1234` and `[2001:db8::7]`; any other text as it is."""
    found = _WITH_PORT.fullmatch(hop) if len(hop) <= _MAX_LENGTH else None
    return (found[1] or found[2]) if found else hop


def _canonical(address: str) -> str:
    if not address:
        return ""
    if len(address) > _MAX_LENGTH:
        return UNKNOWN_ADDRESS
    try:
        return canonical_ip(address)
    except InvalidValue:
        return UNKNOWN_ADDRESS
