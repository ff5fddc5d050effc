"""`main.py healthcheck`: asks the running server whether it is ready; for containers, which have no curl.

With --url nothing else of the program is loaded: a container asks every few seconds, for as long as it runs.
"""

import json
import ssl
import sys
from collections.abc import Sequence
from http.client import HTTPException
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

import typer

from models.access import READY_PATH
from models.errors import InvalidValue
from models.options import server_url

if TYPE_CHECKING:
    from cli.settings import Settings

_SECONDS = 5.0
_MOST_BYTES = 100_000

Url = Annotated[
    str | None, typer.Option("--url", help="The server's address; by default that of the one on this database.")
]


def is_quick(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for the health of a given address, and nothing of the settings is needed."""
    return arguments[:1] == ["healthcheck"] and any(each.startswith("--url") for each in arguments)


def healthcheck_only() -> NoReturn:
    """Run the command line as if there were no other command."""
    program = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    program.command("healthcheck")(healthcheck)
    program(args=sys.argv[2:])
    sys.exit()


def healthcheck(context: typer.Context, url: Url = None) -> None:
    """Ask the running server whether it is ready: exit status 0, or 1 with the part that is not."""
    try:
        address = server_url(url) if url else _own_address(context.obj)
    except InvalidValue as error:
        _refuse(str(error))
    problem = _problem(address if address.endswith(READY_PATH) else f"{address}{READY_PATH}")
    if problem:
        _refuse(f"Not ready: {problem}")
    print(f"Ready: {address}")


def _refuse(words: str) -> NoReturn:
    print(words, file=sys.stderr)
    sys.exit(1)


def _own_address(settings: "Settings") -> str:
    """Where the server on this database answers: as it says itself, or else as the settings say. Raises InvalidValue."""
    from services.running import Running  # noqa: PLC0415 - see above
    from web.server import Serving  # noqa: PLC0415 - likewise

    if announced := Running(settings.location.companion("server")).url():
        return announced
    if settings.port == 0 or not settings.location.is_postgres:  # a server on a file always says where it is
        raise InvalidValue(f"No server runs on {settings.location}, as far as can be seen from here. Give its --url.")
    certificate, key = settings.ssl_certfile, settings.ssl_keyfile
    return Serving(settings.host, settings.port, certificate, key, settings.root_path).url(settings.port)


def _problem(address: str) -> str:
    """What is wrong with the server there; empty if it is ready."""
    # The certificate is one for the name under which browsers come, and nothing secret is sent; no proxy of the
    # environment stands between a server and itself.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    try:
        with opener.open(address, timeout=_SECONDS) as answer:
            text = answer.read(_MOST_BYTES)
    except HTTPError as error:
        text = error.read(_MOST_BYTES)
    except (URLError, OSError, HTTPException) as error:
        return f"{address} does not answer: {getattr(error, 'reason', error)}."
    try:
        return _in_words(json.loads(text), address)
    except ValueError:
        return f"{address} is no server of Authkeys."


def _in_words(told: Any, address: str) -> str:
    if not isinstance(told, dict) or not isinstance(told.get("parts"), dict) or "ready" not in told:
        return f"{address} is no server of Authkeys."
    if told["ready"] is True:
        return ""
    wrong = [
        f"{part}: {state.get('problem')} (last well at {state.get('since')})"
        for part, state in told["parts"].items()
        if isinstance(state, dict) and not state.get("ready")
    ]
    return "; ".join(wrong) or "it does not say why."
