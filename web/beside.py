"""A second server in the same process, on a port of its own: for what must not be on the main one."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from web.connections import GuardedProtocol
from web.server import CannotServe, listen_on


def listen_beside(host: str, port: int) -> socket.socket:
    """Listen on the port for metrics. Raises CannotServe."""
    try:
        return listen_on(host, port)
    except OSError as error:
        raise CannotServe(
            f"Metrics cannot be served on {host} port {port}: {error.strerror or error}. Another program may use it; "
            "choose another with --metrics-port, or --metrics-port 0 for a free one."
        ) from error


def address_of_listener(listener: socket.socket) -> str:
    """Where it listens, as a URL has it."""
    host, port = listener.getsockname()[:2]
    return f"{f'[{host}]' if ':' in host else host}:{port}"


async def serve_beside(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until this is cancelled; then connections are closed in order. The listener stays open, to begin anew."""
    config = uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = _WithoutSignals(config)
    own = listener.dup()  # the server closes what it is given
    try:
        await server.serve(sockets=[own])
    finally:
        if server.started and not server.should_exit:
            await server.shutdown(sockets=[own])
        own.close()


class _WithoutSignals(uvicorn.Server):
    """Leaves the signals of the process to the main server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None are."""
        yield
