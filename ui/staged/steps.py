"""What a window does to what is staged: one step after the other, in the order in which they were made."""

from collections.abc import Awaitable, Callable
from typing import Any

from models.wording import changes_to, count_of, step_name
from services.staging import Staging
from ui.shell.palette import Command
from ui.shell.toasts import Undo
from ui.shell.window import Window

Step = Callable[[], Awaitable[object]]
Do = Callable[[Step], Awaitable[None]]
"""Takes a step of a window, after every one before it"""


def tell_step(window: Window, staging: Staging[Any], text: str, touched: int) -> None:
    """Say what the step came to that was taken just now for so many rows, and offer to undo that one.

    Nothing may have been awaited since the step, or another one may be the latest.
    """
    number = staging.latest_step(window.admin.id)
    undo = Undo(lambda: staging.undo(window.admin.id, number), number)
    window.tell(text, undo if touched else None)


class Steps:
    """Back, forth, and all of it back. `do` takes a step of the window in its order."""

    def __init__(self, window: Window, staging: Staging[Any], do: Do) -> None:
        self._window, self._staging, self._do = window, staging, do
        self._admin_id = window.admin.id

    async def undo(self) -> None:
        """Undo the latest step."""
        await self._do(lambda: self._staging.undo(self._admin_id))

    async def redo(self) -> None:
        """Redo the latest undone step."""
        await self._do(lambda: self._staging.redo(self._admin_id))

    async def discard(self) -> None:
        """Take back all that is staged."""

        async def discard() -> None:
            touched = await self._staging.discard(self._admin_id)
            tell_step(self._window, self._staging, f"Discarded for {count_of(self._staging.subject, touched)}", touched)

        await self._do(discard)

    async def commands(self, review: Callable[[], Awaitable[object]], *, may_change: bool) -> list[Command]:
        """Those of them that mean something now, for the command palette; submitting leads through the review."""
        subject, staged = self._staging.subject, await self._staging.of(self._admin_id)
        if not may_change:
            return []
        said = changes_to(subject, staged.change_count, staged.key_count)
        back, forth = (step and step_name(subject, step) for step in (staged.to_undo, staged.to_redo))
        is_any = len(staged) > 0
        return [
            Command(f"Review {said}", "rule", review, "Do", "staged submit", "Ctrl+S", is_any),
            Command("Submit: review first", "check", review, "Do", f"{subject} modifications", "", is_any),
            Command(f"Undo {back}", "undo", self.undo, "Do", "", "Ctrl+Z", bool(back)),
            Command(f"Redo {forth}", "redo", self.redo, "Do", "", "Ctrl+Y", bool(forth)),
            Command(f"Discard {said}", "delete_sweep", self.discard, "Do", "staged", "", is_any),
        ]
