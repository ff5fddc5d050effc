"""Which privileges of an authkey are in use, by when each was last used and since when that is known."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from models.privileges import PRIVILEGES

NO_PRIVILEGE = len(PRIVILEGES)
"""Stands, where a privilege's bit does, for a use that needed none."""
QUIET_AFTER = timedelta(days=30)
"""A granted privilege that was not used for so long is marked."""


def unused(
    privileges: int, last_used: Mapping[int, datetime], changed_at: datetime, tracked_since: datetime, before: datetime
) -> int:
    """The granted privileges that were not used since `before`, as a set.

    None, where the authkey changed since then (a privilege may have been granted only now) or where uses were not yet
    counted: of days without tracking nobody can say that a privilege was unused.
    """
    if changed_at > before or tracked_since > before:
        return 0
    used = sum(1 << bit for bit, at in last_used.items() if bit < NO_PRIVILEGE and at > before)
    return privileges & ~used
