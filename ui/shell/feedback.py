"""How errors reach the person: an expected one as a notification in its own words, a bug as an apology and a log entry."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from models.access import CONFIRM_PATH
from models.errors import AuthkeysError, FactorNeeded

log = logging.getLogger(__name__)


@contextmanager
def user_errors() -> Iterator[None]:
    """Show an AuthkeysError to the person instead of raising it."""
    try:
        yield
    except FactorNeeded as error:
        offer_to_confirm(error)
    except AuthkeysError as error:
        show_error(str(error))


def show_error(message: str) -> None:
    """A message above the bar, where it hides neither that nor the navigation and the filters. It stays until it is closed."""
    ui.notify(
        message,
        type="negative",
        position="bottom",
        timeout=0,
        close_button="Close",
        multi_line=True,
        classes="notice",
    )


def offer_to_confirm(error: FactorNeeded) -> None:
    """Say that it must be proven who is there, and lead to where that is done; staged changes wait meanwhile."""
    request = ui.context.client.request
    root = str(request.scope.get("root_path", "")) if request else ""
    confirm = {
        "label": "Confirm that it is you",
        "no-caps": True,
        "color": "white",
        ":handler": f"() => authkeys.proveAgain({json.dumps(root)}, {json.dumps(CONFIRM_PATH)})",
    }
    close = {"icon": "close", "round": True, "dense": True, "size": "sm", "color": "white", "aria-label": "Close"}
    ui.notification(
        str(error),
        color="primary",
        position="bottom",
        timeout=None,
        actions=[confirm, close],
        multi_line=True,
        classes="notice",
    )


def show_bug(error: Exception) -> None:
    """What the page says when its own code failed; the details are in the server's log."""
    log.error("A page failed", exc_info=error)
    show_error("Something went wrong here. Your staged changes are safe; reload the page if it looks odd.")
