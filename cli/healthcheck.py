"""`main.py healthcheck`: asks the running server whether it is ready; for containers, which have no curl."""

from typing import Annotated, Any

import typer

from cli.command import refuse
from cli.settings import Settings
from models.errors import InvalidValue
from models.options import server_url
from services.running import Running
from web.operations import READY_PATH
from web.server import Serving

_SECONDS = 5.0


def healthcheck(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option("--url", help="The server's address; by default that of the one on this database.")
    ] = None,
) -> None:
    """Ask the running server whether it is ready: exit status 0, or 1 with the part that is not."""
    try:
        address = server_url(url) if url else _own_address(context.obj)
    except InvalidValue as error:
        refuse(error)
    address = address if address.endswith(READY_PATH) else f"{address}{READY_PATH}"
    problem = _problem(address)
    if problem:
        refuse(f"Not ready: {problem}")
    print(f"Ready: {address}")


def _own_address(settings: Settings) -> str:
    """Where the server on this database answers: as it says itself, or else as the settings say."""
    if announced := Running(settings.location.companion("server")).url():
        return announced
    if settings.port == 0 or not settings.location.is_postgres:  # a server on a file always says where it is
        raise InvalidValue(f"No server runs on {settings.location}, as far as can be seen from here. Give its --url.")
    certificate, key = settings.ssl_certfile, settings.ssl_keyfile
    return Serving(settings.host, settings.port, certificate, key, settings.root_path).url(settings.port)


def _problem(address: str) -> str:
    import httpx  # noqa: PLC0415 - takes its time

    try:
        # The certificate is one for the name under which browsers come, and nothing secret is sent; no proxy of the
        # environment stands between a server and itself.
        answer = httpx.get(address, verify=False, trust_env=False, timeout=_SECONDS)
        told = answer.json()
    except httpx.HTTPError as error:
        return f"{address} does not answer ({type(error).__name__})."
    except ValueError:
        return f"{address} is no server of Authkeys (status {answer.status_code})."
    return _in_words(told, address)


def _in_words(told: Any, address: str) -> str:
    """What an answer says is wrong; empty for a server that is ready."""
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
