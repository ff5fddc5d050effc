"""When requests were denied: what is stored of that, by the hour and by the day, and how the last days are drawn. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from models.denials import Counted, Denial
from models.usage import day_of

DAYS = 7
"""So many are drawn, the present one included"""
KEPT_HOURS = (DAYS + 1) * 24
"""So many are kept"""
BARS_HEIGHT = 40
"""Of a drawing, in its own units; an hour is one unit wide"""
_HOUR_SECONDS = 3_600
_DAY_BITS = 31
"""Days are told apart in a set of them that fits into an integer, long after those of it are forgotten."""
_BAR_WIDTH = 0.8
_LEAST_HEIGHT = 2
"""One denied request is seen beside a flood of them."""

ByHour = Mapping[int, int]
"""By `hour_of`, how many requests were denied"""


def hour_of(at: datetime) -> int:
    """The number of an hour, from 1970-01-01 in UTC on. It is stored."""
    return int(at.timestamp() // _HOUR_SECONDS)


def counted_by_hour(denials: Mapping[Denial, Counted]) -> Counter[tuple[int, str]]:
    """How many were denied in which hour, for which reason: no more rows than there are hours and reasons.

    What was collected between two writes, some seconds, counts for the hour of the last of its kind.
    """
    counts: Counter[tuple[int, str]] = Counter()
    for which, counted in denials.items():
        counts[hour_of(counted.last), which.reason] += counted.times
    return counts


def day_bit(at: datetime) -> int:
    """A day as a set of days. It is stored."""
    return 1 << day_of(at) % _DAY_BITS


def days_of(counted: Counted) -> int:
    """The set of days on which equal requests were denied that were collected between two writes."""
    return day_bit(counted.first) | day_bit(counted.last)


def days_kept(at: datetime) -> int:
    """The set of days that a write then leaves: those that are drawn; and the next, which another instance may have begun."""
    return sum(day_bit(at + timedelta(days=days)) for days in range(-DAYS, 2))


def is_known(day: date, now: datetime) -> bool:
    """Whether it is kept what was denied on a day."""
    return now - timedelta(days=DAYS) <= beginning(day) <= now


class DeniedDay(NamedTuple):
    """One day in UTC."""

    day: date
    hours: tuple[int, ...]
    """How many requests were denied in each of its hours"""

    @property
    def total(self) -> int:
        """How many on that day."""
        return sum(self.hours)

    @property
    def busiest(self) -> int:
        """The hour with the most of them, the first of several."""
        return self.hours.index(max(self.hours))


def denied_days(counts: ByHour, now: datetime) -> list[DeniedDay]:
    """The last days in UTC, oldest first, with the present one."""
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    return [
        DeniedDay(day, tuple(counts.get(first + hour, 0) for hour in range(24)))
        for day in days
        for first in [hour_of(beginning(day))]
    ]


def beginning(day: date) -> datetime:
    """When a day begins in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def peak(days: Iterable[DeniedDay]) -> int:
    """How many were denied in the busiest hour of all: what a whole bar means."""
    return max((max(day.hours) for day in days), default=0)


def bars(hours: Iterable[int], highest: int) -> str:
    """The path of an SVG: a bar for each hour, from the left. A whole one means `highest`."""
    return "".join(
        f"M{hour} {BARS_HEIGHT}v-{max(_LEAST_HEIGHT, round(BARS_HEIGHT * count / highest, 1)):g}h{_BAR_WIDTH}V{BARS_HEIGHT}z"
        for hour, count in enumerate(hours)
        if count
    )
