"""A row as one admin's grid shows it: what is stored, with the admin's staged changes laid over it."""

from datetime import datetime
from typing import Any

from models.passphrases import Passphrase
from models.staged_changes import StagedRow
from models.subjects import Row

GridRow = dict[str, Any]
"""What travels to the browser for one row: what `overlay` says, and the texts of its kind.

The keys are fixed words: in NiceGUI a key that begins with ":" is code.
"""


def overlay(row: Row, entry: StagedRow, others: list[str] | None, unused: int, step: int, now: datetime) -> GridRow:
    """The row with its stored and its staged set of privileges; a cell is staged where the two differ.

    `others` are the names of other admins who have staged something for it (None: as the browser knows it already),
    `unused` are those of the stored privileges that were long unused, `revision` is the submission that last touched the
    row, and `step` is how many staging steps the admin had taken: of two states of one revision the later one has more.
    """
    return {
        "id": row.id,
        "stored": row.privileges,
        "staged": entry.applied_to(row.privileges),
        "removal": entry.removal,
        "others": others,
        "unused": unused,
        "revision": row.revision,
        "step": step,
        **(_passphrase_texts(row, now) if isinstance(row, Passphrase) else {"ip": row.ip, "service": row.service}),
    }


def _passphrase_texts(passphrase: Passphrase, now: datetime) -> GridRow:
    expiry = f"until {passphrase.expires_at:%Y-%m-%d}" if passphrase.expires_at else "no expiry"
    return {
        "removed": passphrase.removed,
        "name": passphrase.label,
        "made": f"{passphrase.made_by}, {passphrase.made_at:%Y-%m-%d}",
        "used": f"{passphrase.used:,} of {passphrase.uses:,} used",
        "until": passphrase.why_over(now) or expiry,
        "networks": f"From {', '.join(passphrase.networks)}" if passphrase.networks else "From any address",
    }
