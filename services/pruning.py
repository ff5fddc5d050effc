"""Pruning: the oldest entries leave the database once they stand, checked, in an archive. The prune is an entry itself."""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TextIO

from models.accounts import AdminIdentity
from models.chain import Anchor, check_lines
from models.errors import ArchiveRefused, ChainBroken, InvalidValue
from models.exports import ExportFormat, beginning
from models.history import EntryKind, prune_text, timestamp
from models.history_views import HistoryView
from models.wording import minute
from services.exports import portions
from storage import history
from storage.transactions import Connection, run_transaction


class Pruned(NamedTuple):
    """What left the database."""

    entry_count: int
    archive_digest: str
    """SHA-256 of the file, in hexadecimal digits"""


async def prune(before: datetime, archive: Path, admin: AdminIdentity) -> Pruned:
    """Move the entries from before this time into an archive, a new file of lines of JSON.

    They are deleted only after the archive was written, read again and found whole. The newest submission always stays.
    Raises InvalidValue if there is nothing to prune, ArchiveRefused if the file exists or cannot be written, ChainBroken
    if what stands in it is not what was written then. On any error nothing is deleted.
    """
    if before > datetime.now(UTC):
        raise InvalidValue(f"{minute(before)} has not come yet. Nothing was pruned.")
    anchor, last = await history.anchor(), await history.last_before(before)
    if last is None or last.number <= anchor.number:
        raise InvalidValue(f"No entry that could go is older than {minute(before)}. Nothing was pruned.")
    draft = archive.with_name(f"{archive.name}.part")
    with _new_file(archive, draft):
        await _write(draft, anchor, last)
        digest = await asyncio.to_thread(_checked, draft, last)
        await asyncio.to_thread(os.link, draft, archive)
    await run_transaction(lambda db: _delete(db, last, digest, admin))
    return Pruned(last.number - anchor.number, digest)


@contextmanager
def _new_file(archive: Path, draft: Path) -> Iterator[None]:
    try:
        if archive.exists():
            raise FileExistsError
        with draft.open("x", encoding="utf-8"):
            pass
    except FileExistsError:
        file = archive if archive.exists() else draft
        raise ArchiveRefused(f"{file} exists already. Nothing was pruned; give another file.") from None
    except OSError as error:
        raise ArchiveRefused(f"{archive} cannot be written: {error.strerror}. Nothing was pruned.") from None
    try:
        yield
    except OSError as error:
        raise ArchiveRefused(f"{archive} cannot be written: {error.strerror}. Nothing was pruned.") from None
    finally:
        draft.unlink(missing_ok=True)


async def _write(draft: Path, anchor: Anchor, last: Anchor) -> None:
    head = beginning(anchor, whole=True, query="", exported_at=timestamp(datetime.now(UTC)))
    with draft.open("w", encoding="utf-8") as file:
        await asyncio.to_thread(file.write, head)
        async for piece in portions(HistoryView(), anchor, anchor.number, last.number, ExportFormat.JSONL):
            await asyncio.to_thread(file.write, piece)
        await asyncio.to_thread(_flush, file)


def _flush(file: TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _checked(draft: Path, last: Anchor) -> str:
    """The digest of an archive that holds the chain whole, up to this entry. Raises ChainBroken."""
    try:
        with draft.open(encoding="utf-8") as file:
            checker, _ = check_lines(file, {last.number: last.digest})
    except ValueError as error:
        raise ChainBroken(f"The archive cannot be read again: {error} Nothing was pruned.") from None
    if fault := checker.end():
        raise ChainBroken(f"The record is not what was written then. {fault} Nothing was pruned.")
    with draft.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _delete(db: Connection, last: Anchor, archive_digest: str, admin: AdminIdentity) -> None:
    await history.delete_until(db, last)
    await history.append(db, EntryKind.PRUNED, admin.id, "", prune_text(last, archive_digest))
