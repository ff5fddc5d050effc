"""Files that never change under their address: asked of the application once, and sent from memory, compressed, from then on.

The first answer is compressed quickly. Meanwhile the best is made, which takes a second for a large file; it is kept on disk
under the digest of what it holds, so that this happens once on a machine.
"""

import asyncio
import gzip
import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import brotli
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_FILES = 1_000
"""So many addresses are remembered; there are some hundreds."""
_FOR_EVER = "public, max-age=31536000, immutable"
_BEST, _QUICK = 11, 5
_COMPRESSIBLE = ("text/", "application/json", "image/svg")  # fonts and pictures are compressed already


class LastingFiles:
    """Wraps the application: paths that `is_lasting` are asked of it once, unless its answer does not say that it lasts."""

    def __init__(self, app: ASGIApp, is_lasting: Callable[[Scope], bool], folder: Path) -> None:
        """`folder` keeps the best; where that is not possible each process makes it anew."""
        self._app = app
        self._is_lasting = is_lasting
        self._folder = folder
        self._files: dict[str, File] = {}
        self._one_at_a_time = asyncio.Lock()
        self._improving: set[asyncio.Task[None]] = set()

    @property
    def routes(self) -> list[BaseRoute]:
        """Of the application behind."""
        return list(getattr(self._app, "routes", ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or let the application answer."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or not self._is_lasting(scope):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path not in self._files:
            answer = await _whole_answer(self._app, scope, receive)
            if answer.status_code != 200 or "max-age=31536000" not in answer.headers.get("cache-control", ""):
                await answer(scope, receive, send)
                return
            await self._add(path, answer)
        await self._files[path].answer(Headers(scope=scope).get("accept-encoding", ""))(scope, receive, send)

    async def _add(self, path: str, answer: Response) -> None:
        if len(self._files) >= MOST_FILES:
            self._files.clear()
        file = self._files[path] = File(bytes(answer.body), answer.headers.get("content-type", ""), self._folder)
        if await asyncio.to_thread(file.compress):
            return
        task = asyncio.create_task(self._improve(file))
        self._improving.add(task)
        task.add_done_callback(self._improving.discard)

    async def _improve(self, file: "File") -> None:
        async with self._one_at_a_time:  # pages are answered meanwhile
            await asyncio.to_thread(file.compress_best)


class File:
    """A file in the forms in which it may be sent."""

    def __init__(self, content: bytes, content_type: str, folder: Path) -> None:
        self._content_type = content_type
        self._forms = {"identity": content}
        self._stored = folder / f"{hashlib.sha256(content).hexdigest()}.br"

    def answer(self, accept_encoding: str) -> Response:
        """It in the smallest form that the browser takes."""
        coding = min(accepted(accept_encoding, self._forms), key=lambda each: len(self._forms[each]))
        headers = {"Cache-Control": _FOR_EVER, "Content-Type": self._content_type, "Vary": "Accept-Encoding"}
        if coding != "identity":
            headers["Content-Encoding"] = coding
        return Response(self._forms[coding], headers=headers)

    def compress(self) -> bool:
        """Make the other forms, in a moment; whether they are the best already."""
        if not self._content_type.startswith(_COMPRESSIBLE):
            return True
        content = self._forms["identity"]
        self._forms["gzip"] = gzip.compress(content, 9, mtime=0)
        best = self._read_stored(content)
        self._forms["br"] = best or brotli.compress(content, quality=_QUICK)
        return best is not None

    def compress_best(self) -> None:
        """Make the smallest form, which may take a second, and store it where that is possible."""
        best = self._forms["br"] = brotli.compress(self._forms["identity"], quality=_BEST)
        new = self._stored.with_suffix(f".{os.getpid()}")
        with suppress(OSError):  # without it the next process makes it again
            self._stored.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new.write_bytes(best)
            new.replace(self._stored)

    def _read_stored(self, content: bytes) -> bytes | None:
        """What was stored of this content; nothing else that stands in its place."""
        with suppress(OSError, brotli.error):
            stored = self._stored.read_bytes()
            return stored if brotli.decompress(stored) == content else None
        return None


def accepted(accept_encoding: str, codings: Iterable[str]) -> list[str]:
    """Those of these content codings that a browser takes (RFC 9110, 12.5.3); the file as it is always may go."""
    takes = {}
    for part in accept_encoding.casefold().replace(" ", "").split(","):
        coding, _, quality = part.partition(";q=")
        takes[coding] = quality.strip("0.") != "" or not quality
    return [each for each in codings if each == "identity" or takes.get(each, takes.get("*", False))]


async def _whole_answer(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """What the application answers to the plain question: not compressed, not a part of it, not "you have it already"."""
    answer = Response()
    body = bytearray()

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status_code = message["status"]
            answer.raw_headers = list(message["headers"])
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    headers = [(name, value) for name, value in scope["headers"] if name == b"host"]
    await app({**scope, "method": "GET", "headers": headers}, receive, take)
    answer.body = bytes(body)
    return answer
