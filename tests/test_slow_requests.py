"""Requests that never end: their heads and bodies are given up after a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import Request
from fastapi.responses import PlainTextResponse
from starlette.types import Message

from web import connections, requests
from web.connections import HEAD_BYTES, GuardedProtocol
from web.requests import BodyNotRead, read_body


async def test_a_body_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.05)
    parts = iter([b"output=json"])

    async def receive() -> Message:
        if (part := next(parts, None)) is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": part, "more_body": True}

    with pytest.raises(BodyNotRead, match="did not arrive within"):
        await read_body(Request({"type": "http", "method": "POST", "headers": []}, receive))


# -- heads -------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that answers everything with "yes"."""
    config = uvicorn.Config(PlainTextResponse("yes"), http=GuardedProtocol, lifespan="off", log_config=None)
    config.load()
    state = uvicorn.server.ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: GuardedProtocol(config, state, {}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()


async def ends(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends the connection, within the time of this test."""
    async with asyncio.timeout(20):
        try:
            while await reader.read(1000):
                pass
        except ConnectionError:
            return True
    return True


@pytest.mark.parametrize("begun", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-More: "])
async def test_a_head_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    async with connected() as (reader, writer):
        writer.write(begun)
        assert await ends(reader)


async def test_a_head_that_grows_without_end_is_given_up() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-More: " + b"x" * (8 * HEAD_BYTES))
        assert await ends(reader)


async def test_requests_one_after_the_other_are_answered_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 5.0)
    async with connected() as (reader, writer):
        for _ in range(3):
            body = b"x" * (HEAD_BYTES + 1)  # a body is no head
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            answer = await reader.readuntil(b"yes")
            assert answer.startswith(b"HTTP/1.1 200 OK")
