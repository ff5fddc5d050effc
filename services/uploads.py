"""Files and pastes that a browser sent for its page: kept for a moment, in a file, until that page reads them."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from models.errors import InvalidValue
from services.imports import MAX_BYTES

KEPT_SECONDS = 300.0
MAX_WAITING = 4
"""Uploads of one admin that may wait at once; of more the oldest goes"""


class _Upload(NamedTuple):
    until: float
    """By the monotonic clock"""
    admin_id: int
    path: Path


class Uploads:
    """Takes them in and hands each out once."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="authkeys-")
        self._waiting: dict[str, _Upload] = {}

    async def put(self, admin_id: int, parts: AsyncIterator[bytes]) -> str:
        """Write one to a file; returns what fetches it. Raises InvalidValue for one that is too large, and keeps nothing of it."""
        self._forget(admin_id)
        token = secrets.token_urlsafe(32)
        path = Path(self._folder.name) / token
        try:
            await self._write(path, parts)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._waiting[token] = _Upload(monotonic() + KEPT_SECONDS, admin_id, path)
        return token

    async def _write(self, path: Path, parts: AsyncIterator[bytes]) -> None:
        size = 0
        with path.open("xb") as file:
            async for part in parts:
                size += len(part)
                if size > MAX_BYTES:
                    raise InvalidValue(f"It has more than {MAX_BYTES:,} bytes. Import it in several files.")
                await asyncio.to_thread(file.write, part)

    def take(self, admin_id: int, token: str) -> Path:
        """The file, which whoever takes it deletes. Raises InvalidValue for one that is not this admin's, or gone."""
        found = self._waiting.get(token)
        if found is None or found.admin_id != admin_id:
            raise InvalidValue("What was sent is no longer there. Paste or choose it again.")
        del self._waiting[token]
        return found.path

    def _forget(self, admin_id: int) -> None:
        mine = [token for token, each in self._waiting.items() if each.admin_id == admin_id]
        old = [token for token, each in self._waiting.items() if each.until < monotonic()]
        for token in {*old, *mine[: max(0, len(mine) - MAX_WAITING + 1)]}:
            self._waiting.pop(token).path.unlink(missing_ok=True)
