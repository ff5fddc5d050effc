"""Which privileges of an authkey are in use, by when each was last used and since when that is known."""

from datetime import datetime
from typing import NamedTuple

NO_PRIVILEGE = -1
"""Stands, where a privilege's bit does, for a use that needed none. It is stored: it never changes."""
QUIET_DAYS = (30, 90)
"""One can look for privileges that were not used for so many days."""
"""A granted privilege that was not used for so long is marked."""


class Quiet(NamedTuple):
    """A point in time: what was not used, nor changed, since then is unused."""

    before: datetime
    revision: int
    """The newest submission until then"""
