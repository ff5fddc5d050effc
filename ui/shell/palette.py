"""The command palette: one field that finds what can be done here and now, and keys, and does it by Enter.

A combobox with a listbox, as the ARIA Authoring Practices describe it: the keyboard stays in the field, which names the option
that Enter would choose.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.palette import found
from models.wording import several

MAX_QUERY = 200
"""Characters"""
TYPING_SECONDS = 0.08
"""Between two searches while one types"""
MAX_SHOWN = 60
"""Commands that are listed at once; the others are found by their names"""
KEYS = "Keys"


class Command(NamedTuple):
    """Something that can be done in a window."""

    name: str
    icon: str
    act: Callable[[], Awaitable[object] | object]
    group: str
    words: str = ""
    """Other words by which people may look for it"""
    keys: str = ""
    """The keys that do the same"""
    is_offered: bool = True
    """Whether it is allowed and possible now"""


class Palette:
    """The open dialog. `find_keys` finds keys by what was typed; `on_choice` does what was chosen when it has closed."""

    def __init__(
        self,
        commands: Iterable[Command],
        find_keys: Callable[[str], Awaitable[Sequence[Command]]],
        on_choice: Callable[[Command], Awaitable[None]],
    ) -> None:
        self._commands = [each for each in commands if each.is_offered]
        self._find_keys, self._on_choice = find_keys, on_choice
        self._asked = self._drawn = ""  # what was typed last, and of what the list is
        self._shown, self._active = list[Command](), 0
        self._options: list[ui.element] = []
        with ui.context.client.content:
            self._dialog = ui.dialog().props("aria-label=Commands position=top transition-duration=120")
        with self._dialog, ui.card().classes("palette"):
            self._field = self._build_field()
            self._list = ui.element("div").classes("palette-list").props('role=listbox aria-label="Commands"')
            self._status = ui.label().classes("palette-none").props("role=status").mark("palette-status")
        self._field.props["aria-controls"] = self._list.html_id
        self._dialog.on("hide", self._closed)
        self._draw(self._commands[:MAX_SHOWN], [])
        self._dialog.open()

    @property
    def is_open(self) -> bool:
        """Whether it still stands over the page."""
        return bool(self._dialog.value) and not self._dialog.is_deleted

    def _build_field(self) -> ui.element:
        # Not `ui.input`: that one always says of itself that it has a list of its own.
        with ui.element("div").classes("palette-field"):
            ui.icon("search", size="20px").props("aria-hidden=true")
            field = ui.element("input").mark("palette")
        field.props(f"autofocus maxlength={MAX_QUERY} autocomplete=off autocapitalize=off spellcheck=false")
        field.props('role=combobox aria-expanded=true aria-autocomplete=list aria-label="Commands and keys"')
        field.props["placeholder"] = "Go to a view, find a key, do something"
        typed = "(event) => emit(event.target.value)"
        field.on("input", self._typed, js_handler=typed, throttle=TYPING_SECONDS, leading_events=False)
        field.on("keydown.down.prevent", lambda: self._move(1))
        field.on("keydown.up.prevent", lambda: self._move(-1))
        field.on("keydown.enter", self._enter, js_handler=typed)  # what stands there by now may not have been searched
        return field

    def _closed(self) -> None:
        client = self._dialog.client
        self._dialog.delete()
        client.run_javascript("authkeys.refocus()")

    # -- finding -------------------------------------------------------------------------------------------------------

    async def _typed(self, event: GenericEventArguments) -> None:
        if isinstance(event.args, str):
            await self._search(_query(event.args))

    async def _search(self, query: str) -> None:
        """Draw what is found, unless something else was typed by then."""
        self._asked = query
        commands = found(query, self._commands)[:MAX_SHOWN]
        keys = await self._find_keys(query) if query else []
        if query == self._asked and self.is_open:
            self._drawn = query
            self._draw(commands, keys)

    def _draw(self, commands: Sequence[Command], keys: Sequence[Command]) -> None:
        """By their groups, or, if something is searched, the best first."""
        self._shown = [*commands, *keys]
        self._options = []
        self._list.clear()
        with self._list:
            if self._drawn:
                self._build_options(commands)
                self._build_group(KEYS, keys)
            else:
                for group, some in groupby(commands, key=lambda each: each.group):
                    self._build_group(group, list(some))
        self._list.set_visibility(bool(self._shown))
        self._status.set_text(several(len(self._shown), "result") if self._shown else "Nothing is found")
        self._status.classes(**{"add" if self._shown else "remove": "visually-hidden"})
        self._activate(0)

    def _build_group(self, name: str, commands: Sequence[Command]) -> None:
        if commands:
            with ui.element("div").props(f'role=group aria-label="{name}"'):
                ui.label(name).classes("palette-group").props("aria-hidden=true")
                self._build_options(commands)

    def _build_options(self, commands: Sequence[Command]) -> None:
        for command in commands:
            with ui.element("div").classes("palette-option").props("role=option aria-selected=false") as option:
                ui.icon(command.icon, size="18px").props("aria-hidden=true")
                ui.label(command.name).classes("palette-name")
                if command.keys:
                    ui.label(command.keys).classes("palette-keys")
            option.on("click", lambda _, command=command: self._choose(command))
            self._options.append(option.mark("palette-option"))

    # -- choosing ------------------------------------------------------------------------------------------------------

    def _activate(self, place: int) -> None:
        for option in self._options[self._active : self._active + 1]:
            option.props("aria-selected=false")
        self._active = place
        if not self._options:
            self._field.props(remove="aria-activedescendant")
            return
        active = self._options[place].props("aria-selected=true")
        self._field.props["aria-activedescendant"] = active.html_id
        active.client.run_javascript(
            f'document.getElementById("{active.html_id}")?.scrollIntoView({{block: "nearest"}})'
        )

    def _move(self, step: int) -> None:
        if self._options:
            self._activate((self._active + step) % len(self._options))

    async def _enter(self, event: GenericEventArguments) -> None:
        """Of what stands in the field, also if its list is still being looked for; not of another list."""
        query = _query(event.args) if isinstance(event.args, str) else self._drawn
        if query != self._drawn:
            await self._search(query)
        if query == self._drawn and self._shown:
            await self._choose(self._shown[self._active])

    async def _choose(self, command: Command) -> None:
        if self.is_open:  # of two clicks only one
            self._dialog.close()
            await self._on_choice(command)


def _query(typed: str) -> str:
    return typed.strip()[:MAX_QUERY]
