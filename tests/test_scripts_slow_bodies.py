"""A body that arrives too slowly: the reader's own limit, with a body that never ends."""

import asyncio

import pytest
from fastapi import Request
from starlette.types import Message

from api import callers
from api.callers import BodyNotRead, read_body


async def test_a_body_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "BODY_SECONDS", 0.05)
    parts = iter([b"output=json"])

    async def receive() -> Message:
        if (part := next(parts, None)) is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": part, "more_body": True}

    with pytest.raises(BodyNotRead, match="did not arrive within"):
        await read_body(Request({"type": "http", "method": "POST", "headers": []}, receive))
