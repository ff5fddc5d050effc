"""The submission of one window: the name by which it is known, its progress, what it applied, and its undo."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import ui

from models.errors import AuthkeysError
from models.four_eyes import nobody_to_approve
from models.secrets import IssuedKey
from services.staging import Staging
from services.submissions import Receipt
from ui.shell.feedback import show_error
from ui.shell.toasts import Undo
from ui.shell.window import Window
from ui.staged.bar import ChangeBar, applied, asked

PROGRESS_AFTER = 0.5
"""Seconds after which a submission shows how far it is."""
UNDO_SECONDS = 60
"""How long the undo of a submission is offered; the history offers it for ever."""


class Submitting:
    """Submits what this window's admin has staged for one subject, and shows in the bar how it goes."""

    def __init__(
        self, window: Window, staging: Staging[Any], bar: ChangeBar, on_issued: Callable[[Sequence[IssuedKey]], object]
    ) -> None:
        """`on_issued` is told the secrets that a submission made, this once."""
        self._window = window
        self._staging = staging
        self._bar = bar
        self._on_issued = on_issued
        self._uuid = uuid.uuid4()

    def staged_anew(self) -> None:
        """Something else is staged now, so the next submission is another one."""
        # Only what was staged when its outcome became unknown may be asked for again under the same name.
        self._uuid = uuid.uuid4()

    async def submit(self, steps: asyncio.Lock, show_staged: Callable[[], Awaitable[object]]) -> None:
        """Submit, with every step that was taken before. Raises like `Staging.submit`; then all stays staged."""
        self._bar.show_submitting(True)
        try:
            async with steps:
                receipt = await self._with_progress() if len(await self._staging.of(self._window.admin.id)) else None
        finally:
            self._bar.show_submitting(False)
            await show_staged()
        if receipt is None:  # another click, or another window, submitted it: that said already what it came to
            return
        if receipt.approval is not None:
            self._uuid = uuid.uuid4()
            await self._tell_asked(receipt)
            return
        issued, self._uuid = self._staging.take_issued(self._uuid), uuid.uuid4()
        self._bar.show_receipt(receipt)
        if receipt.revision is not None:
            self._offer_undo(receipt.revision, receipt)
        self._on_issued(issued)

    async def _tell_asked(self, receipt: Receipt) -> None:
        console = self._window.console
        self._window.tell(asked(self._staging.subject, receipt))
        if not await console.approvals.has_others(self._window.admin):
            show_error(nobody_to_approve(console.command("admin add NAME")))

    async def _with_progress(self) -> Receipt:
        progress = [0, 1]
        shown = ui.timer(PROGRESS_AFTER, lambda: self._bar.show_progress(*progress), immediate=False)
        try:
            return await self._staging.submit(
                self._window.admin,
                self._uuid,
                lambda done, total: progress.__setitem__(slice(2), [done, total]),
                self._window.session.id,
            )
        finally:
            shown.cancel()

    def _offer_undo(self, revision: int, receipt: Receipt) -> None:
        async def undo() -> None:
            try:
                window = self._window
                undone = await window.console.submissions.undo(revision, window.admin, uuid.uuid4(), window.session.id)
            except AuthkeysError:
                self._offer_undo(revision, receipt)
                raise
            self._bar.show_undone(undone)

        self._window.tell(applied(self._staging.subject, receipt), Undo(undo, seconds=UNDO_SECONDS))
