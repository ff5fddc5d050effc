"""The view of the pickup passphrases, at `/passphrases`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from nicegui import ui

from models.passphrases import parse_expiry, parse_networks, parse_note, parse_uses
from models.privileges import Privilege
from models.submissions import Source
from models.views import PassphraseView, State, parse_passphrase_view
from services.console import Console
from services.feed import Commit
from ui.passphrases.columns import PASSPHRASES_GRID
from ui.passphrases.details import PhraseDetails
from ui.passphrases.dialogs import AskNewPassphrase, WantedPassphrase, show_passphrase
from ui.passphrases.toolbar import PassphrasesToolbar
from ui.shell.frame import TITLE
from ui.shell.window import Window
from ui.staged.details import RowDetails
from ui.staged.grid import GridKind
from ui.staged.news import News
from ui.staged.page import StagedPage
from ui.staged.registration import register_staged_page
from ui.staged.row_menu import Menu

_EMPTY = {
    State.ACTIVE: (
        "There are no pickup passphrases",
        "Make one with “Add passphrase”; with it a server registers its own key.",
    ),
    State.OVER: ("No passphrase is used up or expired", "Those that no longer let a server register are shown here."),
    State.REMOVED: ("No passphrase was removed", "Removed ones stay on record, and are shown here."),
}


def register_passphrases_page(console: Console, stop: Callable[[], None] | None) -> None:
    """Register `/passphrases`."""
    title = f"Pickup Passphrases · {TITLE}"
    register_staged_page(console, stop, PassphrasesPage, PassphrasesPage.path, title, parse_passphrase_view)


class PassphrasesPage(StagedPage[PassphraseView]):
    """One open window on the passphrases."""

    path: ClassVar[str] = "/passphrases"
    kind: ClassVar[GridKind] = PASSPHRASES_GRID

    def __init__(self, window: Window, view: PassphraseView) -> None:
        super().__init__(window, view, window.console.passphrase_staging)
        self._passphrases = window.console.passphrases

    def build_toolbar(self) -> PassphrasesToolbar:
        """Search, filters, and what can be done with many passphrases, or none."""
        return PassphrasesToolbar(
            self.view,
            on_view=self.show_view,
            on_add=lambda: AskNewPassphrase(self._add),
            may_change=self.admin.may_change,
        )

    def build_empty(self, total: int) -> None:
        """None in this state, or none that was searched for."""
        if total == 0 and not self.view.staged_only:
            title, text = _EMPTY[self.view.state]
            ui.label(title).classes("empty-title")
            ui.label(text).classes("empty-text")
        else:
            ui.label("No passphrase matches this view").classes("empty-title")
            ui.label("Try another note, maker or network, or clear the filters.").classes("empty-text")
            ui.button("Clear the filters", on_click=self.toolbar.clear).props("flat no-caps")

    def heard(self, commit: Commit, news: News) -> None:
        """A server registered, which uses a passphrase: perhaps it is used up now."""
        if commit.source is Source.REGISTERED:
            news.stale = news.moved = True

    async def _add(self, wanted: WantedPassphrase) -> None:
        await self.window.require_session()
        await self._passphrases.add(
            self.admin,
            wanted.phrase,
            wanted.privileges,
            uses=parse_uses(wanted.uses),
            expires_at=parse_expiry(wanted.expiry, datetime.now(UTC)),
            networks=parse_networks(wanted.networks),
            note=parse_note(wanted.note),
            session_id=self.window.session.id,
        )
        show_passphrase(wanted.phrase.strip(), self.admin.name)

    # -- one passphrase ------------------------------------------------------------------------------------------------

    def details(self) -> RowDetails[Any] | None:
        """Those of a passphrase."""
        return PhraseDetails(self.window, self.staging, self.do)

    async def menu_of(self, row_id: int, privilege: Privilege | None) -> Menu | None:
        """Its details and its history, also of a removed one."""
        passphrase = await self._passphrases.find_any(row_id)
        if passphrase is None:
            return None
        return Menu(passphrase.label, self.row_panel.entries(row_id, privilege), f"Made by {passphrase.made_by}")
