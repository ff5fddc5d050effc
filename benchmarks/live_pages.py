"""Open pages without a browser: each is a real socket.io client that loads the page, connects and reads its block.

Fifty Chromium tabs on a small machine would measure Chromium. To the server these clients are the same as browsers: they
get the page, make NiceGUI's handshake, fetch the grid's first block, fetch it again when told to refresh, and acknowledge
messages every three seconds, as `nicegui.js` and `static/ticks.js` do.
"""

import ast
import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
import socketio

BLOCK = "/grid/rows?start=0&end=100"
ACKNOWLEDGE_SECONDS = 3

_QUERY = re.compile(r"^\s*query: (\{.*\}),$", re.MULTILINE)
_CALL = re.compile(r"authkeys\.(\w+)\((.*)\)", re.DOTALL)


class Reachable(Protocol):
    """A server, with a session of it."""

    @property
    def url(self) -> str: ...
    @property
    def cookie(self) -> tuple[str, str]: ...


class LivePage:
    """One connected page."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url = url
        self._http = http
        self._socket = socketio.AsyncClient(reconnection=False, http_session=http)
        self._next_message = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._flashed: dict[int, float] = {}
        self._watched: dict[int, int] = {}
        self._stored: dict[int, float] = {}
        self._seen = asyncio.Event()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["LivePage"]:
        """Open the page; it is connected and has its rows until the block ends."""
        async with self._http.get(self._url) as response:
            html = await response.text()
        found = _QUERY.search(html)
        if found is None:
            raise RuntimeError("The page does not say how to connect.")
        query = ast.literal_eval(found[1]) | {"document_id": uuid.uuid4(), "tab_id": uuid.uuid4()}
        query = {key: str(value).lower() if isinstance(value, bool) else value for key, value in query.items()}
        self._socket.on("*", self._receive)
        await self._socket.connect(
            f"{self._url}?{urlencode(query)}", socketio_path="/_nicegui_ws/socket.io", transports=["websocket"]
        )
        acknowledging = asyncio.create_task(self._acknowledge(query["client_id"]))
        try:
            await self._read_block()
            yield self
        finally:
            acknowledging.cancel()
            await self._socket.disconnect()

    def expect(self, authkey_id: int, stored: int) -> None:
        """Begin to wait for a commit that gives an authkey these privileges."""
        self._flashed.clear()
        self._stored.clear()
        self._watched = {authkey_id: stored}
        self._seen.clear()

    async def seen(self) -> float:
        """When (`time.time()`) the page had the new row and the order to flash it."""
        await self._seen.wait()
        (authkey_id,) = self._watched
        return max(self._flashed[authkey_id], self._stored[authkey_id])

    async def _acknowledge(self, client_id: str) -> None:
        while True:
            await asyncio.sleep(ACKNOWLEDGE_SECONDS)
            await self._socket.emit("ack", {"client_id": client_id, "next_message_id": self._next_message})

    async def _receive(self, event: str, message: dict[str, Any]) -> None:
        self._next_message = message.get("_id", 0) + 1
        call = _CALL.fullmatch(message["code"]) if event == "run_javascript" else None
        if call is None:
            return
        arguments = json.loads(f"[{call[2]}]")
        match call[1]:
            case "put":
                self._take(arguments[0])
            case "flash":
                for authkey_id, *_ in arguments[0]:
                    self._flashed[authkey_id] = time.time()
                self._look()
            case "refresh":
                task = asyncio.create_task(self._read_block())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _read_block(self) -> None:
        async with self._http.get(f"{self._url}{BLOCK}") as response:
            self._take((await response.json())["rows"])

    def _take(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            if self._watched.get(row["id"]) == row["stored"]:
                self._stored.setdefault(row["id"], time.time())
        self._look()

    def _look(self) -> None:
        if self._watched and all(id_ in self._flashed and id_ in self._stored for id_ in self._watched):
            self._seen.set()


@asynccontextmanager
async def live_pages(server: Reachable, count: int) -> AsyncIterator[list[LivePage]]:
    """So many connected pages, opened one after the other."""
    async with AsyncExitStack() as stack:
        headers = {"Cookie": "=".join(server.cookie), "Origin": server.url}
        connector = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, headers=headers))
        yield [await stack.enter_async_context(LivePage(server.url, http).connected()) for _ in range(count)]
