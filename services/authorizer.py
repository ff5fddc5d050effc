"""The authorizer: answers, for a reverse proxy or a backend, whether an authkey may do something from an address.

A question must not wait for a disk. So what was read of a key is cached, also that there is no such key, until a commit changes
it. What this process commits is invalidated before it is confirmed, what others commit as the change feed hears of it; while
the feed is not up to date (`ChangeFeed.heard_within`) the cache is not used.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from time import monotonic, perf_counter
from typing import NamedTuple

from models.access_checks import Place, Reason, Verdict, decide
from models.addresses import canonical_ip
from models.denials import Refused
from models.errors import DatabaseUnavailable, InvalidValue
from models.manage2_functions import Requirement
from models.privileges import Privilege
from models.secrets import digest
from services.feed import ChangeFeed
from services.noting import Noting
from services.secret_reading import LONGEST_READ, KnownKey, SecretsReader
from services.supervisor import Supervisor

CACHED = 200_000
"""Keys in use that are remembered; some 400 bytes each."""
CACHED_UNKNOWN = 10_000
_READ_TOGETHER = 100
"""After a large submission all keys in use must be read again; so many are at once."""
FRESH_SECONDS = 1.0
"""A change made by another process takes effect here within this time."""


class Question(NamedTuple):
    """May this key, from this address, do what needs this?"""

    secret: str | None
    ip: str
    needs: Privilege | Requirement
    what: str
    """What was asked for, in words for the record: a privilege's id or a function's name"""
    place: Place = Place.GATEWAY


class Authorizer:
    """Answers access checks and notes what was allowed and what was denied."""

    def __init__(
        self,
        feed: ChangeFeed,
        uses: Noting,
        fresh_within: float = FRESH_SECONDS,
        patience: float = LONGEST_READ,
    ) -> None:
        """What another process changes takes effect here within `fresh_within` seconds; the database has `patience` to answer."""
        self._fresh_within = fresh_within
        self._reader = SecretsReader(fresh_within, patience)
        self._feed = feed
        self._uses = uses
        self._known: OrderedDict[str, KnownKey] = OrderedDict()
        self._unknown: OrderedDict[str, KnownKey] = OrderedDict()
        self._digests: dict[int, str] = {}
        self._forgotten: dict[str, None] = {}
        self._changes = 0

    @asynccontextmanager
    async def holding(self, supervisor: Supervisor) -> AsyncIterator[None]:
        """What runs behind it until the block ends: nothing, for what it remembers it asked for itself."""
        yield

    @property
    def held(self) -> int:
        """How many secrets are held in memory, whoever asks; what was only cached does not count."""
        return 0

    async def ask(self, question: Question) -> Verdict:
        """The answer; it is on record. Raises DatabaseUnavailable, which must be taken for a no."""
        began = perf_counter()
        try:
            verdict = await self.judge(question)
        except DatabaseUnavailable:
            self._uses.tally.unanswered += 1
            raise
        if question.secret:
            self._uses.note_credentials(question.ip, question.what)
        if verdict.allowed and verdict.key is not None:
            self._uses.tally.allowed += 1
            self._uses.note_use(verdict.key.id, question.needs)
        elif verdict.reason is not None:
            self.note_denial(question, verdict)
        self._uses.tally.seconds.add(perf_counter() - began)
        return verdict

    async def deny_unknown(self, question: Question, reason: Reason) -> None:
        """Put on record that something was asked for that is nothing we know; with the key's service if it is in force."""
        verdict = await self.judge(question)
        self.note_denial(question, Verdict(reason, verdict.key if verdict.allowed else None))

    async def judge(self, question: Question) -> Verdict:
        """The answer, without a trace: for the tester in the page."""
        if not question.secret:
            return Verdict(Reason.NO_KEY)
        try:
            ip = canonical_ip(question.ip)
        except InvalidValue:
            return Verdict(Reason.UNKNOWN_KEY)
        found = await self._find(digest(question.secret))
        if found.gone is not None:
            return Verdict(found.gone, found.key)
        return decide(found.key, ip, question.needs)

    async def _find(self, secret_digest: str) -> KnownKey:
        found = self._known.get(secret_digest) or self._unknown.get(secret_digest)
        if found is None or not self._feed.heard_within(self._fresh_within):
            return await self._read_anew(secret_digest)
        return found

    def note_denial(self, question: Question, verdict: Verdict) -> None:
        """Put a denied request on record, with its reason."""
        key, secret = verdict.key, question.secret
        self._uses.note_refused(
            Refused(
                verdict.reason or Reason.UNKNOWN_WHAT,
                question.ip,
                key.id if key else 0,
                key.service if key else "",
                question.what,
                digest(secret) if secret else "",
                question.place,
                monotonic(),
                datetime.now(UTC),
            )
        )

    def invalidate(self, authkey_ids: Iterable[int]) -> None:
        """These authkeys were changed, and others may be new: ask the database again."""
        self._changes += 1
        self._unknown.clear()
        for id_ in authkey_ids:
            if known := self._digests.pop(id_, None):
                self._known.pop(known, None)
                self._forgotten[known] = None
        if len(self._forgotten) > CACHED:
            self._forgotten.clear()

    def invalidate_older(self, revisions: Mapping[int, int] | None) -> None:
        """Forget what was read of these authkeys before these revisions (None: of all authkeys)."""
        if revisions is None:
            self.invalidate(list(self._digests))
            return
        self.invalidate(id_ for id_, revision in revisions.items() if self._read_before(id_, revision))

    def _read_before(self, authkey_id: int, revision: int) -> bool:
        remembered = self._known.get(self._digests.get(authkey_id, ""))
        return remembered is not None and remembered.revision < revision

    async def _read_anew(self, secret_digest: str) -> KnownKey:
        changes = self._changes
        self._forgotten.pop(secret_digest, None)
        together = [secret_digest, *islice(self._forgotten, _READ_TOGETHER - 1)]
        for each in together[1:]:
            del self._forgotten[each]
        found = await self._reader.read(together)
        if changes == self._changes:  # otherwise something may have changed while it was read
            for each in together:
                self._remember(each, found[each])
        return found[secret_digest]

    def _remember(self, secret_digest: str, found: KnownKey) -> None:
        key = found.key
        if key is None or found.gone is Reason.REPLACED:
            # Beside its new secret: `forget` finds only one of an authkey.
            self._unknown[secret_digest] = found
            if len(self._unknown) > CACHED_UNKNOWN:
                self._unknown.popitem(last=False)
            return
        # An authkey has one secret: with its new one the old one goes, which `forget` could not find any more.
        self._known.pop(self._digests.get(key.id, ""), None)
        self._known[secret_digest] = found
        self._digests[key.id] = secret_digest
        if len(self._known) > CACHED:
            _, oldest = self._known.popitem(last=False)
            self._digests.pop(oldest.key.id if oldest.key else 0, None)
