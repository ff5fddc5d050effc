"""What the details of an authkey and of a pickup passphrase have in common: facts that are read, and parts that show them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from nicegui import ui

from models.accounts import AdminIdentity
from models.privileges import PRIVILEGES, Privilege
from models.staged_rows import StagedRow
from models.submissions import Kind, LastChange
from services.staging import Staging
from ui.shell.parts import Part
from ui.shell.times import time_label
from ui.staged.steps import Do

F = TypeVar("F")

_HAPPENED = {
    Kind.CHANGED: "Privileges changed",
    Kind.REMOVED: "Removed",
    Kind.ADDED: "Added",
    Kind.RESTORED: "Restored after its removal",
    Kind.REKEYED: "New key issued",
    Kind.REGISTERED: "Registered by its server, with a passphrase of",
    Kind.REREGISTERED: "Registered again by its server, with a passphrase of",
}


class RowDetails(Generic[F]):
    """The details of one row, of which `F` is all that they tell."""

    query_name: ClassVar[str]
    """As an address names the row"""

    async def id_of(self, named: str) -> int:
        """The row that an address names. Raises InvalidValue if there is none."""
        raise NotImplementedError

    def address_of(self, facts: F) -> str:
        """What the address says while this is shown."""
        raise NotImplementedError

    async def read(self, row_id: int) -> F:
        """All that is told of a row, removed or not. Raises InvalidValue if there never was one."""
        raise NotImplementedError

    def build(self) -> None:
        """Build the parts, in the order in which they stand."""
        raise NotImplementedError

    def build_actions(self) -> None:
        """Build what can be done with the row, in the foot of the panel."""
        raise NotImplementedError

    def draw(self, facts: F) -> None:
        """Show it in the parts; what shows it already stays untouched."""
        raise NotImplementedError


def section(title: str) -> None:
    """The heading of a section."""
    ui.label(title).classes("details-section").props("role=heading aria-level=3")


def last_change_line(last: LastChange | None) -> None:
    """What was done to it last, by whom and when."""
    if last is None:
        return
    by = "" if last.done.kind in (Kind.REGISTERED, Kind.REREGISTERED) else " by"
    with ui.element("div").classes("details-line").mark("details-last"):
        is_of_texts = last.done.kind is Kind.CHANGED and last.done.before == last.done.after
        happened = "Owner or note changed" if is_of_texts else _HAPPENED[last.done.kind]
        ui.label(f"{happened}{by} {last.admin_name}")
        time_label(last.at)


class BoxFacts(NamedTuple):
    """What is told of one privilege of a row."""

    granted: bool
    staged: bool
    """Whether the opposite is staged"""
    used: int = 0
    """How often"""
    last_at: datetime | None = None


def box_facts(privilege: Privilege, privileges: int, entry: StagedRow) -> BoxFacts:
    """Whether it is granted, and staged; without its uses."""
    granted = bool(privileges & privilege.mask)
    return BoxFacts(granted, bool((entry.grants | entry.revocations) & privilege.mask))


class PrivilegeList:
    """The nine privileges, in their order: granted or not, what is staged, and where that is known their uses."""

    def __init__(self, *, with_uses: bool) -> None:
        self._with_uses = with_uses
        with ui.element("table").classes("details-boxes").mark("details-boxes"):
            headings = ("Privilege", "Used", "Last used") if with_uses else ("Privilege",)
            with ui.element("thead").classes("visually-hidden"), ui.element("tr"):
                for heading in headings:
                    with ui.element("th").props("scope=col"):
                        ui.label(heading)
            with ui.element("tbody"):
                self._lines = {each: Part(self._line_of(each.label), "tr") for each in PRIVILEGES}

    def show(self, boxes: dict[Privilege, BoxFacts]) -> None:
        """Draw those that are different."""
        for each, line in self._lines.items():
            line.show(boxes[each])

    def _line_of(self, label: str) -> Callable[[BoxFacts], None]:
        return lambda box: self._draw(label, box)

    def _draw(self, label: str, box: BoxFacts) -> None:
        with ui.element("th").props("scope=row").classes("details-box" + ("" if box.granted else " lacking")):
            ui.label("✓" if box.granted else "–").classes("details-mark").props("aria-hidden=true")
            ui.label(label)
            ui.label("granted" if box.granted else "not granted").classes("visually-hidden")
            if box.staged:
                kind, text = ("revoke", "− staged") if box.granted else ("grant", "+ staged")
                ui.label(text).classes(f"details-staged {kind}")
        if self._with_uses:
            with ui.element("td").classes("number"):
                if box.used:
                    ui.label(f"{box.used:,}×")
                elif box.granted:
                    ui.label("never used")
            with ui.element("td").classes("number"):
                if box.last_at:
                    time_label(box.last_at)


class RowActions:
    """What may be changed of the row of the details, besides its boxes: its removal, and what its view adds."""

    def __init__(self, staging: Staging[Any], admin: AdminIdentity, do: Do) -> None:
        self._staging, self._admin, self._do = staging, admin, do

    def build(self, *more: Callable[[], ui.button]) -> None:
        """Build the buttons, `more` before its own; none for who may change nothing."""
        self._buttons = []
        if self._admin.may_change:
            self._buttons = [build() for build in more]
            self._removal = panel_action("", "details-remove", self._remove)
            self._buttons.append(self._removal)

    def show(self, row_id: int, *, can_change: bool, is_marked: bool) -> None:
        """For this row; `can_change`: it is not removed, `is_marked`: its removal is staged."""
        self._row_id, self._is_marked = row_id, is_marked
        for button in self._buttons:
            button.set_visibility(can_change)
        if self._buttons:
            self._removal.set_text("Take back the removal" if is_marked else "Mark for removal")

    async def _remove(self) -> None:
        mine, row_id = self._admin.id, self._row_id
        if self._is_marked:
            await self._do(lambda: self._staging.take_back(mine, [row_id]))
        else:
            await self._do(lambda: self._staging.stage_removal(mine, row_id))


def panel_action(text: str, mark: str, act: Callable[[], Awaitable[object]]) -> ui.button:
    """A button in the foot of the panel."""
    button = ui.button(text, on_click=act, color=None).props("flat dense no-caps")
    return button.classes("details-action").mark(mark)
