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

from models.access_checks import Reason
from models.denial_hours import DeniedDay, denied_days, hour_of
from models.denial_views import EVERYTHING_DENIED, DeniedView
from models.denials import Challenges, Counted, Denial, DeniedRequests, Echoes, PendingDenials, Refused
from models.errors import DatabaseError, DatabaseUnavailable
from models.manage2_functions import Requirement
from models.privileges import Privilege
from models.subjects import Row
from models.tallies import AccessTally
from models.usage import (
    KEPT_USE_DAYS,
    NO_PRIVILEGE,
    QUIET_DAYS,
    DayCount,
    LostCalls,
    Quiet,
    day_of,
    first_kept_day,
    last_days,
)
from services.supervisor import Supervisor
from storage import denied_requests, submissions, uses

WRITE_SECONDS = 3
KEPT_DENIALS = 1_000
"""Rows; equal ones share one"""
_PENDING_USES, _MOST_USES = 100_000, 200_000
"""Different ones that are worth a write at once, and that are kept at most, some 300 bytes each"""
_DRAWN = 50_000

log = logging.getLogger(__name__)


class _Batch(NamedTuple):
    uses: dict[tuple[int, int], tuple[int, datetime]]
    denials: dict[Denial, Counted]


class Uses:
    """Notes uses and denied requests, writes them from time to time, and reads them."""

    def __init__(self) -> None:
        self._uses: dict[tuple[int, int], tuple[int, datetime]] = {}
        self._denials = PendingDenials()
        self._challenges = Challenges()
        self._echoes = Echoes()
        self._writing: asyncio.Task[None] | None = None
        self._full = asyncio.Event()
        self.tally = AccessTally()
        self.since = datetime.now(UTC)
        """When uses began to be counted"""
        self.denied = Event[[]]()
        """Denied requests were written, by this process or by another."""
        self._newest: object = None
        self._quiet: dict[int, Quiet] = {}
        self._drawn_for: Quiet | None = None
        self._drawn: dict[int, int] = {}

    # -- noting: no await, so that a question never waits --------------------------------------------------------------

    def note_use(self, authkey_id: int, needs: Privilege | Requirement) -> None:
        """An authkey was let through."""
        self.note_uses(authkey_id, needs, 1, datetime.now(UTC))

    def note_uses(self, authkey_id: int, needs: Privilege | Requirement, times: int, at: datetime) -> None:
        """An authkey was let through so often, until then."""
        self.add_uses(authkey_id, bit_of(needs), times, at)

    def add_uses(self, authkey_id: int, bit: int, times: int, at: datetime) -> None:
        """The same, with the privilege's bit. While the database is away no more than `_MOST_USES` different ones are kept."""
        count, _ = self._uses.get((authkey_id, bit), (0, None))
        if not count and len(self._uses) >= _MOST_USES:
            return
        self._uses[authkey_id, bit] = (count + times, at)
        if len(self._uses) >= _PENDING_USES:
            self._full.set()

    def note_denial(self, which: Denial) -> None:
        """A question was answered with no."""
        self.tally.denied[which.reason] += 1
        self.note_denials(which, 1, datetime.now(UTC))

    def note_denials(self, which: Denial, times: int, at: datetime) -> None:
        """A question was answered with no so often, then."""
        self._denials.add(which, Counted(times, at, at))

    def note_refused(self, refused: Refused) -> None:
        """A question was answered with no: on record once, also if a proxy sends the call on for its caller to learn why.

        A call without a key was answered with the demand for one: denied, unless the client comes with one.
        """
        if self._echoes.has_counted(refused):
            return
        self.tally.denied[refused.reason] += 1
        if refused.reason is Reason.NO_KEY:
            self._challenges.put(refused.ip, refused.what, refused.moment, refused.at)
        else:
            self.note_denials(refused.denial, 1, refused.at)

    def note_credentials(self, ip: str, what: str) -> None:
        """A call brought a key, right or wrong: what the same client asked without one was not denied."""
        self._challenges.answered(ip, what)

    # -- writing -------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self, supervisor: Supervisor) -> AsyncIterator[None]:
        """Write regularly until the block ends, and once more then."""
        self.since = await uses.tracking_since()
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
            await uses.store(batch.uses, batch.denials)
        except DatabaseUnavailable:
            self._give_back(batch)
            raise
        except Exception:
            log.exception("Uses and denied requests could not be written together; now one by one.")
            await self._write_one_by_one(batch)
        if batch.denials:
            await denied_requests.prune(KEPT_DENIALS, datetime.now(UTC))

    async def _write_one_by_one(self, batch: _Batch) -> None:
        """What no database takes must not keep everything else from being written, again and again."""
        parts = [_Batch({which: use}, {}) for which, use in batch.uses.items()]
        parts += [_Batch({}, {which: counted}) for which, counted in batch.denials.items()]
        while parts:
            part = parts.pop()
            try:
                await uses.store(part.uses, part.denials)
            except DatabaseUnavailable:
                for rest in (part, *parts):
                    self._give_back(rest)
                raise
            except Exception as error:
                log.warning("A use or a denied request cannot be stored and is left out: %s.", type(error).__name__)

    def _give_back(self, batch: _Batch) -> None:
        newer, self._uses = self._uses, batch.uses
        for (authkey_id, bit), (count, at) in newer.items():
            self.add_uses(authkey_id, bit, count, at)
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
            known = self._quiet[days] = Quiet(before, await submissions.newest_until(before))
        return known

    async def unused(self, rows: Iterable[Row], days: int) -> dict[int, int]:
        """The granted privileges of these authkeys, as sets, that were not used for so many days; where there are any."""
        quiet = await self.quiet_since(days)
        unchanged = _unchanged(rows, quiet)
        return _left(unchanged, await uses.used_since(quiet.before, [row.id for row in unchanged]) if quiet else {})

    async def unused_marks(self, rows: Iterable[Row]) -> dict[int, int]:
        """What `unused` says for QUIET_DAYS[0] days, to be drawn: remembered for the rest of the minute.

        Every open page draws the same rows anew at each commit; that must not cost a statement for each page.
        """
        quiet = await self.quiet_since(QUIET_DAYS[0])
        if quiet is not self._drawn_for or len(self._drawn) > _DRAWN:
            self._drawn_for, self._drawn = quiet, {}
        unchanged, drawn = _unchanged(rows, quiet), self._drawn
        if quiet and (missing := [row.id for row in unchanged if row.id not in drawn]):
            drawn |= dict.fromkeys(missing, 0) | await uses.used_since(quiet.before, missing)
        return _left(unchanged, drawn)

    async def counts(self, authkey_id: int) -> dict[int, tuple[int, datetime]]:
        """How often and when last each privilege (by its bit) of an authkey was used."""
        return await uses.counts(authkey_id)

    async def by_day(self, authkey_id: int) -> list[DayCount]:
        """How often an authkey was let through on each of the last KEPT_USE_DAYS days, whatever for."""
        today = day_of(datetime.now(UTC))
        return last_days(today, await uses.by_day(authkey_id, first_kept_day(today)))

    async def lost_calls(self, admin_id: int) -> LostCalls:
        """How many calls of the last days the revocations and removals would have refused that an admin has staged."""
        return await uses.lost_calls(admin_id, day_of(datetime.now(UTC)) - KEPT_USE_DAYS)

    async def purge(self) -> None:
        """Forget how often what was used longer ago than anybody asks."""
        await uses.purge_days(day_of(datetime.now(UTC)) - KEPT_USE_DAYS)

    async def denied_requests(self, view: DeniedView = EVERYTHING_DENIED, limit: int = 200) -> list[DeniedRequests]:
        """The newest denied requests of a view, newest first."""
        return await denied_requests.newest(view, limit, datetime.now(UTC))

    async def denied_count(self, view: DeniedView) -> int:
        """How many of them a view has, equal ones taken for one."""
        return await denied_requests.count(view, datetime.now(UTC))

    async def denied_days(self, reason: Reason | None = None) -> list[DeniedDay]:
        """How many requests were denied in each hour of the last days, for a reason or for any."""
        return denied_days(await denied_requests.by_hour(reason), datetime.now(UTC))

    async def denied_with(self, authkey_id: int) -> list[DeniedRequests]:
        """The denied requests with the key of an authkey, newest first."""
        return await denied_requests.of_key(authkey_id)

    async def refresh(self) -> None:
        """Tell the pages of new denied requests, whichever process wrote them; and of each new hour, which they draw too."""
        newest = (await denied_requests.mark(), hour_of(datetime.now(UTC)))
        if newest != self._newest:
            self._newest = newest
            self.denied.emit()


def bit_of(needs: Privilege | Requirement) -> int:
    """Under which bit a use is counted."""
    return needs.bit if isinstance(needs, Privilege) else NO_PRIVILEGE


def _unchanged(rows: Iterable[Row], quiet: Quiet | None) -> list[Row]:
    """Those with granted privileges of which anything can be said: one that was changed since may be granted only now."""
    return [row for row in rows if quiet and row.privileges and row.revision <= quiet.revision]


def _left(rows: list[Row], used: dict[int, int]) -> dict[int, int]:
    return {row.id: unused for row in rows if (unused := row.privileges & ~used.get(row.id, 0))}
