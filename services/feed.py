"""The change feed: tells this process what was committed, by whomever and from whichever process.

A signal (`storage.signals`) only says "look". What happened is always read from the submissions after the last one seen, so
a lost or doubled signal does no harm.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from time import monotonic
from types import MappingProxyType
from typing import NamedTuple

from nicegui import Event

from models.errors import DatabaseUnavailable
from models.subjects import Row, Subject
from models.submissions import Modification, Source
from services.authkeys import Authkeys
from services.sessions import Sessions
from services.staging import Staging
from services.submissions import Submissions
from services.supervisor import Supervisor
from storage import submissions
from storage.database import DatabaseLocation
from storage.signals import watch
from storage.staging import WhoStaged

NAMED_MODIFICATIONS = 500
"""A commit with more modifications than this is told without naming them: pages then read their rows anew."""
_LISTED_KEYS = 20_000
"""Of commits that changed more rows than this, not even their ids are read."""

_LOST_SIGNAL_SECONDS = 15
_RETRY_SECONDS = 1

log = logging.getLogger(__name__)


class Commit(NamedTuple):
    """One committed submission."""

    revision: int
    admin_name: str
    source: Source
    subject: Subject
    change_count: int
    key_count: int
    modifications: tuple[Modification, ...] | None
    """What it did, or None if that are too many to name."""
    rows: tuple[Row, ...] = ()
    """The named rows that still exist, as they are now: read once for all pages."""
    who_staged: WhoStaged = MappingProxyType({})
    """Who has staged something for them."""


class _Untold(NamedTuple):
    """Commits of which staged changes and pages have not heard."""

    commits: list[Commit]
    changed: dict[Subject, dict[int, int] | None]


class ChangeFeed:
    """Reads what was committed, and tells of it in two steps.

    Sessions and access checks first: they wait for nobody. Then staged changes are adjusted to it, which waits for an admin
    who is just submitting, and at last the pages hear of it.
    """

    def __init__(
        self,
        location: DatabaseLocation,
        authkeys: Authkeys,
        submissions: Submissions,
        stagings: Mapping[Subject, Staging],
        sessions: Sessions,
    ) -> None:
        self._location = location
        self._authkeys = authkeys
        self._submissions = submissions
        self._stagings = stagings
        self._sessions = sessions
        self._signal = asyncio.Event()
        self._heard_at = 0.0
        self._looking = False
        self._seen = 0
        self._untold: deque[_Untold] = deque()
        self._told = asyncio.Event()
        self.revision = 0
        """The newest submission that the pages were told of"""
        self.first_told: list[Callable[[dict[int, int] | None], None]] = []
        """Called with the changed authkeys and their new revisions (None: too many) before anybody is told of a commit."""
        self.available = True
        self.followers: list[Callable[[], Awaitable[None]]] = []
        """Awaited after every signal: what else may have been changed by another process."""
        self.committed = Event[[Commit]]()
        """A submission was committed; staged changes are already rebased on it."""
        self.availability_changed = Event[[bool]]()
        """The database stopped or began to answer."""

    def heard_within(self, seconds: float) -> bool:
        """Whether everything that was committed up to so long ago is known here."""
        return monotonic() - self._heard_at < seconds

    @asynccontextmanager
    async def running(self, supervisor: Supervisor) -> AsyncIterator[None]:
        """Follow the database until the block ends."""
        self.revision = self._seen = await submissions.newest()
        self._submissions.committed.subscribe(self._signal.set, expect_args=False)
        loops = {
            "signals of commits": lambda: watch(self._location, self),
            "change feed": self._follow,
            "change feed of pages": self._follow_slowly,
        }
        try:
            async with supervisor.keeping(loops):
                yield
        finally:
            self._submissions.committed.unsubscribe(self._signal.set)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                # Not wait_for: in Python 3.11 it can swallow the cancellation that ends this loop.
                async with asyncio.timeout(_LOST_SIGNAL_SECONDS):
                    await self._signal.wait()
            self._signal.clear()
            try:
                began = monotonic()
                await self._look()
                self._heard(began)
                self._set_available(True)
            except DatabaseUnavailable:
                self._set_available(False)
                await asyncio.sleep(_RETRY_SECONDS)
                self._signal.set()
            except Exception:
                log.exception("The change feed could not look at a commit; it is looked at again with the next signal.")

    async def _look(self) -> None:
        """What never waits: which sessions ended, and what access checks must read anew."""
        self._looking = True
        try:
            await self._sessions.refresh()
            commits = await self._read()
            if commits:
                self._authkeys.forget_counts()
                changed = {
                    subject: await _changed([each for each in commits if each.subject is subject])
                    for subject in Subject
                }
                for tell in self.first_told:
                    tell(changed[Subject.AUTHKEY])
                self._seen = commits[-1].revision
                self._untold.append(_Untold(commits, changed))
            self._told.set()
        finally:
            self._looking = False

    async def _follow_slowly(self) -> None:
        """What waits for whoever is submitting: staged changes, and then the pages."""
        while True:
            await self._told.wait()
            self._told.clear()
            try:
                await self._tell_of_commits()
                for staging in self._stagings.values():
                    await staging.refresh()
                for follow in self.followers:
                    await follow()
            except DatabaseUnavailable:
                await asyncio.sleep(_RETRY_SECONDS)
                self._told.set()
            except Exception:
                log.exception("The change feed could not tell of a commit; pages may show it late.")

    async def _tell_of_commits(self) -> None:
        while self._untold:
            commits, changed = self._untold[0]
            for subject, staging in self._stagings.items():
                ids = changed[subject]
                if ids is None or ids:
                    await staging.rebase(None if ids is None else set(ids))
            # Everything is read before anything is told: if the database goes away in between, all is told later.
            complete = [await self._with_rows(commit) for commit in commits]
            self._untold.popleft()
            self.revision = commits[-1].revision
            for commit in complete:
                self.committed.emit(commit)

    async def _with_rows(self, commit: Commit) -> Commit:
        staging = self._stagings[commit.subject]
        found = await staging.rows.find(m.row_id for m in commit.modifications or ())
        return commit._replace(rows=tuple(found.values()), who_staged=await staging.who_staged(found))

    async def _read(self) -> list[Commit]:
        found = await submissions.after(self._seen)
        named = await submissions.modifications(
            [each.revision for each in found if each.key_count <= NAMED_MODIFICATIONS]
        )
        return [Commit(*each, _named(named.get(each.revision))) for each in found]

    def _set_available(self, available: bool) -> None:
        if available != self.available:
            self.available = available
            self.availability_changed.emit(available)

    # -- what `storage.signals` tells ----------------------------------------------------------------------------------

    def committed_something(self) -> None:
        """Somebody may have committed something: look."""
        self._signal.set()

    def nothing_since(self, asked: float) -> None:
        """Nothing was committed up to this moment (`time.monotonic`) that was not signalled."""
        if not self._looking:
            self._heard(asked)

    def _heard(self, at: float) -> None:
        if not self._signal.is_set():  # otherwise there is something that was not looked at yet
            self._heard_at = max(self._heard_at, at)


async def _changed(commits: list[Commit]) -> dict[int, int] | None:
    """The rows that were changed, with the newest revision that did it; None if they are too many."""
    if sum(commit.key_count for commit in commits) > _LISTED_KEYS:
        return None
    changed: dict[int, int] = {}
    for commit in commits:
        if commit.modifications is not None:
            ids = [modification.row_id for modification in commit.modifications]
        else:
            ids = await submissions.rows_in(commit.revision)
        changed.update(dict.fromkeys(ids, commit.revision))
    return changed


def _named(modifications: list[Modification] | None) -> tuple[Modification, ...] | None:
    return None if modifications is None else tuple(modifications)
