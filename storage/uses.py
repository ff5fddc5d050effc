"""Every statement about uses of authkeys: how often and when last each privilege of each was used."""

from datetime import UTC, datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from models.denials import Counted, Denial
from models.privileges import PRIVILEGES
from models.tables import KeyUse, UseTracking
from storage import denied_requests
from storage.database import database_errors, reader
from storage.sql import later, parameters
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
        await denied_requests.add(db, denials)

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


async def counts(authkey_id: int) -> dict[int, tuple[int, datetime]]:
    """How often and when last each privilege (by its bit) of an authkey was used."""
    with database_errors():
        rows = (
            await KeyUse.filter(authkey_id=authkey_id).using_db(reader()).values_list("privilege", "count", "last_at")
        )
    return {bit: (count, at) for bit, count, at in rows}


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
