"""The server's own secret: 32 random bytes in a file that only its user can read. It signs cookies and keys digests."""

import os
import secrets
from pathlib import Path

from models.errors import SecretUnusable

_BYTES = 32


def load_secret(path: Path) -> bytes:
    """The secret in this file; made at first use, with mode 0600. Raises SecretUnusable.

    Several instances on one database must share the same file's content.
    """
    try:
        _create(path)
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise SecretUnusable(
                f"The secret file {path} can be read by other users of this machine. Whoever has read it can sign in "
                f"as anybody. Delete it (everybody has to sign in again) or, if nobody did, run: chmod 600 {path}"
            )
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise SecretUnusable(f"The secret file {path} cannot be used: {error.strerror}.") from error
    except ValueError as error:
        raise _damaged(path) from error
    if len(secret) != _BYTES:
        raise _damaged(path)
    return secret


def _create(path: Path) -> None:
    """Write a new secret under another name, then link it: whoever reads the file finds it whole, or not at all."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process that started at the same moment was faster
    finally:
        draft.unlink()


def _damaged(path: Path) -> SecretUnusable:
    return SecretUnusable(
        f"The secret file {path} is damaged. Delete it: a new one is made, and everybody has to sign in again."
    )
