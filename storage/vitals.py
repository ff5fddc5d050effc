"""What the health check and the metrics read of the database, each at a cost that does not grow with what is stored."""

import asyncio
from datetime import datetime
from typing import NamedTuple

from models.subjects import Subject
from storage.database import counter, database_errors, reader
from storage.sql import statement
from storage.staging import CHANGE_COUNT

MOST_STAGED = 100_000
"""So many rows with staged changes are counted."""
MOST_SESSIONS = 10_000


class StagedCount(NamedTuple):
    """How much is staged by everybody, and as of which steps."""

    steps: int
    changes: dict[Subject, int]


async def ping(seconds: float) -> None:
    """Ask the database for something that it must read. Raises DatabaseUnavailable, also if it takes longer than this."""
    with database_errors():
        async with asyncio.timeout(seconds):
            await reader().execute_query("SELECT name FROM tortoise_migrations LIMIT 1")


async def staged_changes(known: StagedCount | None = None) -> StagedCount:
    """How many changes are staged, counted anew only after a step was taken since `known`."""
    with database_errors():
        _, rows = await counter().execute_query("SELECT COALESCE(sum(number), 0) FROM staging_version")
        steps = int(rows[0][0])
        if known and known.steps == steps:
            return known
        portion = f"SELECT * FROM staged_change LIMIT {MOST_STAGED}"
        _, rows = await counter().execute_query(
            f"SELECT subject, sum({CHANGE_COUNT}) FROM ({portion}) AS portion GROUP BY subject"
        )
    found = {Subject(subject): int(count) for subject, count in rows}
    return StagedCount(steps, {subject: found.get(subject, 0) for subject in Subject})


async def session_count(used_since: datetime, begun_since: datetime) -> int:
    """How many sessions last, MOST_SESSIONS at most."""
    portion = f"SELECT used_at, created_at FROM session LIMIT {MOST_SESSIONS}"
    query = f"SELECT count(*) FROM ({portion}) AS portion WHERE used_at > {{}} AND created_at > {{}}"
    text, values = statement(query, used_since, begun_since)
    with database_errors():
        _, rows = await counter().execute_query(text, values)
    return int(rows[0][0])
