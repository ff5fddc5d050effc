"""Pastes and files in the page: what they would stage is shown line by line, chosen in part or whole, and then staged."""

import asyncio
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.errors import InvalidValue, PlanOutdated
from models.privileges import privileges_in
from models.staging_plans import LineOutcome, PlanLine, PlanPart, StagingPlan
from models.subjects import Subject
from models.wording import changes, count_of, several, text_changed
from services.planning import decide_again, plan_file, plan_paste, stage_plan
from services.staging import Staging
from ui.shell.dialogs import open_dialog
from ui.shell.feedback import user_errors
from ui.shell.window import Window
from ui.staged.claims import parse_upload
from ui.staged.selecting import Selecting
from ui.staged.steps import Do, tell_step

LINES_SHOWN = 200
"""Lines of a plan that are listed at once"""


class Planning:
    """Hears of uploads, and shows their plans. `do` takes a step of the window in its order."""

    def __init__(
        self,
        window: Window,
        staging: Staging[Any],
        selecting: Selecting[Any],
        *,
        do: Do,
    ) -> None:
        self._window, self._staging, self._selecting, self._do = window, staging, selecting, do
        ui.on("uploaded", self._uploaded)

    async def _uploaded(self, event: GenericEventArguments) -> None:
        with user_errors():
            await self._window.require_session()
            upload = parse_upload(event.args)
            admin_id = self._window.admin.id
            path = self._window.console.uploads.take(admin_id, upload.token)
            try:
                if upload.name:
                    plan = await plan_file(self._staging, admin_id, path, upload.name)
                else:
                    text = await asyncio.to_thread(_text_of, path)
                    at = (upload.row, upload.columns)
                    plan = await plan_paste(
                        self._staging, admin_id, text, self._selecting.view, self._selecting.selection, at
                    )
            finally:
                await asyncio.to_thread(path.unlink)
            PlanDialog(self._window, self._staging, plan, self._do, upload.name)


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise InvalidValue("What was pasted is no text.") from None


class PlanDialog:
    """One plan: its totals, its lines, what cannot be read, and the button that stages it."""

    def __init__(self, window: Window, staging: Staging[Any], plan: StagingPlan, do: Do, name: str) -> None:
        self._window, self._staging, self._plan, self._do = window, staging, plan, do
        self._dialog, card = open_dialog(f"Import of {name}" if name else "Paste")
        card.classes("plan")
        with card:
            self._content = ui.element("div").classes("plan-content")
            with ui.row().classes("dialog-actions"):
                ui.button("Cancel", on_click=self._dialog.close).props("flat no-caps")
                self._button = ui.button(on_click=self._stage, color=None).props("unelevated no-caps")
                self._button.classes("primary").mark("stage-plan")
        self._show(plan)

    def _show(self, plan: StagingPlan) -> None:
        self._plan = plan
        self._content.clear()
        with self._content:
            ui.label(_summary(plan, self._staging.subject)).classes("history-sentence").mark("plan-summary")
            with ui.row().classes("plan-parts"):
                self._boxes = {part: self._part(part, count) for part, count in plan.totals.items() if count}
                self._issues = ui.checkbox("Make secrets for the new keys when I submit").props("dense")
                keyless = [each for each in plan.lines if each.outcome is LineOutcome.NEW and not each.amendment.secret]
                self._issues.set_visibility(bool(keyless))
                self._issues.mark("plan-issues")
            if plan.problem_count:
                self._problems(plan)
            _Lines([line for line in plan.lines if line.outcome is not LineOutcome.ALREADY])
        self._show_count()

    def _part(self, part: PlanPart, count: int) -> ui.checkbox:
        text = {
            PlanPart.NEW: f"{count_of(Subject.AUTHKEY, count)} to add",
            PlanPart.GRANTS: f"{count:,} to grant",
            PlanPart.REVOCATIONS: f"{count:,} to revoke",
            PlanPart.TEXTS: f"{several(count, 'owner or note', 'owners and notes')} to change",
            PlanPart.SECRETS: f"{several(count, 'key')} to take over",
        }[part]
        box = ui.checkbox(text, value=True, on_change=self._show_count).props("dense")
        return box.mark(f"plan-{part}")

    def _problems(self, plan: StagingPlan) -> None:
        count = several(plan.problem_count, "line")
        with (
            ui.expansion(f"{count} cannot be read, and would be left out")
            .classes("plan-problems")
            .mark("plan-problems")
        ):
            for problem in plan.problems:
                ui.label(problem).classes("plan-problem")
            if rest := plan.problem_count - len(plan.problems):
                ui.label(f"… and {rest:,} more").classes("plan-problem")

    @property
    def _chosen(self) -> set[PlanPart]:
        return {part for part, box in self._boxes.items() if box.value is True}

    def _show_count(self) -> None:
        count = sum(self._plan.totals[part] for part in self._chosen)
        self._button.set_text(f"Stage {changes(count)}" if count else "Nothing to stage")
        self._button.set_enabled(count > 0)

    async def _stage(self) -> None:
        chosen, issues = self._chosen, self._issues.value is True

        async def stage() -> None:
            if not self._dialog.value:
                return  # of two clicks only one
            try:
                touched = await stage_plan(self._staging, self._window.admin.id, self._plan, chosen, issues=issues)
            except PlanOutdated:
                self._show(await decide_again(self._staging, self._window.admin.id, self._plan))
                raise
            self._dialog.close()
            what = count_of(self._staging.subject, touched)
            tell_step(self._window, self._staging, f"Staged for {what}: review it, undo it, or submit it.", touched)

        await self._do(stage)


class _Lines:
    """What becomes of each line, some at a time."""

    def __init__(self, lines: list[PlanLine]) -> None:
        self._lines, self._shown = lines, 0
        self._list = ui.element("div").classes("plan-lines").props('tabindex=0 role=group aria-label="Lines"')
        self._more = ui.button("Show more", on_click=self._add, color=None).props("flat dense no-caps")
        self._add()

    def _add(self) -> None:
        some = self._lines[self._shown : self._shown + LINES_SHOWN]
        self._shown += len(some)
        with self._list:
            for line in some:
                _line(line)
        self._more.set_text(f"Show more of {len(self._lines):,}")
        self._more.set_visibility(self._shown < len(self._lines))


def _line(line: PlanLine) -> None:
    with ui.element("div").classes("plan-line").mark("plan-line"):
        ui.label(f"{line.wanted.line:,}").classes("plan-number").props(f'aria-label="line {line.wanted.line}"')
        ui.label(f"{line.wanted.ip} {line.wanted.service}".strip()).classes("plan-name")
        if line.outcome in (LineOutcome.NEW, LineOutcome.CHANGED):
            new = ["new key"] if line.outcome is LineOutcome.NEW else []
            gained = [f"+ {each.label}" for each in privileges_in(line.grants)]
            lost = [f"− {each.label}" for each in privileges_in(line.revocations)]
            texts = [text_changed(each) for each in line.amendment.texts]
            key = ["takes over its key"] if line.amendment.secret else []
            ui.label(", ".join([*new, *key, *gained, *lost, *texts])).classes("plan-effect")
        else:
            why = f" ({line.why})" if line.why else ""
            ui.label(f"{line.outcome.value}{why}").classes("plan-effect quiet")


def _summary(plan: StagingPlan, subject: Subject) -> str:
    parts = [
        (plan.count(LineOutcome.NEW), "new"),
        (plan.count(LineOutcome.CHANGED), "changed"),
        (plan.count(LineOutcome.ALREADY), "already so"),
        (plan.count(LineOutcome.REMOVAL), "marked for removal and left alone"),
        (plan.count(LineOutcome.UNKNOWN), "not there"),
        (plan.count(LineOutcome.TAKEN) + plan.count(LineOutcome.KEYED), "whose secret cannot be taken over"),
        (plan.problem_count, "that cannot be read"),
    ]
    said = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    remarks = "".join(f" {each}" for each in plan.remarks)
    return f"{count_of(subject, len(plan.lines))}: {said}.{remarks}" if said else f"Nothing to do.{remarks}"
