"""The address of the authkeys: as they are, or with `as_of` as they were."""

from collections.abc import Callable

from models.views import View, parse_view
from services.console import Console
from ui.authkeys.page import AuthkeysPage
from ui.authkeys.past_page import PastPage
from ui.shell.frame import TITLE
from ui.shell.window import Window
from ui.staged.registration import register_staged_page


def register_authkeys_page(console: Console, stop: Callable[[], None] | None) -> None:
    """Register `/`."""
    register_staged_page(console, stop, _page, AuthkeysPage.path, TITLE, parse_view)


def _page(window: Window, view: View) -> AuthkeysPage:
    return AuthkeysPage(window, view) if view.is_live else PastPage(window, view)
