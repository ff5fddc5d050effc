"""How often something may be tried in a minute, and when again: a moving window over what was counted."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

WINDOW_SECONDS = 60.0


class Limit(NamedTuple):
    """What is counted under one key."""

    key: str
    a_minute: int | None
    """So many are within the limit; None: they are counted only"""


def wait(limits: Sequence[Limit], counted: Mapping[str, Sequence[float]], now: float) -> int | None:
    """Seconds until one more is within all these limits; None if it is now.

    `counted` has by key when something was counted (Unix time, in any order). What lies in the future was counted before the
    clock was set back, and does not count: nobody shall be shut out until time catches up.
    """
    free = [_free_at(each, counted.get(each.key, ()), now) for each in limits]
    latest = max(free, default=0.0)
    return max(1, math.ceil(latest - now)) if latest > now else None


def _free_at(limit: Limit, counted: Sequence[float], now: float) -> float:
    current = sorted(at for at in counted if now - WINDOW_SECONDS < at <= now)
    if limit.a_minute is None or len(current) < limit.a_minute:
        return now
    return current[-limit.a_minute] + WINDOW_SECONDS
