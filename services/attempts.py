"""Slowing down who guesses, with windows of a minute that survive a wall clock that jumps back."""

import ipaddress
import math
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from models.addresses import canonical_ip
from models.errors import InvalidValue, TooManyAttempts

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.aio.strategies import MovingWindowRateLimiter


class Limiter:
    """Counts events by key, and allows so many of each in a minute."""

    def __init__(self) -> None:
        self._clock = _wall_clock_offset()

    @cached_property
    def _windows(self) -> "MovingWindowRateLimiter":
        # Imported when there is something to count, for a fast start.
        from limits.aio.storage import MemoryStorage  # noqa: PLC0415
        from limits.aio.strategies import MovingWindowRateLimiter  # noqa: PLC0415

        self._storage = MemoryStorage()
        return MovingWindowRateLimiter(self._storage)

    async def hit(self, a_minute: int, *key: str) -> bool:
        """Count one; whether it is within the limit."""
        await self._forget_after_clock_jump()
        return await self._windows.hit(_limit(a_minute), *key)

    async def left(self, a_minute: int, *key: str) -> int:
        """How many more are within the limit."""
        await self._forget_after_clock_jump()
        return (await self._windows.get_window_stats(_limit(a_minute), *key)).remaining

    async def clear(self, a_minute: int, *key: str) -> None:
        """Forget what was counted."""
        await self._windows.clear(_limit(a_minute), *key)

    async def wait(self, a_minute: int, *key: str) -> int:
        """Seconds until one more is within the limit."""
        reset, _ = await self._windows.get_window_stats(_limit(a_minute), *key)
        return max(1, math.ceil(reset - time.time()))

    async def _forget_after_clock_jump(self) -> None:
        # The library's windows are in wall-clock time: after a jump back they would be shut until time catches up.
        offset = _wall_clock_offset()
        if abs(offset - self._clock) > 5 and self._windows:
            await self._storage.reset()
        self._clock = offset


class Attempts:
    """Slows down who tries passwords, without locking the rightful admin out.

    Attempts are counted for an account from one address, for an address, and for an account from anywhere. The last one
    does not stop an address from which the account is already signed in: otherwise a stranger could keep the admin out
    by guessing from many addresses all day. All of them are over after a minute.
    """

    _HERE = 5
    _ADDRESS = 20
    _ACCOUNT = 30

    def __init__(self, what: str = "to sign in") -> None:
        """`what` was attempted, as the message says it."""
        self._what = what
        self._limiter = Limiter()

    async def count(self, name: str, address: str, *, known: bool) -> None:
        """Count an attempt. Raises TooManyAttempts if it must wait."""
        for limit, key in self._limits(name, address):
            if not await self._limiter.hit(limit, *key) and not (known and limit is self._ACCOUNT):
                seconds = await self._limiter.wait(limit, *key)
                raise TooManyAttempts(f"Too many attempts {self._what}. Try again in {seconds} seconds.", seconds)

    async def succeeded(self, name: str, address: str) -> None:
        """The attempt was right: it and those before it no longer count here."""
        await self._limiter.clear(self._HERE, "here", name.casefold(), _place(address))

    def _limits(self, name: str, address: str) -> list[tuple[int, tuple[str, ...]]]:
        account, place = name.casefold(), _place(address)
        return [
            (self._HERE, ("here", account, place)),
            (self._ADDRESS, ("address", place)),
            (self._ACCOUNT, ("account", account)),
        ]


class Guesses:
    """Slows down an address that tries phrases; only wrong ones count."""

    _WRONG = 20

    def __init__(self) -> None:
        self._limiter = Limiter()
        self._under_way: Counter[str] = Counter()

    @asynccontextmanager
    async def guess(self, address: str) -> AsyncIterator["Guess"]:
        """Check one phrase within the block, which says if it was wrong. Raises TooManyAttempts if it must wait.

        Those that are being checked count like wrong ones until it is known: else hundreds sent at once would all be
        checked before the first of them is counted.
        """
        place = _place(address)
        self._under_way[place] += 1
        try:
            left = await self._limiter.left(self._WRONG, place)
            if self._under_way[place] > left:
                await self._refuse(place)
            guess = Guess()
            try:
                yield guess
            finally:
                if guess.was_wrong:
                    await self._limiter.hit(self._WRONG, place)
        finally:
            self._under_way[place] -= 1
            if not self._under_way[place]:
                del self._under_way[place]

    async def count(self, address: str) -> None:
        """Count one, right or wrong. Raises TooManyAttempts if it must wait."""
        place = _place(address)
        if not await self._limiter.hit(self._WRONG, place):
            await self._refuse(place)

    async def _refuse(self, place: str) -> NoReturn:
        seconds = await self._limiter.wait(self._WRONG, place)
        raise TooManyAttempts(f"Too many passphrases from this address. Try again in {seconds} seconds.", seconds)


@dataclass(slots=True)
class Guess:
    """One phrase that is being checked."""

    was_wrong: bool = False


def _limit(a_minute: int) -> "RateLimitItem":
    from limits import RateLimitItemPerMinute  # noqa: PLC0415 - see above

    return RateLimitItemPerMinute(a_minute)


def _place(address: str) -> str:
    """What counts as one address: of IPv6 a /64 network, all of whose addresses belong to whoever has one."""
    try:
        ip = ipaddress.ip_address(canonical_ip(address))  # else all mapped IPv4 addresses would be in one network
    except InvalidValue:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 and not ip.is_loopback else str(ip)


def _wall_clock_offset() -> float:
    return time.time() - time.monotonic()
