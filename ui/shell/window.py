"""What every view has: one signed-in admin's window with its frame, which closes when the session ends."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from urllib.parse import urlencode

from fastapi import Request
from nicegui import ui

from models.access import FACTORS_PATH
from models.accounts import AdminIdentity
from models.authkeys import Authkey
from models.errors import InvalidValue, NotAllowed
from models.subjects import Subject
from models.views import View
from services.console import Console
from services.saved_views import views_seen_by
from services.sessions import SignedIn, session_of
from ui.shell.approvals_mark import ApprovalsMark
from ui.shell.dialogs import ask_new_password, ask_quit, show_shortcuts
from ui.shell.feedback import show_bug, user_errors
from ui.shell.frame import APPROVALS_PATH, NAMES, VIEWS, Frame
from ui.shell.palette import Command, Palette
from ui.shell.presence import Others
from ui.shell.toasts import Toasts, Undo

GRIDS = {Subject.AUTHKEY: "/", Subject.PASSPHRASE: "/passphrases"}
"""Where the rows of each subject are shown"""
FOUND_KEYS = 8
"""Keys that the command palette lists at once"""


class Window:
    """One open window of an admin, whichever view it shows."""

    def __init__(self, console: Console, request: Request, stop: Callable[[], None] | None) -> None:
        """`stop` ends the server; without it the menu does not offer to quit."""
        self.console = console
        self._request = request
        self._session = session_of(request.scope)
        self._stop = stop
        self._has_password = False
        self._palette: Palette | None = None
        self.view_commands: Callable[[], Awaitable[Sequence[Command]]] = _no_commands
        """What can be done in the view that it shows, beside what every view has"""
        self.show_key: Callable[[Authkey], Awaitable[object] | object] = search_for_key
        """How it shows one key"""

    @property
    def admin(self) -> AdminIdentity:
        """Who is signed in."""
        return self._session.admin

    @property
    def session(self) -> SignedIn:
        """The session that this window belongs to; services ask whether who is there has proven it in this one."""
        return self._session

    @property
    def has_password(self) -> bool:
        """Whether the admin had a password to change when the page was opened."""
        return self._has_password

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
        self._path = path
        self.frame = Frame(
            self._request,
            self.admin,
            path,
            available=self.console.feed.available,
            on_commands=self._open_palette,
            is_demo=self.console.is_demo,
            on_change_password=self.ask_password if self._has_password else None,
            on_quit=self._ask_quit if self._may_quit else None,
        )
        self._toasts = Toasts(self._undo)
        self._said = ui.label().classes("visually-hidden").props("role=status").mark("announced")
        return self.frame

    def subscribe(self) -> None:
        """Close with the session; say when the database is lost; open the command palette by its key."""
        ui.on_exception(show_bug)
        ui.on("palette", self._open_palette)
        with self.frame.others:
            if self.console.approvals.four_eyes.is_on:
                is_here = self._path == APPROVALS_PATH
                ApprovalsMark(self.console.approvals, self.admin, self.tell, self.root_path, is_here=is_here)
            Others(self.console, self.admin.id, self._path)
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

    # -- the command palette -------------------------------------------------------------------------------------------

    async def _open_palette(self) -> None:
        with user_errors():
            await self.require_session()
            theirs, saved = await self.view_commands(), await self._saved_views()
            if self._palette is None or not self._palette.is_open:
                commands = [*self._ways(), *theirs, *self._own_commands(), *saved]
                self._palette = Palette(commands, self._find_keys, self._choose)

    async def _choose(self, command: Command) -> None:
        with ui.context.client.content, user_errors():  # the palette goes away meanwhile
            await self.require_session()
            done = command.act()
            if inspect.iscoroutine(done):
                await done

    def _ways(self) -> list[Command]:
        return [
            Command(
                name,
                "arrow_forward",
                partial(ui.navigate.to, path),
                "Go to",
                "view",
                is_offered=path != self._path,
            )
            for path, name in self._views.items()
        ]

    @property
    def _views(self) -> dict[str, str]:
        is_here = {APPROVALS_PATH: self.console.approvals.four_eyes.is_on}
        return {path: name for path, name in NAMES.items() if is_here.get(path, True)}

    async def _saved_views(self) -> list[Command]:
        return [
            Command(
                each.name,
                "bookmark_border",
                partial(ui.navigate.to, f"{path}?{each.query}" if each.query else path),
                "Saved views",
                f"saved view {VIEWS[path]} {each.owner}",
            )
            for subject, path in GRIDS.items()
            for each in await views_seen_by(self.admin, subject)
        ]

    def _own_commands(self) -> list[Command]:
        frame, group = self.frame, "This window"
        return [
            Command("Switch between light and dark", "dark_mode", frame.switch_theme, group, "theme colours"),
            Command("Keyboard shortcuts", "keyboard", show_shortcuts, group, "help keys", "?"),
            Command("Change password", "password", self.ask_password, group, "account", is_offered=self._has_password),
            Command("Second factor", "password", partial(ui.navigate.to, FACTORS_PATH), group, "account passkey code"),
            Command("Sign out", "logout", frame.sign_out, group, "account log"),
            Command("Quit Authkeys", "power_settings_new", self._ask_quit, group, "stop", is_offered=self._may_quit),
        ]

    async def _find_keys(self, query: str) -> list[Command]:
        with user_errors():
            await self.require_session()
            try:
                rows = await self.console.authkeys.block(View(search=query), self.admin.id, 0, FOUND_KEYS)
            except InvalidValue:  # nothing that a key could have
                return []
            return [Command(row.name, "vpn_key", partial(self.show_key, row), "Keys") for row in rows]
        return []

    # -- the account menu ----------------------------------------------------------------------------------------------

    def ask_password(self) -> None:
        """Ask for the present and a new password."""

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
            ask_quit([each.name for each in self.console.presence.others(self.admin.id)], self._quit)

    async def _quit(self) -> None:
        with user_errors():
            await self.require_session()
            if not self._may_quit or self._stop is None:
                raise NotAllowed("Only who started Authkeys on this machine may end it. It goes on.")
            await self.frame.show_stopped()
            self._stop()


async def _no_commands() -> Sequence[Command]:
    return ()


def search_for_key(row: Authkey) -> None:
    """Go to the view of the authkeys, where only this one is shown."""
    ui.navigate.to(f"/?{urlencode({'search': f'{row.ip} {row.service}'})}")
