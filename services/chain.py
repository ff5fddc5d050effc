"""The chain of the history: following all of it, and signing how long it is (checkpoints)."""

import asyncio
import hmac
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from models.chain import (
    Checker,
    Checkpoint,
    Fault,
    ModificationsDigest,
    Row,
    read_checkpoints,
    signed_note,
    verifier_key,
)
from models.errors import ChainBroken, DatabaseUnavailable, InvalidValue
from models.history import Check, timestamp
from storage import history
from storage.history import Link

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_BETWEEN_SECONDS = 3600
_STANDARD_OUTPUT = Path("-")

log = logging.getLogger(__name__)

KEY_NAME = "authkeys"
"""Of the key that signs checkpoints; there is one for each server's secret."""


class Finding(NamedTuple):
    """What following the chain found."""

    number: int
    """Up to which entry nothing is wrong"""
    digest: str
    modification_count: int
    fault: Fault | None
    compared: int
    """With how many checkpoints"""


class Chain:
    """Checks and signs the chain."""

    def __init__(self, secret: bytes, checkpoint_file: Path | None = None) -> None:
        """`checkpoint_file` is where checkpoints are appended regularly; `-` is standard output."""
        self._file = checkpoint_file
        # Of the server's secret, and so backed up and shared with it: a new secret is another signer.
        self._seed = hmac.digest(secret, b"authkeys history checkpoints", "sha256")

    # -- checking ------------------------------------------------------------------------------------------------------

    async def check(
        self,
        checkpoints: str = "",
        key: str = "",
        on_progress: Callable[[int, int], None] | None = None,
        *,
        is_noted: bool = True,
    ) -> Finding:
        """Follow the whole chain in flat memory, and remember how it was found (`is_noted`). Raises InvalidValue for bad checkpoints.

        `checkpoints` is a text of signed ones, `key` the verifier key that signs them; by default this server's. Without any, those of its own file.
        """
        if not checkpoints and self._file and self._file != _STANDARD_OUTPUT:
            checkpoints = await asyncio.to_thread(_read, self._file)
        try:
            given = read_checkpoints(checkpoints, key or self.verifier_key) if checkpoints else []
        except ValueError as error:
            raise InvalidValue(f"The checkpoints cannot be used: {error}") from None
        anchor = await history.anchor()
        given = [each for each in given if each.size > anchor.number]  # of pruned entries nothing is left to compare
        checker = Checker(anchor, {each.size: each.digest for each in given})
        head, count, written = await history.head(), 0, _Written()
        async for some in _with_modifications(checker.number, written):
            count += sum(done.count for _, done in some)
            await asyncio.to_thread(_follow, checker, some)
            if on_progress:
                on_progress(checker.number, head.number)
            if checker.fault:
                break
        faults = list(filter(None, (checker.end(), await _stray(written))))
        fault = min(faults) if faults else await self._beside_the_chain()
        if is_noted:
            await history.keep_check(Check(datetime.now(UTC), checker.number, str(fault or "")))
        return Finding(checker.number, checker.digest, count, fault, len(given))

    async def _beside_the_chain(self) -> Fault | None:
        if (revision := await history.unlinked_submission()) is not None:
            head = await history.head()
            return Fault(head.number + 1, f"it is missing: nothing tells of submission #{revision}.")
        if odd := await history.odd_authkey():
            ip, service, revision = odd
            number = await history.number_of(revision)
            return Fault(number or 0, f"the privileges of {ip}, {service} are not those that it left.")
        return None

    async def last_check(self) -> Check | None:
        """How it was found when it was checked last."""
        return await history.last_check()

    # -- signing -------------------------------------------------------------------------------------------------------

    @cached_property
    def _key(self) -> "Ed25519PrivateKey":
        # Imported when something is to be signed, for a fast start.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        return Ed25519PrivateKey.from_private_bytes(self._seed)

    @property
    def verifier_key(self) -> str:
        """The public key, as it is handed to who checks checkpoints."""
        return verifier_key(KEY_NAME, self._key.public_key().public_bytes_raw())

    async def checkpoint(self, before: str = "") -> str:
        """A signed checkpoint of the chain as it is now; `before` are earlier ones.

        A log never signs two that disagree: raises ChainBroken if an entry that was signed before is no longer the same.
        """
        try:
            signed = read_checkpoints(before, self.verifier_key)[-1:] if before.strip() else []
        except ValueError as error:
            raise InvalidValue(f"Nothing was signed: {error}") from None
        for each in signed:
            if (await history.anchor()).number < each.size and await history.digest_at(each.size) != each.digest:
                raise ChainBroken(
                    f"Nothing was signed: entry #{each.size} is not the one that was signed before. "
                    "Find out what happened: main.py history verify names the first entry that is wrong."
                )
        head = await history.head()
        note = Checkpoint(KEY_NAME, head.number, head.digest, timestamp(datetime.now(UTC)))
        public = self._key.public_key().public_bytes_raw()
        return signed_note(note, KEY_NAME, public, self._key.sign(note.text().encode()))

    async def append_regularly(self) -> None:
        """Append a checkpoint each hour, as long as the program runs."""
        assert self._file is not None
        said = ""
        while True:
            try:
                if self._file == _STANDARD_OUTPUT:
                    print(said := await self.checkpoint(said), flush=True)
                else:
                    await self.append_checkpoint(self._file)
            except (ChainBroken, InvalidValue, DatabaseUnavailable) as error:
                log.error("No checkpoint was signed; the next attempt is in an hour. %s", error)
            await asyncio.sleep(_BETWEEN_SECONDS)

    async def append_checkpoint(self, file: Path) -> bool:
        """Append a checkpoint to a file, if there is something new since its last one. Raises like `checkpoint`."""

        def append(note: str) -> None:
            with file.open("a", encoding="utf-8") as opened:
                opened.write(note if not before else f"\n{note}")
                opened.flush()
                os.fsync(opened.fileno())

        try:
            before = await asyncio.to_thread(_read, file)
            note = await self.checkpoint(before)
            if before and read_checkpoints(before, self.verifier_key)[-1].size == (await history.head()).number:
                return False
            await asyncio.to_thread(append, note)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidValue(f"The checkpoint file {file} cannot be used: {error}.") from None
        return True


def _read(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


class _Written:
    """The modifications, as they come, taken apart by their submissions."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Row]] = []
        self._at = 0
        self._last_id = 0
        self.stray: int | None = None
        """A submission that a modification claims whose turn is over, or never came"""

    async def of(self, revision: int | None) -> ModificationsDigest:
        """What this submission did, which is the next one."""
        done = ModificationsDigest()
        if revision is None:
            return done
        while await self._has_next():
            rows: list[Row] = []
            while self._at < len(self._waiting) and self._waiting[self._at][1] == revision:
                rows.append(self._waiting[self._at][2])
                self._at += 1
            done.add(rows)
            if self._at < len(self._waiting):
                if self._waiting[self._at][1] < revision:
                    self.stray = self._waiting[self._at][1]
                break
        return done

    async def rest(self) -> int | None:
        """The submission that a modification claims which is left over."""
        return self._waiting[self._at][1] if await self._has_next() else None

    async def _has_next(self) -> bool:
        if self._at == len(self._waiting):
            self._waiting, self._at = await history.modifications_after(self._last_id), 0
            self._last_id = self._waiting[-1][0] if self._waiting else self._last_id
        return bool(self._waiting)


async def _with_modifications(last: int, written: _Written) -> AsyncIterator[list[tuple[Link, ModificationsDigest]]]:
    """All entries after `last` in their order, some at a time, each with what its submission did.

    Modifications come in the order in which they were written, which is that of the submissions.
    """
    while written.stray is None:
        some = await history.links(last)
        yield [(link, await written.of(link.revision)) for link in some]
        if some:
            last = some[-1].record["number"]
            continue
        rest = await written.rest()
        if rest is None:
            return
        number = await history.number_of(rest)
        if number is None or number <= last:
            written.stray = rest  # otherwise committed meanwhile: it comes next


async def _stray(written: _Written) -> Fault | None:
    if written.stray is None:
        return None
    number = await history.number_of(written.stray)
    return Fault(number or (await history.head()).number + 1, "what its submission did is not what was written then.")


def _follow(checker: Checker, some: Sequence[tuple[Link, ModificationsDigest]]) -> None:
    for link, done in some:
        checker.follow(link.record, link.digest, done)
