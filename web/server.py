"""How the application is served: the socket it listens on, TLS, the word of proxies, and what happens once it answers."""

import math
import signal
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from models.access import HostRule, is_loopback
from models.errors import AuthkeysError, InvalidValue
from web.connections import GuardedProtocol

SAME_SIGNAL_SECONDS = 1.0
_NEXT_PORTS = 100
"""How many ports are tried after a taken one."""


class CannotServe(AuthkeysError):
    """The address, the port or the certificate cannot be used."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and how to serve, as given on the command line."""

    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    private_key: Path | None = None
    root_path: str = ""
    trusted_proxies: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise InvalidValue(f"--root-path begins with a slash and does not end with one: not {self.root_path!r}.")
        if bool(self.certificate) is not bool(self.private_key):
            raise InvalidValue("TLS needs both --ssl-certfile and --ssl-keyfile.")

    @property
    def is_desktop(self) -> bool:
        """Whether this is one person's own: reachable from this machine only, with no proxy in front."""
        return is_loopback(self.host) and not self.trusted_proxies and not self.root_path

    @property
    def hosts(self) -> HostRule:
        """The host names under which browsers may ask."""
        return HostRule(self.host, self.allowed_hosts)

    def url(self, port: int) -> str:
        """The address that a browser on this machine opens."""
        host = "localhost" if self.host in ("0.0.0.0", "::") else self.host
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{self.root_path}"

    def listen(self) -> socket.socket:
        """Listen. On one's own machine a taken port moves to the next free one. Raises CannotServe."""
        ports = range(self.port, min(self.port + _NEXT_PORTS, 65_536)) if self.port and self.is_desktop else [self.port]
        for port in ports:
            try:
                return listen_on(self.host, port)
            except OSError as error:
                problem = error
        raise CannotServe(
            f"Authkeys cannot listen on {self.host} port {self.port}: {problem.strerror or problem}. "
            "Another program may use it; choose another port with --port, or --port 0 for a free one."
        ) from problem

    def check_certificate(self) -> None:
        """Raise CannotServe if the certificate cannot be used."""
        if self.certificate is None:
            return
        try:
            # An empty password instead of none: for a locked key OpenSSL would ask on the terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.private_key, lambda: "")
        except OSError as error:  # ssl.SSLError is one
            raise CannotServe(
                f"The certificate {self.certificate} with the key {self.private_key} cannot be used: "
                f"{error.strerror or error}. Both must be readable PEM files that belong together, and the key not locked."
            ) from error

    def config(self) -> uvicorn.Config:
        """The settings of uvicorn; the application is still to be set."""
        return uvicorn.Config(
            "",
            http=GuardedProtocol,
            log_config=None,  # `cli.logs` writes its records like ours
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # `web.session_middleware` sees to them: uvicorn compares texts, and so ::ffff:127.0.0.1 is not 127.0.0.1
            root_path=self.root_path,
            ssl_certfile=self.certificate,
            ssl_keyfile=self.private_key,
            timeout_graceful_shutdown=3,
            ws_max_size=1_000_000,
        )


def listen_on(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket at this address, to be listened on; with others there, if they share it (SO_REUSEPORT). Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


class AnnouncedServer(uvicorn.Server):
    """Says when it can answer, and ends in order."""

    _told_to_end_at = -math.inf

    def __init__(
        self,
        config: uvicorn.Config,
        on_answering: Callable[[], Awaitable[None]],
        on_ending: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._on_answering = on_answering
        self._on_ending = on_ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        if not self.should_exit:
            await self._on_answering()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that it ends, then let nobody in any more, close what is open, and finish what is under way."""
        self._on_ending()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to end. One that is repeated at once is the same one; later, a second Ctrl+C ends without order.

        `uv run` passes a Ctrl+C on to its child, which the terminal has told already. To uvicorn that is a second one: it
        then closes nothing, neither the database nor the window.
        """
        now = time.monotonic()
        if now - self._told_to_end_at > SAME_SIGNAL_SECONDS:
            self._told_to_end_at = now
            if sig == signal.SIGTERM:
                self.stop()  # uvicorn would end by the signal after all is done; to be told to end is no failure
            else:
                super().handle_exit(sig, frame)

    def stop(self) -> None:
        """End, after what is under way."""
        self.should_exit = True
