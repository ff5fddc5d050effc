"""Drawing anew what changed: one drawing at a time, however often something changes meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui

from ui.shell.feedback import user_errors


class Redrawing:
    """Draws within an element; what changes while it is drawn is drawn after it."""

    def __init__(
        self, element: ui.element, draw: Callable[[], Awaitable[object]], is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """While it is not wanted, nothing is read; whoever wants it again asks."""
        self._element, self._draw, self._is_wanted = element, draw, is_wanted
        self.drawing: asyncio.Task[None] | None = None
        """The one under way, or the last one"""
        self.is_outdated = False
        """Whether something changed since the drawing under way began: what that has read is not worth showing"""

    def ask(self) -> None:
        """Something may be another by now."""
        self.is_outdated = True
        if self._is_wanted() and (self.drawing is None or self.drawing.done()):
            self.drawing = asyncio.create_task(self._go_on())

    async def _go_on(self) -> None:
        while self.is_outdated and self._is_wanted():
            self.is_outdated = False
            with self._element, user_errors():
                await self._draw()
