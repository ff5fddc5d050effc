"""`check`: access checks and the gateway on more cores than one, or beside a proxy on another machine. This is the parent.

It answers nothing itself: it keeps the workers (`cli.check_worker`), and writes what they note.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import typer

from cli.command import refuse, run
from cli.logs import set_up_logs
from cli.operations import MetricsSettings, metrics_settings, served_beside
from cli.serving import serving_of
from cli.settings import Settings, read_settings, takes_settings_of_check
from cli.workers import Workers
from models.errors import AuthkeysError, InvalidValue, SecretUnusable
from services.health import Health
from services.installation import secret_path
from services.note_channel import GatheredNotes, gathering
from services.secret_file import load_secret
from services.supervisor import Supervisor
from web.beside import listen_beside
from web.operations import Exposition, Operations
from web.shared_port import require_shared_ports, reserve

_HEARD_WITHIN = 3.0
"""Seconds. A worker says how fresh it is once a second: what the parent knows of it may be older than the bound."""


@takes_settings_of_check
def check(context: typer.Context, **flags: Any) -> None:
    """Answer only access checks and Manage2's functions, with a process for each core; no pages."""
    before = context.parent.params if context.parent else {}
    try:
        settings = read_settings(**{**before, **{name: value for name, value in flags.items() if value}})
    except AuthkeysError as error:
        refuse(error)
    run(answer_checks(settings))


async def answer_checks(settings: Settings) -> None:
    """Keep the workers until the program is told to end. Raises AuthkeysError for what stands in the way, with words."""
    set_up_logs(settings.log_format, access_log=settings.access_log)
    require_shared_ports()
    if settings.hold_keys and not settings.location.is_postgres:
        raise InvalidValue(
            "--hold-keys follows a PostgreSQL database, from this machine or another: give its URL with --database. A SQLite file "
            "belongs to one machine; there `check` without --hold-keys answers as fast."
        )
    serving = serving_of(settings)
    serving.check_certificate()
    metrics = metrics_settings(settings)
    _require_secret(settings)
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    async with AsyncExitStack() as stack:
        supervisor = Supervisor()
        notes = await stack.enter_async_context(gathering(settings.location, supervisor))
        reserved = stack.enter_context(reserve(serving.host, serving.port))
        port = reserved.getsockname()[1]
        workers = Workers(_absolute(settings, port), settings.worker_count, notes.hear)
        await stack.enter_async_context(supervisor.keeping(workers.loops()))
        await stack.enter_async_context(_operated(settings, metrics, supervisor, notes, workers))
        answering = asyncio.create_task(workers.all_answer())
        stack.callback(answering.cancel)
        ended = asyncio.create_task(ending.wait())
        stack.callback(ended.cancel)
        await asyncio.wait({answering, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.is_set():
            many = "1 worker" if settings.worker_count == 1 else f"{settings.worker_count} workers"
            print(f"Authkeys answers access checks at {serving.url(port)} with {many}", flush=True)
        await ending.wait()


@asynccontextmanager
async def _operated(
    settings: Settings, metrics: MetricsSettings, supervisor: Supervisor, notes: GatheredNotes, workers: Workers
) -> AsyncIterator[None]:
    """Serve the health and the metrics of all workers together on a port of their own within the block, if wanted."""
    if metrics.port is None:
        yield
        return
    health = Health(supervisor, workers, fresh_seconds=max(settings.fresh_within, _HEARD_WITHIN))
    exposition = _metrics(settings, supervisor, notes, workers, health)
    with closing(listen_beside(metrics.host, metrics.port)) as listener:
        async with served_beside(Operations(health, exposition, metrics.token), listener, supervisor):
            yield


def _metrics(
    settings: Settings, supervisor: Supervisor, notes: GatheredNotes, workers: Workers, health: Health
) -> Exposition:
    from services import metrics  # noqa: PLC0415 - prometheus-client takes its time

    database = "postgresql" if settings.location.is_postgres else "sqlite"
    return metrics.Metrics(
        counted=[
            lambda: metrics.build_info(database),
            lambda: metrics.access_checks(notes.tally),
            lambda: metrics.feed(workers),
            lambda: metrics.loops(supervisor),
            lambda: metrics.held_keys(settings.fresh_within, workers.held),
        ],
        health=health,
    ).exposition


def _require_secret(settings: Settings) -> None:
    """Raise SecretUnusable if there is no secret yet: one made here would be another than the server's."""
    file = secret_path(settings.location, settings.secret_file)
    if not file.exists():
        raise SecretUnusable(
            f"The server's secret is not at {file}. It is needed here too: with another one no pickup passphrase would be known. "
            "Start the server first, or copy its secret file to this machine, and name it with --secret-file."
        )
    load_secret(file)


def _absolute(settings: Settings, port: int) -> Settings:
    """The settings as a process in another folder understands them."""
    files: dict[str, Path | None] = {
        name: path.absolute() if path else None
        for name in ("secret_file", "ssl_certfile", "ssl_keyfile")
        for path in [getattr(settings, name)]
    }
    database = settings.database if settings.location.is_postgres else str(settings.location.path)
    return settings.model_copy(update={**files, "database": database, "port": port})
