"""Secrets that are made for authkeys; each is handed out once, and kept only as a digest."""

import asyncio
import secrets
import uuid
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

from models.accounts import AdminIdentity
from models.authkeys import Authkey
from models.errors import NotAllowed
from models.secrets import IssuedKey, Secret, new_secret
from models.staged_changes import StagedChanges
from models.submissions import Change, NewAuthkey, NewSecret, Source
from services.submissions import Order, Progress, Receipt, Submissions

KEPT_SECONDS = 900.0
"""So long new keys wait for being fetched."""


def changes_with_secrets(staged: StagedChanges) -> tuple[list[Change], tuple[IssuedKey, ...]]:
    """What a submission asks for, with a new secret for each authkey that shall have one, and these."""
    changes, issued = staged.changes(), []
    wanting = {name for name, id_ in staged.additions.items() if (new := staged[id_].new) and new.issues}
    for place, change in enumerate(changes):
        if isinstance(change, NewAuthkey) and not change.secret and (change.ip, change.service) in wanting:
            secret = new_secret()
            changes[place] = change._replace(secret=secret.kept)
            issued.append(IssuedKey(change.ip, change.service, secret))
    return changes, tuple(issued)


async def issue_new_key(
    submissions: Submissions, admin: AdminIdentity, row: Authkey, session_id: int | None = None
) -> Secret:
    """Replace the secret of an authkey; the old one stops working. The new one is returned this once.

    Raises AuthkeyNotFound if it was removed in the meantime, FactorNeeded, and DatabaseUnavailable.
    """
    _, (issued,) = await issue_keys(submissions, admin, [row], Source.DIALOG, session_id=session_id)
    return issued.secret


async def issue_keys(
    submissions: Submissions,
    admin: AdminIdentity,
    rows: Sequence[Authkey],
    source: Source = Source.GRID,
    on_progress: Progress | None = None,
    session_id: int | None = None,
) -> tuple[Receipt, list[IssuedKey]]:
    """Replace the secrets of many authkeys, as one submission. Raises like `issue_new_key`; then none is replaced."""
    issued = await asyncio.to_thread(lambda: [IssuedKey(row.ip, row.service, new_secret()) for row in rows])
    changes = [NewSecret(row.id, each.secret.digest, each.secret.hint) for row, each in zip(rows, issued, strict=True)]
    order = Order(uuid.uuid4(), admin, source, changes, session_id=session_id)
    receipt = await submissions.submit(order, on_progress=on_progress)
    return receipt, issued


class _Handout(NamedTuple):
    until: float
    """By the monotonic clock"""
    admin_id: int
    keys: Sequence[IssuedKey]
    on_taken: Callable[[], object]


class Handouts:
    """New keys that wait for being fetched, once, by the admin who had them made."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Handout] = {}

    def put(self, admin_id: int, keys: Sequence[IssuedKey], on_taken: Callable[[], object]) -> str:
        """Keep them for a while; what fetches them is returned, and `on_taken` is called when they were fetched."""
        self._forget_old()
        token = secrets.token_urlsafe(32)
        self._waiting[token] = _Handout(monotonic() + KEPT_SECONDS, admin_id, keys, on_taken)
        return token

    def take(self, admin_id: int, token: str) -> Sequence[IssuedKey]:
        """Fetch them, this once. Raises NotAllowed for whom they are not, and if they were fetched or are too old."""
        self._forget_old()
        waiting = self._waiting.get(token)
        if waiting is None or waiting.admin_id != admin_id:
            raise NotAllowed(
                f"These keys were handed out already, or waited for longer than {KEPT_SECONDS / 60:.0f} minutes. "
                "Issue new ones for the keys that nobody has."
            )
        del self._waiting[token]
        waiting.on_taken()
        return waiting.keys

    def _forget_old(self) -> None:
        now = monotonic()
        self._waiting = {token: each for token, each in self._waiting.items() if each.until > now}
