"""How errors reach the person: an expected one as a notification in its own words, a bug as an apology and a log entry."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from models.errors import AuthkeysError

log = logging.getLogger(__name__)


@contextmanager
def user_errors() -> Iterator[None]:
    """Show an AuthkeysError to the person instead of raising it."""
    try:
        yield
    except AuthkeysError as error:
        show_error(str(error))


def show_error(message: str) -> None:
    """A message at the top, where it hides neither the bar nor what is staged."""
    ui.notify(
        message,
        type="negative",
        position="top",
        timeout=12_000,
        close_button="Close",
        multi_line=True,
        classes="notice",
    )


def show_bug(error: Exception) -> None:
    """What the page says when its own code failed; the details are in the server's log."""
    log.error("A page failed", exc_info=error)
    show_error("Something went wrong here. Your staged changes are safe; reload the page if it looks odd.")
