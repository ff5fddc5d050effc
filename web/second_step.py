"""The second step of a sign-in, and signing in with nothing but a passkey: plain HTML, without a session."""

import secrets
from collections.abc import Awaitable, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from models.access import FACTORS_PATH, SIGN_IN_PATH, local_path
from models.accounts import AdminIdentity
from models.errors import AuthkeysError, DatabaseUnavailable, FactorRefused, InvalidValue, TooManyAttempts
from models.second_factors import Factors, PasskeyPlace
from services.admins import Verified
from services.console import Console
from services.second_factors import holder_of
from web.plain import hidden, path_to, place_of, plain_page, problem_html, script_tag
from web.requests import address_of, device_of, read_form
from web.welcome import asked_of, end_present_session, keep_asked, keep_step, step_of, welcome

STEP_PATH = f"{SIGN_IN_PATH}/second-factor"
PASSKEY_PATH = f"{SIGN_IN_PATH}/passkey"


def second_step_router(console: Console) -> APIRouter:
    """`/sign-in/second-factor` and `/sign-in/passkey`, each with what its passkey is asked."""
    router = APIRouter(include_in_schema=False)

    @router.api_route(STEP_PATH, methods=["GET", "HEAD"])
    async def form(request: Request, next: str = "/") -> Response:
        return await _step(console, request, to=local_path(next))

    @router.post(STEP_PATH)
    async def finish(request: Request) -> Response:
        return await _finish(console, request)

    @router.post(f"{STEP_PATH}/passkey")
    async def ask(request: Request) -> Response:
        return await as_json(_ask_to_prove(console, request))

    @router.post(f"{PASSKEY_PATH}/asked")
    async def ask_who(request: Request) -> Response:
        token = secrets.token_urlsafe(32)
        asking = console.second_factors.passkeys.ask_who(place_of(request), holder_of(token), address_of(request))
        answer = await as_json(asking)
        keep_asked(console, request, answer, token)
        return answer

    @router.post(PASSKEY_PATH)
    async def sign_in(request: Request) -> Response:
        return await _with_passkey(console, request)

    return router


async def after_password(console: Console, request: Request, verified: Verified, to: str) -> Response:
    """Where the right password leads: to the second step, to getting a second factor first, or in.

    Raises DatabaseUnavailable, and InvalidValue if the password was changed since it was checked.
    """
    token = await console.second_factors.begin_step(verified.admin, verified.require)
    if token is not None:
        answer = RedirectResponse(path_to(request, f"{STEP_PATH}?{urlencode({'next': to})}"), 303)
        answer.headers["Cache-Control"] = "no-store"
        keep_step(console, request, answer, token)
        return answer
    await end_present_session(console, request)
    enrolls = console.second_factors.is_required
    cookie = await console.sessions.begin(
        verified.admin,
        address_of(request),
        device=device_of(request),
        is_enrolling=enrolls,
        require=verified.require,
    )
    return welcome(console, request, cookie, FACTORS_PATH if enrolls else to)


async def prove(
    console: Console, admin: AdminIdentity, request: Request, fields: Mapping[str, str], holder: str
) -> str:
    """Check the factor that a form brings; how it was proven. Raises AuthkeysError."""
    factors, address = console.second_factors, address_of(request)
    if "answer" in fields:
        return await factors.passkeys.prove(admin, fields["answer"], place_of(request), holder, address)
    if "recovery" in fields:
        return await factors.prove_recovery(admin, fields["recovery"], address)
    return await factors.prove_code(admin, fields.get("code", ""), address)


async def as_json(asking: Awaitable[dict[str, Any]]) -> Response:
    """What a passkey is asked, or why it is not."""
    headers = {"Cache-Control": "no-store"}
    try:
        return JSONResponse(await asking, headers=headers)
    except AuthkeysError as error:
        return JSONResponse({"problem": str(error)}, status_of(error), headers=headers)


def status_of(error: AuthkeysError) -> int:
    """The HTTP status that fits."""
    match error:
        case TooManyAttempts():
            return 429
        case DatabaseUnavailable():
            return 503
        case FactorRefused():
            return 401
    return 400


async def _ask_to_prove(console: Console, request: Request) -> dict[str, Any]:
    token = step_of(console, request)
    admin = await console.second_factors.pending(token)
    if admin is None or token is None:
        raise FactorRefused(_OVER)
    return await console.second_factors.passkeys.ask_to_prove(
        admin, place_of(request), holder_of(token), address_of(request)
    )


async def _finish(console: Console, request: Request) -> Response:
    fields: dict[str, str] = {}
    try:
        fields = await read_form(request)
        token = step_of(console, request)
        admin = await console.second_factors.pending(token)
        if admin is None or token is None:
            return _over(request)
        by = await prove(console, admin, request, fields, holder_of(token))
        cookie = await console.second_factors.finish_step(token, address_of(request), by, device_of(request))
        await end_present_session(console, request)
    except (InvalidValue, FactorRefused, TooManyAttempts) as error:
        return await _step(console, request, to=local_path(fields.get("next")), error=error, fields=fields)
    return welcome(console, request, cookie, local_path(fields.get("next")))


async def _with_passkey(console: Console, request: Request) -> Response:
    holder, address = holder_of(asked_of(console, request)), address_of(request)
    try:
        fields = await read_form(request)
        answer = fields.get("answer", "")
        known = await console.second_factors.passkeys.sign_in(answer, place_of(request), holder, address)
        cookie = await console.sessions.begin(
            known.admin, address, device=device_of(request), by_factor=known.by, require=known.require
        )
    except (InvalidValue, FactorRefused) as error:
        return plain_page("Not signed in", problem_html(str(error)) + _anew(request), status=status_of(error))
    await end_present_session(console, request)
    return welcome(console, request, cookie, local_path(fields.get("next")))


async def _step(
    console: Console,
    request: Request,
    *,
    to: str,
    error: AuthkeysError | None = None,
    fields: Mapping[str, str] | None = None,
) -> Response:
    admin = await console.second_factors.pending(step_of(console, request))
    if admin is None:
        return _over(request)
    has = await console.second_factors.of(admin)
    body = f"<p>Signing in as <strong>{escape(admin.name)}</strong>. Show that it is you.</p>" + ways_html(
        request, has, place_of(request), STEP_PATH, to, error, fields or {}
    )
    page = plain_page(
        "Second factor",
        body + _anew(request),
        status=status_of(error) if error else 200,
        script=script_tag(request, "passkeys"),
    )
    if isinstance(error, TooManyAttempts):
        page.headers["Retry-After"] = str(error.retry_after)
    return page


def ways_html(
    request: Request,
    has: Factors,
    where: PasskeyPlace,
    path: str,
    to: str,
    error: AuthkeysError | None,
    fields: Mapping[str, str],
) -> str:
    """The ways to prove a second factor that this account has: a form for each."""
    action, problem = escape(path_to(request, path)), problem_html(str(error) if error else "")
    by_recovery = "recovery" in fields
    parts = [problem if not (by_recovery or "code" in fields) else "", _passkey_html(has, where, action, to)]
    if has.codes_since:
        parts.append(
            _field_html(
                action, to, "code", "Code of your app", "" if by_recovery else problem, is_first=not by_recovery
            )
        )
    recovery = _field_html(
        action, to, "recovery", "Recovery code", problem if by_recovery else "", is_first=by_recovery
    )
    opened = " open" if by_recovery else ""
    parts.append(f"<details{opened}><summary>Use a recovery code</summary>{recovery}</details>")
    return "\n".join(parts)


def _passkey_html(has: Factors, where: PasskeyPlace, action: str, to: str) -> str:
    if not has.passkeys:
        return ""
    if where.problem:
        return f'<p class="note">{escape(where.problem)}</p>'
    names = sorted({each.rp_id for each in has.passkeys})
    if where.rp_id not in names:
        return f'<p class="note">Your passkeys were made for {escape(", ".join(names))}: open Authkeys under that name to use them.</p>'
    divider = '<p class="or">or</p>' if has.codes_since else ""
    return (
        f'<form method="post" action="{action}" data-passkey="{action}/passkey" hidden>{hidden("next", to)}{hidden("answer", "")}'
        f"<button>Use a passkey</button></form>{divider}"
        '<noscript><p class="note">Passkeys need JavaScript, which this browser does not run here.</p></noscript>'
    )


def _field_html(action: str, to: str, name: str, label: str, problem: str, *, is_first: bool) -> str:
    kind = (
        'autocomplete="one-time-code" inputmode="numeric" maxlength="12"'
        if name == "code"
        else 'autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="60"'
    )
    wrong = 'aria-invalid="true" aria-describedby="problem"' if problem else ""
    focus = "autofocus" if is_first else ""
    button = "Continue" if name == "code" else "Use this code"
    return (
        f'<form method="post" action="{action}">{hidden("next", to)}<label for="{name}">{label}</label>'
        f'<input id="{name}" name="{name}" {kind} required {wrong} {focus}>{problem}<button>{button}</button></form>'
    )


_OVER = "This sign-in was finished already, or waited for more than 5 minutes. Sign in again."


def _over(request: Request) -> Response:
    return plain_page("Sign in again", problem_html(_OVER) + _anew(request), status=401)


def _anew(request: Request) -> str:
    return f'<a class="back" href="{escape(path_to(request, SIGN_IN_PATH))}">Back to signing in</a>'
