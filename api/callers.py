"""What all doors for scripts have in common: how a request is read, and within which limits."""

from fastapi import Request

from models.errors import InvalidValue
from models.manage2_requests import MAX_BYTES


def address_of(request: Request) -> str:
    """The caller's address: the connection's, or a trusted proxy's word (`--trusted-proxy`; uvicorn sees to that)."""
    return request.client.host if request.client else ""


async def read_body(request: Request) -> bytes:
    """The whole body. Raises InvalidValue, without reading on, if it is longer than MAX_BYTES."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise InvalidValue(f"The body is longer than {MAX_BYTES:,} bytes.")
    return bytes(body)
