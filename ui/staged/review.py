"""The review: what a submission would do, in plain words: what it comes to first, then every line, and its own Submit.

Its lines are fetched by the browser as it scrolls (`static/review.js`); the panel holds what stands around them.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.amendments import TextName
from models.privileges import Privilege
from models.risks import Caution, StagedTotals, caution, totals_of
from models.staged_changes import StagedChanges
from models.usage import LostCalls
from models.views import GridView
from models.wording import changes, changes_to, count_of, lost_calls, totals
from services.staging import Staging
from ui.shell.feedback import user_errors
from ui.staged.claims import parse_review_act

SEARCHED_BEYOND = 50
"""With more rows than this there is a field to search them."""


class Review:
    """The panel at the right side of the grid."""

    def __init__(
        self,
        staging: Staging[Any],
        admin_id: int,
        everything: GridView,
        *,
        on_take_back: Callable[[list[int]], Awaitable[object]],
        on_take_back_part: Callable[[int, Privilege | TextName], Awaitable[object]],
        on_confirm: Callable[[list[int]], Awaitable[object]],
        on_submit: Callable[[], Awaitable[object]],
        on_close: Callable[[], object],
        approval_of: Callable[[StagedTotals], Awaitable[list[str]]],
    ) -> None:
        """`everything` is the view that shows all rows; `approval_of` says, if another admin must approve it, why and by whom."""
        self._staging, self._admin_id, self._everything = staging, admin_id, everything
        self._on_take_back, self._on_take_back_part, self._on_confirm = on_take_back, on_take_back_part, on_confirm
        self._on_submit, self._approval_of = on_submit, approval_of
        self._drawn: StagedChanges | None = None
        self._foot_drawn: tuple[StagedTotals, Caution, list[str]] | None = None
        self._panel = (
            ui.element("section").classes("review").props('aria-label="Review of staged changes"').mark("review-panel")
        )
        self._panel.set_visibility(False)
        with self._panel:
            with ui.row().classes("review-head"):
                ui.label("Review").classes("review-title").props("role=heading aria-level=2 tabindex=-1")
                self._summary = ui.label().classes("review-summary")
                ui.space()
                ui.button(icon="close", on_click=on_close, color=None).props(
                    'flat round dense aria-label="Close the review"'
                )
            self._top = ui.element("div").classes("review-top")
            self._search = self._build_search()
            ui.element("div").classes("review-list").props('tabindex=0 role=group aria-label="Staged changes"')
            self._foot = ui.element("div").classes("review-foot")
        ui.on("review", self._act)

    def _build_search(self) -> ui.element:
        with ui.element("div").classes("review-search") as line:
            field = ui.input(placeholder="Search in the review").props("outlined dense type=search debounce=150")
            field.props('aria-label="Search in the review" autocomplete=off spellcheck=false').mark("review-search")
            with field.add_slot("prepend"):
                ui.icon("search", size="18px")
            field.on_value_change(lambda: self._run("searchReview", str(field.value or "")))
            ui.element("div").classes("review-found").props("role=status")
        line.set_visibility(False)
        self._searched = field
        return line

    @property
    def is_open(self) -> bool:
        """Whether the panel shows."""
        return self._panel.visible

    def hide(self) -> None:
        """Close the panel."""
        self._panel.set_visibility(False)
        self._searched.set_value("")

    async def show(self, lost_calls_now: Callable[[], Awaitable[LostCalls | None]]) -> None:
        """Open the panel, or draw it anew if something else is staged; newly opened it begins with what is riskiest.

        `lost_calls_now` counts the calls that it would have refused lately; the panel does not wait for that.
        """
        staged = await self._staging.of(self._admin_id)
        was_open = self.is_open
        if was_open and staged is self._drawn:
            return  # what was typed, opened and scrolled to stays
        self._drawn = staged
        counted = totals_of(staged)
        asked = caution(counted, await self._staging.listing.count(self._everything, self._admin_id))
        self._panel.set_visibility(True)
        self._summary.set_text(changes_to(self._staging.subject, counted.change_count, staged.key_count))
        self._draw_top(counted, len(staged.conflicts))
        self._search.set_visibility(staged.key_count > SEARCHED_BEYOND or bool(self._searched.value))
        self._draw_foot(counted, asked, await self._approval_of(counted))
        self._run("refreshReview" if was_open else "openReview")
        if counted.revocations or counted.removals:
            self._show_lost(await lost_calls_now())

    def _show_lost(self, lost: LostCalls | None) -> None:
        if lost is not None:
            self._lost.set_visibility(True)
            self._lost.set_text(lost_calls(lost))
            self._lost.classes(replace="review-lost" if lost.calls else "review-meta")

    def _run(self, function: str, *arguments: Any) -> None:
        self._panel.client.run_javascript(f"authkeys.{function}({', '.join(map(json.dumps, arguments))})")

    # -- above and below the lines -------------------------------------------------------------------------------------

    def _draw_top(self, counted: StagedTotals, conflict_count: int) -> None:
        self._top.clear()
        with self._top:
            if not counted.change_count:
                ui.label("Nothing is staged. Tick a box in the grid to stage a change.").classes("review-empty")
            else:
                with ui.element("ul").classes("review-totals").mark("review-totals"):
                    for kind, text in totals(self._staging.subject, counted):
                        with ui.element("li").classes(f"review-total {kind}"):
                            ui.label(text)
            self._lost = ui.label().classes("review-meta").mark("review-lost")
            self._lost.set_visibility(False)
            if conflict_count:
                self._draw_conflicts(conflict_count)

    def _draw_conflicts(self, count: int) -> None:
        with ui.element("div").classes("review-conflicts").props("role=alert"):
            need = "needs" if count == 1 else "need"
            ui.label(f"{count_of(self._staging.subject, count)} {need} a decision before anything can be submitted.")
            ui.button("Drop these lines", on_click=self._drop_conflicts).props("flat dense no-caps")

    async def _drop_conflicts(self) -> None:
        await self._on_take_back(list((await self._staging.of(self._admin_id)).conflicts))

    def _draw_foot(self, counted: StagedTotals, asked: Caution, approval: list[str]) -> None:
        if (counted, asked, approval) == self._foot_drawn:
            return  # a number that is being typed stays
        self._foot_drawn = (counted, asked, approval)
        self._foot.clear()
        self._foot.set_visibility(counted.change_count > 0)
        with self._foot:
            for line in approval:
                ui.label(line).classes("review-approval").mark("review-approval")
            number = str(counted.removals)
            if asked is Caution.TYPED:
                what = count_of(self._staging.subject, counted.removals)
                typed = ui.input(f"Type {number} to remove {what}").props("outlined dense inputmode=numeric")
                typed.classes("review-typed").mark("review-typed")
            does = "Ask for approval of" if approval else "Submit"
            submit = ui.button(f"{does} {changes(counted.change_count)}", on_click=self._on_submit, color=None)
            submit.props("unelevated no-caps").classes("primary").mark("review-submit")
            submit.set_enabled(asked is not Caution.TYPED)
            if asked is Caution.TYPED:
                typed.on_value_change(lambda: submit.set_enabled(_digits(typed.value) == number))

                async def on_enter() -> None:
                    if submit.enabled:
                        await self._on_submit()

                typed.on("keydown.enter", on_enter)

    # -- what the browser says of a line: a claim, checked -------------------------------------------------------------

    async def _act(self, event: GenericEventArguments) -> None:
        with user_errors():
            act = parse_review_act(event.args)
            if act.confirms:
                await self._on_confirm([act.row_id])
            elif act.part is not None:
                await self._on_take_back_part(act.row_id, act.part)
            else:
                await self._on_take_back([act.row_id])


def _digits(text: object) -> str:
    return "".join(character for character in str(text or "") if character.isdigit())
