"""Every statement about denied requests: equal ones share a row, and only the newest rows are kept."""

from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from models.access_checks import Reason
from models.denials import Counted, Denial, DeniedRequests
from models.tables import DeniedRequest
from storage.database import database_errors, reader
from storage.sql import later, parameters
from storage.transactions import notify, run_transaction


async def add(db: BaseDBAsyncClient, denials: dict[Denial, Counted]) -> None:
    """Add to what is stored, within a transaction; in the order of their keys, for other instances do the same."""
    if not denials:
        return
    await db.execute_many(
        "INSERT INTO refusal (reason, ip, authkey_id, service, what, count, first_at, last_at) "
        f"VALUES ({parameters(8)}) ON CONFLICT (reason, ip, authkey_id, service, what) DO UPDATE SET "
        f"count = refusal.count + excluded.count, last_at = {later('refusal')}",
        [[*which, *counted] for which, counted in sorted(denials.items())],
    )
    await notify(db)


async def prune(kept: int) -> None:
    """Keep so many of the newest. In a transaction of its own, which holds no rows that other instances wait for."""

    async def delete(db: BaseDBAsyncClient) -> None:
        oldest_kept = await DeniedRequest.all().using_db(db).order_by("-last_at").offset(kept - 1).first()
        if oldest_kept is not None:
            await DeniedRequest.filter(last_at__lt=oldest_kept.last_at).using_db(db).delete()

    await run_transaction(delete)


async def newest(limit: int) -> list[DeniedRequests]:
    """The newest, newest first."""
    with database_errors():
        return _read(await DeniedRequest.all().using_db(reader()).order_by("-last_at", "-id").limit(limit))


async def of_key(authkey_id: int) -> list[DeniedRequests]:
    """Those with the key of this authkey, newest first."""
    query = DeniedRequest.filter(authkey_id=authkey_id).using_db(reader())
    with database_errors():
        return _read(await query.order_by("-last_at", "-id"))


def _read(rows: list[DeniedRequest]) -> list[DeniedRequests]:
    return [
        DeniedRequests(
            row.id,
            Reason(row.reason),
            row.ip,
            row.authkey_id,
            row.service,
            row.what,
            row.count,
            row.first_at,
            row.last_at,
        )
        for row in rows
    ]


async def mark() -> tuple[datetime, int] | None:
    """Something that is different whenever a denied request was written."""
    with database_errors():
        return await DeniedRequest.all().using_db(reader()).order_by("-last_at").first().values_list("last_at", "count")
