"""One approval: the plan that it comes to now, what happened to its rows since it was asked, and the decision."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from models.approvals import Approval, ApprovalState, Since
from models.authkeys import Authkey
from models.errors import AuthkeysError
from models.four_eyes import nobody_to_approve
from models.risks import Caution, caution
from models.subjects import Subject
from models.views import PassphraseView, View
from models.wording import changes, count_of, keys, totals
from services.approval_plans import ApprovalPlan
from services.keymaking import issue_keys
from ui.approvals.rejecting import ask_reason
from ui.authkeys.issued import show_issued
from ui.shell.feedback import user_errors
from ui.shell.frame import APPROVALS_PATH
from ui.shell.parts import Part
from ui.shell.times import time_label
from ui.shell.window import Window
from ui.staged.bar import applied

SEARCHED_BEYOND = 50
"""With more rows than this there is a field to search them."""
TOLD_AT_ONCE = 20
"""Lines of what happened since that are in sight at once"""


class ApprovalDetail:
    """The one that was chosen, in one window. It follows what happens; a number that is being typed stays."""

    def __init__(self, window: Window, approval: Approval) -> None:
        self._window, self._approvals = window, window.console.approvals
        self._approval = approval
        self._plan: ApprovalPlan | None = None
        with ui.element("section").classes("review approval").props("aria-label=Approval").mark("approval-detail"):
            with ui.row().classes("review-head"):
                ui.label(f"Approval {approval.number}").classes("review-title").props("role=heading aria-level=2")
                ui.label(f"{approval.admin_name}: {approval.size}").classes("review-summary").mark("approval-head")
                ui.space()
                ui.link("All approvals", APPROVALS_PATH).classes("approvals-back")
            self._top = Part(self._draw_top)
            self._top.element.classes("review-top")
            self._build_lines()
            self._foot = Part(self._draw_foot)
            self._foot.element.classes("review-foot")

    def _build_lines(self) -> None:
        with ui.element("div").classes("review-search") as self._search:
            field = ui.input(placeholder="Search in these").props("outlined dense type=search debounce=150")
            field.props('aria-label="Search in the changes" autocomplete=off spellcheck=false')
            field.on_value_change(lambda: self._run("searchReview", str(field.value or "")))
            ui.element("div").classes("review-found").props("role=status")
        self._lines = ui.element("div").classes("review-list")
        self._lines.props('tabindex=0 role=group aria-label="What it would do"')

    def _run(self, function: str, *arguments: Any) -> None:
        self._lines.client.run_javascript(f"authkeys.{function}({', '.join(map(json.dumps, arguments))})")

    async def draw(self, approval: Approval) -> None:
        """As it is now."""
        self._approval = approval
        before, self._plan = self._plan, await self._approvals.plans.of(approval) if approval.is_waiting else None
        plan = self._plan
        self._search.set_visibility(plan is not None and len(plan.entries) > SEARCHED_BEYOND)
        self._lines.set_visibility(plan is not None)
        self._top.show(
            (approval, tuple(plan.since) if plan else (), plan.problem if plan else "", plan and plan.totals)
        )
        self._foot.show(await self._foot_facts(approval, plan))
        if plan is not None and plan is not before:
            self._run("refreshReview" if before else "openReview")

    # -- above the lines -----------------------------------------------------------------------------------------------

    def _draw_top(self, facts: tuple[Approval, tuple[Since, ...], str, Any]) -> None:
        approval, since, problem, counted = facts
        with ui.row().classes("approval-asked"):
            ui.label(f"Asked by {approval.admin_name}")
            time_label(approval.asked_at)
        if not approval.is_waiting:
            self._draw_decided(approval)
            return
        if counted.change_count:
            with ui.element("ul").classes("review-totals").mark("approval-totals"):
                for kind, text in totals(approval.subject, counted):
                    with ui.element("li").classes(f"review-total {kind}"):
                        ui.label(text)
        if problem:
            with ui.element("div").classes("review-conflicts").props("role=alert"):
                ui.label(problem).mark("approval-problem")
        if since:
            self._draw_since(since)

    def _draw_since(self, since: tuple[Since, ...]) -> None:
        with ui.element("details").classes("approval-since").props("open") as box:
            box.mark("approval-since")
            with ui.element("summary"):
                ui.label(f"Since it was asked · {len(since)}")
            with ui.element("ul"):
                for each in since[:TOLD_AT_ONCE]:
                    with ui.element("li").classes("settles" if each.settles else ""):
                        ui.label(" ".join(filter(None, (each.ip, each.service)))).classes("approval-row")
                        ui.label(each.text).mark("since")
            if len(since) > TOLD_AT_ONCE:
                ui.label(f"and {len(since) - TOLD_AT_ONCE:,} more, in the history").classes("review-meta")

    def _draw_decided(self, approval: Approval) -> None:
        with ui.element("div").classes("approval-decided").props("role=status"):
            ui.label(approval.said).classes("approval-said").mark("approval-said")
            if approval.decided_at:
                time_label(approval.decided_at)
            ui.label(f"It came to {approval.size}: {approval.summary}.").classes("approval-summary")
            if approval.entry:
                ui.link("What it did, in the history", f"/history?entry={approval.entry}").classes("history-link")
            elif approval.admin_id == self._window.admin.id and approval.state is not ApprovalState.APPROVED:
                ui.label("It is among your staged changes again, as one step that can be undone.").classes(
                    "review-meta"
                )

    # -- below them ----------------------------------------------------------------------------------------------------

    async def _foot_facts(self, approval: Approval, plan: ApprovalPlan | None) -> tuple[Any, ...]:
        mine, admin = approval.admin_id == self._window.admin.id, self._window.admin
        if plan is None:
            keyless = await self._keyless() if mine and approval.state is ApprovalState.APPROVED else ()
            return ("decided", tuple(row.id for row in keyless))
        if mine:
            return ("mine", await self._approvals.has_others(admin))
        if not admin.may_change:
            return ("looks on",)
        asked = caution(plan.totals, await self._row_count())
        return ("decides", plan.digest, bool(plan.problem), asked, plan.totals.removals, plan.totals.change_count)

    def _draw_foot(self, facts: tuple[Any, ...]) -> None:
        self._foot.element.set_visibility(facts not in (("decided", ()), ("looks on",)))
        match facts:
            case ("decided", ids) if ids:
                ui.label(f"{keys(len(ids))} of these have no secret yet: it is shown to you, once.").classes(
                    "review-meta"
                )
                _button("Issue their keys", self._issue, "approval-issue", "primary")
            case ("mine", has_others):
                if not has_others:
                    ui.label(nobody_to_approve(self._window.console.command("admin add NAME"))).classes(
                        "review-approval"
                    )
                with ui.row().classes("approval-choices"):
                    _button("Withdraw it: stage it again", self._withdraw, "withdraw")
            case ("decides", digest, is_stuck, asked, removals, change_count):
                self._draw_decision(digest, is_stuck, asked, removals, change_count)

    def _draw_decision(self, digest: str, is_stuck: bool, asked: Caution, removals: int, change_count: int) -> None:
        typed = None
        if asked is Caution.TYPED and not is_stuck:
            typed = ui.input(f"Type {removals} to remove {count_of(self._approval.subject, removals)}")
            typed.props("outlined dense inputmode=numeric").classes("review-typed").mark("approval-typed")
        with ui.row().classes("approval-choices"):
            _button("Reject…", self._ask_reason, "reject")
            approve = _button(f"Approve {changes(change_count)}", lambda: self._approve(digest), "approve", "primary")
        approve.set_enabled(not is_stuck and typed is None)
        if typed is not None:
            field = typed
            typed.on_value_change(lambda: approve.set_enabled(_digits(field.value) == str(removals)))

    async def _row_count(self) -> int:
        console, admin_id = self._window.console, self._window.admin.id
        if self._approval.subject is Subject.AUTHKEY:
            return await console.authkeys.count(View(), admin_id)
        return await console.passphrases.count(PassphraseView(), admin_id)

    # -- what an admin does --------------------------------------------------------------------------------------------

    async def _approve(self, digest: str) -> None:
        approval = self._approval

        async def approve() -> None:
            receipt = await self._approvals.approve(
                self._window.admin, approval.number, digest, self._window.session.id
            )
            self._window.tell(f"Approved for {approval.admin_name}. {applied(approval.subject, receipt)}.")

        await self._do(approve)

    async def _withdraw(self) -> None:
        await self._do(lambda: self._approvals.withdraw(self._window.admin, self._approval.number))

    def _ask_reason(self) -> None:
        async def reject(reason: str) -> None:
            await self._window.require_session()
            await self._approvals.reject(self._window.admin, self._approval.number, reason)
            await self._draw_anew()

        ask_reason(self._approval.admin_name, reject)

    async def _do(self, act: Callable[[], Awaitable[object]]) -> None:
        with user_errors():
            await self._window.require_session()
            try:
                await act()
            except AuthkeysError:
                await self._draw_anew()  # what it would do now, or what became of it
                raise
            await self._draw_anew()

    async def _draw_anew(self) -> None:
        await self.draw(await self._approvals.find(self._approval.number))

    async def _keyless(self) -> list[Authkey]:
        rows = await self._approvals.made_by(self._approval)
        return [row for row in rows if not row.has_key]

    async def _issue(self) -> None:
        async def issue() -> None:
            window = self._window
            _, issued = await issue_keys(
                window.console.submissions, window.admin, await self._keyless(), session_id=window.session.id
            )
            show_issued(window, issued)

        await self._do(issue)


def _button(text: str, act: Callable[[], object], mark: str, kind: str = "quiet") -> ui.button:
    look = "unelevated no-caps" if kind == "primary" else "flat no-caps"
    return ui.button(text, on_click=act, color=None).props(look).classes(kind).mark(mark)


def _digits(text: object) -> str:
    return "".join(character for character in str(text or "") if character.isdigit())
