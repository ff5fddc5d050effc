"""Whether the machine's clock may decide what is deleted: one reading of it can be wrong by years.

A machine without a battery starts in 1970, a restored virtual machine in its past, and a mistyped date is soon corrected;
what was deleted meanwhile stays deleted. So readings are kept, and a clock is believed once it has run for a while without
a jump.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

LARGEST_STEP = timedelta(days=1)
"""Two readings that lie further apart, in either direction, are a jump; so is a pause of the program of that length."""
SETTLED_AFTER = timedelta(days=1)
"""A clock that has run for so long without a jump is believed."""


class ClockReading(NamedTuple):
    """What the clock said, and since when it has run without a jump."""

    at: datetime
    since: datetime

    @property
    def is_settled(self) -> bool:
        """Whether what is due by this clock may be deleted."""
        return self.at - self.since >= SETTLED_AFTER


def next_reading(previous: ClockReading | None, now: datetime) -> ClockReading:
    """The reading that follows `previous` (None: there was none) when the clock says `now`."""
    if previous is None or abs(now - previous.at) > LARGEST_STEP:
        return ClockReading(now, now)
    return ClockReading(now, previous.since)
