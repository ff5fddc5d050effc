"""The toolbar of the pickup passphrases: beside search and filters their state, and "Add pickup passphrase"."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from nicegui import ui

from models.errors import InvalidValue
from models.subjects import Subject
from models.views import PassphraseView, State
from ui.shell.palette import Command
from ui.staged.toolbar import Toolbar

STATES = {State.ACTIVE: "Active", State.OVER: "No longer usable", State.REMOVED: "Removed"}


class PassphrasesToolbar(Toolbar[PassphraseView]):
    """Search, filters and actions for passphrases."""

    def __init__(
        self,
        view: PassphraseView,
        *,
        on_view: Callable[[PassphraseView], Awaitable[object]],
        on_add: Callable[[], object],
        may_change: bool,
    ) -> None:
        self._on_add = on_add
        self._may_change = may_change
        search_for = "Search passphrases"
        super().__init__(Subject.PASSPHRASE, view, label="Pickup passphrases", search_for=search_for, on_view=on_view)

    def build_choices(self) -> None:
        """In which state."""
        options = {state.value: text for state, text in STATES.items()}
        self._state = self.choice("State", options, self.view.state.value, "state", clearable=False)

    def build_actions(self) -> None:
        """Add pickup passphrase; for an auditor none."""
        if not self._may_change:
            return
        add = ui.button("Add passphrase", icon="add", on_click=self._on_add).props("outline no-caps")
        add.classes("add").mark("add")

    def own_commands(self) -> list[Command]:
        """Add one, and the states."""
        add = Command("Add pickup passphrase", "add", self._on_add, "Do", "new phrase", is_offered=self._may_change)
        return [
            add,
            *(
                Command(
                    f"{text} passphrases",
                    "filter_list",
                    partial(self._state.set_value, state.value),
                    "Filter",
                    "state filter",
                    is_offered=self.view.state is not state,
                )
                for state, text in STATES.items()
            ),
        ]

    def own_values(self) -> dict[str, Any]:
        """In which state."""
        try:
            return {"state": State(self._state.value)}
        except ValueError:
            raise InvalidValue("There is no such state.") from None
