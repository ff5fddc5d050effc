"""The view of denied requests: what access checks denied lately, why, live, with the remedy; and a form that tries one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from nicegui import app, ui

from models.access_checks import KeyState, Reason, Verdict, decide
from models.addresses import canonical_ip
from models.authkeys import Authkey, canonical_service
from models.denials import DeniedRequests
from models.errors import InvalidValue
from models.manage2_functions import function_at
from models.privileges import PRIVILEGES, Privilege, privilege
from services.authorizer import Question
from services.console import Console
from ui.shell.feedback import built, user_errors
from ui.shell.frame import TITLE
from ui.shell.window import Window

SHOWN = 100

_IN_WORDS = {
    Reason.NO_KEY: "The call brought no key.",
    Reason.UNKNOWN_KEY: "No authkey has the key that it brought.",
    Reason.REMOVED: "This authkey was removed.",
    Reason.REPLACED: "This key was replaced by a new one.",
    Reason.WRONG_IP: "The key is right, but it belongs to another IP address.",
    Reason.PRIVILEGE_MISSING: "The authkey does not have this privilege.",
    Reason.NOT_FOR_KEYS: "No privilege covers this: only an admin's password opens it, and only through the gateway.",
    Reason.UNKNOWN_WHAT: "Neither a privilege nor a function that Authkeys knows was asked for.",
    Reason.UNCLEAR: (
        "The proxy in front did not say what it asks for, or handed the caller's own query on. Its file must name the "
        "privilege in the path, as in /authorize/search, or tell the original URI; see deploy/."
    ),
    Reason.BACKEND: "The call was allowed, but the licensing backend gave no answer that could be passed on.",
    Reason.PHRASE_UNKNOWN: "There is no such pickup passphrase.",
    Reason.PHRASE_REMOVED: "The pickup passphrase was removed.",
    Reason.PHRASE_USED_UP: "The pickup passphrase is used up.",
    Reason.PHRASE_EXPIRED: "The pickup passphrase has expired.",
    Reason.PHRASE_WRONG_NETWORK: "The pickup passphrase may not be used from this address.",
    Reason.PHRASE_MAKER_DISABLED: "The account that made the pickup passphrase may no longer make any.",
    Reason.TOO_MANY_PHRASES: "Too many wrong pickup passphrases came from this address in a minute.",
}


def register_denied_page(console: Console, stop: Callable[[], None] | None) -> None:
    """Register `/denied`, and the address that it had before."""

    @ui.page("/denied", title=f"Denied requests · {TITLE}")
    async def denied(request: Request) -> Response | None:
        return await built(DeniedPage(Window(console, request, stop)).build())

    @app.get("/refusals", include_in_schema=False)
    async def moved(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/denied", 308)


@dataclass(frozen=True, slots=True)
class _DrawnRow:
    """The elements of one group that change."""

    row: ui.element
    times: ui.label
    last: ui.label


class DeniedPage:
    """One open window on the denied requests."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._console = window.console
        self._rows: dict[int, _DrawnRow] = {}

    async def build(self) -> None:
        """Load first, then build, then subscribe."""
        await self._window.load()
        groups = await self._console.uses.denied_requests(SHOWN)
        self._window.build_frame("/denied")
        with ui.element("div").classes("page scrolling"):
            AccessCheckTester(self._window)
            with ui.element("section").classes("panel").props('aria-label="Recent denied requests"'):
                ui.label("Denied requests").classes("panel-title").props("role=heading aria-level=2")
                self._list = (
                    ui.element("div")
                    .classes("table-area")
                    .props('tabindex=0 role=region aria-label="Table of denied requests"')
                )
        self._draw(groups)
        self._window.subscribe()
        self._console.uses.denied.subscribe(self._refused)

    async def _refused(self) -> None:
        with user_errors():
            self._draw(await self._console.uses.denied_requests(SHOWN))

    def _draw(self, groups: list[DeniedRequests]) -> None:
        """Change what changed: a row that somebody is about to press stays the same element."""
        if not groups or not self._rows:
            self._build_table(groups)
        gone = self._rows.keys() - {group.id for group in groups}
        for id_ in gone:
            self._rows.pop(id_).row.delete()
        for index, group in enumerate(groups):
            row = self._rows.get(group.id)
            if row is None:
                with self._body:
                    row = self._rows[group.id] = self._build_row(group)
            row.times.set_text(f"{group.times:,}")
            row.last.set_text(f"{group.last_at:%Y-%m-%d %H:%M:%S} UTC")
            if self._body.default_slot.children[index] is not row.row:
                row.row.move(self._body, index)

    def _build_table(self, groups: list[DeniedRequests]) -> None:
        self._list.clear()
        with self._list:
            if not groups:
                ui.label("No request was denied").classes("empty-title")
                ui.label("What access checks and the Manage2 functions deny shows here some seconds later.").classes(
                    "empty-text"
                )
                return
            with ui.element("table").classes("table texts"):
                with ui.element("thead"), ui.element("tr"):
                    for heading in ("Who", "From", "Asked for", "Why", "How often", "Last", ""):
                        with ui.element("th").props("scope=col").classes("number" if heading == "How often" else ""):
                            ui.label(heading or "Remedy").classes("" if heading else "visually-hidden")
                self._body = ui.element("tbody")

    def _build_row(self, group: DeniedRequests) -> _DrawnRow:
        with ui.element("tr") as row:
            with ui.element("th").props("scope=row"):
                ui.label(_who(group))
            for text, classes in (
                (group.ip, "address"),
                (_asked(group.what), ""),
                (_IN_WORDS[group.reason], "sentence"),
            ):
                with ui.element("td").classes(classes):
                    ui.label(text)
            with ui.element("td").classes("number"):
                times = ui.label()
            with ui.element("td").classes("time"):
                last = ui.label()
            with ui.element("td"):
                self._remedy(group)
        return _DrawnRow(row, times, last)

    def _remedy(self, group: DeniedRequests) -> None:
        needed = _privilege_of(group.what)
        if group.reason is not Reason.PRIVILEGE_MISSING or needed is None or not self._window.admin.may_change:
            return

        async def stage() -> None:
            with user_errors():
                await self._window.require_session()
                found = await self._console.authkeys.find([group.authkey_id])
                row = found.get(group.authkey_id)
                if row and row.privileges & needed.mask:
                    text = f"{group.ip} ({group.service}) has {needed.label} by now: nothing to stage."
                else:
                    await self._console.staging.stage(self._window.admin.id, group.authkey_id, needed, True)
                    text = f"Staged: {needed.label} for {group.ip} ({group.service}). Submit it with the keys."
                ui.notify(text, classes="notice")
                button.set_text("Has it now" if row and row.privileges & needed.mask else "Staged")
                button.disable()

        button = ui.button("Stage this grant", on_click=stage, color=None).props("flat dense no-caps").classes("quiet")
        button.props["aria-label"] = f"Stage this grant: {needed.label}, {group.ip}, {group.service}"


class AccessCheckTester:
    """Makes an access check as a script would, without a trace; also as it would end after my staged changes."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._console = window.console
        with ui.element("section").classes("panel").props('aria-label="Try an access check"'):
            ui.label("Try an access check").classes("panel-title").props("role=heading aria-level=2")
            with ui.element("div").classes("tester"):
                self._key = (
                    ui.input("Key, or the name of a service", on_change=self._forget)
                    .props("outlined dense autocomplete=off")
                    .mark("test-key")
                )
                self._ip = ui.input("From IP", on_change=self._forget).props("outlined dense").mark("test-ip")
                for field in (self._key, self._ip):
                    field.on("keydown.enter", self._ask)
                self._what = ui.select(
                    {each.id: each.label for each in PRIVILEGES},
                    label="Privilege",
                    value="search",
                    on_change=self._forget,
                )
                self._what.props("outlined dense options-dense").mark("test-privilege")
                button = ui.button("Check", on_click=self._ask, color=None).props("unelevated no-caps")
                button.classes("primary").mark("test-ask")
            with ui.element("div").props("role=status aria-live=polite").classes("tester-answer"):
                self._now = ui.label().mark("test-now")
                self._then = ui.label().mark("test-then")

    def _forget(self) -> None:
        """What was answered was about something else."""
        self._now.set_text("")
        self._then.set_text("")

    async def _ask(self) -> None:
        self._forget()
        with user_errors():
            await self._window.require_session()
            needs = privilege(self._what.value)
            ip = canonical_ip(str(self._ip.value or ""))
            text = str(self._key.value or "").strip()
            verdict, row = await self._verdict(text, ip, needs)
            self._now.set_text(f"Now: {_in_words(verdict)}")
            self._then.set_text(
                f"With my staged changes submitted: {_in_words(await self._after(verdict, row, ip, needs))}"
            )

    async def _verdict(self, text: str, ip: str, needs: Privilege) -> tuple[Verdict, Authkey | None]:
        if row := await self._row(text, ip):
            return decide(KeyState(row.id, row.ip, row.service, row.privileges), ip, needs), row
        verdict = await self._console.authorizer.judge(Question(text, ip, needs, needs.id))
        found = await self._console.authkeys.find([verdict.key.id]) if verdict.key else {}
        return verdict, next(iter(found.values()), None)

    async def _row(self, service: str, ip: str) -> Authkey | None:
        names = {service}
        with suppress(InvalidValue):
            names.add(canonical_service(service))
        return next((row for row in await self._console.authkeys.of_ip(ip) if row.service in names), None)

    async def _after(self, verdict: Verdict, row: Authkey | None, ip: str, needs: Privilege) -> Verdict:
        if row is None:
            return verdict
        entry = (await self._console.staging.of(self._window.admin.id))[row.id]
        key = KeyState(row.id, row.ip, row.service, entry.applied_to(row.privileges))
        return Verdict(Reason.REMOVED, key) if entry.removal else decide(key, ip, needs)


def _who(group: DeniedRequests) -> str:
    """Whose call it was, as far as that is known."""
    if group.service:
        return group.service
    match group.reason:
        case Reason.NO_KEY:
            return "No key"
        case Reason.UNKNOWN_WHAT | Reason.UNCLEAR | Reason.BACKEND:
            return "Not known"
    return "Unknown key"


def _in_words(verdict: Verdict) -> str:
    return "allowed" if verdict.reason is None else f"denied. {_IN_WORDS[verdict.reason]}"


def _privilege_of(what: str) -> Privilege | None:
    """The privilege that was asked for by its id or by a function's name."""
    try:
        return privilege(what)
    except InvalidValue:
        pass
    try:
        needs = function_at(f"/{what}.cgi").needs
    except InvalidValue:
        return None
    return needs if isinstance(needs, Privilege) else None


def _asked(what: str) -> str:
    needed = _privilege_of(what)
    return f"{needed.label} ({what})" if needed and needed.id != what else needed.label if needed else what
