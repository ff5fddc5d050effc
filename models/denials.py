"""Denied requests before they are written: counted once, with their reason, in bounded memory. Pure.

Three things make that less simple than a counter. A client may ask without credentials first, only to be asked for them
(401, RFC 9110, 11.6.1): if it then comes with a key, nothing was denied. A proxy that shows its caller the reason sends a
refused call on to us a second time: that is one denied request. And nothing that callers do may fill the memory.
"""

from collections import Counter, OrderedDict
from datetime import datetime
from typing import NamedTuple

from models.access_checks import Place, Reason
from models.addresses import MAX_CALLER_LENGTH, canonical_ip, sort_key
from models.errors import InvalidValue
from models.texts import search_key, storable

MAX_PENDING = 2_000
"""Different ones; more than that between two writes are a flood, of which these tell enough."""
CHALLENGE_SECONDS = 10.0
"""Within so long a client that was asked for credentials comes with them, or it has none."""
ECHO_SECONDS = 5.0
"""Within so long a proxy that hands a refused call on has done so."""
_MAX_REMEMBERED = 10_000


class Denial(NamedTuple):
    """What equal denied requests have in common; texts are as the table can hold them."""

    reason: str
    ip: str
    authkey_id: int
    """0 for an unknown key"""
    service: str
    what: str


class Counted(NamedTuple):
    """How often, and when."""

    times: int
    first: datetime
    last: datetime

    def plus(self, other: "Counted") -> "Counted":
        """Both together."""
        return Counted(self.times + other.times, min(self.first, other.first), max(self.last, other.last))


def denial(reason: Reason, ip: str, authkey_id: int, service: str, what: str) -> Denial:
    """A denied request, with what its caller wrote cut and cleaned to what a table can hold."""
    return Denial(reason.value, storable(ip, MAX_CALLER_LENGTH), authkey_id, storable(service, 100), storable(what, 80))


class Refused(NamedTuple):
    """One question that was answered with no, wherever."""

    reason: Reason
    ip: str
    authkey_id: int
    service: str
    what: str
    digest: str
    """The key's; empty for none"""
    place: Place
    moment: float
    """In seconds of a clock that never jumps, and that is the same in all processes of this machine"""
    at: datetime

    @property
    def denial(self) -> Denial:
        """What goes on record."""
        return denial(self.reason, self.ip, self.authkey_id, self.service, self.what)


def search_keys(which: Denial) -> tuple[bytes | None, str]:
    """What it is searched by: the sort key of its address, if it is one, and its service."""
    try:
        ip_key = sort_key(canonical_ip(which.ip))
    except InvalidValue:
        ip_key = None
    return ip_key, search_key(which.service)


class PendingDenials:
    """Those that are not written yet. Of a flood of different ones only the first are kept, and equal ones counted."""

    def __init__(self) -> None:
        self._pending: dict[Denial, Counted] = {}

    def add(self, which: Denial, counted: Counted) -> None:
        """Count it, unless there are too many different ones already."""
        known = self._pending.get(which)
        if known is not None:
            self._pending[which] = known.plus(counted)
        elif len(self._pending) < MAX_PENDING:
            self._pending[which] = counted

    def take(self) -> dict[Denial, Counted]:
        """All of them; they are no longer here."""
        taken, self._pending = self._pending, {}
        return taken

    def give_back(self, taken: dict[Denial, Counted]) -> None:
        """They could not be written: keep them, before those that came meanwhile."""
        later, self._pending = self._pending, dict(taken)
        for which, counted in later.items():
            self.add(which, counted)

    def __len__(self) -> int:
        return len(self._pending)


class _Waiting(NamedTuple):
    since: float
    """In seconds of a clock that never jumps"""
    counted: Counted


class Challenges:
    """Calls without a key, until their client comes with one, or evidently has none."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, str], _Waiting] = OrderedDict()

    def put(self, ip: str, what: str, moment: float, now: datetime) -> None:
        """A client was asked for credentials."""
        one = Counted(1, now, now)
        known = self._waiting.get((ip, what))
        if known is not None:
            self._waiting[ip, what] = _Waiting(known.since, known.counted.plus(one))
        elif len(self._waiting) < MAX_PENDING:
            self._waiting[ip, what] = _Waiting(moment, one)

    def answered(self, ip: str, what: str) -> None:
        """It came with them, so nothing was denied."""
        self._waiting.pop((ip, what), None)

    def expired(self, moment: float) -> dict[Denial, Counted]:
        """Those whose clients did not come back; they are no longer here."""
        expired: dict[Denial, Counted] = {}
        while self._waiting:
            (ip, what), waiting = next(iter(self._waiting.items()))
            if moment - waiting.since < CHALLENGE_SECONDS:
                break
            del self._waiting[ip, what]
            expired[denial(Reason.NO_KEY, ip, 0, "", what)] = waiting.counted
        return expired


class Echoes:
    """Requests denied at the authorizer that a proxy may hand on to the gateway, for its caller to learn the reason."""

    def __init__(self) -> None:
        self._expected: Counter[tuple[str, str, str]] = Counter()
        self._order: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def has_counted(self, refused: Refused) -> bool:
        """Whether this is one that was counted when the authorizer refused it; one of the authorizer's is expected from now on."""
        if refused.place is Place.AUTHORIZER:
            self.expect(refused.ip, refused.what, refused.digest, refused.moment)
        return refused.place is Place.GATEWAY and self.is_one(refused.ip, refused.what, refused.digest, refused.moment)

    def expect(self, ip: str, what: str, digest: str, moment: float) -> None:
        """The authorizer refused this; `digest` is the key's, empty for none."""
        which = (ip, what, digest)
        self._expected[which] += 1
        self._order[which] = moment
        self._order.move_to_end(which)
        while self._order and (len(self._order) > _MAX_REMEMBERED or self._is_over(moment)):
            oldest, _ = self._order.popitem(last=False)
            del self._expected[oldest]

    def is_one(self, ip: str, what: str, digest: str, moment: float) -> bool:
        """Whether what the gateway denies is one that the authorizer has counted; each is one only once."""
        which = (ip, what, digest)
        if moment - self._order.get(which, float("-inf")) >= ECHO_SECONDS:
            return False
        self._expected[which] -= 1
        if not self._expected[which]:
            del self._expected[which], self._order[which]
        return True

    def _is_over(self, moment: float) -> bool:
        return moment - next(iter(self._order.values())) >= ECHO_SECONDS


class DeniedRequests(NamedTuple):
    """Equal denied requests."""

    id: int
    reason: Reason
    ip: str
    authkey_id: int
    service: str
    what: str
    times: int
    first_at: datetime
    last_at: datetime
