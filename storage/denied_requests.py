"""Every statement about denied requests: equal ones share a row, and only the newest rows are kept; and how many an hour."""

from datetime import datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient

from models.access_checks import Reason
from models.denial_hours import (
    DAYS,
    KEPT_HOURS,
    ByHour,
    beginning,
    counted_by_hour,
    day_bit,
    days_kept,
    days_of,
    hour_of,
    is_known,
)
from models.denial_views import DeniedView
from models.denials import Counted, Denial, DeniedRequests, search_keys
from models.tables import DeniedHour, DeniedRequest
from storage.authkeys import search_condition
from storage.database import database_errors, reader
from storage.history import time_of
from storage.sql import Conditions, later, parameters
from storage.transactions import notify, run_transaction

_OF_KEY = 1_000


async def add(db: BaseDBAsyncClient, denials: dict[Denial, Counted], now: datetime) -> None:
    """Add to what is stored, within a transaction; in the order of their keys, for other instances do the same."""
    if not denials:
        return
    await db.execute_many(
        "INSERT INTO refusal (reason, ip, authkey_id, service, what, ip_key, service_key, count, first_at, last_at, days) "
        f"VALUES ({parameters(11)}) ON CONFLICT (reason, ip, authkey_id, service, what) DO UPDATE SET "
        f"count = refusal.count + excluded.count, last_at = {later('refusal')}, "
        f"days = {_days_before(now)} | excluded.days",
        [[*which, *search_keys(which), *counted, days_of(counted)] for which, counted in sorted(denials.items())],
    )
    await db.execute_many(
        f"INSERT INTO denied_hour (hour, reason, count) VALUES ({parameters(3)}) "
        "ON CONFLICT (hour, reason) DO UPDATE SET count = denied_hour.count + excluded.count",
        [[hour, reason, count] for (hour, reason), count in sorted(counted_by_hour(denials).items())],
    )
    await notify(db)


def _days_before(now: datetime) -> str:
    """The days of a stored row that are still known; of one that was not written for so long none is."""
    # A time and a number of our own making: nothing in them comes from outside.
    since = beginning((now - timedelta(days=DAYS)).date()).isoformat(" ")
    return f"CASE WHEN refusal.last_at < '{since}' THEN 0 ELSE refusal.days & {days_kept(now)} END"


async def prune(kept: int, now: datetime) -> None:
    """Keep so many of the newest, and the last hours. In a transaction of its own, which holds no rows that others wait for."""

    async def delete(db: BaseDBAsyncClient) -> None:
        oldest_kept = await DeniedRequest.all().using_db(db).order_by("-last_at").offset(kept - 1).first()
        if oldest_kept is not None:
            await DeniedRequest.filter(last_at__lt=oldest_kept.last_at).using_db(db).delete()
        await DeniedHour.filter(hour__lt=hour_of(now) - KEPT_HOURS).using_db(db).delete()

    await run_transaction(delete)


async def newest(view: DeniedView, limit: int, now: datetime) -> list[DeniedRequests]:
    """The newest of a view, newest first."""
    return await _newest(_conditions(view, now), limit)


async def of_key(authkey_id: int) -> list[DeniedRequests]:
    """Those with the key of this authkey, newest first."""
    where = Conditions()
    where.add("authkey_id = {}", authkey_id)
    return await _newest(where, _OF_KEY)


async def _newest(where: Conditions, limit: int) -> list[DeniedRequests]:
    query = (
        f"SELECT id, reason, ip, authkey_id, service, what, count, first_at, last_at FROM refusal {where} "
        f"ORDER BY last_at DESC, id DESC LIMIT {int(limit)}"
    )
    with database_errors():
        _, rows = await reader().execute_query(query, where.values)
    return [
        DeniedRequests(id_, Reason(reason), ip, authkey_id, service, what, count, time_of(first), time_of(last))
        for id_, reason, ip, authkey_id, service, what, count, first, last in map(tuple, rows)
    ]


async def count(view: DeniedView, now: datetime) -> int:
    """How many rows a view has."""
    where = _conditions(view, now)
    with database_errors():
        _, rows = await reader().execute_query(f"SELECT count(*) FROM refusal {where}", where.values)
    return int(rows[0][0])


def _conditions(view: DeniedView, now: datetime) -> Conditions:
    where = Conditions()
    if view.search:
        where.add(*search_condition(view.search, of_keys=False))
    if view.reason:
        where.add("reason = {}", view.reason.value)
    if view.day:
        begins = beginning(view.day)
        # What was last denied before that day may still have the bit of an earlier one.
        where.add(f"days & {day_bit(begins) if is_known(view.day, now) else 0} <> 0 AND last_at >= {{}}", begins)
    return where


async def by_hour(reason: Reason | None) -> ByHour:
    """How many requests were denied in each of the last hours, for a reason or for any."""
    where = Conditions()
    if reason:
        where.add("reason = {}", reason.value)
    with database_errors():
        _, rows = await reader().execute_query(
            f"SELECT hour, SUM(count) FROM denied_hour {where} GROUP BY hour", where.values
        )
    return {hour: int(denied) for hour, denied in map(tuple, rows)}


async def mark() -> tuple[datetime, int] | None:
    """Something that is different whenever a denied request was written."""
    with database_errors():
        return await DeniedRequest.all().using_db(reader()).order_by("-last_at").first().values_list("last_at", "count")
