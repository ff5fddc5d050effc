"""What every view has: one signed-in admin's window with its frame, which closes when the session ends."""

from collections.abc import Callable

from fastapi import Request
from nicegui import Client, ui

from models.accounts import AdminIdentity
from models.errors import NotAllowed
from services.console import Console
from services.sessions import session_of
from ui.shell.dialogs import ask_new_password, ask_quit
from ui.shell.feedback import show_bug, user_errors
from ui.shell.frame import Frame
from ui.shell.toasts import Toasts, Undo


class Window:
    """One open window of an admin, whichever view it shows."""

    def __init__(self, console: Console, request: Request, stop: Callable[[], None] | None) -> None:
        """`stop` ends the server; without it the menu does not offer to quit."""
        self.console = console
        self._request = request
        self._session = session_of(request.scope)
        self._stop = stop
        self._has_password = False

    @property
    def admin(self) -> AdminIdentity:
        """Who is signed in."""
        return self._session.admin

    @property
    def root_path(self) -> str:
        """What stands before every path of ours."""
        return str(self._request.scope.get("root_path", ""))

    @property
    def origin(self) -> str:
        """The beginning of every URL of ours, as this browser reached it: `https://keys.example.com`, with the root path."""
        return f"{self._request.url.scheme}://{self._request.url.netloc}{self.root_path}"

    @property
    def query(self) -> dict[str, str]:
        """What the address said when the page was opened."""
        return dict(self._request.query_params)

    async def load(self) -> None:
        """Read what the frame shows, before anything is built."""
        self._has_password = await self.console.admins.has_password(self.admin)

    def build_frame(self, path: str) -> Frame:
        """The head and the header, for the view at this path."""
        self.frame = Frame(
            self._request,
            self.admin,
            path,
            available=self.console.feed.available,
            is_demo=self.console.is_demo,
            on_change_password=self._ask_password if self._has_password else None,
            on_quit=self._ask_quit if self._may_quit else None,
        )
        self._toasts = Toasts(self._undo)
        self._said = ui.label().classes("visually-hidden").props("role=status").mark("announced")
        return self.frame

    def subscribe(self) -> None:
        """Close with the session; say when the database is lost."""
        ui.on_exception(show_bug)
        self.console.sessions.ended.subscribe(self._sessions_ended)
        self.console.feed.availability_changed.subscribe(self._availability_changed)

    def announce(self, text: str) -> None:
        """Tell a screen reader what happened elsewhere; eyes see it in the page."""
        # What is said again must be another text, or nobody hears it.
        self._said.set_text(f"{text}\u00a0" if self._said.text == text else text)

    def tell(self, text: str, undo: Undo | None = None) -> None:
        """Say, to everybody, what the admin just did came to, and offer to undo just that; it goes by itself."""
        self._toasts.tell(text, undo)

    def latest_step(self, number: int) -> None:
        """The staging step that can be undone now: what offers to undo another one goes."""
        self._toasts.keep_for(number)

    async def _undo(self, undo: Undo) -> None:
        with user_errors():
            await self.require_session()
            await undo.act()

    async def require_session(self) -> None:
        """Raise NotAllowed if the session is over. Every handler that does something asks this first."""
        self._session = await self.console.sessions.use(self._session)

    def _sessions_ended(self, session_ids: frozenset[int]) -> None:
        if self._session.id in session_ids:
            self.frame.leave()

    def _availability_changed(self, available: bool) -> None:
        self.frame.show_available(available)

    def _ask_password(self) -> None:
        async def change(present: str, new: str) -> None:
            await self.require_session()
            await self.console.admins.change_own_password(self.admin, present, new, self._session)
            self.tell("Your password is changed; your other sessions are signed out.")

        ask_new_password(change)

    @property
    def _may_quit(self) -> bool:
        """Who started the program on this machine ends it: whom its launch link signs in, and nobody with a password only."""
        return self._stop is not None and self.admin.id == self.console.admin.id and self.admin.may_change

    async def _ask_quit(self) -> None:
        with user_errors():
            await self.require_session()
            ask_quit(self._others_here(), self._quit)

    def _others_here(self) -> list[str]:
        """The names of the other admins with an open page."""
        pages = [page for page in Client.instances.values() if page.has_socket_connection and page.request]
        names = {session_of(page.request.scope).admin.name for page in pages}
        return sorted(names - {self.admin.name})

    async def _quit(self) -> None:
        with user_errors():
            await self.require_session()
            if not self._may_quit or self._stop is None:
                raise NotAllowed("Only who started Authkeys on this machine may end it. It goes on.")
            await self.frame.show_stopped()
            self._stop()
