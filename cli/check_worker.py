"""A worker of `check`: answers access checks and the gateway, and tells its parent what it noted. Started by `cli.workers`.

Run as a module, with the number of the socket to its parent. It imports neither pages nor commands.
"""

import asyncio
import gc
import json
import socket
import sys
from contextlib import AsyncExitStack, suppress
from math import inf
from time import monotonic

from api.gateway import Backend
from api.scripts import is_for_scripts, scripts_app
from cli.command import run
from cli.logs import set_up_logs
from cli.serving import serving_of
from cli.settings import Settings, read_settings
from cli.workers import ANSWERING, BEAT, BEAT_SECONDS
from models.proxies import TrustedProxies
from models.second_factors import FactorPolicy
from services.for_scripts import Checks, Holding, open_checks
from services.health import Health
from services.note_channel import TELL_SECONDS, ToldNotes
from web.operations import Operations
from web.request_log import RequestLog
from web.scripts_gate import ScriptsGate
from web.server import AnnouncedServer
from web.shared_port import share

_TOLD_AFTER = BEAT_SECONDS / 4
"""Seconds after which it says anew how fresh it is; the parent adds what has passed since to what its metrics say."""
_MOST_UNTOLD = 4 * 1024 * 1024
"""Bytes that the parent has not read yet: then what is noted stays here, where it is bounded."""


class WorkerServer(AnnouncedServer):
    """Ends when it is told to, and leaves the rest of the process to end in order."""

    def handle_exit(self, sig: int, frame: object) -> None:
        """Uvicorn would let the signal end the process as soon as it has stopped to serve, before anything is told."""
        self.stop()


class Parent:
    """What the worker says to its parent, and whether there is one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, notes: ToldNotes) -> None:
        self._reader = reader
        self._writer = writer
        self._notes = notes
        self._checks: Checks | None = None

    def watch(self, checks: Checks) -> None:
        """Tell from now on how fresh what they answer is."""
        self._checks = checks

    async def settings(self) -> Settings:
        """What the parent says first."""
        return read_settings(**json.loads(await self._reader.readline()))

    async def gone(self) -> None:
        """Wait until the parent is gone."""
        with suppress(ConnectionError):
            await self._reader.read()

    async def answering(self) -> None:
        """Say that this worker answers."""
        self._writer.write(ANSWERING)

    async def tell_regularly(self) -> None:
        """Say what was noted, and that this worker lives."""
        told_at = 0.0
        while True:
            if self._tell() or monotonic() - told_at > _TOLD_AFTER:
                self._writer.write(self._beat())
                told_at = monotonic()
            await asyncio.sleep(TELL_SECONDS)

    def _beat(self) -> bytes:
        checks = self._checks
        return b"%s %.3f %d\n" % (BEAT, checks.feed.lag if checks else inf, checks.authorizer.held if checks else 0)

    async def tell_the_rest(self) -> None:
        """Say what is left, to the end."""
        with suppress(ConnectionError):
            self._tell()
            await self._writer.drain()
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    def _tell(self) -> bool:
        if self._writer.transport.get_write_buffer_size() > _MOST_UNTOLD or not (line := self._notes.take()):
            return False
        self._writer.write(f"{line}\n".encode())
        return True


async def live(channel: socket.socket) -> None:
    """Answer until the parent says that it is enough, or is gone."""
    notes = ToldNotes()
    reader, writer = await asyncio.open_unix_connection(sock=channel)
    parent = Parent(reader, writer, notes)
    settings = await parent.settings()
    telling = asyncio.create_task(parent.tell_regularly())
    working = asyncio.create_task(answer(settings, notes, parent))
    orphaned = asyncio.create_task(parent.gone())
    try:
        await asyncio.wait({working, orphaned}, return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
    finally:
        telling.cancel()
        orphaned.cancel()
        await parent.tell_the_rest()


async def answer(settings: Settings, notes: ToldNotes, parent: Parent) -> None:
    """Answer until it is told to end. Raises AuthkeysError for what stands in the way, with words."""
    serving = serving_of(settings)
    set_up_logs(settings.log_format, access_log=settings.access_log)
    gc.set_threshold(50_000, 20, 50)  # as in main.py
    gc.freeze()  # what was imported stays
    async with AsyncExitStack() as stack:
        holding = Holding(settings.fresh_within, settings.hold_keys, FactorPolicy(settings.require_second_factor))
        checks = await stack.enter_async_context(open_checks(settings.location, settings.secret_file, notes, holding))
        parent.watch(checks)
        backend = Backend(settings.backend) if settings.backend else None
        if backend:
            await stack.enter_async_context(backend.open())
        proxies = TrustedProxies(settings.trusted_proxy)
        listener = stack.enter_context(share(serving.host, serving.port))
        server = WorkerServer(serving.config(), parent.answering)
        health = Health(checks.supervisor, checks.feed, fresh_seconds=settings.fresh_within)
        app = Operations(
            health, None, None, ScriptsGate(scripts_app(checks, proxies, backend), is_for_scripts, proxies)
        )
        server.config.app = RequestLog(app, proxies, log_requests=settings.access_log)
        await server.serve(sockets=[listener])


if __name__ == "__main__":
    run(live(socket.socket(fileno=int(sys.argv[1]))))
