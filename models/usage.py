"""Which privileges of an authkey are in use, by when each was last used and since when that is known."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

NO_PRIVILEGE = -1
"""Stands, where a privilege's bit does, for a use that needed none. It is stored: it never changes."""
QUIET_DAYS = (30, 90)
"""One can look for privileges that were not used for so many days."""
"""A granted privilege that was not used for so long is marked."""


KEPT_USE_DAYS = 30
"""For so many days it is known how often each privilege of each authkey was used."""
_DAY_SECONDS = 86_400


def day_of(at: datetime) -> int:
    """The number of a day in UTC, from 1970-01-01 on. It is stored."""
    return int(at.timestamp() // _DAY_SECONDS)


class DayCount(NamedTuple):
    """How often something happened on one day, in UTC."""

    day: date
    times: int


def last_days(today: int, counts: Mapping[int, int]) -> list[DayCount]:
    """The KEPT_USE_DAYS days up to today, in their order, each with its count; those that are not among `counts` had none."""
    return [
        DayCount(datetime.fromtimestamp(day * _DAY_SECONDS, UTC).date(), counts.get(day, 0))
        for day in range(first_kept_day(today), today + 1)
    ]


def first_kept_day(today: int) -> int:
    """The first of the KEPT_USE_DAYS days up to today."""
    return today - KEPT_USE_DAYS + 1


class LostCalls(NamedTuple):
    """Calls that were let through lately, and would not be any more."""

    calls: int
    key_count: int
    """By how many authkeys"""
    last_at: datetime | None = None
    last_ip: str = ""


class Quiet(NamedTuple):
    """A point in time: what was not used, nor changed, since then is unused."""

    before: datetime
    revision: int
    """The newest submission until then"""
