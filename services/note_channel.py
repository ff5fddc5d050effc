"""What several processes note of access checks, brought together in their parent, which writes it: as if it were one.

A denied request that a proxy sends on for its words, and the second call of a client that was asked for a key, may reach
another process than the first. So a process writes nothing itself. It tells its parent every moment, with the moments at which
things happened (`time.monotonic`, the same in all processes of a machine), and the parent notes them in that order.
"""

import asyncio
import heapq
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from math import inf
from time import monotonic
from typing import Any

from models.access_checks import Place, Reason
from models.denials import Denial, Refused
from models.manage2_functions import Requirement
from models.privileges import Privilege
from models.tallies import AccessTally
from services.supervisor import Supervisor
from services.uses import Uses, bit_of
from storage.database import DatabaseLocation, open_database
from storage.transactions import finish_transactions

TELL_SECONDS = 0.1
"""How often a process tells its parent."""
SETTLE_SECONDS = 1.0
"""So long the parent waits for what another process noted earlier."""
_MOST_EVENTS = 20_000
"""Of a flood of denied requests between two moments these tell enough."""
_MOST_USES = 100_000


class ToldNotes:
    """What one process notes until it is told to the parent; in bounded memory, also if the parent does not listen."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._uses: dict[tuple[int, int], tuple[int, float]] = {}
        self._credentials: dict[tuple[str, str], float] = {}
        self._refused: list[Refused] = []
        self._denials: list[tuple[Denial, float, float]] = []
        self.tally = AccessTally()

    def note_use(self, authkey_id: int, needs: Privilege | Requirement) -> None:
        """An authkey was let through."""
        which = (authkey_id, bit_of(needs))
        known = self._uses.get(which)
        if known is not None or len(self._uses) < _MOST_USES:
            self._uses[which] = ((known[0] if known else 0) + 1, datetime.now(UTC).timestamp())

    def note_credentials(self, ip: str, what: str) -> None:
        """A call brought a key, right or wrong."""
        if len(self._credentials) < _MOST_EVENTS or (ip, what) in self._credentials:
            self._credentials[ip, what] = monotonic()

    def note_refused(self, refused: Refused) -> None:
        """A question was answered with no."""
        if len(self._refused) < _MOST_EVENTS:
            self._refused.append(refused)

    def note_denial(self, which: Denial) -> None:
        """Something else was refused, such as a registration."""
        if len(self._denials) < _MOST_EVENTS:
            self._denials.append((which, monotonic(), datetime.now(UTC).timestamp()))

    def take(self) -> str:
        """All of it, as one line for `GatheredNotes.hear`; it is no longer here. Empty if there is nothing."""
        if not (self._uses or self._credentials or self._refused or self._denials or self.tally.unanswered):
            return ""
        told = {
            "uses": [[*which, *use] for which, use in self._uses.items()],
            "credentials": [[moment, *which] for which, moment in self._credentials.items()],
            "refused": [[*each[:6], each.place.value, each.moment, each.at.timestamp()] for each in self._refused],
            "denials": [[list(which), moment, at] for which, moment, at in self._denials],
            "answers": self.tally.answers(),
        }
        self._begin()
        return json.dumps(told, separators=(",", ":"))


class GatheredNotes:
    """What the processes told, in the order in which it happened."""

    def __init__(self, uses: Uses) -> None:
        self._uses = uses
        self.tally = uses.tally
        """What all of them together answered"""
        self._waiting: list[tuple[float, int, Any]] = []
        self._numbers = count()

    def hear(self, line: str) -> None:
        """Take what a process told."""
        told = json.loads(line)
        self._uses.tally.absorb(*told["answers"])
        for authkey_id, bit, times, at in told["uses"]:
            self._uses.add_uses(authkey_id, bit, times, _time(at))
        for moment, ip, what in told["credentials"]:
            self._put(moment, (ip, what))
        for reason, ip, authkey_id, service, what, digest, place, moment, at in told["refused"]:
            which = (ip, authkey_id, service, what, digest)
            self._put(moment, Refused(Reason(reason), *which, Place(place), moment, _time(at)))
        for which, moment, at in told["denials"]:
            self._put(moment, (Denial(*which), _time(at)))

    def _put(self, moment: float, event: object) -> None:
        heapq.heappush(self._waiting, (moment, next(self._numbers), event))

    async def note_regularly(self) -> None:
        """Note what happened, once no process can tell of anything earlier any more."""
        while True:
            await asyncio.sleep(TELL_SECONDS)
            self.note(monotonic() - SETTLE_SECONDS)

    def note(self, until: float) -> None:
        """Note what happened until this moment (`time.monotonic`)."""
        while self._waiting and self._waiting[0][0] <= until:
            match heapq.heappop(self._waiting)[2]:
                case Refused() as refused:
                    self._uses.note_refused(refused)
                case (Denial() as which, datetime() as at):
                    self._uses.tally.denied[which.reason] += 1
                    self._uses.note_denials(which, 1, at)
                case (str(ip), str(what)):
                    self._uses.note_credentials(ip, what)


@asynccontextmanager
async def gathering(location: DatabaseLocation, supervisor: Supervisor) -> AsyncIterator[GatheredNotes]:
    """Write what is told until the block ends, and then what is left. Raises DatabaseUnusable and DatabaseUnavailable."""
    async with open_database(location):
        try:
            uses = Uses()
            async with uses.running(supervisor):
                notes = GatheredNotes(uses)
                async with supervisor.keeping({"notes of workers": notes.note_regularly}):
                    yield notes
                notes.note(inf)
        finally:
            await finish_transactions()


def _time(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
