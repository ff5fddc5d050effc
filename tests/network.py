"""A stretch of network between Authkeys and PostgreSQL that can fail at the worst moment."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from threading import Thread
from urllib.parse import urlsplit

from storage.database import DatabaseLocation


class Wire:
    """Passes bytes on. While `cuts_after` is set, the connection that sends it is cut before the answer comes back."""

    def __init__(self, database: DatabaseLocation) -> None:
        parts = urlsplit(database.text)
        self._to = (parts.hostname, parts.port)
        self._text = database.text
        self.cuts_after: bytes | None = None
        self.cuts = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[DatabaseLocation]:
        """The database, seen through this."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield DatabaseLocation(self._text.replace(f":{self._to[1]}/", f":{port}/"))
        finally:
            server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._to)
        back = asyncio.create_task(self._copy(there_reader, writer))
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self.cuts_after and self.cuts_after in data:
                    # The order goes there, its answer nowhere.
                    back.cancel()
                    self.cuts += 1
                    there_writer.write(data)
                    await there_reader.read(1)
                    break
                there_writer.write(data)
        back.cancel()
        writer.transport.abort()
        there_writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
            writer.close()


class SilentWire:
    """Passes bytes on, in a thread of its own, until connections are cut silently: still open, but nothing arrives any more."""

    def __init__(self, database: DatabaseLocation) -> None:
        parts = urlsplit(database.text)
        self._to = (parts.hostname, parts.port)
        self._text = database.text
        self._said: dict[int, bytearray] = {}
        self._silent: set[int] = set()
        self._numbers = count()

    @contextmanager
    def open(self) -> Iterator[DatabaseLocation]:
        """The database, seen through this."""
        loop = asyncio.new_event_loop()
        thread = Thread(target=loop.run_forever, daemon=True)
        thread.start()
        starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._pass_on, "127.0.0.1", 0), loop)
        port = starting.result(20).sockets[0].getsockname()[1]
        try:
            yield DatabaseLocation(self._text.replace(f":{self._to[1]}/", f":{port}/"))
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(20)

    def cut_silently(self, who_said: bytes) -> int:
        """Let nothing pass any more on the connections that have said this; how many they are. Later ones are not cut."""
        found = {number for number, said in list(self._said.items()) if who_said in said} - self._silent
        self._silent |= found
        return len(found)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        self._said[number] = bytearray()
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._to)
        except OSError:
            writer.transport.abort()
            return
        back = asyncio.create_task(self._copy(there_reader, writer, number, note=False))
        await self._copy(reader, there_writer, number, note=True)
        back.cancel()
        writer.transport.abort()
        del self._said[number]

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, *, note: bool
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if note and len(self._said[number]) < 100_000:
                    self._said[number] += data
                if number not in self._silent:
                    writer.write(data)
        writer.close()
