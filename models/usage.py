"""Which privileges of an authkey are in use, by when each was last used and since when that is known."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from models.privileges import PRIVILEGES

NO_PRIVILEGE = len(PRIVILEGES)
"""Stands, where a privilege's bit does, for a use that needed none."""
QUIET_DAYS = (30, 90)
"""One can look for privileges that were not used for so many days."""
QUIET_AFTER = timedelta(days=QUIET_DAYS[0])
"""A granted privilege that was not used for so long is marked."""


def unused(privileges: int, last_used: Mapping[int, datetime], before: datetime) -> int:
    """The granted privileges, as a set, that were not used since `before`.

    To be asked only about an authkey that has not changed since then (a privilege may have been granted only now), and
    only if uses were counted all the time: of days without tracking nobody can say that a privilege was unused.
    """
    used = sum(1 << bit for bit, at in last_used.items() if bit < NO_PRIVILEGE and at > before)
    return privileges & ~used
