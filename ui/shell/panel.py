"""The side panel at the right of a page: one thing at a time, named, and closed by Escape or its cross."""

import json
from collections.abc import Callable

from nicegui import ui


class SidePanel:
    """Shows what is built into it; hidden while there is nothing."""

    def __init__(self, on_close: Callable[[], object]) -> None:
        self._panel = ui.element("section").classes("review side").mark("side-panel")
        self._panel.set_visibility(False)
        with self._panel:
            with ui.row().classes("review-head"):
                self._title = ui.label().classes("review-title").props("role=heading aria-level=2 tabindex=-1")
                ui.space()
                ui.button(icon="close", on_click=on_close, color=None).props(
                    'flat round dense aria-label="Close the panel"'
                )
            self._content = ui.element("div").classes("side-list").props("tabindex=0 role=group")
            self.foot = ui.element("div").classes("side-foot")
            """For what can be done, always in sight; emptied together with the content"""

    @property
    def is_open(self) -> bool:
        """Whether it shows something."""
        return self._panel.visible

    def show(self, title: str) -> ui.element:
        """Open it, emptied, under a new title; what is then built goes into the element that is returned."""
        was_open = json.dumps(self.is_open)
        self._title.set_text(title)
        self._panel.props["aria-label"] = title
        self._content.props["aria-label"] = title
        self._clear()
        self._panel.set_visibility(True)
        # The keyboard goes where the answer is, and back with Escape.
        self._panel.client.run_javascript(f"authkeys.enterPanel({was_open})")
        return self._content

    def hide(self) -> None:
        """Close it."""
        self._panel.set_visibility(False)
        self._clear()

    def _clear(self) -> None:
        self._content.clear()
        self.foot.clear()
