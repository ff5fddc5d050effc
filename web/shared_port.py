"""One port on which several processes listen; the kernel shares the connections out (SO_REUSEPORT, Linux 3.9, socket(7))."""

import socket

from models.errors import InvalidValue
from web.server import CannotServe, listen_on


def require_shared_ports() -> None:
    """Raise InvalidValue where there is no such thing."""
    if not hasattr(socket, "SO_REUSEPORT"):
        raise InvalidValue(
            "This operating system cannot let several processes listen on one port (SO_REUSEPORT): `check` needs Linux, a BSD or "
            "macOS. Run the server itself here (`main.py` without `check`), which answers access checks too."
        )


def reserve(host: str, port: int) -> socket.socket:
    """Hold an address for processes that `share` it, without listening; 0 takes a free port. Raises CannotServe."""
    try:
        if port:
            # Alone first: with SO_REUSEPORT two programs of one user would both get it, and half of the calls each.
            listen_on(host, port).close()
        return listen_on(host, port, shared=True)
    except OSError as error:
        raise CannotServe(
            f"Authkeys cannot listen on {host} port {port}: {error.strerror or error}. "
            "Another program may use it; choose another port with --port, or --port 0 for a free one."
        ) from error


def share(host: str, port: int) -> socket.socket:
    """One of several sockets at an address; to be listened on. Raises CannotServe."""
    try:
        return listen_on(host, port, shared=True)
    except OSError as error:
        raise CannotServe(f"A worker cannot listen on {host} port {port}: {error.strerror or error}.") from error
