"""Which privileges of an authkey are in use, by when each was last used and since when that is known."""

from datetime import datetime
from typing import NamedTuple

NO_PRIVILEGE = -1
"""Stands, where a privilege's bit does, for a use that needed none. It is stored: it never changes."""
QUIET_DAYS = (30, 90)
"""One can look for privileges that were not used for so many days."""
"""A granted privilege that was not used for so long is marked."""


KEPT_USE_DAYS = 30
"""For so many days it is known how often each privilege of each authkey was used."""


def day_of(at: datetime) -> int:
    """The number of a day in UTC, from 1970-01-01 on. It is stored."""
    return int(at.timestamp() // 86_400)


class LostCalls(NamedTuple):
    """Calls that were let through lately, and would not be any more."""

    calls: int
    key_count: int
    """By how many authkeys"""
    last_at: datetime | None = None
    last_ip: str = ""


class Quiet(NamedTuple):
    """A point in time: what was not used, nor changed, since then is unused."""

    before: datetime
    revision: int
    """The newest submission until then"""
