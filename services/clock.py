"""The readings of the clock, which all instances on one database share: if their clocks disagree, nobody deletes."""

import logging
from datetime import UTC, datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from models.clock import SETTLED_AFTER, ClockReading, next_reading
from models.tables import StoredClockReading
from storage.transactions import run_transaction

log = logging.getLogger(__name__)


async def read_clock(now: datetime | None = None) -> ClockReading:
    """Read the clock (`now`: what it says), and keep the reading. Raises DatabaseUnavailable.

    Says in the log what is wrong with it, if it is not settled.
    """
    at = now or datetime.now(UTC)

    async def keep(db: BaseDBAsyncClient) -> tuple[ClockReading | None, ClockReading]:
        row = await StoredClockReading.filter(id=1).using_db(db).first()
        previous = ClockReading(row.at, row.since) if row else None
        reading = next_reading(previous, at)
        await StoredClockReading.bulk_create(
            [StoredClockReading(id=1, at=reading.at, since=reading.since)],
            on_conflict=["id"],
            update_fields=["at", "since"],
            using_db=db,
        )
        return previous, reading

    previous, reading = await run_transaction(keep)
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
