"""The readings of the clock, which all instances on one database share: if their clocks disagree, nobody deletes."""

import logging
from datetime import UTC, datetime

from models.clock import SETTLED_AFTER, ClockReading
from storage import clock

log = logging.getLogger(__name__)


async def read_clock(now: datetime | None = None) -> ClockReading:
    """Read the clock (`now`: what it says), and keep the reading. Raises DatabaseUnavailable.

    Says in the log what is wrong with it, if it is not settled.
    """

    previous, reading = await clock.take(now or datetime.now(UTC))
    if previous is not None and not reading.is_settled:
        _tell(previous, reading)
    return reading


def _tell(previous: ClockReading, reading: ClockReading) -> None:
    hours = round(SETTLED_AFTER.total_seconds() / 3600)
    if reading.since == reading.at:
        log.warning(
            "The clock says %s, and said %s when it was read last. Until it has run for %d hours without such a jump, "
            "no removed authkey and no old session is deleted. Check the clock, of all machines on this database.",
            f"{reading.at:%Y-%m-%d %H:%M} UTC",
            f"{previous.at:%Y-%m-%d %H:%M} UTC",
            hours,
        )
    else:
        log.info("Nothing is deleted yet: the clock has not run for %d hours since its last jump.", hours)
