"""Signing in at the provider: the way there, the way back, and the provider's own call to sign somebody out."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from models.access import PROVIDER_CALLBACK_PATH, PROVIDER_LOGOUT_PATH, PROVIDER_PATH, local_path
from models.errors import (
    AuthkeysError,
    DatabaseUnavailable,
    InvalidValue,
    ProviderUnavailable,
    SignInRefused,
    TooManyAttempts,
)
from models.history import EntryKind
from models.single_sign_on import ATTEMPT_LASTS
from services.console import Console
from services.sessions import Sessions
from web.requests import address_of, device_of, read_form
from web.session_middleware import cookie_name, is_secure
from web.sign_in import sign_in_page
from web.welcome import end_present_session, welcome

_STATUS: dict[type[AuthkeysError], int] = {
    SignInRefused: 403,
    TooManyAttempts: 429,
    ProviderUnavailable: 503,
    DatabaseUnavailable: 503,
}
_REFUSALS = tuple(_STATUS)


def single_sign_on_router(console: Console) -> APIRouter:
    """`/sign-in/provider`, and `callback` and `logout` below it."""
    router = APIRouter(include_in_schema=False)
    provider = console.single_sign_on

    @router.get(PROVIDER_PATH)
    async def start(request: Request, next: str = "/") -> Response:
        if provider is None:
            return _NOT_SET_UP
        try:
            departure = await provider.depart(_callback_url(request), local_path(next))
        except ProviderUnavailable as error:
            return await sign_in_page(console, request, to=local_path(next), problem=str(error), status=503)
        answer = RedirectResponse(departure.url, 303, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            attempt_cookie(request, console.sessions),
            departure.cookie,
            max_age=round(ATTEMPT_LASTS.total_seconds()),
            httponly=True,
            secure=is_secure(request),
            samesite="lax",  # strict would keep it back: the provider's page leads here
        )
        return answer

    @router.get(PROVIDER_CALLBACK_PATH)
    async def come_back(request: Request) -> Response:
        if provider is None:
            return _NOT_SET_UP
        name = attempt_cookie(request, console.sessions)
        try:
            arrival = await provider.arrive(
                request.cookies.get(name), request.query_params.multi_items(), address_of(request)
            )
            await end_present_session(console, request)
            cookie = await console.sessions.begin(
                arrival.admin, address_of(request), EntryKind.SIGNED_IN_BY_PROVIDER, device_of(request)
            )
        except _REFUSALS as error:
            return await sign_in_page(console, request, problem=str(error), status=_STATUS[type(error)])
        answer = welcome(console, request, cookie, arrival.to)
        answer.delete_cookie(name, httponly=True, secure=is_secure(request), samesite="lax")
        return answer

    @router.post(PROVIDER_LOGOUT_PATH)
    async def sign_out_by_provider(request: Request) -> Response:
        if provider is None:
            return _NOT_SET_UP
        try:
            fields = await read_form(request)
            await provider.end_by_provider(fields.get("logout_token", ""), address_of(request))
        except (InvalidValue, SignInRefused) as error:  # OpenID Connect Back-Channel Logout 1.0, 2.8
            return _told(400, {"error": "invalid_request", "error_description": str(error)})
        except (ProviderUnavailable, DatabaseUnavailable) as error:
            return _told(_STATUS[type(error)], {"error": "temporarily_unavailable", "error_description": str(error)})
        return _told(200, {})

    return router


def attempt_cookie(request: Request, sessions: Sessions) -> str:
    """The name of the cookie that a sign-in leaves in the browser while it is at the provider."""
    return f"{cookie_name(request, sessions)}-sso"


def _callback_url(request: Request) -> str:
    """Where the provider sends the browser back to: the origin that the browser sees, whose host the gate has allowed."""
    root = request.scope.get("root_path", "")
    return f"{request.url.scheme}://{request.url.netloc}{root}{PROVIDER_CALLBACK_PATH}"


def _told(status: int, content: dict[str, str]) -> Response:
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})


_NOT_SET_UP = PlainTextResponse(
    "Single sign-on is not set up here: the server was started without --oidc-issuer.\n",
    404,
    headers={"Cache-Control": "no-store"},
)
