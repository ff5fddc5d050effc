"""The secret with which this server proves itself at the provider of single sign-on: a line in a file of its own."""

import os
from pathlib import Path

from models.errors import SecretUnusable
from services.secret_file import is_private

_MAX_LENGTH = 1_000


def load_client_secret(path: Path) -> str:
    """The secret in this file. Raises SecretUnusable, with words that never repeat it."""
    what = f"The client secret file {path} (--oidc-secret-file)"
    holds = "It holds the secret that the provider shows for this client, in one line."
    try:
        if os.name == "posix" and not is_private(path):
            raise SecretUnusable(
                f"Other users of this machine can read or write it: {what}. Run: chmod 640 {path} - or, if somebody may have "
                "read it, have the provider make a new one."
            )
        with path.open("rb") as file:
            secret = file.read(_MAX_LENGTH + 1).decode("ascii").strip()
    except OSError as error:
        raise SecretUnusable(f"{what} cannot be read: {error.strerror}. {holds}") from error
    except UnicodeDecodeError:
        secret = ""
    if not secret or not secret.isprintable() or len(secret) >= _MAX_LENGTH:
        raise SecretUnusable(f"{what} is empty, too long, or holds more than one line. {holds}")
    return secret
