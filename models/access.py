"""Who comes in: how long a session lasts, and which hosts and origins are ours."""

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

IDLE = timedelta(hours=12)
"""A session that was not used for so long has ended."""
ABSOLUTE = timedelta(days=7)
"""So long after its sign-in every session has ended."""
LAUNCH_LINK_LASTS = timedelta(minutes=10)

SIGN_IN_PATH = "/sign-in"
LAUNCH_PATH = "/launch"
INVITATION_PATH = "/invitation"
PROVIDER_PATH = "/sign-in/provider"
"""Where a sign-in at the provider of single sign-on starts"""
PROVIDER_CALLBACK_PATH = f"{PROVIDER_PATH}/callback"
PROVIDER_LOGOUT_PATH = f"{PROVIDER_PATH}/logout"
FACTORS_PATH = "/second-factor"
CONFIRM_PATH = f"{FACTORS_PATH}/confirm"

LIVE_PATH, READY_PATH, METRICS_PATH = "/health/live", "/health/ready", "/metrics"
"""For who operates the server"""

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_current(created_at: datetime, used_at: datetime, now: datetime) -> bool:
    """Whether a session still lasts. A clock that jumped back makes it last longer, but never locks anybody out."""
    return now - used_at < IDLE and now - created_at < ABSOLUTE


def is_fresh(created_at: datetime, now: datetime) -> bool:
    """Whether a launch link can still be used."""
    return now - created_at < LAUNCH_LINK_LASTS


def is_loopback(host: str) -> bool:
    """Whether a server that listens on this host is reachable from its own machine only."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(host_header: str) -> str:
    """The name in a Host header, without the port: `[::1]:8080` is `::1`. Empty if it is no host."""
    try:
        parts = urlsplit(f"//{host_header}")
        _ = parts.port  # raises for what is no number
        if parts.path or parts.query or parts.fragment or parts.username is not None:
            return ""
        return (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""


class HostRule:
    """The names under which this server answers browsers.

    A web page elsewhere can give its own name our address (DNS rebinding) and would then be "same origin" with us. It
    cannot change the name, so names that are not ours are refused.
    """

    def __init__(self, listening_on: str, more: Iterable[str] = ()) -> None:
        names = {name.casefold().rstrip(".") for name in more}
        self._any_address = False
        if is_loopback(listening_on):
            names |= LOOPBACK_NAMES
        elif _is_unspecified(listening_on):
            # An address in the Host header cannot be rebound: the page would have come from that very address.
            self._any_address = True
            names.add("localhost")
        names.add(listening_on.casefold())
        self._names = frozenset(names)

    def allows(self, host_header: str) -> bool:
        """Whether a request for this host is for us."""
        name = host_name(host_header)
        return name in self._names or (self._any_address and is_address(name))


def is_address(name: str) -> bool:
    """Whether a host is named by its IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_unspecified(name: str) -> bool:
    return is_address(name) and ipaddress.ip_address(name).is_unspecified


def is_same_origin(scheme: str, host_header: str, origin: str | None, fetch_site: str | None) -> bool:
    """Whether a request that changes something comes from our own page.

    `origin` is compared as a whole, never by a pattern. A browser that sends none says by `Sec-Fetch-Site` where it
    comes from; who sends neither is no browser, and holds no cookie that somebody else could use.
    """
    if origin is not None:
        return origin.casefold() == f"{scheme}://{host_header}".casefold()
    return fetch_site in (None, "same-origin", "none")


def local_path(path: str | None) -> str:
    """A path of this site to go to after signing in, `/` for anything else that was asked for."""
    text = path or "/"
    if not text.startswith("/") or text[1:2] in ("/", "\\") or not text.isprintable():
        return "/"
    return text
