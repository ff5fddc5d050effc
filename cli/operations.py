"""What an operator sees of a running server: its health and its metrics, on the main port and on one of their own."""

import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import NamedTuple

from starlette.types import ASGIApp

from cli.settings import Settings
from models.access import METRICS_PATH, is_loopback
from models.errors import InvalidValue
from models.proxies import TrustedProxies
from services.console import Console
from services.health import Health
from services.secret_file import is_private
from services.supervisor import Supervisor
from web.beside import address_of_listener, listen_beside, serve_beside
from web.operations import Exposition, Operations
from web.request_log import RequestLog
from web.route_words import words_of

_SHORTEST_TOKEN = 16
_HOW = "Make one with: (umask 077; openssl rand -hex 32 > FILE)"


class MetricsSettings(NamedTuple):
    """Where metrics may be had, and by whom."""

    host: str
    port: int | None
    """None for no port of their own"""
    token: bytes | None
    """None for anybody who reaches the port of their own; then they are not on the main port"""

    @property
    def wanted(self) -> bool:
        """Whether anybody may have them."""
        return self.port is not None or self.token is not None


def metrics_settings(settings: Settings) -> MetricsSettings:
    """What was told about metrics. Raises InvalidValue, also for what would show them to others."""
    token = _read_token(settings.metrics_token_file) if settings.metrics_token_file else None
    if settings.metrics_port is None and settings.metrics_host != Settings.model_fields["metrics_host"].default:
        raise InvalidValue("--metrics-host needs --metrics-port: without it metrics have no port of their own.")
    if settings.metrics_port is not None and token is None and not is_loopback(settings.metrics_host):
        raise InvalidValue(
            f"Others can reach --metrics-host {settings.metrics_host}, and would read the metrics. Give a token with "
            "--metrics-token-file, or leave --metrics-host out: then only this machine reaches them."
        )
    return MetricsSettings(settings.metrics_host, settings.metrics_port, token)


def _read_token(file: Path) -> bytes:
    try:
        token = file.read_text("ascii").strip()
        private = is_private(file)
    except OSError as error:
        raise InvalidValue(f"--metrics-token-file {file} cannot be read: {error.strerror}. {_HOW}") from None
    except ValueError:
        token, private = "", True
    if len(token) < _SHORTEST_TOKEN or not token.isprintable() or " " in token:
        raise InvalidValue(
            f"--metrics-token-file {file} must hold one line: a token of at least {_SHORTEST_TOKEN} ASCII characters "
            f"without spaces. {_HOW}"
        )
    if not private:
        raise InvalidValue(
            f"Other users of this machine can read or write --metrics-token-file {file}. Run: chmod 640 {file}"
        )
    return token.encode()


@asynccontextmanager
async def operated(
    console: Console, metrics: MetricsSettings, proxies: TrustedProxies, *, access_log: bool
) -> AsyncIterator[Callable[[ASGIApp], ASGIApp]]:
    """Serve metrics on their own port within the block, if wanted; gives what wraps the application of the main port."""
    health = Health(console.supervisor, console.feed)
    exposition = console_metrics(console, health) if metrics.wanted else None

    def around(app: ASGIApp) -> ASGIApp:
        shown = exposition if metrics.token is not None else None
        words = words_of(getattr(app, "routes", ()))
        return RequestLog(Operations(health, shown, metrics.token, app), proxies, words=words, log_requests=access_log)

    if metrics.port is None:
        yield around
        return
    with closing(listen_beside(metrics.host, metrics.port)) as listener:
        async with served_beside(Operations(health, exposition, metrics.token), listener, console.supervisor):
            yield around


@asynccontextmanager
async def served_beside(app: Operations, listener: socket.socket, supervisor: Supervisor) -> AsyncIterator[None]:
    """Serve an application of operators on this port until the block ends, and say where."""
    async with supervisor.keeping({"metrics": lambda: serve_beside(app, listener)}):
        print(f"Metrics are at http://{address_of_listener(listener)}{METRICS_PATH}", file=sys.stderr, flush=True)
        yield


def console_metrics(console: Console, health: Health) -> Exposition:
    """The metrics of a process with pages."""
    from services import metrics  # noqa: PLC0415 - prometheus-client takes its time

    database = "postgresql" if console.location.is_postgres else "sqlite"
    return metrics.Metrics(
        counted=[
            lambda: metrics.build_info(database),
            lambda: metrics.access_checks(console.uses.tally),
            lambda: metrics.submissions(console.submissions.tally),
            lambda: metrics.sign_ins(console.history.tally),
            lambda: metrics.feed(console.feed),
            lambda: metrics.loops(console.supervisor),
            lambda: metrics.open_pages(console.presence.window_count),
        ],
        read=[metrics.StagedCounts().families, metrics.sessions, metrics.chain],
        health=health,
    ).exposition
