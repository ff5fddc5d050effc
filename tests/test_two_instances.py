"""Two instances on one PostgreSQL count the same uses and denied requests at once, for a minute: none is lost or doubled."""

import asyncio
import random
from time import monotonic

from models.access_checks import Reason
from models.denials import denial
from models.tables import KeyUse
from services.console import Console, open_console
from storage.database import DatabaseLocation, reader
from tests.other_process import another_process
from tests.support import SEARCH, add_keys, new_keys

SECONDS, KEYS = 60, 150
DENIALS = [denial(Reason.UNKNOWN_KEY, f"192.0.2.{n}", 0, "", "search") for n in range(40)]


async def count(console: Console, authkey_ids: list[int]) -> int:
    """Note one use of each authkey and each denied request, in a new order each time, and write them; how many times."""
    rounds, ends = 0, monotonic() + SECONDS
    while monotonic() < ends:
        for authkey_id in random.sample(authkey_ids, KEYS):
            console.uses.note_use(authkey_id, SEARCH)
        for which in random.sample(DENIALS, len(DENIALS)):
            console.uses.note_denial(which)
        await console.uses.write()  # which would raise what a deadlock becomes
        rounds += 1
    return rounds


async def test_two_instances_count_for_a_minute_without_a_deadlock_and_exactly(
    postgres_database: DatabaseLocation,
) -> None:
    async with open_console(postgres_database) as console, another_process(postgres_database) as other:
        ids = [key.id for key in await add_keys(console, *new_keys(KEYS, SEARCH.mask))]
        here, there = await asyncio.gather(count(console, ids), other.do(count, ids))
        assert min(here, there) > 10, "too few to prove anything"
        rows = await KeyUse.all().using_db(reader())
        assert {row.authkey_id: row.count for row in rows} == dict.fromkeys(ids, here + there)
        groups = await console.uses.denied_requests()
        assert {group.ip: group.times for group in groups} == {which.ip: here + there for which in DENIALS}
        _, [[deadlocks]] = await reader().execute_query(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        assert deadlocks == 0
