"""How a request is read, and within which limits: the caller's address, the path, the body."""

import asyncio
import re
from urllib.parse import parse_qs

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from models.devices import device_in_words
from models.errors import InvalidValue
from models.manage2_requests import MAX_BYTES

BODY_SECONDS = 30.0
"""Within which a body must have arrived: who sends a byte a minute shall not hold a connection for a day."""


_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~-]*")


class BodyNotRead(InvalidValue):
    """The body was given up before its end, so this connection can carry no further request."""


def address_of(request: Request) -> str:
    """The caller's address: the connection's, or a trusted proxy's word (`web.session_middleware` has put it there); canonical."""
    return request.client.host if request.client else ""


def device_of(request: Request) -> str:
    """What the caller says it is, in words; a claim."""
    return device_in_words(request.headers.get("user-agent", ""))


def path_below_root(scope: Scope) -> str:
    """The path below the root path, which uvicorn puts before every path, also if the proxy in front did not take it away."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    while root and path.startswith(f"{root}/"):
        path = path.removeprefix(root)
    return path


def printable_path(path: str) -> str:
    """The beginning of a path that may go on record: in a misspelt rest (`;`, `%3F`) a key may stand."""
    found = _PLAIN_PATH.match(path)
    return found[0] if found else ""


async def read_body(request: Request) -> bytes:
    """The whole body. Raises InvalidValue for a compressed one, and BodyNotRead for one too long or too slow."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read(request)
    except TimeoutError:
        raise BodyNotRead(f"The body did not arrive within {BODY_SECONDS:.0f} seconds.") from None
    except ClientDisconnect:
        raise BodyNotRead("The connection ended within the body.") from None
    # A key could hide in it from us, and not from a backend.
    if body and request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise InvalidValue("A compressed body is not understood.")
    return body


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises like `read_body`, also InvalidValue for far too many."""
    body = await read_body(request)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        raise InvalidValue("This is not a form of these pages: it has too many fields.") from None
    return {name: values[0] for name, values in fields.items()}


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise BodyNotRead(f"The body is longer than {MAX_BYTES:,} bytes.")
    return bytes(body)
