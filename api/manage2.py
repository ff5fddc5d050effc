"""Manage2's API: servers register their keys, and calls of the licensing functions are checked and passed on.

What its clients send and need is in `models.manage2_requests` and `models.manage2_answers`; here is who gets which answer:
a call that is understood and not allowed gets HTTP 200 with status 0, because cPanel's PHP class 3.13 dies on anything
but 200 and the Perl module then loses the reason; a call without (right) Basic credentials gets a 401 with Manage2's
realm, because the Perl module sends its password only after that.
"""

from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from api.gateway import Backend, BackendUnavailable, CallerGone, trusted_headers
from models.access_checks import KeyState, Reason, Verdict
from models.accounts import AdminIdentity
from models.denials import denial
from models.errors import AuthkeysError, InvalidValue, NotAllowed, RegistrationRefused, TooManyAttempts
from models.history import EntryKind
from models.manage2_answers import CHALLENGE, Answer, Output, invalid, phrase_added, refused, registered
from models.manage2_functions import FUNCTIONS, Manage2Function, Requirement, function_at, unknown_function_at
from models.manage2_requests import (
    Credentials,
    Variables,
    credentials_of,
    has_apikey,
    parse_variables,
    wanted_output,
)
from models.secrets import looks_like_key
from services.authorizer import Question
from services.for_scripts import ForScripts
from web.requests import BodyNotRead, address_of, printable_path, read_body

REGISTER, ADD_PHRASE = function_at("/XMLregisterAuth.cgi"), function_at("/XMLaddPickupPass.cgi")

_ASK_FOR_CREDENTIALS = "Authorization is required: a key, or a user name with a password."
_WRONG_CREDENTIALS = "This is neither the password of the account nor a key that may do that from this address."
_NOT_ALLOWED = "This key may not do that from this address."
_NO_SUCH_FUNCTION = "There is no such function."
_AUDITOR = (
    "This account is an auditor's: its password opens the console, to look at, and no function of the API. Use a key, or the "
    "password of an admin."
)
_NEEDS_FACTOR = "This account needs a second factor to sign in, so its password alone opens no function of the API. Use a key instead."
_NO_BACKEND = "This server only keeps authorization keys: no licensing backend is connected (--backend)."


class _Refused(Exception):
    """The answer to a call that is not let through."""

    def __init__(self, answer: Answer, http_status: int = 200) -> None:
        self.answer = answer
        self.http_status = http_status


class _Caller(NamedTuple):
    """Who was let through: a key, or an admin with a password."""

    credentials: Credentials
    name: str
    admin: AdminIdentity
    key: KeyState | None = None


def manage2_router(console: ForScripts, backend: Backend | None) -> APIRouter:
    """One route for all functions: their names are known in many spellings, which no path template says."""
    router = APIRouter()

    @router.api_route("/{path:path}", methods=["GET", "HEAD", "POST"], include_in_schema=False)
    async def call(request: Request) -> Response:
        path = _raw_path(request)
        try:
            function = unknown_function_at(path) or function_at(path)
        except InvalidValue:
            return PlainTextResponse(f"{_NO_SUCH_FUNCTION}\n", 404)
        query = request.scope["query_string"]
        try:
            body = await read_body(request)
        except InvalidValue as error:
            response = _for_browsers(_rendered(invalid(function, str(error)), wanted_output("GET", query)))
            if isinstance(error, BodyNotRead):
                response.headers["Connection"] = "close"
            return response
        try:
            answer, status = await _perform(console, backend, function, request, body), 200
        except _Refused as refusal:
            answer, status = refusal.answer, refusal.http_status
        except AuthkeysError as error:
            answer, status = _failure(function, error)
        if isinstance(answer, Answer):
            answer = _rendered(answer, wanted_output(request.method, query, body), status)
        return _for_browsers(answer, keyed=has_apikey(request.method, query, body))

    return router


def is_manage2(raw_path: str) -> bool:
    """Whether a path calls a function of Manage2's API, or would if there were such a one."""
    try:
        return unknown_function_at(raw_path) is not None or bool(function_at(raw_path))
    except InvalidValue:
        return False


async def _perform(
    console: ForScripts, backend: Backend | None, function: Manage2Function, request: Request, body: bytes
) -> Answer | Response:
    content_type = request.headers.get("content-type")
    variables = parse_variables(request.method, request.scope["query_string"], body, content_type)
    if function is REGISTER:
        return await _register(console, variables, address_of(request))
    if function not in FUNCTIONS:
        return await _unknown(console, function, variables, request)
    caller = await _let_in(console, function, variables, request)
    if function is ADD_PHRASE:
        return await _add_phrase(console, variables, caller, address_of(request))
    if backend is None:
        return refused(function, _NO_BACKEND)
    trusted = trusted_headers(caller.key, None if caller.key else caller.name)
    try:
        return await backend.forward(function, request, body, trusted, caller.credentials.secret)
    except CallerGone:
        raise
    except BackendUnavailable:
        question = Question(caller.credentials.secret, address_of(request), function.needs, function.name)
        console.authorizer.note_denial(question, Verdict(Reason.BACKEND, caller.key))
        raise


async def _unknown(console: ForScripts, function: Manage2Function, variables: Variables, request: Request) -> Answer:
    credentials = _credentials(variables, request)
    question = Question(
        credentials.secret if credentials else None,
        address_of(request),
        Requirement.ANY_KEY,
        printable_path(_raw_path(request)),
    )
    await console.authorizer.deny_unknown(question, Reason.UNKNOWN_WHAT)
    return refused(function, _NO_SUCH_FUNCTION)


def _failure(function: Manage2Function, error: AuthkeysError) -> tuple[Answer, int]:
    match error:
        case InvalidValue() | NotAllowed():
            return invalid(function, str(error)), 200
        case TooManyAttempts():
            return refused(function, str(error)), 200
        case BackendUnavailable():
            return refused(function, str(error)), error.http_status
    return refused(function, "The database does not answer. Try again later."), 503


async def _register(console: ForScripts, variables: Variables, ip: str) -> Answer:
    # Manage2 wants a user, and its clients send one, by any name: it is a claim that nothing here depends on. Whose account
    # a registration belongs to is known from the phrase.
    variables.require("user")
    phrase, service = variables.require("pickup"), variables.require("service")
    try:
        key = await console.passphrases.register(phrase, service, ip)
    except RegistrationRefused as error:
        what = f"{REGISTER.name}, passphrase {error.passphrase}" if error.passphrase else REGISTER.name
        console.uses.note_denial(denial(Reason(error.reason), ip, 0, service, what))
        return refused(REGISTER, str(error))
    return registered(key.service, key.ip, key.secret.text)


async def _add_phrase(console: ForScripts, variables: Variables, caller: _Caller, ip: str) -> Answer:
    phrase, key = variables.require("pickup"), caller.key
    # No privileges: the call has no way to name any. The admin grants them in the page.
    if key is None:
        await console.passphrases.add(caller.admin, phrase, 0, how="through the API", address=ip)
    else:
        how = f"through the API by the key of {key.service} at {key.ip}"
        await console.passphrases.add(caller.admin, phrase, 0, how=how, address=ip, is_guesser=True)
    return phrase_added(phrase, caller.name)


async def _let_in(console: ForScripts, function: Manage2Function, variables: Variables, request: Request) -> _Caller:
    ip, credentials = address_of(request), _credentials(variables, request)
    question = Question(credentials.secret if credentials else None, ip, function.needs, function.name)
    if credentials is None:
        console.authorizer.note_denial(question, Verdict(Reason.NO_KEY))
        raise _Refused(refused(function, _ASK_FOR_CREDENTIALS), 401)
    verdict = await console.authorizer.judge(question)
    if credentials.username is not None and verdict.reason and verdict.reason.is_about_who:
        # Whatever the key is, all the same is done and answered as for one that never was: nobody shall learn from it
        # that a stolen key is real. What has the form of a key is no mistyped password, so its client gets the reason.
        console.uses.note_credentials(ip, function.name)
        try:
            caller = await _with_password(console, function, credentials, ip)
        except _Refused:
            console.authorizer.note_denial(question, verdict)
            raise
        if caller is not None:
            return caller
        console.authorizer.note_denial(question, verdict)
        raise _Refused(refused(function, _WRONG_CREDENTIALS), _status_for(credentials))
    verdict = await console.authorizer.ask(question)
    if verdict.key is None or not verdict.allowed:
        raise _Refused(refused(function, _NOT_ALLOWED))
    return _Caller(credentials, credentials.username or verdict.key.service, console.admin, verdict.key)


def _status_for(credentials: Credentials) -> int:
    """With which a wrong key or password is refused: a 401 asks for another password, and hides the reason from Perl's users."""
    return 200 if looks_like_key(credentials.secret) else 401


def _credentials(variables: Variables, request: Request) -> Credentials | None:
    return credentials_of(variables, request.headers.get("authorization"), request.headers.get("x-api-key"))


async def _with_password(
    console: ForScripts, function: Manage2Function, credentials: Credentials, ip: str
) -> _Caller | None:
    try:
        admin = await console.admins.authenticate_script(credentials.username or "", credentials.secret, ip)
    except TooManyAttempts as error:
        raise _Refused(refused(function, str(error)), _status_for(credentials)) from None
    if admin is None:
        return None
    if not admin.may_change:
        raise _Refused(refused(function, _AUDITOR))
    if not await console.proofs.is_password_enough(admin.id):
        await console.history.put_flood(EntryKind.FACTOR_REFUSED, admin.name, ip, "a script with the password only")
        raise _Refused(refused(function, _NEEDS_FACTOR))
    return _Caller(credentials, admin.name, admin)


def _rendered(answer: Answer, output: Output, http_status: int = 200) -> Response:
    body, content_type = answer.render(output)
    headers = {"Content-Type": content_type}
    if http_status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    return Response(body, http_status, headers=headers)


def _for_browsers(response: Response, *, keyed: bool = False) -> Response:
    """Make it an answer that a browser neither keeps nor runs: it comes from the console's own host, where admins are signed in.

    "With key-based authentication the Manage2 API provides a CORS header" (docs.cpanel.net, Manage2 API -
    Authentication Methods): a page of any site that knows a key, and gave it in `apikey`, may read the answer. That
    opens nothing to others, because `*` never goes with a browser's own cookies and passwords.
    """
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    if keyed:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _raw_path(request: Request) -> str:
    """The path as it was sent: what Starlette has decoded could be read as another function."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    path, root = raw.decode("latin-1").partition("?")[0], request.scope.get("root_path", "")
    return str(path.removeprefix(root)) if root and path.startswith(f"{root}/") else str(path)
