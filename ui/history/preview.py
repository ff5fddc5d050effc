"""What undoing would do, in the side panel: line by line, each to be taken or left."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from models.errors import InvalidValue
from models.reversals import Line, Outcome
from models.subjects import Subject
from models.wording import changes, count_of
from services.reversals import Preview
from ui.history.lines import name_label
from ui.shell.feedback import user_errors
from ui.shell.window import Window

LINES_SHOWN = 200
"""Lines of a preview that can be chosen one by one; of more all others are taken or left together."""


class PreviewForm:
    """The lines of a preview, each to be taken or left, and the button that stages them."""

    def __init__(
        self,
        window: Window,
        preview: Preview,
        again: Callable[[], Awaitable[Preview]],
        show_again: Callable[[], Awaitable[None]],
    ) -> None:
        self._window, self._preview, self._again, self._show_again = window, preview, again, show_again
        self._chosen = {place for place, line in enumerate(preview.lines) if line.outcome is Outcome.UNDONE}
        ui.label(_totals(preview)).classes("history-sentence").mark("preview-totals")
        may_change = window.admin.may_change
        if may_change:
            with ui.row().classes("history-actions") as self._actions:
                self._button = ui.button(on_click=self._stage, color=None).props("unelevated no-caps")
                self._button.classes("primary").mark("stage-reversal")
            ui.label("It is only staged: review it, undo it, or submit it.").classes("history-meta")
        with ui.element("div"):
            for place, line in enumerate(preview.lines[:LINES_SHOWN]):
                self._line(
                    place, may_change=may_change, starts=not (place and _is_same_row(line, preview.lines[place - 1]))
                )
            if (rest := len(preview.lines) - LINES_SHOWN) > 0:
                ui.label(f"… and {changes(rest)} more; those that can be undone are taken too.").classes("review-empty")
        if not preview.lines:
            ui.label("Nothing differs.").classes("review-empty")
        self._show_count()

    def _line(self, place: int, *, may_change: bool, starts: bool) -> None:
        line = self._preview.lines[place]
        if starts:
            name_label(line.ip, line.service)
        with ui.element("div").classes("preview-line").mark("preview-line"):
            can = may_change and (line.outcome is Outcome.UNDONE or line.can_be_forced)
            said = line.why or (line.outcome.value if line.outcome is not Outcome.UNDONE else "will be undone")
            if can:
                box = ui.checkbox(
                    line.text, value=place in self._chosen, on_change=lambda e: self._choose(place, e.value)
                )
                box.props("dense")
                box.props["aria-label"] = f"{line.text}, {line.ip} {line.service}: {said}"
            else:
                ui.label(line.text)
            ui.label(said).classes(f"preview-outcome {line.outcome.name.lower()}")

    def _choose(self, place: int, chosen: object) -> None:
        if chosen is True:
            self._chosen.add(place)
        else:
            self._chosen.discard(place)
        self._show_count()

    def _show_count(self) -> None:
        if self._window.admin.may_change:
            self._button.set_text(f"Stage {changes(len(self._chosen))}")
            self._button.set_enabled(bool(self._chosen))

    async def _stage(self) -> None:
        with user_errors():
            await self._window.require_session()
            if (await self._again()).lines != self._preview.lines:
                await self._show_again()
                raise InvalidValue("Something was changed at this moment. Nothing is staged; this is how it is now.")
            count = await self._window.console.reversals.stage(
                self._window.admin.id, self._preview, frozenset(self._chosen)
            )
            place = "/" if self._preview.subject is Subject.AUTHKEY else "/passphrases"
            if not count:
                self._window.tell("All of that is staged already.")
                return
            self._button.set_text("Staged")
            self._button.disable()
            with self._actions:
                ui.link(f"Review {count_of(self._preview.subject, count)} and submit", f"{place}?staged=1").classes(
                    "history-link"
                ).mark("go-submit")


def _is_same_row(line: Line, other: Line) -> bool:
    return line.row_id == other.row_id


def _totals(preview: Preview) -> str:
    words = (
        (Outcome.UNDONE, "will be undone"),
        (Outcome.ALREADY, "already so"),
        (Outcome.CHANGED, "changed since"),
        (Outcome.GONE, "cannot be undone any more"),
    )
    parts = [f"{count:,} {said}" for outcome, said in words if (count := preview.count(outcome))]
    return " · ".join(parts) or "Nothing to undo"
