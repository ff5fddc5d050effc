"""The server's secret and its database belong together: the database knows its secret's fingerprint, and no other is taken for it."""

import hmac
import secrets
from pathlib import Path

from models.errors import SecretUnusable
from models.history import EntryKind
from services.secret_file import CONTENT, LOSS, is_there, load_secret
from storage import history
from storage.database import DatabaseLocation
from storage.installation import SECRET_FINGERPRINT, fact, forget_the_moment, note, replace
from storage.transactions import Connection, run_transaction


def load_any_secret(location: DatabaseLocation, secret_file: Path | None) -> bytes:
    """A secret for what neither signs nor keys anything: the one at its place, or one that nobody will know.

    So who runs a command without the server's --secret-file neither makes a second secret nor has it taken for the database's.
    """
    path = secret_path(location, secret_file)
    return load_secret(path) if is_there(path) else secrets.token_bytes(32)


def fingerprint(secret: bytes) -> str:
    """By which a secret is known again. It tells nothing of it: the secret has 256 random bits."""
    return hmac.digest(secret, b"authkeys fingerprint of the secret", "sha256").hex()


def secret_path(location: DatabaseLocation, secret_file: Path | None) -> Path:
    """Where the secret of a database is."""
    return secret_file or location.companion("secret")


async def load_own_secret(location: DatabaseLocation, secret_file: Path | None) -> bytes:
    """The secret of the open database; made, and noted, at first use.

    Raises SecretUnusable if there is none any more, or if it is another server's: with it nobody's session and no passphrase would
    hold, and of several instances each would refuse what the others let in.
    """
    path, known = secret_path(location, secret_file), await fact(SECRET_FINGERPRINT)
    accept = location.command("new-secret", secret_file)
    if known and not is_there(path):
        raise SecretUnusable(
            f"The secret of the database {location} is not at {path}. Bring it back, from the backup or the other instances, or "
            f"give its place with --secret-file. {CONTENT} If it is lost: {accept} - {LOSS}"
        )
    secret = load_secret(path)
    if not hmac.compare_digest(known or await note(SECRET_FINGERPRINT, fingerprint(secret)), fingerprint(secret)):
        raise SecretUnusable(
            f"The secret in {path} is not the one of the database {location}. Nothing was changed. Give the right one with "
            f"--secret-file, or, if it is lost: {accept} - {LOSS}"
        )
    return secret


async def accept_secret(location: DatabaseLocation, secret_file: Path | None, who: str) -> bool:
    """Take what is in the secret file for the open database's own from now on, and end all sessions; made if there is none.

    Returns whether it is another one than before.
    """
    found = fingerprint(load_secret(secret_path(location, secret_file)))
    if await fact(SECRET_FINGERPRINT) == found:
        return False

    async def accept(db: Connection) -> None:
        await replace(db, SECRET_FINGERPRINT, found)
        await forget_the_moment(db)
        await history.append(db, EntryKind.SECRET_REPLACED, who)

    await run_transaction(accept)
    return True
