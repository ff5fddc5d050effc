"""`check`: access checks and the gateway on more cores than one, or beside a proxy on another machine. This is the parent.

It answers nothing itself: it keeps the workers (`cli.check_worker`), and writes what they note.
"""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import typer

from cli.command import refuse, run
from cli.settings import Settings, read_settings, takes_settings_of_check
from cli.workers import Workers
from models.errors import AuthkeysError, InvalidValue, SecretUnusable
from services.note_channel import gathering
from services.secret_file import load_secret
from services.supervisor import Supervisor
from web.server import Serving
from web.shared_port import require_shared_ports, reserve


@takes_settings_of_check
def check(context: typer.Context, **flags: Any) -> None:
    """Answer only access checks and Manage2's functions, with a process for each core; no pages."""
    before = context.parent.params if context.parent else {}
    try:
        settings = read_settings(**{**before, **{name: value for name, value in flags.items() if value}})
    except AuthkeysError as error:
        refuse(error)
    run(answer_checks(settings))


def serving_of(settings: Settings) -> Serving:
    """Where and how the workers serve."""
    return Serving(
        settings.host,
        settings.port,
        settings.ssl_certfile,
        settings.ssl_keyfile,
        settings.root_path,
        settings.trusted_proxy,
    )


async def answer_checks(settings: Settings) -> None:
    """Keep the workers until the program is told to end. Raises AuthkeysError for what stands in the way, with words."""
    require_shared_ports()
    if settings.hold_keys and not settings.location.is_postgres:
        raise InvalidValue(
            "--hold-keys follows a PostgreSQL database, from this machine or another: give its URL with --database. A SQLite file "
            "belongs to one machine; there `check` without --hold-keys answers as fast."
        )
    serving = serving_of(settings)
    serving.check_certificate()
    _require_secret(settings)
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    async with AsyncExitStack() as stack:
        supervisor = Supervisor()
        notes = await stack.enter_async_context(gathering(settings.location, supervisor))
        reserved = stack.enter_context(reserve(serving.host, serving.port))
        port = reserved.getsockname()[1]
        workers = Workers(_absolute(settings, port), settings.workers, notes.hear)
        await stack.enter_async_context(supervisor.keeping(workers.loops()))
        answering = asyncio.create_task(workers.all_answer())
        stack.callback(answering.cancel)
        ended = asyncio.create_task(ending.wait())
        stack.callback(ended.cancel)
        await asyncio.wait({answering, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.is_set():
            many = "1 worker" if settings.workers == 1 else f"{settings.workers} workers"
            print(f"Authkeys answers access checks at {serving.url(port)} with {many}", flush=True)
        await ending.wait()


def _require_secret(settings: Settings) -> None:
    """Raise SecretUnusable if there is no secret yet: one made here would be another than the server's."""
    file = settings.secret_file or settings.location.companion("secret")
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
