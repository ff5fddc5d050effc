"""`/authorize`: the door that a reverse proxy asks before it lets a request through, and that a backend can ask itself.

`GET` is for nginx `auth_request`, Caddy `forward_auth` and Traefik ForwardAuth: 204 lets through, 401 and 403 do not. What
is asked for is `?privilege=<id>`, or the Manage2 function in the original URI that the proxy tells in a header.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.callers import address_of, read_body
from models.access import is_loopback
from models.door import Reason, Verdict
from models.errors import DatabaseUnavailable, InvalidValue
from models.manage2_answers import CHALLENGE
from models.manage2_functions import Gate, function_at
from models.manage2_requests import Credentials, Variables, credentials_of, split_uri
from models.privileges import Privilege, privilege
from services.door import Door, Question

AUTHORIZE_PATH = "/authorize"
MAX_QUESTIONS = 100
_ORIGINAL_URI = ("x-original-uri", "x-forwarded-uri")
_NO_STORE = {"Cache-Control": "no-store"}
_UNKNOWN_CALLER = {**_NO_STORE, "WWW-Authenticate": CHALLENGE}


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


class Answer(BaseModel):
    """May it?"""

    allowed: bool


class Answers(BaseModel):
    """The answers, in the order of the questions."""

    answers: list[Answer]


def authorize_router(door: Door, trusted: tuple[str, ...]) -> APIRouter:
    """The routes. Only this machine and `trusted` addresses may ask about addresses other than their own."""
    router = APIRouter()

    @router.get(AUTHORIZE_PATH, status_code=204, responses={401: {}, 403: {}, 503: {}})
    async def authorize(request: Request) -> Response:
        """Whether the request that a proxy holds may pass."""
        headers = request.headers
        try:
            needs, what, variables = _wanted(request)
            credentials = credentials_of(variables, headers.get("authorization"), headers.get("x-api-key"))
        except InvalidValue:
            question = Question(None, address_of(request), Gate.NO_KEY, _original_uri(request).partition("?")[0])
            door.note_refusal(question, Verdict(Reason.UNKNOWN_WHAT))
            return Response(status_code=403, headers=_NO_STORE)
        return await _answer(door, needs, what, credentials, address_of(request))

    @router.post(
        AUTHORIZE_PATH,
        response_model=Answer | Answers,
        responses={400: {}, 403: {}, 503: {}},
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}},
    )
    async def ask(request: Request) -> Response:
        """Whether these callers may do what they ask for."""
        try:
            body = await read_body(request)
            asked = _parse(body)
            questions = [_question(each) for each in (asked.questions if isinstance(asked, AskMany) else [asked])]
        except InvalidValue as error:
            return JSONResponse({"error": str(error)}, 400, headers=_NO_STORE)
        own = address_of(request)
        if not (is_loopback(own) or own in trusted) and any(question.ip != own for question in questions):
            return JSONResponse(
                {"error": "Only a trusted address (--trusted-proxy) may ask about the address of another."},
                403,
                headers=_NO_STORE,
            )
        try:
            answers = [{"allowed": (await door.ask(question)).allowed} for question in questions]
        except DatabaseUnavailable:
            return JSONResponse({"error": "The database does not answer."}, 503, headers=_NO_STORE)
        return JSONResponse({"answers": answers} if isinstance(asked, AskMany) else answers[0], headers=_NO_STORE)

    return router


_SCHEMA: dict[str, Any] = {
    "anyOf": [
        Ask.model_json_schema(),
        {
            "type": "object",
            "required": ["questions"],
            "additionalProperties": False,
            "properties": {
                "questions": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MAX_QUESTIONS,
                    "items": Ask.model_json_schema(),
                }
            },
        },
    ]
}


async def _answer(door: Door, needs: Privilege | Gate, what: str, credentials: Credentials | None, ip: str) -> Response:
    if needs is Gate.OPEN:
        return Response(status_code=204, headers=_NO_STORE)
    try:
        verdict = await door.ask(Question(credentials.secret if credentials else None, ip, needs, what))
    except DatabaseUnavailable:
        return Response(status_code=503, headers=_NO_STORE)
    if verdict.reason is None:
        return Response(status_code=204, headers=_NO_STORE)
    if verdict.reason.is_about_who:
        return Response(status_code=401, headers=_UNKNOWN_CALLER)
    return Response(status_code=403, headers=_NO_STORE)


def _wanted(request: Request) -> tuple[Privilege | Gate, str, Variables]:
    """What is asked for, its name, and the variables of the original request. Raises InvalidValue."""
    path, query = split_uri(_original_uri(request))
    asked = request.query_params.getlist("privilege")
    if len(asked) > 1:
        raise InvalidValue("More than one privilege was asked for.")
    if asked:
        return privilege(asked[0]), asked[0], Variables(query)
    function = function_at(path)
    return function.needs, function.name, Variables(query)


def _original_uri(request: Request) -> str:
    """The URI that the proxy was asked for; nothing if two headers name different ones, one of them perhaps the caller's."""
    told = {request.headers[name] for name in _ORIGINAL_URI if name in request.headers}
    return told.pop() if len(told) == 1 else ""


def _parse(body: bytes) -> Ask | AskMany:
    try:
        try:
            return AskMany.model_validate_json(body)
        except ValidationError:
            return Ask.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise InvalidValue(
            f"The question is not understood: {where + ': ' if where else ''}{problem['msg']}."
        ) from None


def _question(ask: Ask) -> Question:
    if (ask.privilege is None) is (ask.function is None):
        raise InvalidValue("A question names either a privilege or a function.")
    if ask.privilege is not None:
        return Question(ask.key, ask.ip, privilege(ask.privilege), ask.privilege)
    function = function_at(ask.function or "")
    return Question(ask.key, ask.ip, function.needs, function.name)
