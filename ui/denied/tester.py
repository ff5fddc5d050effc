"""The access check tester: asks as a script would, without a trace; also as it would end after my staged changes."""

from contextlib import suppress

from nicegui import ui

from models.access_checks import KeyState, Reason, Verdict, decide
from models.addresses import canonical_ip
from models.authkeys import Authkey, canonical_service
from models.denial_views import Trial
from models.denial_wording import verdict_text
from models.errors import InvalidValue
from models.privileges import PRIVILEGES, Privilege, privilege
from services.authorizer import Question
from ui.shell.feedback import user_errors
from ui.shell.window import Window


class AccessCheckTester:
    """The form, filled with what is to be tried; it is built into whatever is open."""

    def __init__(self, window: Window, trial: Trial, row: Authkey | None) -> None:
        """`row` is the authkey that the trial names, if there still is one; its key is taken as long as it stays named."""
        self._window = window
        self._console = window.console
        self._named = row
        with ui.element("div").classes("tester"):
            self._key = (
                ui.input("Key, or the name of a service", value=row.service if row else "", on_change=self._other_key)
                .props("outlined dense autofocus autocomplete=off")
                .mark("test-key")
            )
            self._ip = ui.input("From IP", value=trial.ip, on_change=self._forget).props("outlined dense")
            self._ip.mark("test-ip")
            for field in (self._key, self._ip):
                field.on("keydown.enter", self.ask)
            self._what = ui.select(
                {each.id: each.label for each in PRIVILEGES},
                label="Privilege",
                value=trial.privilege,
                on_change=self._forget,
            )
            self._what.props("outlined dense options-dense").mark("test-privilege")
            button = ui.button("Check", on_click=self.ask, color=None).props("unelevated no-caps")
            button.classes("primary").mark("test-ask")
        with ui.element("div").props("role=status aria-live=polite").classes("tester-answer"):
            self._now = ui.label().mark("test-now")
            self._then = ui.label().mark("test-then")
        if trial.authkey_id and row is None:
            self._now.set_text("That authkey is no longer there. Type a key, or the name of a service.")

    def _other_key(self) -> None:
        self._named = None
        self._forget()

    def _forget(self) -> None:
        """What was answered was about something else."""
        self._now.set_text("")
        self._then.set_text("")

    async def ask(self) -> None:
        """Answer, for now and for after my staged changes."""
        self._forget()
        with user_errors():
            await self._window.require_session()
            needs = privilege(self._what.value)
            ip = canonical_ip(str(self._ip.value or ""))
            text = str(self._key.value or "").strip()
            verdict, row = await self._verdict(text, ip, needs)
            self._now.set_text(f"Now: {verdict_text(verdict)}")
            after = await self._after(verdict, row, ip, needs)
            self._then.set_text(f"With my staged changes submitted: {verdict_text(after)}")

    async def _verdict(self, text: str, ip: str, needs: Privilege) -> tuple[Verdict, Authkey | None]:
        if row := await self._row(text, ip):
            return decide(KeyState(row.id, row.ip, row.service, row.privileges), ip, needs), row
        verdict = await self._console.authorizer.judge(Question(text, ip, needs, needs.id))
        found = await self._console.authkeys.find([verdict.key.id]) if verdict.key else {}
        return verdict, next(iter(found.values()), None)

    async def _row(self, service: str, ip: str) -> Authkey | None:
        if self._named and (row := (await self._console.authkeys.find([self._named.id])).get(self._named.id)):
            return row
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
