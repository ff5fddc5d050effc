"""What a window does to what is staged: one step after the other, in the order in which they were made."""

from collections.abc import Awaitable, Callable
from typing import Any

from services.staging import Staging
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
