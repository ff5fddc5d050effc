"""The change feed: the one way to hear of a commit, by whomever and from whichever process.

A signal (`storage.signals`) only says "look". What happened is always read from the submissions after the last one seen, so
a lost or doubled signal does no harm. Who hears of it is declared in one place (`services.console`), in this order: sessions
and access checks, which never wait; then staged changes, which wait for an admin who is just submitting; then the pages.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Any, NamedTuple

from nicegui import Event

from models.errors import DatabaseUnavailable
from models.marks import StagingNews
from models.subjects import Row, Subject
from models.submissions import Modification, Source
from services.sessions import Sessions
from services.staging import Staging
from services.submissions import Submissions
from services.supervisor import Supervisor
from storage import staging, submissions
from storage.database import DatabaseLocation
from storage.signals import Rhythm, watch

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


class Commits(NamedTuple):
    """What was committed between two looks."""

    commits: list[Commit]
    changed: Mapping[Subject, Mapping[int, int] | None]
    """By subject the changed rows, with the newest revision that did it; None if they are too many"""

    def ids(self, subject: Subject) -> set[int] | None:
        """The changed rows of one subject; None if they are too many."""
        changed = self.changed[subject]
        return None if changed is None else set(changed)


@dataclass(slots=True)
class _Listener:
    """One who hears of commits, and those that it has not heard of yet."""

    name: str
    hear: Callable[[Commits], Awaitable[None]]
    untold: deque[Commits] = field(default_factory=deque)


class ChangeFeed:
    """Reads what was committed, and tells of it in the declared order."""

    def __init__(
        self,
        location: DatabaseLocation,
        submissions: Submissions,
        stagings: Mapping[Subject, Staging[Any]],
        sessions: Sessions | None,
        rhythm: Rhythm = Rhythm(),  # noqa: B008 - it never changes
    ) -> None:
        """Without `stagings` and `sessions` it is one for access checks only, which have no pages."""
        self._location = location
        self._submissions = submissions
        self._stagings = stagings
        self._sessions = sessions
        self._rhythm = rhythm
        self._signal = asyncio.Event()
        self._heard_at = -inf
        self._heard_again = asyncio.Event()
        self._looking = False
        self._seen = 0
        self._told = asyncio.Event()
        self.revision = 0
        """The newest submission that the pages were told of"""
        self.at_once: dict[str, Callable[[Commits], None]] = {}
        """Called, in this order, before anybody else hears of a commit. While one fails nothing counts as heard."""
        self._listeners = [
            *(_Listener(f"staged changes to {subject}s", self._rebase(subject)) for subject in stagings),
            *([_Listener("pages", self._tell_pages)] if stagings else []),
        ]
        self.followers: dict[str, Callable[[], Awaitable[None]]] = (
            {"staged changes elsewhere": self._read_staged_elsewhere} if stagings else {}
        )
        """Awaited after every signal: what else may have been changed by another process."""
        self.available = True
        self.committed = Event[[Commit]]()
        """A submission was committed; staged changes are already rebased on it."""
        self.availability_changed = Event[[bool]]()
        """The database stopped or began to answer."""

    def heard_within(self, seconds: float) -> bool:
        """Whether everything that was committed up to so long ago is known here."""
        return self.lag < seconds

    @property
    def lag(self) -> float:
        """Seconds since which something may have been committed that is not known here; infinite before the first look."""
        return monotonic() - self._heard_at

    async def hears_again(self, patience: float) -> None:
        """Wait until something is heard, at most so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._heard_again.wait()

    @asynccontextmanager
    async def running(self, supervisor: Supervisor) -> AsyncIterator[None]:
        """Follow the database until the block ends."""
        self.revision = self._seen = await submissions.newest()
        self._submissions.committed.subscribe(self._signal.set, expect_args=False)
        loops = {
            "signals of commits": lambda: watch(self._location, self, self._rhythm),
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
                continue
            except DatabaseUnavailable:
                self._set_available(False)
            except Exception:
                log.exception("The change feed could not look at a commit; it looks again.")
            await asyncio.sleep(_RETRY_SECONDS)
            self._signal.set()

    async def _look(self) -> None:
        """What never waits: which sessions ended, and what access checks must read anew.

        Nothing counts as heard until a look came to its end: what was signalled, and could not be read, may be a revocation.
        """
        self._looking = True
        if self._sessions:
            await self._sessions.refresh()
        commits = await self._read()
        if commits.commits:
            self._tell_at_once(commits)
            self._seen = commits.commits[-1].revision
            for listener in self._listeners:
                listener.untold.append(commits)
        self._told.set()
        self._looking = False

    def _tell_at_once(self, commits: Commits) -> None:
        failed: list[Exception] = []
        for name, hear in self.at_once.items():
            try:
                hear(commits)
            except Exception as error:
                log.error("%s could not hear of a commit.", name, exc_info=error)
                failed.append(error)
        if failed:
            raise failed[0]

    async def _follow_slowly(self) -> None:
        """What may wait, for whoever is submitting or for the database: staged changes, and then the pages."""
        while True:
            await self._told.wait()
            self._told.clear()
            try:
                for listener in self._listeners:
                    await self._tell(listener)
                for name, follow in list(self.followers.items()):  # more may come while one is awaited
                    await _surviving(name, follow())
            except DatabaseUnavailable:
                await asyncio.sleep(_RETRY_SECONDS)
                self._told.set()

    async def _tell(self, listener: _Listener) -> None:
        while listener.untold:
            if not await _surviving(listener.name, listener.hear(listener.untold[0])):
                return  # told again after the next signal
            listener.untold.popleft()

    def _rebase(self, subject: Subject) -> Callable[[Commits], Awaitable[None]]:
        async def rebase(commits: Commits) -> None:
            ids = commits.ids(subject)
            if ids is None or ids:
                await self._stagings[subject].rebase(ids)

        return rebase

    async def _tell_pages(self, commits: Commits) -> None:
        # Everything is read before anything is told: if the database goes away in between, all is told later.
        complete = [await self._with_rows(commit) for commit in commits.commits]
        self.revision = commits.commits[-1].revision
        for commit in complete:
            self.committed.emit(commit)

    async def _with_rows(self, commit: Commit) -> Commit:
        found = await self._stagings[commit.subject].listing.find(m.row_id for m in commit.modifications or ())
        return commit._replace(rows=tuple(found.values()))

    async def _read_staged_elsewhere(self) -> None:
        versions = await staging.versions()
        for each in self._stagings.values():
            await each.refresh(versions)

    async def _read(self) -> Commits:
        found = await submissions.after(self._seen)
        named = await submissions.modifications(
            [each.revision for each in found if each.key_count <= NAMED_MODIFICATIONS]
        )
        commits = [Commit(*each, _named(named.get(each.revision))) for each in found]
        changed = {each: await _changed([commit for commit in commits if commit.subject is each]) for each in Subject}
        return Commits(commits, changed)

    def _set_available(self, available: bool) -> None:
        if available != self.available:
            self.available = available
            self.availability_changed.emit(available)

    # -- what `storage.signals` tells ----------------------------------------------------------------------------------

    def committed_something(self) -> None:
        """Somebody may have committed something: look."""
        self._signal.set()

    def staged(self, news: StagingNews) -> None:
        """Another process says what an admin has staged there."""
        for each in self._stagings.values():
            if each.hear(news):
                self._told.set()

    def nothing_since(self, asked: float) -> None:
        """Nothing was committed up to this moment (`time.monotonic`) that was not signalled."""
        if not self._looking:
            self._heard(asked)

    def _heard(self, at: float) -> None:
        if not self._signal.is_set():  # otherwise there is something that was not looked at yet
            self._heard_at = max(self._heard_at, at)
            self._heard_again.set()
            self._heard_again = asyncio.Event()


async def _surviving(name: str, hearing: Awaitable[None]) -> bool:
    """Let one hear. Its own mistakes keep nobody else from hearing; raises DatabaseUnavailable, for all wait for that."""
    try:
        await hearing
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("The change feed could not tell %r of a commit; it is told again with the next signal.", name)
        return False
    return True


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
