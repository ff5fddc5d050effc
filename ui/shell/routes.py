"""All pages, in one place."""

from collections.abc import Callable

from services.console import Console
from ui.approvals.page import register_approvals_page
from ui.authkeys.registration import register_authkeys_page
from ui.denied.page import register_denied_page
from ui.history.page import register_history_page
from ui.passphrases.page import register_passphrases_page
from ui.settings.page import register_settings_pages
from ui.shell.frame import serve_static_files
from ui.shell.memory import collect_closed_pages
from ui.shell.no_page import register_error_pages
from ui.shell.slots import keep_elements_in_use
from ui.shell.sockets import guard_sockets


def register_pages(console: Console, stop: Callable[[], None] | None = None) -> None:
    """Register every page. `stop` ends the server; without it the menu does not offer to quit."""
    serve_static_files()
    guard_sockets(console.sessions)
    collect_closed_pages()
    keep_elements_in_use()
    register_error_pages()
    register_authkeys_page(console, stop)
    register_passphrases_page(console, stop)
    register_denied_page(console, stop)
    register_history_page(console, stop)
    register_settings_pages(console, stop)
    if console.approvals.four_eyes.is_on:
        register_approvals_page(console, stop)
