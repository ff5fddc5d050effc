"""The list of denied requests: equal ones in one line, the newest on top, each with its remedy."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from models.access_checks import Reason
from models.denial_views import DeniedView, Trial
from models.denial_wording import REASON_SENTENCES, asked, privilege_asked, who
from models.denials import DeniedRequests
from ui.shell.feedback import user_errors
from ui.shell.times import show_time, time_label
from ui.shell.toasts import Undo
from ui.shell.window import Window

_STAGE = "Stage this grant"
_HEADINGS = ("Who", "From", "Asked for", "Why", "How often", "Last", "")


@dataclass(frozen=True, slots=True)
class _DrawnRow:
    """The elements of one group that change."""

    row: ui.element
    times: ui.label
    last: TextElement


class DeniedRows:
    """The table, or what stands in for it where there is nothing."""

    def __init__(
        self,
        window: Window,
        *,
        on_try: Callable[[Trial], Awaitable[object]],
        on_clear: Callable[[], Awaitable[object]],
    ) -> None:
        self._window = window
        self._console = window.console
        self._on_try = on_try
        self._on_clear = on_clear
        self._rows: dict[int, _DrawnRow] = {}
        self.element = ui.element("div").classes("denied-list").mark("denied-list")
        self.element.props('tabindex=0 role=region aria-label="Table of denied requests"')

    def draw(self, groups: list[DeniedRequests], view: DeniedView) -> None:
        """Change what changed: a row that somebody is about to press stays the same element."""
        if not groups or not self._rows:
            self._build(groups, view)
        for id_ in self._rows.keys() - {group.id for group in groups}:
            self._rows.pop(id_).row.delete()
        for index, group in enumerate(groups):
            row = self._rows.get(group.id)
            if row is None:
                with self._body:
                    row = self._rows[group.id] = self._build_row(group)
            else:
                row.times.set_text(f"{group.times:,}")
                show_time(row.last, group.last_at)
            if self._body.default_slot.children[index] is not row.row:
                row.row.move(self._body, index)

    def _build(self, groups: list[DeniedRequests], view: DeniedView) -> None:
        self.element.clear()
        self._rows.clear()
        with self.element:
            if groups:
                self._build_table()
            else:
                with ui.element("div").classes("empty").props("role=status"):
                    self._build_empty(view)

    def _build_empty(self, view: DeniedView) -> None:
        if view.is_filtered:
            ui.label("No denied request matches this view").classes("empty-title")
            ui.button("Show all denied requests", on_click=self._on_clear).props("flat no-caps")
            return
        ui.label("No request was denied").classes("empty-title")
        ui.label("What access checks and the Manage2 functions deny shows here some seconds later.").classes(
            "empty-text"
        )

    def _build_table(self) -> None:
        with ui.element("table").classes("table texts denied-table"):
            with ui.element("thead"), ui.element("tr"):
                for heading in _HEADINGS:
                    with ui.element("th").props("scope=col").classes("number" if heading == "How often" else ""):
                        ui.label(heading or "Remedy").classes("" if heading else "visually-hidden")
            self._body = ui.element("tbody")

    def _build_row(self, group: DeniedRequests) -> _DrawnRow:
        with ui.element("tr") as row:
            with ui.element("th").props("scope=row"):
                ui.label(who(group))
            for text, classes in (
                (group.ip, "address"),
                (asked(group.what), "asked"),
                (REASON_SENTENCES[group.reason], "sentence"),
            ):
                with ui.element("td").classes(classes):
                    ui.label(text)
            with ui.element("td").classes("number"):
                times = ui.label(f"{group.times:,}")
            with ui.element("td").classes("time"):
                last = time_label(group.last_at)
            with ui.element("td").classes("remedies"):
                self._remedy(group)
                self._try_again(group)
        return _DrawnRow(row, times, last)

    def _remedy(self, group: DeniedRequests) -> None:
        needed = privilege_asked(group.what)
        if group.reason is not Reason.PRIVILEGE_MISSING or needed is None or not self._window.admin.may_change:
            return

        admin_id, staging = self._window.admin.id, self._console.staging

        async def stage() -> None:
            with user_errors():
                await self._window.require_session()
                found = await self._console.authkeys.find([group.authkey_id])
                row = found.get(group.authkey_id)
                if row and row.privileges & needed.mask:
                    self._window.tell(f"{group.ip} ({group.service}) has {needed.label} by now: nothing to stage.")
                    offer("Has it now", is_offered=False)
                    return
                is_new = await staging.stage(admin_id, group.authkey_id, needed, True)
                number = staging.latest_step(admin_id)
                said = "Staged" if is_new else "Staged already"
                text = f"{said}: {needed.label} for {group.ip} ({group.service}). Submit it with the keys."
                self._window.tell(text, Undo(lambda: take_back(number), number) if is_new else None)
                offer("Staged", is_offered=False)

        async def take_back(number: int) -> None:
            await staging.undo(admin_id, number)
            offer(_STAGE, is_offered=True)

        def offer(text: str, *, is_offered: bool) -> None:
            button.set_text(text)
            button.set_enabled(is_offered)
            button.props["aria-label"] = f"{text}: {needed.label}, {group.ip}, {group.service}"

        button = ui.button(_STAGE, on_click=stage, color=None).props("flat dense no-caps").classes("quiet remedy")
        offer(_STAGE, is_offered=True)

    def _try_again(self, group: DeniedRequests) -> None:
        """Of whatever an access check of a key can answer; the key itself is known to nobody here."""
        needed = privilege_asked(group.what)
        if needed is None or group.reason.is_about_phrase:
            return
        trial = Trial(authkey_id=group.authkey_id, ip=group.ip, privilege=needed.id)
        button = ui.button("Try it again", on_click=lambda: self._on_try(trial), color=None)
        button.props("flat dense no-caps").classes("quiet")
        button.props["aria-label"] = f"Try it again: {needed.label}, {group.ip}, {who(group)}"
