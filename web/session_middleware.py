"""The gate: every request and every socket passes it before anything else sees them.

It answers for our own host names only, takes changes from our own pages only, lets nobody in without a session but to
the few paths that begin one, and puts the security headers on every answer. It is pure ASGI because Starlette's
`BaseHTTPMiddleware` never sees websockets, and the page's events come by websocket.
"""

from collections.abc import Callable
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.access import (
    FACTORS_PATH,
    INVITATION_PATH,
    LAUNCH_PATH,
    PROVIDER_CALLBACK_PATH,
    PROVIDER_LOGOUT_PATH,
    PROVIDER_PATH,
    SIGN_IN_PATH,
    HostRule,
    host_name,
    is_same_origin,
)
from models.errors import DatabaseUnavailable
from models.proxies import TrustedProxies
from models.wording import unavailable_html
from services.sessions import Sessions, admit
from web.caller import below_root, prepare, raw_path

# Exactly these, for who has no session. The provider's need no exception from what is said of other sites: who comes back from
# it follows a link, and its own call to sign somebody out is no browser's.
_OPEN = frozenset(
    {
        *(
            ("GET", path)
            for path in (SIGN_IN_PATH, LAUNCH_PATH, INVITATION_PATH, PROVIDER_PATH, PROVIDER_CALLBACK_PATH)
        ),
        *(("HEAD", path) for path in (SIGN_IN_PATH, LAUNCH_PATH, INVITATION_PATH)),
        *(("POST", path) for path in (SIGN_IN_PATH, INVITATION_PATH, PROVIDER_LOGOUT_PATH)),
    }
)
_OPEN_PATHS = frozenset(path for _, path in _OPEN)
_OPEN_BELOW = tuple(f"{SIGN_IN_PATH}/{each}" for each in ("second-factor", "passkey", "scripts"))
"""The second step of a sign-in, and signing in with a passkey"""
_ENROLLING_PATHS = (FACTORS_PATH, "/sign-out")
_SOCKET_PATH = "/_nicegui_ws/"
_SAFE_METHODS = frozenset({"GET", "HEAD"})

# NiceGUI's client evaluates what the server sends it, and Vue and Quasar set styles inline: without the two `unsafe-`
# for scripts no NiceGUI page runs. Everything else is shut: nothing is loaded from, sent to or framed by another site.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Not "no-referrer": with that, browsers send our own forms with "Origin: null".
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def session_cookie(connection: HTTPConnection, sessions: Sessions) -> str | None:
    """What the browser sent as its session.

    Not read with the standard library's SimpleCookie: that gives up at the first cookie of another program on this host
    which it finds odd.
    """
    return connection.cookies.get(cookie_name(connection, sessions))


def cookie_name(connection: HTTPConnection, sessions: Sessions) -> str:
    """The cookie's name; under TLS its prefix keeps other hosts of the domain from planting one (RFC 6265bis)."""
    return f"__Host-{sessions.cookie_name}" if is_secure(connection) else sessions.cookie_name


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the browser's connection is encrypted."""
    return connection.url.scheme in ("https", "wss")


class SessionMiddleware:
    """Wraps the whole application. What `is_for_scripts` is left to the application for scripts, where a key or a phrase lets in.

    There no browser's session counts for anything, so neither do host and origin.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        hosts: HostRule,
        scripts: ASGIApp | None = None,
        is_for_scripts: Callable[[str], bool] = lambda _: False,
        proxies: TrustedProxies = TrustedProxies(),  # noqa: B008 - nobody; it never changes
    ) -> None:
        self._app = app
        self._scripts = scripts
        self._sessions = sessions
        self._hosts = hosts
        self._is_for_scripts = is_for_scripts
        self._proxies = proxies

    @property
    def routes(self) -> list[BaseRoute]:
        """Of the applications behind."""
        return [*getattr(self._app, "routes", ()), *getattr(self._scripts, "routes", ())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or answer."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        prepare(scope, self._proxies)
        connection = HTTPConnection(scope)
        if self._scripts and scope["type"] == "http" and self._is_for_scripts(raw_path(scope)):
            await self._scripts(scope, receive, send)
            return
        if scope["type"] == "http":
            send = _with_headers(send, secure=is_secure(connection))
        foreign = self._foreign(connection)
        if foreign is not None and foreign.status_code == 403 and _path(connection) in _OPEN_PATHS:
            await self._sessions.refused_foreign(connection.client.host if connection.client else "")
        refusal = foreign or await self._stranger(connection)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    def _foreign(self, connection: HTTPConnection) -> Response | None:
        """The refusal of a request under a name that is not ours, or from a page that is not ours."""
        headers = connection.headers
        hosts = headers.getlist("host")
        host = hosts[0] if len(hosts) == 1 else ""
        if not self._hosts.allows(host):
            name = host_name(host)
            return _refuse(
                f"This server does not answer under the name {name!r}. If that is its name, start it with "
                f"--allowed-host {name}\n"
                if name
                else "This request names no valid host.\n",
                400,
            )
        if not _may_change(connection):
            return _refuse("Another site asks for this, and was refused.\n", 403) if _is_embedded(connection) else None
        scheme = "https" if is_secure(connection) else "http"
        if is_same_origin(scheme, host, headers.get("origin"), headers.get("sec-fetch-site")):
            return None
        return _refuse(
            "This request comes from another site, and was refused. If a reverse proxy stands in front of this "
            "server, start it with --trusted-proxy and the address of the proxy.\n",
            403,
        )

    async def _stranger(self, connection: HTTPConnection) -> Response | None:
        """The refusal of a request without a session; one with a session is marked with it."""
        if _is_open(connection):
            return None
        try:
            session = await self._sessions.find(session_cookie(connection, self._sessions))
        except DatabaseUnavailable as error:
            if _is_visit(connection):
                return HTMLResponse(unavailable_html(error), 503, headers={"Cache-Control": "no-store"})
            return _refuse(f"{error}\n", 503)
        if session is not None:
            admit(connection.scope, session)
            return _only_enrolling(connection) if session.is_enrolling else None
        if _is_visit(connection):
            wanted = _path(connection) + (f"?{connection.url.query}" if connection.url.query else "")
            query = f"?next={quote(wanted, safe='/')}" if wanted != "/" else ""
            return RedirectResponse(connection.scope.get("root_path", "") + SIGN_IN_PATH + query, 303)
        return _refuse(
            f"Sign in first. Browsers do at {SIGN_IN_PATH}; scripts bring a key to Manage2's functions, such as "
            "/XMLlicenseInfo.cgi, and ask /authorize.\n",
            401,
        )


def _is_open(connection: HTTPConnection) -> bool:
    path = _path(connection)
    return (connection.scope.get("method"), path) in _OPEN or path.startswith(_OPEN_BELOW)


def _only_enrolling(connection: HTTPConnection) -> Response | None:
    """The refusal of anything but getting the second factor that this server asks for, and leaving."""
    if _path(connection).startswith(_ENROLLING_PATHS):
        return None
    if _is_visit(connection):
        return RedirectResponse(connection.scope.get("root_path", "") + _ENROLLING_PATHS[0], 303)
    return _refuse("Add a second factor first: this server asks for one.\n", 403)


def _may_change(connection: HTTPConnection) -> bool:
    return (
        connection.scope["type"] == "websocket"
        or connection.scope["method"] not in _SAFE_METHODS
        or _path(connection).startswith(_SOCKET_PATH)
    )


def _is_embedded(connection: HTTPConnection) -> bool:
    """Whether another site's page asks for this by itself, instead of a person who follows a link (Fetch Metadata)."""
    headers = connection.headers
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate"


def _is_visit(connection: HTTPConnection) -> bool:
    """Whether a person opens a page, who can be shown the sign-in page instead."""
    return (
        connection.scope["type"] == "http"
        and connection.scope["method"] in _SAFE_METHODS
        and "text/html" in connection.headers.get("accept", "")
    )


def _path(connection: HTTPConnection) -> str:
    """The path below the root path."""
    return below_root(connection.scope, connection.scope["path"])


def _refuse(text: str, status: int) -> Response:
    return PlainTextResponse(text, status, headers={"Cache-Control": "no-store"})


def _with_headers(send: Send, *, secure: bool) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if secure:
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        await send(message)

    return send_with_headers
