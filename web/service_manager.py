"""Telling systemd how the program fares: sd_notify(3) and sd_watchdog_enabled(3), over the datagram socket that it names.

Without systemd there is no such socket, and nothing is told.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping, MutableMapping

log = logging.getLogger(__name__)

_SOCKET, _INTERVAL, _PROCESS = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class ServiceManager:
    """Who started this program as a service, if anybody did."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Takes the socket out of the environment: the programs that this one starts are no part of the service."""
        self.watchdog_seconds = _watchdog_seconds(environment)
        """Within which it wants to hear of us again and again; None if it does not watch"""
        self._address = environment.pop(_SOCKET, "")

    def ready(self, status: str) -> None:
        """The program answers."""
        self._tell("READY=1", f"STATUS={status}")

    def stopping(self) -> None:
        """The program ends: it lets nobody in any more, and finishes what is under way."""
        self._tell("STOPPING=1", "STATUS=Finishing what is under way")

    async def feed_watchdog(self) -> None:
        """Say for ever that the program lives, twice as often as is wanted: only a loop that turns can say so."""
        assert self.watchdog_seconds is not None
        while True:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_seconds / 2)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # An address that begins with @ is an abstract one: there is no file.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)  # who does not read shall not stop the program
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("systemd could not be told %s: %s", lines[0], error.strerror)


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    interval, process = environment.get(_INTERVAL, ""), environment.get(_PROCESS, "")
    if not interval.isdecimal() or not int(interval) or process not in ("", str(os.getpid())):
        return None
    return int(interval) / 1_000_000
