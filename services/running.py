"""Which server of this machine has a database open, so that a second start can open the first one's page instead."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from models.errors import DatabaseUnusable


class Running:
    """The mark that a running server leaves beside its database: a lock that ends with the process, and its address.

    `is_needed` is false where the database (PostgreSQL) needs no file of its own: then a folder that cannot be written only means
    that a second start does not find this server.
    """

    def __init__(self, mark: Path, *, is_needed: bool = True) -> None:
        self._mark = mark
        self._is_needed = is_needed
        self._lock = FileLock(f"{mark}.lock", mode=0o600)  # who can open it can hold it

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the mark until the block ends; whether it could be had. Raises DatabaseUnusable if it cannot be written."""
        if not self._mark.parent.is_dir():  # then there is no database either, and opening it will say so
            yield True
            return
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        except OSError as error:
            if not self._is_needed:
                yield True
                return
            raise DatabaseUnusable(
                f"The folder {self._mark.parent} cannot be written ({error.strerror}), and the database needs files of "
                "its own there. Nothing was changed. Give another with --database."
            ) from error
        try:
            yield True
        finally:
            with suppress(OSError):  # where an open file cannot be deleted it stays, and means nothing
                self._mark.unlink(missing_ok=True)
                Path(self._lock.lock_file).unlink(missing_ok=True)
            self._lock.release()

    def announce(self, url: str) -> None:
        """Say where the server answers, if the mark could be had."""
        if not self._lock.is_locked:
            return
        draft = self._mark.with_name(f"{self._mark.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({"url": url}))
        draft.replace(self._mark)

    def url(self) -> str | None:
        """Where the running server answers, or None if none does."""
        try:
            with FileLock(self._lock.lock_file, blocking=False):
                return None  # nobody holds it: the mark, if any, was left by a killed server
        except Timeout:
            return self._read()
        except OSError:
            return None  # who may not write there has no server there

    def _read(self) -> str | None:
        try:
            return str(json.loads(self._mark.read_text())["url"])
        except (OSError, ValueError, KeyError):
            return None
