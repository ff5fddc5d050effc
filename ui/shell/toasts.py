"""Short words to everybody about what an admin just did, and the way back from it for some seconds."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from nicegui import ui
from nicegui.events import GenericEventArguments

_SECONDS = 4
_UNDO_SECONDS = 10
"""Bar, keyboard and history undo later too, so nobody has to hurry."""


class Undo(NamedTuple):
    """The way back from one thing that was done, and from nothing else."""

    act: Callable[[], Awaitable[object]]
    step: int | None = None
    """The staging step that it takes back: it is offered as long as that is the latest one. None for a submission"""
    seconds: float = _UNDO_SECONDS


class Toasts:
    """Those of one window. At most one offers to undo something: whatever is done next takes the offer along."""

    def __init__(self, on_undo: Callable[[Undo], Awaitable[None]]) -> None:
        self._on_undo = on_undo
        self._number = 0
        self._offer: Undo | None = None
        self._toast: ui.notification | None = None
        ui.on("undo", self._undo)

    def tell(self, text: str, undo: Undo | None = None) -> None:
        """Say it; it goes by itself."""
        if undo is None:
            ui.notify(text, position="bottom-left", timeout=_SECONDS * 1000, classes="notice")
            return
        self.withdraw()
        self._number += 1
        self._offer = undo
        action = {
            "label": "Undo",
            "no-caps": True,
            "aria-label": f"Undo: {text}",
            ":handler": f"() => emitEvent('undo', {self._number})",
        }
        close = {"icon": "close", "round": True, "dense": True, "size": "sm", "aria-label": "Close"}
        self._toast = ui.notification(
            text, position="bottom-left", timeout=undo.seconds, actions=[action, close], classes="notice"
        )

    def keep_for(self, step: int) -> None:
        """`step` is the latest one now: an offer to undo another goes."""
        if self._offer is not None and self._offer.step not in (None, step):
            self.withdraw()

    def withdraw(self) -> None:
        """Offer nothing more to undo."""
        self._offer = None
        if self._toast is not None and not self._toast.is_deleted:
            self._toast.dismiss()
        self._toast = None

    async def _undo(self, event: GenericEventArguments) -> None:
        """A claim: which offer was taken. Of one that is gone the page shows nothing more, nor is anything done."""
        if self._offer is not None and type(event.args) is int and event.args == self._number:
            offer, self._offer = self._offer, None
            await self._on_undo(offer)
