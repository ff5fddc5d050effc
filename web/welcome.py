"""How a browser comes to hold a session, whichever way it came in, and what it holds while it is only half in."""

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from models.access import ABSOLUTE
from models.second_factors import PENDING_LASTS
from services.console import Console
from web.requests import address_of
from web.session_middleware import cookie_name, is_secure, session_cookie

_STEP, _ASKED = "-step", "-asked"
"""What the names of the cookies end with: of a second step, and of a passkey that says itself whose it is"""


async def end_present_session(console: Console, request: Request) -> None:
    """Who signs in anew leaves the session before behind: nobody can have planted it for later use."""
    present = await console.sessions.find(session_cookie(request, console.sessions))
    if present is not None:
        await console.sessions.end(present, address_of(request))


def welcome(console: Console, request: Request, cookie: str, to: str) -> Response:
    """Send a browser to a path with the session that it begins."""
    answer = RedirectResponse(request.scope.get("root_path", "") + to, 303)
    answer.set_cookie(
        cookie_name(request, console.sessions),
        cookie,
        max_age=round(ABSOLUTE.total_seconds()),
        httponly=True,
        secure=is_secure(request),
        # Not strict: a bookmarked view opened from a ticket or a mail would look signed out. What changes anything
        # checks where it comes from as well (`SessionMiddleware`).
        samesite="lax",
    )
    for what in (_STEP, _ASKED):
        answer.delete_cookie(
            cookie_name(request, console.sessions) + what, httponly=True, secure=is_secure(request), samesite="strict"
        )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def keep_step(console: Console, request: Request, answer: Response, token: str) -> None:
    """Let the browser hold its second step."""
    _keep(console, request, answer, token, _STEP)


def step_of(console: Console, request: Request) -> str | None:
    """The second step that a browser holds."""
    return request.cookies.get(cookie_name(request, console.sessions) + _STEP)


def keep_asked(console: Console, request: Request, answer: Response, token: str) -> None:
    """Let the browser hold that it was asked for a passkey, whosever."""
    _keep(console, request, answer, token, _ASKED)


def asked_of(console: Console, request: Request) -> str:
    """What `keep_asked` gave it."""
    return request.cookies.get(cookie_name(request, console.sessions) + _ASKED, "")


def _keep(console: Console, request: Request, answer: Response, token: str, what: str) -> None:
    answer.set_cookie(
        cookie_name(request, console.sessions) + what,
        token,
        max_age=round(PENDING_LASTS.total_seconds()),
        httponly=True,
        secure=is_secure(request),
        samesite="strict",
    )
