"""Whose word a socket may bring: that of pages of its own admin, while its session lasts.

NiceGUI lets any socket speak for any page whose id it names, and such an id is in every page's address of its socket,
which proxies write into their logs. The gate has let in only sockets with a session; here what they say is held against it.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from nicegui import Client, core
from socketio.exceptions import ConnectionRefusedError

from services.sessions import Sessions, session_of

log = logging.getLogger(__name__)

_MESSAGES = ("handshake", "event", "javascript_response", "ack", "log")


def guard_sockets(sessions: Sessions) -> None:
    """Drop what a socket says for a page that is not its admin's, or after its session."""

    def guarded(
        handler: Callable[..., Any], page_of: Callable[[Any], object], refuse: Callable[[], bool] = lambda: False
    ) -> Callable[..., Any]:
        async def guarded_handler(socket_id: str, data: Any = None, *more: Any) -> Any:
            if not _may_speak(sessions, socket_id, page_of(data)):
                return refuse()
            try:
                result = handler(socket_id, data, *more)
                return await result if inspect.isawaitable(result) else result
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                # What a page's own code raises is told elsewhere: this was no message of NiceGUI's client.
                log.warning("A message of a socket is not understood: %s", type(error).__name__)
                return refuse()

        guarded_handler.__wrapped__ = handler  # type: ignore[attr-defined]
        return guarded_handler

    handlers = core.sio.handlers["/"]
    for name in _MESSAGES:
        handlers[name] = guarded(inspect.unwrap(handlers[name]), _page_named)
    handlers["connect"] = guarded(inspect.unwrap(handlers["connect"]), _page_in_query, _refuse_connection)


def _refuse_connection() -> bool:
    # In NiceGUI's own words: hearing them a browser loads its page anew, as it must after a restart of the server.
    raise ConnectionRefusedError("Implicit handshake failed")


def _may_speak(sessions: Sessions, socket_id: str, page_id: object) -> bool:
    page = Client.instances.get(page_id) if isinstance(page_id, str) else None
    if page is None:
        return False
    session = session_of(core.sio.get_environ(socket_id)["asgi.scope"])
    return sessions.lasts(session) and session.admin.id == session_of(page.request.scope).admin.id


def _page_named(message: object) -> object:
    return message.get("client_id") if isinstance(message, dict) else None


def _page_in_query(environ: dict[str, Any]) -> object:
    return parse_qs(environ.get("QUERY_STRING", "")).get("client_id", [None])[0]
