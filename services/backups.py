"""Backups: a SQLite database with everything up to one moment, made while others submit, and restored into an empty place.

Whichever database it was taken from, a backup opens with `--database`, and is restored into either.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from models.errors import BackupRefused, ChainBroken, SecretUnusable
from models.history import EntryKind
from models.views import View
from services.chain import Chain
from services.installation import accept_secret, fingerprint, load_own_secret, secret_path
from services.secret_file import LOSS, is_there, load_secret
from storage import authkeys, backup_files, history, installation
from storage.database import (
    DatabaseLocation,
    applied_migrations,
    connected,
    known_migrations,
    open_database,
    refuse_newer,
)
from storage.moving import from_postgres, into_postgres, refuse_filled
from storage.transactions import finish_transactions, run_transaction

SECRET_SUFFIX = "secret"


class Made(NamedTuple):
    """What is in a backup, or was restored from one."""

    entry_count: int
    """The number of its last entry"""
    key_count: int
    digest: str
    """Of the last entry"""
    size: int = 0
    """Of the file, in bytes"""
    compared: int = 0
    """With how many signed checkpoints the history in it agrees"""


# -- making one ----------------------------------------------------------------------------------------------------------


async def make_backup(
    location: DatabaseLocation,
    secret_file: Path | None,
    file: Path,
    who: str,
    *,
    with_secret: bool,
    checkpoints: str = "",
) -> Made:
    """Write everything up to this moment into a new file, which appears when it is durable and was found whole.

    That it was made is on record before, as the last of its own entries. `with_secret` puts the server's secret beside it,
    where it opens with it. `checkpoints` are signed ones, with which its history must agree.
    Raises BackupRefused, ChainBroken if the history is not what was written, SecretUnusable and DatabaseError.
    """
    own = DatabaseLocation(str(file)).companion(SECRET_SUFFIX)
    part = _new_names(file, *([own] if with_secret else []))
    if not location.is_postgres:
        if not location.path.is_file():
            raise BackupRefused(f"There is no database {location}. Give another with --database.")
        backup_files.require_room(part, backup_files.size_of(location.path))
    secret = await _put_on_record(location, secret_file, who, file.name + (", with the secret" if with_secret else ""))
    with _kept_only_if_done(own), _placed(part, file):
        await _fill(location, part)
        made = await _verified(part, Chain(secret), checkpoints)
        await asyncio.to_thread(backup_files.finish, part)
        if with_secret:
            _copy_secret(secret_path(location, secret_file), own)
    return made._replace(size=backup_files.size_of(file))


def _new_names(file: Path, *others: Path) -> Path:
    """The name under which a new file is made. Raises BackupRefused if it, or what belongs beside it, is there already."""
    part = file.with_name(f"{file.name}.part")
    beside = (file.with_name(f"{file.name}{suffix}") for suffix in backup_files.SIDE_FILES)
    for each in (file, *others, *beside):
        if os.path.lexists(each):
            raise BackupRefused(f"{each} exists already. Nothing was changed; give another file.")
    if os.path.lexists(part):
        raise BackupRefused(
            f"{part} exists already: it is being written at this moment, or who wrote it was killed. Nothing was changed. "
            "If nobody writes it, delete it."
        )
    if not file.parent.is_dir():
        raise BackupRefused(f"There is no folder {file.parent}. Nothing was changed.")
    return part


async def _put_on_record(location: DatabaseLocation, secret_file: Path | None, who: str, detail: str) -> bytes:
    """Say that a backup is made, before it is: who can read it is known, whatever happens then. Returns the secret."""
    async with connected(location):
        applied = await applied_migrations()
        refuse_newer(location, applied)
        if not applied:
            raise BackupRefused(f"There is nothing in the database {location} yet. Give another with --database.")
        if applied != known_migrations():
            raise BackupRefused(
                f"The database {location} is of an earlier release, and this one would change it first. Nothing was changed. Make the "
                "backup with the release that it runs with. This release keeps one of a SQLite file itself when it is started."
            )
        secret = await load_own_secret(location, secret_file)
        await run_transaction(lambda db: history.append(db, EntryKind.BACKED_UP, who, "the command line", detail))
        await finish_transactions()
    return secret


@contextmanager
def _placed(part: Path, file: Path) -> Iterator[None]:
    """A new file that gets its name when the block is done; without it nothing stays. Never takes the place of another file."""
    with backup_files.writing(file):
        backup_files.create(part)
        try:
            yield
            backup_files.place(part, file)
        finally:
            backup_files.remove(part)


async def _fill(location: DatabaseLocation, part: Path) -> None:
    if not location.is_postgres:
        await asyncio.to_thread(backup_files.copy, location.path, part)
    else:
        async with open_database(DatabaseLocation(str(part))):
            pass
        await from_postgres(location, part)
    if fault := await asyncio.to_thread(backup_files.fault_in, part):
        raise BackupRefused(f"The database {location} is damaged: {fault}. No backup was made.")


async def _verified(part: Path, chain: Chain, checkpoints: str) -> Made:
    """What is in a backup whose history was followed from end to end; without who was signed in. Raises ChainBroken."""
    with backup_files.writing(part):
        async with open_database(DatabaseLocation(str(part)), keeps_backup=False):
            await run_transaction(installation.forget_the_moment)
            made = await _followed(chain, checkpoints)
            await finish_transactions()
    return made


async def _followed(chain: Chain, checkpoints: str = "") -> Made:
    found = await chain.check(checkpoints, is_noted=False)
    if found.fault:
        raise ChainBroken(f"The history is not what was written. {found.fault} Nothing was written.")
    return Made(found.number, await authkeys.count(View(), 0, None), found.digest, compared=found.compared)


def _copy_secret(source: Path, target: Path) -> None:
    """Copy a secret into a new file of its user's own, durably."""
    load_secret(source)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())


# -- restoring one -------------------------------------------------------------------------------------------------------


async def restore_backup(
    file: Path, location: DatabaseLocation, secret_file: Path | None, who: str, *, new_secret: bool = False
) -> Made:
    """Put a backup into a new SQLite file, or an empty PostgreSQL database, of today's schema: all of it, or nothing.

    That it was restored is an entry after those of the backup. The secret must be the one that it was made with, at its
    place or beside the backup; `new_secret` takes another one, with which passphrases and sessions end.
    Raises BackupRefused, ChainBroken, SecretUnusable and DatabaseError.
    """
    refuse_newer(DatabaseLocation(str(file)), await asyncio.to_thread(backup_files.migrations_in, file))
    secret = secret_path(location, secret_file)
    if not location.is_postgres:
        part = _new_names(location.path)
        with _kept_only_if_done(secret), _placed(part, location.path):
            made = await _prepared(file, part, secret, who, new_secret)
            await asyncio.to_thread(backup_files.finish, part)
        return made._replace(size=backup_files.size_of(location.path))
    with tempfile.TemporaryDirectory(prefix="authkeys-restore-") as folder, _kept_only_if_done(secret):
        part = Path(folder) / "backup.db"
        backup_files.create(part)
        async with connected(location):
            await refuse_filled(location)
        made = await _prepared(file, part, secret, who, new_secret)
        async with connected(location):
            await into_postgres(location, part)
    return made


async def _prepared(file: Path, part: Path, secret: Path, who: str, new_secret: bool) -> Made:
    """A copy of a backup as it shall be restored: of today's schema, its history followed, and its secret known."""
    backup_files.require_room(part, backup_files.size_of(file))
    await asyncio.to_thread(backup_files.copy, file, part)
    with backup_files.writing(part):
        async with open_database(DatabaseLocation(str(part)), keeps_backup=False):
            made = await _followed(Chain(b""))
            await run_transaction(installation.forget_the_moment)
            if not await _is_right_secret(file, secret, new_secret):
                await accept_secret(DatabaseLocation(str(part)), secret, who)
            detail = f"{file.name}, up to entry #{made.entry_count}"
            await run_transaction(lambda db: history.append(db, EntryKind.RESTORED, who, "the command line", detail))
            await finish_transactions()
    return made


async def _is_right_secret(backup: Path, secret: Path, new_secret: bool) -> bool:
    """Whether the secret of the open backup stands at its place, or could be put there. Raises SecretUnusable if not."""
    known = await installation.fact(installation.SECRET_FINGERPRINT)
    beside = DatabaseLocation(str(backup)).companion(SECRET_SUFFIX)
    if not is_there(secret) and is_there(beside) and known in (None, fingerprint(load_secret(beside))):
        _copy_secret(beside, secret)
    if is_there(secret) and known in (None, fingerprint(load_secret(secret))):
        return True
    if new_secret:
        return False
    found = f"The secret in {secret} is not the one" if is_there(secret) else f"There is no secret at {secret}"
    raise SecretUnusable(
        f"{found} that the backup {backup} was made with. Nothing was restored. Give the right one with --secret-file, or, if "
        f"it is lost, --new-secret. {LOSS}"
    )


@contextmanager
def _kept_only_if_done(secret: Path) -> Iterator[None]:
    """A secret that was not there before goes again if nothing is restored."""
    was_there = is_there(secret)
    try:
        yield
    except BaseException:
        if not was_there:
            secret.unlink(missing_ok=True)
        raise
