"""What is wrong with a form: said in one place, to everybody, and bound to the field that it is about."""

from collections.abc import Callable, Mapping

from nicegui import ui

from models.errors import AuthkeysError, FactorNeeded, InvalidValue
from ui.shell.feedback import offer_to_confirm

Rules = Mapping[ui.input, Callable[[str], object]]
"""By field: what reads its text, and raises InvalidValue if it is wrong"""


class Problem:
    """The place for it, below the fields. It reads the rules only to find the field; whether all is right says the service."""

    def __init__(self, mark: str) -> None:
        self._label = ui.label().classes("dialog-problem").props("role=alert").mark(mark)
        self._label.set_visibility(False)
        self._field: ui.input | None = None

    def show(self, error: AuthkeysError, about: ui.input | Rules) -> None:
        """Say it; mark the field, or the first one whose rule it breaks, and put the cursor there."""
        self.clear()
        if isinstance(error, FactorNeeded):  # no field is wrong, and what was typed stays
            offer_to_confirm(error)
            return
        self._label.set_text(str(error))
        self._label.set_visibility(True)
        self._field = about if isinstance(about, ui.input) else _first_wrong(about)
        if self._field is not None:
            self._field.props(
                f"error no-error-icon hide-bottom-space aria-invalid=true aria-describedby={self._label.html_id}"
            )
            self._field.run_method("focus")

    def clear(self) -> None:
        """Nothing is wrong any more."""
        self._label.set_visibility(False)
        if self._field is not None:
            self._field.props(remove="error no-error-icon aria-invalid aria-describedby")
            self._field = None


def _first_wrong(rules: Rules) -> ui.input | None:
    for field, rule in rules.items():
        try:
            rule(str(field.value or ""))
        except InvalidValue:
            return field
    return None
