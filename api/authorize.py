"""`/authorize`: the authorizer, which a reverse proxy asks before it lets a request through, and a backend directly.

`GET` is for nginx `auth_request`, Caddy `forward_auth` and Traefik ForwardAuth: 204 lets through, 401 and 403 do not. What
is asked for is the privilege in the path, `/authorize/<id>`, or the Manage2 function in the original URI that the proxy
tells in a header; `models.proxy_questions` decides what may be believed.
"""

import logging
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Body, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Message

from models.access import is_loopback
from models.access_checks import Place, Reason, Verdict
from models.errors import DatabaseUnavailable, InvalidValue
from models.manage2_answers import CHALLENGE
from models.manage2_functions import Requirement, function_at
from models.manage2_requests import Credentials, Variables, credentials_of, split_uri, without_key
from models.privileges import privilege
from models.proxies import TrustedProxies
from models.proxy_questions import NAME_IT_IN_THE_PATH, Need, UnclearQuestion, needs_asked
from services.authorizer import Authorizer, Question
from web.requests import address_of, printable_path, read_body

log = logging.getLogger(__name__)

AUTHORIZE_PATH = "/authorize"
URI_HEADER, QUERY_HEADER = "X-Authkeys-Uri", "X-Authkeys-Query"
"""What an allowed call's URI, and its query, are without its key, where there is one in it: for the proxy to hand on"""
MAX_QUESTIONS = 100
_ORIGINAL_URI = (b"x-original-uri", b"x-forwarded-uri")
_NO_VARIABLES = Variables(b"")
_NO_STORE = {"Cache-Control": "no-store"}

# Made once: this is the hottest path of the program.
_YES = Response(status_code=204, headers=_NO_STORE)
_UNKNOWN_CALLER = Response(status_code=401, headers={**_NO_STORE, "WWW-Authenticate": CHALLENGE})
_NO = Response(status_code=403, headers=_NO_STORE)
_UNCLEAR = Response(f"{NAME_IT_IN_THE_PATH}\n", 403, headers=_NO_STORE, media_type="text/plain")
_CANNOT_SAY = Response(status_code=503, headers=_NO_STORE)


class Ask(BaseModel):
    """One question of a backend."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    key: Annotated[str, Field(max_length=200, description="The caller's authkey.")]
    ip: Annotated[str, Field(max_length=45, description="The caller's address.")]
    privilege: Annotated[str | None, Field(max_length=40, description="A privilege's id.")] = None
    function: Annotated[str | None, Field(max_length=200, description="Or a Manage2 function's path.")] = None


class AskMany(BaseModel):
    """Several questions."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    questions: Annotated[list[Ask], Field(min_length=1, max_length=MAX_QUESTIONS)]


class CheckAnswer(BaseModel):
    """May it?"""

    allowed: bool


class CheckAnswers(BaseModel):
    """The answers, in the order of the questions."""

    answers: list[CheckAnswer]


class _DirectRoute(APIRoute):
    """A route whose function takes the request and gives the response: there are no parameters to solve."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function itself."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


class _QuestionRoute(APIRoute):
    """A route with a JSON body, whatever type its sender names, and within our limits; what is wrong with it is said in words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own, handed what was read."""
        handler = super().get_route_handler()

        async def read_first(request: Request) -> Response:
            try:
                body = await read_body(request)
                return await handler(_with_json(request, body))
            except RequestValidationError as error:
                return _problem(_in_words(error), 400)
            except InvalidValue as error:
                return _problem(str(error), 400)

        return read_first


def _with_json(request: Request, body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    return Request({**request.scope, "headers": [*headers, (b"content-type", b"application/json")]}, receive)


def _in_words(error: RequestValidationError) -> str:
    """What is wrong, without what was sent: a key may stand in it."""
    problem = error.errors()[0]
    where = ".".join(str(each) for each in problem["loc"] if each not in ("body", Ask.__name__, AskMany.__name__))
    return f"The question is not understood: {where + ': ' if where else ''}{problem['msg']}."


def _problem(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status, headers=_NO_STORE)


def authorize_router(authorizer: Authorizer, trusted: TrustedProxies) -> APIRouter:
    """The routes. Only this machine and `trusted` addresses and networks may ask about addresses other than their own."""
    router = APIRouter()

    async def authorize(request: Request) -> Response:
        """Whether the request that a proxy holds may pass."""
        ip, told = address_of(request), _told(request.scope["headers"])
        try:
            needs = needs_asked(
                request.path_params.get("privilege_id", ""), request.scope["query_string"], told.original_uri
            )
            _, query = split_uri(told.original_uri)
            credentials = credentials_of(
                Variables(query) if query else _NO_VARIABLES, told.authorization, told.x_api_key
            )
        except InvalidValue as error:
            return await _not_understood(authorizer, ip, told, error)
        try:
            reason = await _ask(authorizer, credentials.secret if credentials else None, ip, needs)
        except DatabaseUnavailable:
            return _CANNOT_SAY
        if reason is None:
            return _yes(told.original_uri, credentials)
        return _UNKNOWN_CALLER if reason.is_about_who else _NO

    for method in ("GET", "HEAD"):  # the one that is asked most is found first
        for path in (AUTHORIZE_PATH, f"{AUTHORIZE_PATH}/{{privilege_id:path}}"):
            router.add_api_route(
                path,
                authorize,
                methods=[method],
                status_code=204,
                responses={401: {}, 403: {}, 503: {}},
                route_class_override=_DirectRoute,
                operation_id=f"authorize{'_privilege' if path != AUTHORIZE_PATH else ''}",
                include_in_schema=method == "GET",
            )

    async def ask(request: Request, asked: Annotated[Ask | AskMany, Body()]) -> Response:
        """Whether these callers may do what they ask for."""
        questions = [_question(each) for each in (asked.questions if isinstance(asked, AskMany) else [asked])]
        own = address_of(request)
        if not (is_loopback(own) or own in trusted) and any(question.ip != own for question in questions):
            return _problem("Only a trusted address (--trusted-proxy) may ask about the address of another.", 403)
        try:
            answers = [CheckAnswer(allowed=(await authorizer.ask(question)).allowed) for question in questions]
        except DatabaseUnavailable:
            return _problem("The database does not answer.", 503)
        answer = CheckAnswers(answers=answers) if isinstance(asked, AskMany) else answers[0]
        return JSONResponse(answer.model_dump(), headers=_NO_STORE)

    router.add_api_route(
        AUTHORIZE_PATH,
        ask,
        methods=["POST"],
        response_model=CheckAnswer | CheckAnswers,
        responses={400: {}, 403: {}, 503: {}},
        route_class_override=_QuestionRoute,
    )
    return router


def _yes(original_uri: str, credentials: Credentials | None) -> Response:
    """The call may pass: without the key, where that stands in its query, because the backend needs none."""
    path, query = split_uri(original_uri)
    if not query or (kept := without_key(query, credentials.secret if credentials else None)) == query:
        return _YES
    text = kept.decode("latin-1")
    return Response(
        status_code=204, headers={**_NO_STORE, URI_HEADER: f"{path}?{text}" if text else path, QUERY_HEADER: text}
    )


async def _ask(authorizer: Authorizer, secret: str | None, ip: str, needs: list[Need]) -> Reason | None:
    """Why the call may not pass, None if it may: it must be allowed all that it needs."""
    for need in needs:
        if need.needs is not Requirement.OPEN:
            verdict = await authorizer.ask(Question(secret, ip, need.needs, need.name, Place.AUTHORIZER))
            if verdict.reason is not None:
                return verdict.reason
    return None


async def _not_understood(authorizer: Authorizer, ip: str, told: "_Told", error: InvalidValue) -> Response:
    """Put on record that it cannot be told what is asked for, and by which key; and refuse."""
    reason = Reason.UNCLEAR if isinstance(error, UnclearQuestion) else Reason.UNKNOWN_WHAT
    path, query = split_uri(told.original_uri)
    try:
        credentials = credentials_of(Variables(query), told.authorization, told.x_api_key)
        secret = credentials.secret if credentials else None
        question = Question(secret, ip, Requirement.ANY_KEY, printable_path(path), Place.AUTHORIZER)
        await authorizer.deny_unknown(question, reason)
    except InvalidValue:
        authorizer.note_denial(
            Question(None, ip, Requirement.ANY_KEY, printable_path(path), Place.AUTHORIZER), Verdict(reason)
        )
    except DatabaseUnavailable:
        return _CANNOT_SAY
    if reason is Reason.UNCLEAR:
        log.warning("A question of %s was refused. %s", ip, error)
        return _UNCLEAR
    return _NO


class _Told(NamedTuple):
    """What the headers say: of a repeated one the first counts."""

    original_uri: str
    """What the proxy was asked for; nothing if two headers name different ones, one of them perhaps the caller's"""
    authorization: str | None
    x_api_key: str | None


def _told(headers: list[tuple[bytes, bytes]]) -> _Told:
    """Reads each header once: this is the hottest path of the program."""
    uris: set[bytes] = set()
    authorization = x_api_key = None
    for name, value in headers:
        if name in _ORIGINAL_URI and value:
            uris.add(value)
        elif name == b"authorization" and authorization is None:
            authorization = value.decode("latin-1")
        elif name == b"x-api-key" and x_api_key is None:
            x_api_key = value.decode("latin-1")
    return _Told(uris.pop().decode("latin-1") if len(uris) == 1 else "", authorization, x_api_key)


def _question(ask: Ask) -> Question:
    if (ask.privilege is None) is (ask.function is None):
        raise InvalidValue("A question names either a privilege or a function.")
    if ask.privilege is not None:
        return Question(ask.key.strip(), ask.ip, privilege(ask.privilege), ask.privilege, Place.BACKEND)
    function = function_at(ask.function or "")
    return Question(ask.key.strip(), ask.ip, function.needs, function.name, Place.BACKEND)
