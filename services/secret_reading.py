"""What the database knows of a secret, asked in time: one that hangs must not make callers hang, nor answer with what was."""

import asyncio
from time import monotonic
from typing import NamedTuple

from models.access_checks import KeyState, Reason
from models.errors import DatabaseUnavailable
from storage import secrets

LONGEST_READ = 5.0
"""Seconds within which the database must say what it knows of a key"""
_MOST_UNDER_WAY = 1_000
_LATE = "The database does not answer in time."


class KnownKey(NamedTuple):
    """What is known of a secret."""

    key: KeyState | None = None
    gone: Reason | None = None
    """Why the key is no longer in force"""
    revision: int = 0
    """The submission that last touched the authkey when it was read"""


class SecretsReader:
    """Reads secrets, or gives up."""

    def __init__(self, fresh_within: float, patience: float) -> None:
        """An answer that took longer than `fresh_within` seconds is not taken, but asked for again, for `patience` seconds."""
        self._fresh_within = fresh_within
        self._patience = patience
        self._under_way: set[asyncio.Task[dict[str, KnownKey]]] = set()

    async def read(self, digests: list[str]) -> dict[str, KnownKey]:
        """What is known of each. Raises DatabaseUnavailable."""
        until = monotonic() + self._patience
        while (asked := monotonic()) < until and len(self._under_way) < _MOST_UNDER_WAY:
            # Not cut short but left behind: a connection that is given back in the middle of an answer waits for its end.
            reading = asyncio.create_task(_read(digests))
            self._under_way.add(reading)
            reading.add_done_callback(self._end)
            await asyncio.wait({reading}, timeout=until - asked)
            if reading.done() and monotonic() - asked <= self._fresh_within:
                return reading.result()
        raise DatabaseUnavailable(_LATE)

    def _end(self, reading: "asyncio.Task[dict[str, KnownKey]]") -> None:
        self._under_way.discard(reading)
        if not reading.cancelled():
            reading.exception()  # whoever still waits for it gets it


async def _read(digests: list[str]) -> dict[str, KnownKey]:
    found = await secrets.find(digests)
    return {
        each: KnownKey(known.key, known.gone, known.revision) if (known := found.get(each)) else KnownKey()
        for each in digests
    }
