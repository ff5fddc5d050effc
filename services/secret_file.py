"""The server's own secret: 32 random bytes in a file that only its user can read. It signs cookies and keys digests."""

import os
import secrets
from pathlib import Path

from models.errors import SecretUnusable

_BYTES = 32
CONTENT = f"The file holds {2 * _BYTES} hexadecimal digits, such as `openssl rand -hex {_BYTES}` prints."
LOSS = "With another secret everybody has to sign in again, and all pickup passphrases and one-time codes of second factors end and have to be made anew."


def load_secret(path: Path) -> bytes:
    """The secret in this file; made at first use, with mode 0600.

    Raises SecretUnusable, which says what the file must hold.

    Several instances on one database must share the same file's content.
    """
    try:
        _create(path)
        if os.name == "posix" and not is_private(path):
            raise SecretUnusable(
                f"Other users of this machine can read or write the secret file {path}. Run: chmod 640 {path} - or, if somebody "
                "may have read it, replace it by a new one, and run: main.py new-secret - "
                f"{CONTENT} {LOSS}"
            )
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise SecretUnusable(
            f"The secret file {path} cannot be used: {error.strerror}. Give one that can be read with --secret-file. {CONTENT}"
        ) from error
    except ValueError as error:
        raise _damaged(path) from error
    if len(secret) != _BYTES:
        raise _damaged(path)
    return secret


def is_there(path: Path) -> bool:
    """Whether there is something at the place of a secret, readable or not."""
    return os.path.lexists(path)


def is_private(path: Path) -> bool:
    """Whether only the file's user and group can read it, and nobody else of them than its user can write it.

    A secret that is mounted (Docker and Kubernetes: 0444 or 0644, owned by root) is in the container's reach only, and its mode
    is not chosen by who runs in it: it passes where it is a mount of its own or its file system is read-only.
    """
    mode = path.stat().st_mode
    if mode & 0o022:
        return False
    return not mode & 0o005 or _is_mounted(path)


def _is_mounted(path: Path) -> bool:
    file = path.resolve()
    return os.path.ismount(file) or bool(os.statvfs(file).f_flag & os.ST_RDONLY)


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
        f"The secret file {path} is damaged. {CONTENT} Bring back a copy of it. If there is none, delete it, and run: main.py new-secret - {LOSS}"
    )
