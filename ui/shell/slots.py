"""An element stays while what was called in it runs.

NiceGUI's slots know their elements only weakly (nicegui/slot.py). What answers a click runs in the slot that holds the button;
if the dialog, the menu or the row around it is deleted meanwhile, as each dialog is when it has closed, then whatever it
shows afterwards failed ("The parent element this slot belongs to has been deleted"). On a slow machine a new key, which is
shown once, was lost by that.
"""

from typing import Any

from nicegui.slot import Slot

_enter, _exit = Slot.__enter__, Slot.__exit__


def keep_elements_in_use() -> None:
    """Let a slot hold its element for as long as it is entered."""
    Slot.__enter__ = _enter_and_hold  # type: ignore[assignment]
    Slot.__exit__ = _exit_and_let_go  # type: ignore[method-assign]


def _enter_and_hold(slot: Slot) -> Slot:
    slot.__dict__.setdefault("held", []).append(slot._parent())
    return _enter(slot)


def _exit_and_let_go(slot: Slot, *error: Any) -> None:
    if held := slot.__dict__.get("held"):  # none, if it was entered before this was switched on
        held.pop()
    _exit(slot, *error)
