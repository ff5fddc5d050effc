"""All keys in memory, followed by revision: an access check beside a proxy asks no database.

A commit puts what it changed in doubt at once; until that is read, the database is asked for it. While the feed is not up to
date nothing is answered at all: who was revoked meanwhile must not pass.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from time import monotonic

from models.errors import DatabaseUnavailable
from models.held_keys import HeldKey, HeldKeys, InDoubt, KeyTable
from services.authorizer import Authorizer
from services.feed import ChangeFeed
from services.noting import Noting
from services.secret_reading import KnownKey
from services.supervisor import Supervisor
from storage import secrets

_READ_TOGETHER = 500
_A_PAGE = 5_000
_READ_ANEW_SECONDS = 24 * 3600
"""After so long all is read anew: what was removed or replaced long ago is forgotten without a submission."""
_HEARS_AGAIN_SECONDS = 0.3
"""For so long a question waits for a feed that is only late, as after a moment without processor time."""

log = logging.getLogger(__name__)


class HoldingAuthorizer(Authorizer):
    """Answers from memory, or not at all."""

    def __init__(self, feed: ChangeFeed, uses: Noting, fresh_within: float, patience: float) -> None:
        super().__init__(feed, uses, fresh_within, patience)
        self._keys = HeldKeys()
        self._changed = asyncio.Event()
        self._read_at = 0.0

    @property
    def held(self) -> int:
        """How many secrets are held, also those that are no longer in force."""
        return len(self._keys)

    @asynccontextmanager
    async def holding(self, supervisor: Supervisor) -> AsyncIterator[None]:
        """Read everything, and follow what is committed until the block ends. The feed must run already.

        Raises DatabaseUnavailable.
        """
        await self._read_all()
        async with supervisor.keeping({"held keys": self._follow}):
            yield

    def invalidate(self, authkey_ids: Iterable[int]) -> None:
        """These authkeys were changed, and others may be new."""
        self._keys.doubt(authkey_ids)
        self._changed.set()

    def invalidate_older(self, revisions: Mapping[int, int] | None) -> None:
        """What was read of these authkeys (None: of all) counts no more."""
        self._keys.doubt(revisions)
        self._changed.set()

    async def _find(self, secret_digest: str) -> KnownKey:
        if not self._feed.heard_within(self._fresh_within):
            if self._feed.available:
                await self._feed.hears_again(_HEARS_AGAIN_SECONDS)
            if not self._feed.heard_within(self._fresh_within):
                raise DatabaseUnavailable("It is not known what was changed in the last moments.")
        try:
            held = self._keys.find(bytes.fromhex(secret_digest))
        except InDoubt:
            return (await self._reader.read([secret_digest]))[secret_digest]
        return KnownKey(held.key, held.gone) if held else KnownKey()

    async def _follow(self) -> None:
        while True:
            if not self._keys.is_whole or self._keys.is_full or monotonic() - self._read_at > _READ_ANEW_SECONDS:
                await self._read_all()
            while self._keys.is_whole and (doubts := self._keys.in_doubt(_READ_TOGETHER)):
                self._keys.settle(doubts, await _read_of(doubts))
            if self._keys.is_settled:
                await self._sleep()

    async def _sleep(self) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(_READ_ANEW_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            log.debug("Nothing was changed for %s hours.", _READ_ANEW_SECONDS // 3600)

    async def _read_all(self) -> None:
        began = monotonic()
        begun = self._keys.begin_table()
        table = KeyTable(await secrets.count())
        # Page after page, while others write: what is committed meanwhile is in doubt afterwards, and read again.
        async for page in secrets.pages(_A_PAGE):
            for digest, known in page:
                table.add(bytes.fromhex(digest), HeldKey(known.key, known.gone))
            await asyncio.sleep(0)  # who asks meanwhile must not wait for all of it
        self._keys.replace_table(table, begun)
        self._read_at = monotonic()
        log.info("%s keys are held in memory; they were read in %.1f seconds.", len(table), self._read_at - began)


async def _read_of(authkey_ids: Iterable[int]) -> list[tuple[bytes, HeldKey]]:
    return [
        (bytes.fromhex(digest), HeldKey(known.key, known.gone)) for digest, known in await secrets.of(list(authkey_ids))
    ]
