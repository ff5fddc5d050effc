"""The approvals, at `/approvals` and `/approvals/NUMBER`: what waits for another admin, with the plan that it comes to now."""

import asyncio
import json
from collections.abc import Callable, Sequence

from fastapi import Request, Response
from nicegui import ui
from nicegui.events import GenericEventArguments

from models.approvals import Approval, ApprovalState
from models.errors import DatabaseUnavailable, RowNotFound
from models.wording import noun
from services.console import Console
from services.feed import Commit
from ui.approvals.detail import ApprovalDetail
from ui.shell.building import built, page_at
from ui.shell.dialogs import show_shortcuts
from ui.shell.feedback import show_error
from ui.shell.frame import APPROVALS_PATH, TITLE
from ui.shell.redrawing import Redrawing
from ui.shell.times import time_label
from ui.shell.window import Window

FIRST_DRAWING_SECONDS = 1.0
"""So long a page waits for the plan before it opens without"""
_STATES = {
    ApprovalState.WAITING: "Waiting",
    ApprovalState.APPROVED: "Approved",
    ApprovalState.REJECTED: "Rejected",
    ApprovalState.WITHDRAWN: "Withdrawn",
    ApprovalState.EXPIRED: "Expired",
}


def register_approvals_page(console: Console, stop: Callable[[], None] | None) -> None:
    """Register `/approvals` and `/approvals/NUMBER`."""

    @page_at(APPROVALS_PATH, f"Approvals · {TITLE}")
    async def approvals(request: Request) -> Response | None:
        return await built(ApprovalsPage(Window(console, request, stop)).build(None))

    @page_at(f"{APPROVALS_PATH}/{{number}}", f"Approval · {TITLE}")
    async def approval(request: Request, number: str) -> Response | None:
        page = ApprovalsPage(Window(console, request, stop))
        try:
            chosen = await console.approvals.find(_number(number))
        except RowNotFound as error:
            unavailable = await built(page.build(None))
            if not unavailable:
                show_error(str(error))
            return unavailable
        except DatabaseUnavailable:
            return await built(page.build(None))  # it says so
        return await built(page.build(chosen))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise RowNotFound(f"There is no approval {text!r:.40}.")
    return int(text)


class ApprovalsPage:
    """One open window: the list, and beside it the one that was chosen."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._approvals = window.console.approvals
        self._chosen: Approval | None = None

    async def build(self, chosen: Approval | None) -> None:
        """Load first, then build, then subscribe."""
        self._chosen = chosen
        await self._window.load()
        listed = await self._approvals.listed()
        self._window.build_frame(APPROVALS_PATH)
        self._add_head()
        with ui.element("div").classes(f"page without-bar approvals {'chosen' if chosen else ''}") as page:
            self._build_parts(chosen)
        self._draw_list(listed)
        self._redrawing = Redrawing(page, self._draw)
        self._subscribe()
        if chosen:  # a large plan takes longer than a browser waits for a page
            self._redrawing.ask()
            await asyncio.wait(filter(None, [self._redrawing.drawing]), timeout=FIRST_DRAWING_SECONDS)

    def _build_parts(self, chosen: Approval | None) -> None:
        with ui.element("div").classes("workspace"):
            with ui.element("section").classes("approvals-list").props('aria-label="Approvals" tabindex=0'):
                self._list = ui.element("div")
            if chosen:
                self._detail = ApprovalDetail(self._window, chosen)
            else:
                with ui.element("div").classes("approvals-none"):
                    ui.label("Choose one to see what it would do.").classes("empty-text")

    def _add_head(self) -> None:
        root = self._window.root_path
        told = {"rowsUrl": "", "noun": ""}
        if self._chosen:
            told = {"rowsUrl": f"{root}/grid/approvals/{self._chosen.number}", "noun": noun(self._chosen.subject)}
        ui.add_head_html(f"<script>window.authkeysPage = {json.dumps(told)};</script>")

    def _subscribe(self) -> None:
        ui.on("shortcut", self._shortcut)
        self._window.subscribe()
        self._approvals.changed.subscribe(self._redrawing.ask)
        self._window.console.feed.committed.subscribe(self._committed)

    def _shortcut(self, event: GenericEventArguments) -> None:
        if event.args == {"name": "help"}:
            show_shortcuts()

    # -- the list ------------------------------------------------------------------------------------------------------

    def _draw_list(self, listed: Sequence[Approval]) -> None:
        self._list.clear()
        waiting = [each for each in listed if each.is_waiting]
        with self._list:
            self._part("Waiting", waiting, "Nothing waits for approval.")
            if decided := [each for each in listed if not each.is_waiting]:
                self._part("Decided", decided)

    def _part(self, title: str, some: Sequence[Approval], nothing: str = "") -> None:
        ui.label(f"{title} · {len(some)}" if some else title).classes("approvals-title").props(
            "role=heading aria-level=2"
        )
        if not some:
            ui.label(nothing).classes("approvals-nothing").mark("approvals-nothing")
        for each in some:
            self._card(each)

    def _card(self, approval: Approval) -> None:
        is_chosen = self._chosen is not None and approval.number == self._chosen.number
        card = ui.link(target=f"{APPROVALS_PATH}/{approval.number}").classes("approval-card").mark("approval")
        if is_chosen:
            card.classes("current").props("aria-current=page")
        with card:
            with ui.element("div").classes("approval-head"):
                ui.label(approval.admin_name).classes("approval-who")
                ui.label(_STATES[approval.state]).classes(f"approval-state {approval.state}")
            ui.label(approval.size).classes("approval-size")
            ui.label(approval.summary).classes("approval-summary")
            with ui.element("div").classes("approval-when"):
                ui.label(f"Approval {approval.number}")
                time_label(approval.asked_at)

    # -- live ----------------------------------------------------------------------------------------------------------

    def _committed(self, commit: Commit) -> None:
        if self._chosen and commit.subject is self._chosen.subject:
            self._redrawing.ask()

    async def _draw(self) -> None:
        self._draw_list(await self._approvals.listed())
        if self._chosen:
            await self._detail.draw(await self._approvals.find(self._chosen.number))
