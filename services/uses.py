"""What the access checks saw: uses of each authkey and privilege, and denied requests. Collected in memory, written in batches.

A question never waits for a write. What is not yet written is lost on kill -9: at most `WRITE_SECONDS` of it, and calls
without a key of the last `CHALLENGE_SECONDS`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import NamedTuple

from nicegui import Event
from tortoise.backends.base.client import BaseDBAsyncClient

from models.authkeys import Authkey
from models.denials import Challenges, Counted, Denial, PendingDenials
from models.door import Reason
from models.errors import DatabaseError, DatabaseUnavailable
from models.manage2_functions import Gate
from models.privileges import PRIVILEGES, Privilege
from models.tables import KeyUse, Refusal, Submission, UseTracking
from models.usage import NO_PRIVILEGE, QUIET_DAYS
from services.supervisor import Supervisor
from storage.database import database_errors, parameters, reader
from storage.transactions import run_transaction

WRITE_SECONDS = 3
KEPT_REFUSALS = 1_000
"""Rows; equal refusals share one"""
_PENDING_USES = 100_000
_IDS_AT_ONCE = 10_000
_DRAWN = 50_000
_PRIVILEGE_BITS = ", ".join(str(each.bit) for each in PRIVILEGES)

log = logging.getLogger(__name__)


class RefusalGroup(NamedTuple):
    """Equal refusals."""

    id: int
    reason: Reason
    ip: str
    authkey_id: int
    service: str
    what: str
    times: int
    first_at: datetime
    last_at: datetime


class Quiet(NamedTuple):
    """A point in time: what was not used, nor changed, since then is unused."""

    before: datetime
    revision: int
    """The newest submission until then"""


class _Batch(NamedTuple):
    uses: dict[tuple[int, int], tuple[int, datetime]]
    denials: dict[Denial, Counted]


class Uses:
    """Notes uses and refusals, writes them from time to time, and reads them."""

    def __init__(self) -> None:
        self._uses: dict[tuple[int, int], tuple[int, datetime]] = {}
        self._denials = PendingDenials()
        self._challenges = Challenges()
        self._writing: asyncio.Task[None] | None = None
        self._full = asyncio.Event()
        self.since = datetime.now(UTC)
        """When uses began to be counted"""
        self.refused = Event[[]]()
        """Refusals were written, by this process or by another."""
        self._newest: object = None
        self._quiet: dict[int, Quiet] = {}
        self._drawn_for: Quiet | None = None
        self._drawn: dict[int, int] = {}

    # -- noting: no await, so that a question never waits --------------------------------------------------------------

    def note_use(self, authkey_id: int, needs: Privilege | Gate) -> None:
        """An authkey was let through."""
        bit = needs.bit if isinstance(needs, Privilege) else NO_PRIVILEGE
        count, _ = self._uses.get((authkey_id, bit), (0, None))
        self._uses[authkey_id, bit] = (count + 1, datetime.now(UTC))
        if len(self._uses) >= _PENDING_USES:
            self._full.set()

    def note_refusal(self, which: Denial) -> None:
        """A question was answered with no."""
        now = datetime.now(UTC)
        self._denials.add(which, Counted(1, now, now))

    def note_challenge(self, ip: str, what: str) -> None:
        """A call without a key was answered with the demand for one: denied, unless the client comes with one."""
        self._challenges.put(ip, what, monotonic(), datetime.now(UTC))

    def note_credentials(self, ip: str, what: str) -> None:
        """A call brought a key, right or wrong: what the same client asked without one was not denied."""
        self._challenges.answered(ip, what)

    # -- writing -------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self, supervisor: Supervisor) -> AsyncIterator[None]:
        """Write regularly until the block ends, and once more then."""
        self.since = await _tracking_since()
        try:
            async with supervisor.keeping({"uses": self._write_regularly}):
                yield
        finally:
            try:
                await self.write(all_challenges=True)
            except DatabaseError:
                log.warning("The latest uses of authkeys could not be written.")

    async def _write_regularly(self) -> None:
        while True:
            try:
                async with asyncio.timeout(WRITE_SECONDS):
                    await self._full.wait()
            except TimeoutError:
                pass
            self._full.clear()
            try:
                await self.write()
            except DatabaseUnavailable as error:
                log.warning("Uses of authkeys could not be written; they are kept for the next attempt. %s", error)

    async def write(self, *, all_challenges: bool = False) -> None:
        """Write what is collected. Raises DatabaseUnavailable; then it stays collected.

        `all_challenges`: also the calls without a key whose clients may still come with one.
        """
        if self._writing is not None and all_challenges:
            await asyncio.wait({self._writing})  # it began before the last was noted
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(float("inf") if all_challenges else monotonic()))
            self._writing.add_done_callback(self._written)
        # Who is cancelled while it waits (the program ends) leaves it to go on: else the batch would be written twice.
        await asyncio.shield(self._writing)

    def _written(self, writing: "asyncio.Task[None]") -> None:
        self._writing = None
        if not writing.cancelled():
            writing.exception()  # whoever waits for it gets it

    async def _write(self, moment: float) -> None:
        for which, counted in self._challenges.expired(moment).items():
            self._denials.add(which, counted)
        batch = _Batch(self._uses, self._denials.take())
        self._uses = {}
        if not batch.uses and not batch.denials:
            return
        try:
            await run_transaction(lambda db: _store(db, batch))
        except DatabaseUnavailable:
            self._give_back(batch)
            raise
        except Exception:
            log.exception("Uses and denied requests could not be written together; now one by one.")
            await self._write_one_by_one(batch)
        if batch.denials:
            await run_transaction(_prune_denials)

    async def _write_one_by_one(self, batch: _Batch) -> None:
        """What no database takes must not keep everything else from being written, again and again."""
        parts = [_Batch({which: use}, {}) for which, use in batch.uses.items()]
        parts += [_Batch({}, {which: counted}) for which, counted in batch.denials.items()]
        while parts:
            part = parts.pop()
            try:
                await run_transaction(lambda db, part=part: _store(db, part))  # type: ignore[misc]
            except DatabaseUnavailable:
                for rest in (part, *parts):
                    self._give_back(rest)
                raise
            except Exception as error:
                log.warning("A use or a denied request cannot be stored and is left out: %s.", type(error).__name__)

    def _give_back(self, batch: _Batch) -> None:
        for key, (count, at) in batch.uses.items():
            more, later = self._uses.get(key, (0, at))
            self._uses[key] = (count + more, max(at, later))
        self._denials.give_back(batch.denials)

    # -- reading -------------------------------------------------------------------------------------------------------

    def counted_for(self, days: int) -> bool:
        """Whether uses have been counted for so many days."""
        return self.since <= datetime.now(UTC) - timedelta(days=days)

    async def quiet_since(self, days: int) -> Quiet | None:
        """From when on uses count for "unused for so many days"; None while nobody can say that of anything.

        To the minute, so that the blocks of one minute ask the database once: no submission that long ago is added later.
        """
        before = (datetime.now(UTC) - timedelta(days=days)).replace(second=0, microsecond=0)
        if self.since > before:
            return None
        known = self._quiet.get(days)
        if known is None or known.before != before:
            with database_errors():
                row = await Submission.filter(at__lte=before).using_db(reader()).order_by("-id").first()
            known = self._quiet[days] = Quiet(before, row.id if row else 0)
        return known

    async def unused(self, rows: Iterable[Authkey], days: int) -> dict[int, int]:
        """The granted privileges of these authkeys, as sets, that were not used for so many days; where there are any."""
        quiet = await self.quiet_since(days)
        unchanged = _unchanged(rows, quiet)
        return _left(unchanged, await _used_since(quiet.before, [row.id for row in unchanged]) if quiet else {})

    async def unused_marks(self, rows: Iterable[Authkey]) -> dict[int, int]:
        """What `unused` says for QUIET_DAYS[0] days, to be drawn: remembered for the rest of the minute.

        Every open page draws the same rows anew at each commit; that must not cost a statement for each page.
        """
        quiet = await self.quiet_since(QUIET_DAYS[0])
        if quiet is not self._drawn_for or len(self._drawn) > _DRAWN:
            self._drawn_for, self._drawn = quiet, {}
        unchanged, drawn = _unchanged(rows, quiet), self._drawn
        if quiet and (missing := [row.id for row in unchanged if row.id not in drawn]):
            drawn |= dict.fromkeys(missing, 0) | await _used_since(quiet.before, missing)
        return _left(unchanged, drawn)

    async def counts(self, authkey_id: int) -> dict[int, tuple[int, datetime]]:
        """How often and when last each privilege (by its bit) of an authkey was used."""
        with database_errors():
            rows = (
                await KeyUse.filter(authkey_id=authkey_id)
                .using_db(reader())
                .values_list("privilege", "count", "last_at")
            )
        return {bit: (count, at) for bit, count, at in rows}

    async def refusals(self, limit: int = 200) -> list[RefusalGroup]:
        """The newest refusals, newest first."""
        with database_errors():
            rows = await Refusal.all().using_db(reader()).order_by("-last_at", "-id").limit(limit)
        return [
            RefusalGroup(
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

    async def refresh(self) -> None:
        """Tell the pages of new refusals, whichever process wrote them."""
        with database_errors():
            newest = await Refusal.all().using_db(reader()).order_by("-last_at").first().values_list("last_at", "count")
        if newest != self._newest:
            self._newest = newest
            self.refused.emit()


def _unchanged(rows: Iterable[Authkey], quiet: Quiet | None) -> list[Authkey]:
    """Those with granted privileges of which anything can be said: one that was changed since may be granted only now."""
    return [row for row in rows if quiet and row.privileges and row.revision <= quiet.revision]


def _left(rows: list[Authkey], used: dict[int, int]) -> dict[int, int]:
    return {row.id: unused for row in rows if (unused := row.privileges & ~used.get(row.id, 0))}


async def _used_since(before: datetime, authkey_ids: list[int]) -> dict[int, int]:
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


async def _tracking_since() -> datetime:
    async def begin(db: BaseDBAsyncClient) -> datetime:
        row, _ = await UseTracking.get_or_create(id=1, defaults={"since": datetime.now(UTC)}, using_db=db)
        return row.since

    return await run_transaction(begin)


async def _store(db: BaseDBAsyncClient, batch: _Batch) -> None:
    await _add_uses(db, batch.uses)
    await _add_denials(db, batch.denials)


# Both in the order of their keys: instances that write the same rows in different orders would wait for each other.


async def _add_uses(db: BaseDBAsyncClient, uses: dict[tuple[int, int], tuple[int, datetime]]) -> None:
    if uses:
        await db.execute_many(
            f"INSERT INTO key_use (authkey_id, privilege, count, last_at) VALUES ({parameters(4)}) "
            "ON CONFLICT (authkey_id, privilege) DO UPDATE SET count = key_use.count + excluded.count, "
            f"last_at = {_later('key_use')}",
            [[authkey_id, bit, count, at] for (authkey_id, bit), (count, at) in sorted(uses.items())],
        )


async def _add_denials(db: BaseDBAsyncClient, denials: dict[Denial, Counted]) -> None:
    if not denials:
        return
    await db.execute_many(
        "INSERT INTO refusal (reason, ip, authkey_id, service, what, count, first_at, last_at) "
        f"VALUES ({parameters(8)}) ON CONFLICT (reason, ip, authkey_id, service, what) DO UPDATE SET "
        f"count = refusal.count + excluded.count, last_at = {_later('refusal')}",
        [[*which, *counted] for which, counted in sorted(denials.items())],
    )


async def _prune_denials(db: BaseDBAsyncClient) -> None:
    """Keep the newest only. In a transaction of its own, which holds no rows that other instances wait for."""
    oldest_kept = await Refusal.all().using_db(db).order_by("-last_at").offset(KEPT_REFUSALS - 1).first()
    if oldest_kept is not None:
        await Refusal.filter(last_at__lt=oldest_kept.last_at).using_db(db).delete()


def _later(table: str) -> str:
    """The later one of the stored and the new time: batches of several processes arrive in any order."""
    return f"CASE WHEN excluded.last_at > {table}.last_at THEN excluded.last_at ELSE {table}.last_at END"
