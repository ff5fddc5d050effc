"""The fields for the owner and the note of an authkey."""

from collections.abc import Callable, Mapping, Sequence

from nicegui import ui

from models.amendments import MAX_LENGTHS, TextName, canonical_owner_or_note
from ui.shell.forms import Rules

_HINTS = {
    TextName.OWNER: "A person, a team, a customer",
    TextName.NOTE: "What it is for, where it runs",
}


class TextFields:
    """An input for each text of an authkey, with what it may hold."""

    def __init__(self, values: Mapping[TextName, str], hint: str = "") -> None:
        """`hint` stands in empty fields, in the place of what they are for."""
        self._inputs = {name: self._input(name, values.get(name, ""), hint) for name in TextName}

    @staticmethod
    def _input(name: TextName, value: str, hint: str) -> ui.input:
        field = ui.input(name.title(), value=value, placeholder=hint or _HINTS[name])
        return field.props(f"outlined dense stack-label maxlength={MAX_LENGTHS[name] * 2}").mark(f"text-{name}")

    @property
    def inputs(self) -> Sequence[ui.input]:
        """The elements."""
        return list(self._inputs.values())

    @property
    def values(self) -> dict[TextName, str]:
        """What they hold."""
        return {name: str(field.value or "") for name, field in self._inputs.items()}

    @property
    def rules(self) -> Rules:
        """By what each is read."""
        return {field: _rule(name) for name, field in self._inputs.items()}


def _rule(name: TextName) -> Callable[[str], object]:
    return lambda text: canonical_owner_or_note(name, text)
