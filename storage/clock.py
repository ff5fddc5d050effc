"""The one statement about readings of the clock, which all instances on a database share."""

from datetime import datetime

from models.clock import ClockReading, next_reading
from models.tables import StoredClockReading
from storage.transactions import Connection, run_transaction


async def take(at: datetime) -> tuple[ClockReading | None, ClockReading]:
    """Put a reading of the clock in the place of the one before; returns both."""

    async def keep(db: Connection) -> tuple[ClockReading | None, ClockReading]:
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

    return await run_transaction(keep)
