"""Signing in and out: plain HTML and forms, because a page of NiceGUI needs the socket that only a session opens."""

from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from models.access import LAUNCH_PATH, PROVIDER_PATH, SIGN_IN_PATH, local_path
from models.errors import DatabaseUnavailable, InvalidValue, TooManyAttempts
from services.console import Console
from services.sessions import session_of
from web.plain import hidden, path_to, place_of, plain_page, problem_html, script_tag
from web.requests import address_of, device_of, read_form
from web.second_step import PASSKEY_PATH, after_password
from web.session_middleware import cookie_name, is_secure, session_cookie
from web.welcome import welcome

_BODY = Template((Path(__file__).parent / "sign_in.html").read_text("utf-8"))


def sign_in_router(console: Console) -> APIRouter:
    """`/sign-in`, `/launch`, `/sign-out` and `/sign-out-everywhere`."""
    router = APIRouter(include_in_schema=False)

    @router.api_route(SIGN_IN_PATH, methods=["GET", "HEAD"])
    async def form(request: Request, next: str = "/", ended: str = "") -> Response:
        return await sign_in_page(console, request, to=local_path(next), note=_ENDED if ended else "")

    @router.post(SIGN_IN_PATH)
    async def sign_in(request: Request) -> Response:
        to, name = "/", ""
        try:
            fields = await read_form(request)
            to, name = local_path(fields.get("next")), fields.get("name", "").strip()
            verified = await console.admins.verify(name, fields.get("password", ""), address_of(request))
            if verified is None:
                raise InvalidValue("The name or the password is wrong, or the account is disabled.")
            return await after_password(console, request, verified, to)
        except InvalidValue as error:
            return await sign_in_page(console, request, to=to, name=name, problem=str(error), status=401, wrong=True)
        except TooManyAttempts as error:
            answer = await sign_in_page(console, request, to=to, name=name, problem=str(error), status=429)
            answer.headers["Retry-After"] = str(error.retry_after)
            return answer
        except DatabaseUnavailable as error:
            return await sign_in_page(console, request, to=to, name=name, problem=str(error), status=503)

    @router.head(LAUNCH_PATH)
    async def look_at_launch_link(request: Request) -> Response:
        """What checks or previews links must not use them up."""
        return await sign_in_page(console, request)

    @router.get(LAUNCH_PATH)
    async def launch(request: Request, token: str = "") -> Response:
        try:
            cookie = await console.sessions.launch(token, address_of(request), device_of(request))
            if cookie is None and await console.sessions.find(session_cookie(request, console.sessions)):
                return RedirectResponse(request.scope.get("root_path", "") + "/", 303)  # the same link, clicked again
        except DatabaseUnavailable as error:
            return await sign_in_page(console, request, problem=str(error), status=503)
        if cookie is None:
            command = console.command("open")
            problem = f"This launch link was used already, or is too old. Make a new one with: {command}"
            return await sign_in_page(console, request, problem=problem, status=401)
        return welcome(console, request, cookie, "/")

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await console.sessions.end(session_of(request.scope), address_of(request))
        return _goodbye(console, request)

    @router.post("/sign-out-everywhere")
    async def sign_out_everywhere(request: Request) -> Response:
        await console.sessions.end_all(session_of(request.scope).admin, address_of(request))
        return _goodbye(console, request)

    return router


def _goodbye(console: Console, request: Request) -> Response:
    """Only when the session has ended; while the database is away it cannot end, and nobody is told that it has."""
    answer = RedirectResponse(request.scope.get("root_path", "") + SIGN_IN_PATH, 303)
    answer.delete_cookie(
        cookie_name(request, console.sessions), httponly=True, secure=is_secure(request), samesite="lax"
    )
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def sign_in_page(
    console: Console,
    request: Request,
    *,
    to: str = "/",
    name: str = "",
    problem: str = "",
    note: str = "",
    status: int = 200,
    wrong: bool = False,
) -> Response:
    """The page to sign in, with what is to be said."""
    try:
        has_accounts = await console.admins.has_accounts()
    except DatabaseUnavailable as error:
        has_accounts, problem, status = True, str(error), 503
    offers_passkeys = has_accounts and not place_of(request).problem
    body = _BODY.substitute(
        passkey=_passkey_form(request, to) if offers_passkeys else "",
        action=escape(path_to(request, SIGN_IN_PATH)),
        to=escape(to),
        name=escape(name),
        problem=problem_html(problem),
        wrong='aria-invalid="true" aria-describedby="problem"' if wrong else "",
        # The cursor goes to what is to be filled in next.
        start_name="" if name else "autofocus",
        start_password="autofocus" if name else "",
        note=f'<p class="note" role="status">{escape(note)}</p>' if note else "",
        provider=_provider_button(console, request, to, "or with a password of this server" if has_accounts else ""),
        hidden="" if has_accounts else "hidden",
        hint="" if has_accounts else f"{_HINT}<pre>{escape(console.command('open'))}</pre>",
    )
    script = script_tag(request, "passkeys") if offers_passkeys else ""
    return plain_page("Sign in", body, heading="API Authorization Keys", status=status, script=script)


def _passkey_form(request: Request, to: str) -> str:
    """Shown by its script, where the browser has passkeys."""
    action = escape(path_to(request, PASSKEY_PATH))
    return (
        f'<form method="post" action="{action}" data-passkey="{action}/asked" hidden>{hidden("next", to)}{hidden("answer", "")}'
        '<p class="or">or</p><button class="other">Sign in with a passkey</button></form>'
    )


def _provider_button(console: Console, request: Request, to: str, otherwise: str) -> str:
    """The way to the provider, if there is one. A link: the policy lets a form lead nowhere else."""
    if console.single_sign_on is None:
        return ""
    path = f"{request.scope.get('root_path', '')}{PROVIDER_PATH}?next={quote(to, safe='/')}"
    button = _BUTTON.substitute(path=escape(path), name=escape(console.single_sign_on.settings.label))
    return f'{button}<p class="or">{otherwise}</p>' if otherwise else button


_BUTTON = Template('<a class="provider" href="$path">Sign in with $name</a>')
_ENDED = (
    "Your session has ended: you signed out in another window, it was too old, or the account was changed. What you staged "
    "is kept; sign in to go on where you were."
)
_HINT = """<p>Nobody has a password here yet. On the machine where Authkeys runs, open the link that it printed when it
started, or make a new one:</p>"""
