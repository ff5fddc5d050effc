"""Pages of plain HTML: for signing in and for second factors, which must work where a page of NiceGUI does not."""

import hashlib
from html import escape
from pathlib import Path
from string import Template

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from models.second_factors import PasskeyPlace, place
from models.wording import unavailable_html, unsent_html

_FOLDER = Path(__file__).parent
STYLE = (_FOLDER / "plain.css").read_text("utf-8")
_PAGE = Template((_FOLDER / "plain.html").read_text("utf-8"))
# Our own two scripts and nothing else: none inline, none evaluated.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SCRIPTS = {name: (_FOLDER / f"{name}.js").read_bytes() for name in ("passkeys", "recovery_codes")}
_SCRIPT_FOLDER = "/sign-in/scripts"
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}


def scripts_router() -> APIRouter:
    """The scripts of these pages, which need no session."""
    router = APIRouter(include_in_schema=False)

    @router.get(_SCRIPT_FOLDER + "/{name}.js")
    async def script(name: str) -> Response:
        if name not in _SCRIPTS:
            return Response(status_code=404)
        # The address that pages give holds the digest of what is there, so it may be kept.
        return Response(
            _SCRIPTS[name], media_type="text/javascript", headers={"Cache-Control": "max-age=31536000, immutable"}
        )

    return router


def script_tag(request: Request, name: str) -> str:
    """What loads one of these scripts."""
    digest = hashlib.sha256(_SCRIPTS[name]).hexdigest()[:12]
    return f'<script type="module" src="{escape(path_to(request, _SCRIPT_FOLDER))}/{name}.js?{digest}"></script>'


def plain_page(
    title: str, body: str, *, heading: str = "", status: int = 200, script: str = "", is_wide: bool = False
) -> HTMLResponse:
    """A page, with its title for a heading unless it has one of its own; `body` and `script` are HTML."""
    text = _PAGE.substitute(
        title=escape(title),
        heading=escape(heading or title),
        style=STYLE,
        body=body,
        script=script,
        width="wide" if is_wide else "",
    )
    return HTMLResponse(text, status, headers=HEADERS)


def problem_html(text: str) -> str:
    """What was wrong, told to eyes and screen readers."""
    return f'<p class="problem" id="problem" role="alert">{escape(text)}</p>' if text else ""


def hidden(name: str, value: str) -> str:
    """A field of a form that nobody fills in."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def path_to(request: Request, path: str) -> str:
    """A path of ours as the browser has it, with the root path."""
    return str(request.scope.get("root_path", "")) + path


def place_of(request: Request) -> PasskeyPlace:
    """Where the browser is, as passkeys see it."""
    return place(request.url.scheme, request.headers.get("host", ""))


async def unavailable_page(request: Request, error: Exception) -> Response:
    """Answers for a route to which the database got lost."""
    content = unavailable_html(error) if request.method in ("GET", "HEAD") else unsent_html(error)
    return HTMLResponse(content, 503, headers={"Cache-Control": "no-store"})
