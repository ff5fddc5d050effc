"""Waiting for what nothing announces: until it comes true, however slow the machine is, or fail."""

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 60
_BETWEEN_SECONDS = 0.02


async def eventually(holds: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait until something holds; fails if it does not come true."""
    assert await comes_true(holds), "it did not come true"


async def comes_true(holds: Callable[[], Awaitable[bool] | bool]) -> bool:
    """Whether something comes to hold, for an assertion that says what was there instead."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        result = holds()
        if result if isinstance(result, bool) else await result:
            return True
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_BETWEEN_SECONDS)


def soon(holds: Callable[[], bool]) -> bool:
    """`comes_true` for what blocks: another process, its files and its answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(_BETWEEN_SECONDS)
    return True
