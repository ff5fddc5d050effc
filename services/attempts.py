"""Slowing down who guesses: so many attempts in a minute, counted by all instances together."""

import ipaddress
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

from models.addresses import canonical_ip
from models.attempts import Limit
from models.errors import DatabaseUnavailable, InvalidValue, TooManyAttempts
from storage import attempts

log = logging.getLogger(__name__)


async def is_first(a_minute: int, *what: str) -> bool:
    """Count one of what may be done so often in a minute; whether it is within the limit."""
    return (await attempts.count([Limit(_key("once", *what), a_minute)])).wait is None


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
        """`what` was attempted, as the message says it; each is counted by itself."""
        self._what = what

    async def count(self, name: str, address: str, *, known: bool) -> None:
        """Count an attempt. Raises TooManyAttempts if it must wait, and DatabaseUnavailable."""
        counted = await attempts.count(
            [
                self._here(name, address),
                Limit(_key(self._what, "address", _place(address)), self._ADDRESS),
                Limit(_key(self._what, "account", name.casefold()), None if known else self._ACCOUNT),
            ]
        )
        if counted.wait is not None:
            raise TooManyAttempts(f"Too many attempts {self._what}. Try again in {counted.wait} seconds.", counted.wait)

    async def succeeded(self, name: str, address: str) -> None:
        """The attempt was right: it and those before it no longer count here."""
        await attempts.clear(self._here(name, address).key)

    def _here(self, name: str, address: str) -> Limit:
        return Limit(_key(self._what, "here", name.casefold(), _place(address)), self._HERE)


class Guesses:
    """Slows down an address that tries passphrases, or something like them; only wrong ones count."""

    def __init__(self, what: str = "passphrases", a_minute: int = 20) -> None:
        """`what` was tried, as the message says it; each is counted by itself."""
        self._what = what
        self._a_minute = a_minute

    @asynccontextmanager
    async def guess(self, address: str) -> AsyncIterator["Guess"]:
        """Check one within the block, which says if it was wrong. Raises TooManyAttempts if it must wait.

        Those that are being checked count like wrong ones until it is known: else hundreds sent at once would all be
        checked before the first of them is counted.
        """
        ids, guess = await self._counted(address), Guess()
        try:
            yield guess
        finally:
            if not guess.was_wrong:
                await self._take_back(ids)

    async def count(self, address: str) -> None:
        """Count one, right or wrong. Raises TooManyAttempts if it must wait."""
        await self._counted(address)

    async def _counted(self, address: str) -> tuple[int, ...]:
        counted = await attempts.count([Limit(_key(self._what, _place(address)), self._a_minute)])
        if counted.wait is not None:
            self._refuse(counted.wait)
        return counted.ids

    async def _take_back(self, ids: tuple[int, ...]) -> None:
        try:
            await attempts.take_back(ids)
        except DatabaseUnavailable:  # what was right is done; it counts for a minute
            log.warning("One of %s counts as wrong for a minute: the database does not answer.", self._what)

    def _refuse(self, seconds: int) -> NoReturn:
        raise TooManyAttempts(f"Too many {self._what} from this address. Try again in {seconds} seconds.", seconds)


@dataclass(slots=True)
class Guess:
    """One that is being checked."""

    was_wrong: bool = False


def _key(*parts: str) -> str:
    """One text for several, of which none can pass for two."""
    return "".join(f"{len(part)}:{part}" for part in parts)


def _place(address: str) -> str:
    """What counts as one address: of IPv6 a /64 network, all of whose addresses belong to whoever has one."""
    try:
        ip = ipaddress.ip_address(canonical_ip(address))  # else all mapped IPv4 addresses would be in one network
    except InvalidValue:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 and not ip.is_loopback else str(ip)
