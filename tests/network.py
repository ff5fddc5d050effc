"""A stretch of network between Authkeys and PostgreSQL that can fail at the worst moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
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
