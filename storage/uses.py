"""Every statement about uses of authkeys: how often and when last each privilege of each was used."""

from datetime import UTC, datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from models.denials import Counted, Denial
from models.privileges import PRIVILEGES
from models.tables import KeyUse, KeyUseDay, UseTracking
from models.usage import NO_PRIVILEGE, LostCalls, day_of
from storage import denied_requests
from storage.database import database_errors, reader, slow_reader
from storage.history import time_of
from storage.sql import later, parameters, statement
from storage.transactions import run_transaction

_IDS_AT_ONCE = 10_000
_PRIVILEGE_BITS = ", ".join(str(each.bit) for each in PRIVILEGES)

PendingUses = dict[tuple[int, int], tuple[int, datetime]]
"""By authkey and the privilege's bit: how often, and when last"""


async def tracking_since() -> datetime:
    """When uses began to be counted: now, in a new database."""

    async def begin(db: BaseDBAsyncClient) -> datetime:
        row, _ = await UseTracking.get_or_create(id=1, defaults={"since": datetime.now(UTC)}, using_db=db)
        return row.since

    return await run_transaction(begin)


async def store(uses: PendingUses, denials: dict[Denial, Counted]) -> None:
    """Add what the access checks saw to what is stored, in one transaction."""

    async def add(db: BaseDBAsyncClient) -> None:
        await _add(db, uses)
        await denied_requests.add(db, denials, datetime.now(UTC))

    await run_transaction(add)


async def _add(db: BaseDBAsyncClient, uses: PendingUses) -> None:
    if uses:
        # In the order of their keys: instances that write the same rows in different orders would wait for each other.
        await db.execute_many(
            f"INSERT INTO key_use (authkey_id, privilege, count, last_at) VALUES ({parameters(4)}) "
            "ON CONFLICT (authkey_id, privilege) DO UPDATE SET count = key_use.count + excluded.count, "
            f"last_at = {later('key_use')}",
            [[authkey_id, bit, count, at] for (authkey_id, bit), (count, at) in sorted(uses.items())],
        )
        await db.execute_many(
            f"INSERT INTO key_use_day (authkey_id, privilege, day, count) VALUES ({parameters(4)}) "
            "ON CONFLICT (authkey_id, privilege, day) DO UPDATE SET count = key_use_day.count + excluded.count",
            [[authkey_id, bit, day_of(at), count] for (authkey_id, bit), (count, at) in sorted(uses.items())],
        )


async def lost_calls(admin_id: int, since: int) -> LostCalls:
    """How many calls from this day on the revocations and removals would have refused that an admin has staged."""
    # Removals by what was used at all; revocations by their privilege.
    lost = (
        "staged_change.admin_id = {} AND staged_change.subject = 'authkey' AND (staged_change.removal "
        f"OR (use.privilege <> {NO_PRIVILEGE} AND staged_change.revocations & (1 << ABS(use.privilege)) <> 0))"
    )
    of_days, values = statement(
        "SELECT COALESCE(SUM(use.count), 0), COUNT(DISTINCT use.authkey_id) FROM staged_change JOIN key_use_day AS use "
        f"ON use.authkey_id = staged_change.row_id WHERE {lost} AND use.day >= {int(since)}",
        admin_id,
    )
    last, _ = statement(
        "SELECT use.last_at, authkey.ip FROM staged_change JOIN key_use AS use ON use.authkey_id = staged_change.row_id "
        f"JOIN authkey ON authkey.id = use.authkey_id WHERE {lost} ORDER BY use.last_at DESC LIMIT 1",
        admin_id,
    )
    with database_errors():
        _, rows = await slow_reader().execute_query(of_days, values)
        count, key_count = tuple(rows[0])
        if not count:
            return LostCalls(0, 0)
        _, newest = await slow_reader().execute_query(last, values)
    at, ip = tuple(newest[0]) if newest else (None, "")
    return LostCalls(int(count), int(key_count), time_of(at) if at else None, ip)


async def purge_days(before: int) -> None:
    """Forget the days before this one."""

    async def delete(db: BaseDBAsyncClient) -> None:
        await KeyUseDay.filter(day__lt=before).using_db(db).delete()

    await run_transaction(delete)


async def counts(authkey_id: int) -> dict[int, tuple[int, datetime]]:
    """How often and when last each privilege (by its bit) of an authkey was used."""
    with database_errors():
        rows = (
            await KeyUse.filter(authkey_id=authkey_id).using_db(reader()).values_list("privilege", "count", "last_at")
        )
    return {bit: (count, at) for bit, count, at in rows}


async def by_day(authkey_id: int, since: int) -> dict[int, int]:
    """How often an authkey was let through on each day from this one on, whatever for; days without a use are left out."""
    query, values = statement(
        f"SELECT day, SUM(count) FROM key_use_day WHERE authkey_id = {{}} AND day >= {int(since)} GROUP BY day",
        authkey_id,
    )
    with database_errors():
        _, rows = await reader().execute_query(query, values)
    return {day: int(count) for day, count in map(tuple, rows)}


async def used_since(before: datetime, authkey_ids: list[int]) -> dict[int, int]:
    """The privileges of these authkeys, as sets, that were used after `before`, as far as it is written."""
    used: dict[int, int] = {}
    for start in range(0, len(authkey_ids), _IDS_AT_ONCE):
        ids = authkey_ids[start : start + _IDS_AT_ONCE]
        # A time and numbers of our own making: nothing in them comes from outside.
        query = (
            "SELECT authkey_id, SUM(1 << privilege) FROM key_use "
            f"WHERE authkey_id IN ({parameters(len(ids))}) AND privilege IN ({_PRIVILEGE_BITS}) "
            f"AND last_at > '{before.isoformat(' ')}' GROUP BY authkey_id"
        )
        with database_errors():
            _, rows = await reader().execute_query(query, ids)
        used.update({row[0]: int(row[1]) for row in rows})
    return used
