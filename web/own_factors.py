"""One's own second factors: seen, added, removed, and proven again. Plain HTML, so that it works wherever signing in does."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from models.access import CONFIRM_PATH, FACTORS_PATH, local_path
from models.errors import (
    AuthkeysError,
    DatabaseUnavailable,
    FactorNeeded,
    FactorRefused,
    InvalidValue,
    NotAllowed,
    TooManyAttempts,
)
from services.console import Console
from services.sessions import SignedIn, session_of
from web.factor_pages import codes_page, confirm_page, factors_page, recovery_page
from web.plain import path_to, place_of
from web.requests import address_of, device_of, read_form
from web.second_step import as_json, prove
from web.welcome import end_present_session, welcome

_CODES, _PASSKEYS = f"{FACTORS_PATH}/codes", f"{FACTORS_PATH}/passkeys"
_Fields = Mapping[str, str]


def own_factors_router(console: Console) -> APIRouter:
    """`/second-factor` and what is below it."""
    router = APIRouter(include_in_schema=False)
    own = OwnFactors(console)

    @router.api_route(FACTORS_PATH, methods=["GET", "HEAD"])
    async def overview(request: Request) -> Response:
        return await own.overview(request)

    @router.get(CONFIRM_PATH)
    async def confirm_form(request: Request, next: str = "/") -> Response:
        return await own.confirm_form(request, local_path(next))

    @router.post(CONFIRM_PATH)
    async def confirm(request: Request) -> Response:
        return await own.confirm(request)

    @router.post(f"{CONFIRM_PATH}/passkey")
    async def ask_to_prove(request: Request) -> Response:
        return await as_json(own.ask_to_prove(request))

    @router.post(f"{_PASSKEYS}/asked")
    async def ask_for_new(request: Request) -> Response:
        return await as_json(own.ask_for_new(request))

    @router.post(_PASSKEYS)
    async def add_passkey(request: Request) -> Response:
        return await own.do(request, own.add_passkey)

    @router.post(f"{_PASSKEYS}/remove")
    async def remove_passkey(request: Request) -> Response:
        return await own.do(request, own.remove_passkey)

    @router.get(_CODES)
    async def draft_codes(request: Request) -> Response:
        return await own.draft_codes(request)

    @router.post(_CODES)
    async def set_codes(request: Request) -> Response:
        return await own.do(request, own.set_codes)

    @router.post(f"{_CODES}/remove")
    async def remove_codes(request: Request) -> Response:
        return await own.do(request, own.remove_codes)

    @router.post(f"{FACTORS_PATH}/recovery")
    async def new_recovery_codes(request: Request) -> Response:
        return await own.do(request, own.new_recovery_codes)

    return router


class OwnFactors:
    """What the routes do, for who is signed in."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._factors = console.second_factors

    async def overview(self, request: Request, error: AuthkeysError | None = None, typed: str = "") -> Response:
        """What there is, and what can be done; an error stands where it was caused."""
        session = session_of(request.scope)
        has = await self._factors.of(session.admin)
        may_change = await self._factors.may_change(session)
        return factors_page(request, session, has, place_of(request), may_change=may_change, error=error, typed=typed)

    async def do(self, request: Request, work: Callable[[Request, SignedIn, _Fields], Awaitable[Response]]) -> Response:
        """Do what a form asks for; who must prove first is led there, and an error is said on the page."""
        session, fields = session_of(request.scope), {}
        try:
            fields = await read_form(request)
            return await work(request, session, fields)
        except FactorNeeded:
            return _to(request, f"{CONFIRM_PATH}?{urlencode({'next': FACTORS_PATH})}")
        except (InvalidValue, NotAllowed, FactorRefused, TooManyAttempts) as error:
            return await self.overview(request, error, fields.get("name", ""))

    # -- proving -------------------------------------------------------------------------------------------------------

    async def confirm_form(
        self, request: Request, to: str, error: AuthkeysError | None = None, fields: _Fields | None = None
    ) -> Response:
        """Asks for a second factor, or for the password of who has none."""
        session = session_of(request.scope)
        has_password = await self._console.admins.has_password(session.admin)
        launch = self._console.command("open") if session.admin.id == self._console.admin.id else ""
        has = await self._factors.of(session.admin)
        return confirm_page(
            request,
            session,
            has,
            place_of(request),
            to,
            has_password=has_password,
            launch=launch,
            error=error,
            fields=fields or {},
        )

    async def confirm(self, request: Request) -> Response:
        """Take the proof, and go back to where it was needed."""
        session, fields = session_of(request.scope), {}
        try:
            fields = await read_form(request)
            by_factor = (await self._factors.of(session.admin)).any
            if by_factor:
                await prove(self._console, session.admin, request, fields, session.digest)
            else:
                await self._check_password(request, session, fields)
            await self._factors.confirm(session, by_factor=by_factor)
        except (InvalidValue, FactorRefused, TooManyAttempts) as error:
            return await self.confirm_form(request, local_path(fields.get("next")), error, fields)
        return _to(request, local_path(fields.get("next")))

    async def _check_password(self, request: Request, session: SignedIn, fields: _Fields) -> None:
        password = fields.get("password", "")
        if await self._console.admins.authenticate(session.admin.name, password, address_of(request)) is None:
            raise FactorRefused("The password is wrong.")

    async def ask_to_prove(self, request: Request) -> dict[str, Any]:
        """What the passkey is asked."""
        session = session_of(request.scope)
        return await self._factors.passkeys.ask_to_prove(
            session.admin, place_of(request), session.digest, address_of(request)
        )

    # -- passkeys ------------------------------------------------------------------------------------------------------

    async def ask_for_new(self, request: Request) -> dict[str, Any]:
        """What the browser is asked to make."""
        session = session_of(request.scope)
        await self._factors.require_proof(session)
        return await self._factors.passkeys.ask_for_new(
            session.admin, place_of(request), session.digest, address_of(request)
        )

    async def add_passkey(self, request: Request, session: SignedIn, fields: _Fields) -> Response:
        """Take a new passkey."""
        codes = await self._factors.add_passkey(
            session, fields.get("answer", ""), fields.get("name", ""), place_of(request)
        )
        return await self._added(request, session, codes, "by the passkey that was just added")

    async def remove_passkey(self, request: Request, session: SignedIn, fields: _Fields) -> Response:
        """Remove one."""
        number = fields.get("id", "")
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise InvalidValue("There is no such passkey.")
        await self._factors.remove_passkey(session, int(number))
        return _to(request, FACTORS_PATH)

    # -- one-time codes ------------------------------------------------------------------------------------------------

    async def draft_codes(self, request: Request) -> Response:
        """Show a new secret, to be read by an app."""
        session = session_of(request.scope)
        try:
            await self._factors.require_proof(session)
        except FactorNeeded:
            return _to(request, f"{CONFIRM_PATH}?{urlencode({'next': _CODES})}")
        return codes_page(request, self._factors.draft_codes(session, place_of(request)))

    async def set_codes(self, request: Request, session: SignedIn, fields: _Fields) -> Response:
        """Take the app that was shown the secret, if it shows the right code; else the same secret is shown again."""
        draft = self._factors.drafted(session, fields.get("draft", ""), place_of(request))
        try:
            codes = await self._factors.set_codes(session, draft, fields.get("code", ""))
        except (InvalidValue, FactorRefused, DatabaseUnavailable) as error:
            return codes_page(request, draft, error)
        return await self._added(request, session, codes, "by a one-time code of the app that was just added")

    async def remove_codes(self, request: Request, session: SignedIn, fields: _Fields) -> Response:
        """Remove the app."""
        await self._factors.remove_codes(session)
        return _to(request, FACTORS_PATH)

    # -- recovery codes ------------------------------------------------------------------------------------------------

    async def new_recovery_codes(self, request: Request, session: SignedIn, fields: _Fields) -> Response:
        """Make new ones, and show them this once."""
        return recovery_page(request, await self._factors.new_recovery_codes(session), FACTORS_PATH)

    async def _added(self, request: Request, session: SignedIn, codes: list[str], by: str) -> Response:
        """After a factor was added: its recovery codes, if there were none, and a whole session for who was let in for that only."""
        to = "/" if session.is_enrolling else FACTORS_PATH
        answer = recovery_page(request, codes, to) if codes else _to(request, to)
        if session.is_enrolling:
            cookie = await self._console.sessions.begin(
                session.admin, address_of(request), device=device_of(request), by_factor=by
            )
            await end_present_session(self._console, request)
            for name, value in welcome(self._console, request, cookie, to).raw_headers:
                if name == b"set-cookie":
                    answer.raw_headers.append((name, value))
        return answer


def _to(request: Request, path: str) -> Response:
    return RedirectResponse(path_to(request, path), 303, headers={"Cache-Control": "no-store"})
