"""Parts of a panel that follow what they tell of: of what is drawn again only that is touched which is another."""

from collections.abc import Callable
from typing import Generic, TypeVar

from nicegui import ui

F = TypeVar("F")
_NOTHING_YET = object()


class Part(Generic[F]):
    """An element whose content is drawn from facts, a value that says by itself whether it is another one."""

    def __init__(self, draw: Callable[[F], object], tag: str = "div") -> None:
        """`draw` builds the content of the element; it may build nothing."""
        self.element = ui.element(tag)
        self._draw = draw
        self._facts: object = _NOTHING_YET

    def show(self, facts: F) -> None:
        """Draw it, unless it shows that already."""
        if facts != self._facts:
            self._facts = facts
            self.element.clear()
            with self.element:
                self._draw(facts)
