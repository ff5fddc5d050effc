"""What a process counts of its own work, for its metrics: plain numbers, so that counting costs the hottest path next to nothing.

Counting one here takes 0.5 µs; a labelled counter and a histogram of prometheus-client, which lock, take ten times as long. What
is counted becomes metrics when it is asked for (`services.metrics`).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from typing import Any

from models.history import EntryKind

QUICK = (50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Bounds, in seconds, for what is mostly answered from memory"""
SLOW = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds, in seconds, for what waits for a disk"""


class Durations:
    """How long something took, how often: a histogram with fixed bounds."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """Seconds, all together"""

    def add(self, seconds: float) -> None:
        """It took so long once."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    @property
    def counts(self) -> list[int]:
        """How often it took at most as long as each bound, and longer than the one before; last, longer than all."""
        return list(self._counts)

    def absorb(self, counts: Sequence[int], total: float) -> None:
        """What another process counted with the same bounds."""
        self._counts = [mine + theirs for mine, theirs in zip(self._counts, counts, strict=True)]
        self.total += total

    @property
    def count(self) -> int:
        """How often it was done."""
        return sum(self._counts)

    def buckets(self) -> list[tuple[str, float]]:
        """How often it took at most so long, for each bound and without one, as Prometheus wants it."""
        names = [*(repr(bound) for bound in self._bounds), "+Inf"]
        return list(zip(names, map(float, accumulate(self._counts)), strict=True))


@dataclass(slots=True)
class AccessTally:
    """Access checks and registrations, as they were answered by this process."""

    allowed: int = 0
    denied: Counter[str] = field(default_factory=Counter)
    """By `Reason`; each once, also if a proxy sends a denied call on for its caller to learn why"""
    unanswered: int = 0
    """For want of the database, which is a no to whoever asked"""
    seconds: Durations = field(default_factory=lambda: Durations(QUICK))

    def answers(self) -> list[Any]:
        """All but what was denied, to be told to another process: for its `absorb`."""
        return [self.allowed, self.unanswered, self.seconds.counts, self.seconds.total]

    def absorb(self, allowed: int, unanswered: int, counts: Sequence[int], total: float) -> None:
        """What another process answered."""
        self.allowed += allowed
        self.unanswered += unanswered
        self.seconds.absorb(counts, total)


@dataclass(slots=True)
class SubmissionTally:
    """Submissions of this process."""

    committed: Counter[str] = field(default_factory=Counter)
    """By source"""
    failed: Counter[str] = field(default_factory=Counter)
    """By cause"""
    seconds: Durations = field(default_factory=lambda: Durations(SLOW))
    """Of those that were committed"""

    def commit(self, source: str, seconds: float) -> None:
        """One was committed."""
        self.committed[source] += 1
        self.seconds.add(seconds)


class SignInOutcome(StrEnum):
    """How an attempt to sign in ended."""

    SIGNED_IN = "signed_in"
    LAUNCHED = "launch_link_used"
    SIGNED_IN_BY_PROVIDER = "single_sign_on"
    REFUSED = "refused"
    LINK_REFUSED = "launch_link_refused"
    INVITE_REFUSED = "invitation_refused"
    FACTOR_REFUSED = "second_factor_refused"
    SLOWED = "slowed"


_OUTCOMES = {EntryKind[outcome.name]: outcome for outcome in SignInOutcome}


@dataclass(slots=True)
class EntryTally:
    """What happened in this process that the history tells of; of a flood, also what it leaves out."""

    noted: Counter[EntryKind] = field(default_factory=Counter)

    def sign_ins(self) -> dict[SignInOutcome, int]:
        """How attempts to sign in ended."""
        return {outcome: self.noted[kind] for kind, outcome in _OUTCOMES.items()}
