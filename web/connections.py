"""How long the head of a request may be, and how long it may take: uvicorn's httptools has no limit for either."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT = "authkeys.abort"
"""In the scope of a request: ends its connection at once, for an answer that can only be given in part."""
HEAD_BYTES = 128 * 1024
HEAD_SECONDS = 30.0


class GuardedProtocol(HttpToolsProtocol):
    """Ends a connection on which a head does not end: it would fill the memory, or hold the connection for ever.

    Limits of bodies are `web.requests`' and NiceGUI's own; between requests uvicorn's keep-alive time-out counts.
    """

    _waiting: asyncio.TimerHandle | None = None
    """For the end of a head; None while there is none to wait for"""
    _arrived = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is awaited from now on."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head, but for what arrives together with its first byte."""
        self._arrived += len(data)
        super().data_received(data)
        if self._waiting is not None and self._arrived > HEAD_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self.scope[ABORT] = self.transport.abort  # type: ignore[literal-required]
        self._wait_for_head()

    def on_headers_complete(self) -> None:
        """It is complete."""
        self._stop_waiting()
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._arrived = 0
        self._waiting = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        self.transport.abort()
