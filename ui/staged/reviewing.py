"""The way from staged changes to a submission in one window: one click while it is harmless, else through the review."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from models.errors import DuplicateAuthkey, SubmissionRefused
from models.four_eyes import Stakes, nobody_to_approve
from models.risks import Caution, StagedTotals, caution, totals_of
from models.usage import LostCalls
from models.views import GridView
from services.staging import Staging
from ui.shell.feedback import user_errors
from ui.shell.window import Window
from ui.staged.grid import StagedGrid
from ui.staged.review import Review
from ui.staged.steps import Do
from ui.staged.submitting import Submitting


class Reviewing:
    """Opens and closes the review, and submits. To be built where the panel is to stand."""

    def __init__(
        self,
        window: Window,
        staging: Staging[Any],
        grid: StagedGrid,
        everything: GridView,
        *,
        do: Do,
        lost_calls: Callable[[], Awaitable[LostCalls | None]],
        on_change: Callable[[bool], object],
    ) -> None:
        """`everything` is the view that shows all rows, `on_change` is told whether the review is open."""
        self._window, self._staging, self._grid, self._everything = window, staging, grid, everything
        self._lost_calls, self._on_change = lost_calls, on_change
        mine = window.admin.id
        self._review = Review(
            staging,
            mine,
            everything,
            on_take_back=lambda ids: do(lambda: staging.take_back(mine, ids)),
            on_take_back_part=lambda id_, part: do(lambda: staging.take_back_part(mine, id_, part)),
            on_confirm=lambda ids: do(lambda: staging.confirm(mine, ids)),
            on_submit=lambda: self._submit(),  # noqa: PLW0108 - what it needs comes later
            on_close=self.hide,
            approval_of=self._approval_of,
        )

    def connect(
        self, submitting: Submitting, steps: asyncio.Lock, show_staged: Callable[[], Awaitable[object]]
    ) -> None:
        """With what is built after it: what submits, the order of this window's steps, and what draws the bar anew."""
        self._submitting, self._steps, self._show_staged = submitting, steps, show_staged

    async def submit(self) -> None:
        """The bar's one button."""
        with user_errors():
            await self._window.require_session()
            async with self._steps:  # with every tick that was made before the click
                counted = totals_of(await self._staging.of(self._window.admin.id))
            row_count = await self._staging.listing.count(self._everything, self._window.admin.id)
            asked = caution(counted, row_count)
            if asked is Caution.NONE or (asked is Caution.REVIEW and self._review.is_open):
                await self._submit()
            else:
                await self.show()

    async def _approval_of(self, counted: StagedTotals) -> list[str]:
        """What the review says if another admin must approve this. What only the submission finds out it says afterwards."""
        four_eyes, console = self._staging.four_eyes, self._window.console
        stakes = Stakes(counted.grants_of_manage, counted.removals)
        if not stakes.need_another(four_eyes):
            return []
        why = " and ".join(stakes.reasons(four_eyes, self._staging.subject))
        said = [f"Another admin must approve this, because {why}."]
        if not await console.approvals.has_others(self._window.admin):
            said.append(nobody_to_approve(console.command("admin add NAME")))
        return said

    async def _submit(self) -> None:
        with user_errors():
            await self._window.require_session()
            try:
                await self._submitting.submit(self._steps, self._show_staged)
            except (SubmissionRefused, DuplicateAuthkey):
                await self.show()
                raise
            self.hide()

    @property
    def address(self) -> str:
        """What the address says of it."""
        return "review=1" if self._review.is_open else ""

    async def toggle(self) -> None:
        """Open or close it."""
        if self._review.is_open:
            self.hide()
        else:
            await self.show()

    async def show(self) -> None:
        """Open it."""
        was_open = self._review.is_open
        await self._review.show(self._lost_calls)
        if not was_open:
            self._on_change(True)

    async def redraw(self) -> None:
        """Something else is staged now."""
        if self._review.is_open:
            await self.show()

    def hide(self) -> None:
        """Close it, and give the keyboard back to the grid."""
        self._review.hide()
        self._on_change(False)
        self._grid.refocus()

    def give_way(self) -> None:
        """Another panel opens in its place."""
        self._review.hide()
