"""A licensing backend that notes every byte it gets, and answers in whatever bad way the call's variable `do` asks for."""

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

_JSON = b'{"status": 1, "reason": "OK"}'


def _answer(status: str, *headers: str, body: bytes = _JSON) -> bytes:
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


_ANSWERS = {
    "cookie": _answer("200 OK", "Set-Cookie: first=1; Path=/", "Set-Cookie: second=2", "Set-Cookie2: third=3"),
    "redirect": _answer("302 Found", "Location: http://10.0.0.5/internal"),
    "challenge": _answer("401 Unauthorized", 'WWW-Authenticate: Basic realm="Internal"'),
    "proxy challenge": _answer("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="Internal"'),
    "cors": _answer(
        "200 OK",
        "Cache-Control: public, max-age=600",
        "Access-Control-Allow-Origin: https://evil.example",
        "Access-Control-Allow-Credentials: true",
        "Strict-Transport-Security: max-age=9",
        "Clear-Site-Data: *",
        "Refresh: 0; url=http://10.0.0.5/",
        "WWW-Authenticate: Negotiate",
        "X-Authkeys-User: forged",
    ),
    "hop": _answer("200 OK", "Connection: X-Hop, keep-alive", "X-Hop: 1", "Keep-Alive: timeout=5", "X-End: 2"),
    "twice": _answer("200 OK", "Link: <a>", "Link: <b>", "Vary: X", "Vary: Y"),
    "odd status": _answer("999 Odd"),
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "two lengths": _answer("200 OK", "Content-Length: 3"),
    "both lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "error": _answer("500 Internal Server Error"),
    "close": _answer("200 OK")[:-10],
    "nothing": b"",
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n",
}


class RawBackend:
    """`requests` holds the bytes of every request; `released` lets what is held back go on."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[bytes] = []
        self.held = threading.Semaphore(0)
        """One for each call that is being held back"""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._released = asyncio.Event()
        self._stop = asyncio.Event()

    def release(self) -> None:
        """Let what is held back be answered."""
        assert self._loop
        self._loop.call_soon_threadsafe(self._released.set)

    def run(self, started: threading.Event) -> None:
        """Serve until it is stopped; what is then under way is cancelled."""
        asyncio.run(self._serve(started))

    def stop(self) -> None:
        """Answer nobody any more."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        self._released.set()
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for request in _requests(reader):
                self.requests.append(request)
                if not await self._reply(request, writer):
                    break
        except ConnectionError:
            return  # the gateway has given the call up
        finally:
            writer.close()

    async def _reply(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        what = next(
            (
                name
                for name in (*_ANSWERS, "gzip", "stall", "hold")
                if f"do={name.replace(' ', '+')}".encode() in request
            ),
            "",
        )
        if request.startswith(b"HEAD "):
            writer.write(_answer("200 OK").removesuffix(_JSON))
            return True
        if what == "hold":
            self.held.release()
            await self._released.wait()
        if what == "gzip" or (not what and b"accept-encoding" in request.lower()):
            writer.write(_answer("200 OK", "Content-Encoding: gzip", body=gzip.compress(_JSON)))
        elif what == "stall":
            writer.write(_answer("200 OK")[:-10])
            await writer.drain()
            self.held.release()
            await self._released.wait()
            return False
        else:
            writer.write(_ANSWERS.get(what, _answer("200 OK")))
        await writer.drain()
        return what not in ("close", "nothing", "garbage", "two lengths", "both lengths")


async def _requests(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Each request on a connection, head and body."""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        yield head + (await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b"")


@contextmanager
def running_raw_backend() -> Iterator[RawBackend]:
    """Run it in a thread until the block ends."""
    backend, started = RawBackend(), threading.Event()
    thread = threading.Thread(target=backend.run, args=(started,))
    thread.start()
    started.wait()
    try:
        yield backend
    finally:
        backend.stop()
        thread.join()
