"""A person at the page without a browser: signing in, reading, waiting, and whatever a browser can send."""

from typing import Any

import httpx
import nicegui
from nicegui import ElementFilter, ui
from nicegui.testing import User, UserInteraction

from models.access import HostRule
from models.accounts import AdminIdentity
from models.privileges import privilege
from models.submissions import Assignment
from models.tables import Authkey
from services.console import Console
from tests.elsewhere import key
from tests.waiting import comes_true
from web.session_middleware import SessionMiddleware

ADD, SEARCH = privilege("addlicense"), privilege("search")
BILLING = key("192.0.2.7", "billing", ADD, SEARCH)
PORTAL = key("192.0.2.16", "portal")
MAIL = key("2001:db8::1", "mail", SEARCH)
KEYS = (BILLING, PORTAL, MAIL)
"""What the fixture `page` shows"""


async def sign_in(user: User, console: Console, admin: AdminIdentity) -> None:
    """Give this person's browser a session, and let it pass through the gate."""
    cookie = await console.sessions.begin(admin, "127.0.0.1")
    user.http_client = httpx.AsyncClient(
        transport=httpx.ASGITransport(SessionMiddleware(nicegui.app, console.sessions, HostRule("test"))),
        base_url="http://test",
        cookies={console.sessions.cookie_name: cookie},
        headers={"Accept": "text/html"},
    )


def text(user: User, marker: str) -> str:
    """The whole text of a label."""
    (element,) = user.find(marker=marker).elements
    assert isinstance(element, ui.label)
    return element.text


async def says(user: User, marker: str, expected: str) -> None:
    """Wait until a label has exactly this text."""
    assert await comes_true(lambda: text(user, marker) == expected), text(user, marker)


async def is_told(user: User, message: str) -> None:
    """Wait until a notification holds this text."""
    assert await comes_true(lambda: any(message in each for each in told(user))), told(user)


def told(user: User) -> list[str]:
    """All notifications until now, those that offer something last."""
    return [*user.notify.messages, *(toast.message for toast in _toasts(user))]


def _toasts(user: User) -> list[ui.notification]:
    with user.client:
        return list(ElementFilter(kind=ui.notification))


async def undoes(user: User, message: str) -> None:
    """Press "Undo" of the notification that says this, as a browser does."""
    await is_told(user, message)
    toast = next(each for each in reversed(_toasts(user)) if message in each.message)
    undo = toast.props["options"]["actions"][0]
    claims(user, "undo", int(undo[":handler"].rpartition(" ")[2].rstrip(")")))


def claims(user: User, event: str, args: Any) -> None:
    """What a browser can send, whatever the page would let through."""
    UserInteraction(user, {user.current_layout}, None).trigger(event, args)


async def id_of(authkey: Assignment) -> int:
    return (await Authkey.get(ip=authkey.ip, service=authkey.service)).id


async def ticks(user: User, sequence: int, authkey: Assignment, column: str, value: bool) -> None:
    """An honest tick, as the page's own script sends it."""
    claims(user, "tick", {"seq": sequence, "id": await id_of(authkey), "column": column, "value": value})


def selection(
    first: int, last: int, *columns: str, whole: bool = False, ids: tuple[Any, Any] = (None, None)
) -> dict[str, Any]:
    """What the page's own script says of a selection: rows by their places, and columns."""
    stretch = {
        "first": first, "last": last, "firstId": ids[0], "lastId": ids[1], "whole": whole,
        "columns": list(columns or ("search",)),
    }  # fmt: skip
    return {"stretches": [stretch]}


async def opens_menu(user: User, authkey: Assignment) -> None:
    """Ask for the menu of a row, as the page's own script does."""
    claims(user, "menu", {"id": await id_of(authkey)})
