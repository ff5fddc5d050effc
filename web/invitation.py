"""Where an invitation leads: plain HTML, in which the owner of an account chooses its password and is signed in.

Only the form uses a link up: whatever checks or previews links may look at it. Its token stands in the address, where the
sign-in page's launch links have theirs; the policy of this page keeps it out of what the browser tells next.
"""

from html import escape
from pathlib import Path
from string import Template

from fastapi import APIRouter, Request
from fastapi.responses import Response

from models.access import INVITATION_PATH, SIGN_IN_PATH
from models.accounts import MIN_PASSWORD_LENGTH, Role
from models.errors import AuthkeysError, DatabaseUnavailable, InvalidValue, LinkRefused, TooManyAttempts
from services.console import Console
from services.invitations import Opened
from web.plain import HEADERS, path_to, plain_page, problem_html
from web.requests import address_of, read_form
from web.second_step import after_password

_BODY = Template((Path(__file__).parent / "invitation.html").read_text("utf-8"))
_STATUS: tuple[tuple[type[AuthkeysError], int], ...] = (
    (TooManyAttempts, 429),
    (DatabaseUnavailable, 503),
    (LinkRefused, 410),
    (InvalidValue, 400),
)


def invitation_router(console: Console) -> APIRouter:
    """`/invitation`."""
    router = APIRouter(include_in_schema=False)

    @router.head(INVITATION_PATH)
    async def look() -> Response:
        return _without_address(Response(headers=HEADERS))

    @router.get(INVITATION_PATH)
    async def form(request: Request, token: str = "") -> Response:
        try:
            return _page(request, token, await console.invitations.open(token, address_of(request)))
        except AuthkeysError as error:
            return _page(request, "", None, error)

    @router.post(INVITATION_PATH)
    async def accept(request: Request) -> Response:
        token, opened, address = "", None, address_of(request)
        try:
            fields = await read_form(request)
            token = fields.get("token", "")
            opened = await console.invitations.open(token, address)
            password = fields.get("password", "")
            if password != fields.get("again", ""):
                raise InvalidValue("The two passwords are not the same.")
            verified = await console.invitations.accept(token, password, address)
            # Whose password was forgotten, or stolen, has the second factor still.
            return await after_password(console, request, verified, "/")
        except AuthkeysError as error:
            return _page(request, token, None if isinstance(error, LinkRefused) else opened, error)

    return router


def _page(request: Request, token: str, opened: Opened | None, error: AuthkeysError | None = None) -> Response:
    """For whom the link is, and the form; without `opened` only what is wrong with it."""
    status = next((each for kind, each in _STATUS if isinstance(error, kind)), 200)
    body = _BODY.substitute(
        text=_text(opened),
        problem=problem_html(str(error or "")),
        hidden="" if opened else "hidden",
        way_out="hidden" if opened else "",
        action=escape(path_to(request, INVITATION_PATH)),
        sign_in=escape(path_to(request, SIGN_IN_PATH)),
        token=escape(token),
        name=escape(opened.admin.name if opened else ""),
        shortest=MIN_PASSWORD_LENGTH,
        described="problem" if error else "",
        wrong='aria-invalid="true"' if error else "",
    )
    answer = _without_address(plain_page(_title(opened), body, status=status))
    if isinstance(error, TooManyAttempts):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _title(opened: Opened | None) -> str:
    if opened is None:
        return "This link cannot be used"
    return "Choose a new password" if opened.is_reset else "You are invited"


def _text(opened: Opened | None) -> str:
    if opened is None:
        return "Nothing was changed."
    may = "sees everything, changes nothing" if opened.admin.role is Role.AUDITOR else "sees and changes everything"
    ended = "The password that it had holds no longer. " if opened.is_reset else ""
    return (
        f"This link is for the account <strong>{escape(opened.admin.name)}</strong> ({opened.admin.role}: {may}). "
        f"{ended}Choose the password with which you sign in from now on."
    )


def _without_address(answer: Response) -> Response:
    """The form comes with the origin, which is checked, and without the address that holds the token."""
    answer.headers["Referrer-Policy"] = "strict-origin"
    return answer
