"""The selection of a grid: what the browser says is selected, the bar that says what that is, and what can be done to all of it."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.errors import InvalidValue, SelectionMoved
from models.privileges import ALL_PRIVILEGES, PRIVILEGES, Privilege, privileges_in
from models.selections import Act, Selection, Stretch, Tally, parse_selection
from models.subjects import Row
from models.wording import count_of, granting, revoking, several
from services.listing import V
from services.selecting import act_on, rows_of, tally_of
from services.staging import Staging
from ui.shell.feedback import user_errors
from ui.shell.window import Window
from ui.staged.claims import parse_act, parse_column
from ui.staged.grid import StagedGrid
from ui.staged.row_menu import Menu, MenuEntry, RowMenu
from ui.staged.steps import Do, Step, tell_step

COUNTED_ROWS = 200_000
"""Of a larger selection only the rows are counted; what its boxes hold is told with what was done."""


class SelectionAction(NamedTuple):
    """Something that can be done with what is selected, beside staging."""

    text: str
    mark: str
    act: Step


class Selecting(Generic[V]):
    """One window's selection. `do` takes a step of the window in its order; `view` is what it shows now."""

    def __init__(
        self,
        window: Window,
        staging: Staging[V],
        grid: StagedGrid,
        menu: RowMenu,
        *,
        view: Callable[[], V],
        shown: Callable[[], int],
        do: Do,
        more: Sequence[SelectionAction],
        may_change: bool,
    ) -> None:
        """`shown` are the privileges whose columns are shown, `more` is what can be done beside staging."""
        self._window, self._staging, self._grid, self._menu = window, staging, grid, menu
        self._view, self._shown, self._do, self._may_change = view, shown, do, may_change
        self._selection = Selection(())
        self._heard = 0
        with ui.element("div").classes("selection-bar").props('role=region aria-label="Selection"') as self._bar:
            self._text = ui.label().classes("selection-text").props("role=status").mark("selection")
            self._boxes = ui.label().classes("selection-boxes").mark("selection-boxes")
            self._grant = self._button("Grant", "grant", lambda: self._one_or_menu(Act.GRANT))
            self._revoke = self._button("Revoke", "revoke", lambda: self._one_or_menu(Act.REVOKE))
            self._remove = self._button("Remove", "remove", lambda: self.act(Act.REMOVE))
            for action in more:
                self._button(action.text, action.mark, action.act)
            copy = ui.button("Copy", color=None).props("flat dense no-caps").mark("selection-copy")
            copy.on("click", js_handler="() => authkeys.copySelection()")
            close = ui.button(icon="close", color=None).props('flat round dense aria-label="Clear the selection"')
            close.on("click", js_handler="() => authkeys.clearSelection()").classes("quiet")
        with self._bar, self._grant:
            self._choices = ui.menu().props('role=region aria-label="Privileges" no-parent-event')
        self._bar.set_visibility(False)
        ui.on("selected", self._selected)
        ui.on("act", self._act)
        ui.on("heading", self._heading)

    def _button(self, text: str, mark: str, act: Step) -> ui.button:
        button = ui.button(text, on_click=act, color=None).props("flat dense no-caps").mark(f"selection-{mark}")
        button.set_visibility(self._may_change)
        return button

    @property
    def selection(self) -> Selection:
        """What is selected."""
        return self._selection

    @property
    def view(self) -> V:
        """What the grid shows."""
        return self._view()

    # -- what the browser says -----------------------------------------------------------------------------------------

    async def rows(self) -> list[Row]:
        """The selected rows that are in force. Raises SelectionMoved."""
        found = await rows_of(self._staging, self._window.admin.id, self._view(), self._selection)
        return [row for row, _ in found.values() if row.id > 0]

    async def _selected(self, event: GenericEventArguments) -> None:
        with user_errors():
            await self._window.require_session()
            self._selection = parse_selection(event.args)
            self._heard += 1
            await self.show()

    async def _act(self, event: GenericEventArguments) -> None:
        with user_errors():
            act, privilege = parse_act(event.args)
            await self.act(act, privilege.mask if privilege else None)

    async def _heading(self, event: GenericEventArguments) -> None:
        with user_errors():
            await self._window.require_session()
            await self.open_heading(parse_column(event.args))

    # -- the bar -------------------------------------------------------------------------------------------------------

    async def show(self) -> None:
        """Say what is selected, as it is now."""
        heard, selection = self._heard, self._selection
        if not selection.stretches:
            self._bar.set_visibility(False)
            return
        try:
            found = await self._tally(selection)
        except SelectionMoved:  # a row at its corner is gone, so nobody knows what is meant
            self._bar.set_visibility(False)
            self._grid.run("clearSelection")
            return
        if heard != self._heard:
            return  # by now something else is selected
        rows = found.row_count if found else await self._count(selection)
        self._text.set_text(f"{several(rows, 'row')}, {several(len(selection.columns), 'column')} selected")
        self._show_tally(found, selection.mask)
        self._bar.set_visibility(True)

    def _show_tally(self, found: Tally | None, mask: int) -> None:
        self._boxes.set_text(f"{found.granted_count:,} of {found.box_count:,} boxes granted" if found and mask else "")
        for button, act in ((self._grant, Act.GRANT), (self._revoke, Act.REVOKE)):
            asks = self._is_of_rows(mask)
            more = "…" if asks else f" {_changed(act, found):,}" if found else ""
            button.set_text(f"{act.value.title()}{more}")
            said = f": {_said(act, found)}" if found and not asks else more
            button.props["aria-label"] = f"{act.value.title()}{said}"
            button.set_enabled(found is None or asks or _changed(act, found) > 0)
        all_marked = found is not None and found.row_count > 0 and found.removal_count == found.row_count
        self._remove.set_text("Keep" if all_marked else "Remove")

    async def _tally(self, selection: Selection) -> Tally | None:
        if await self._count(selection) > COUNTED_ROWS:
            return None
        return await tally_of(self._staging, self._window.admin.id, self._view(), selection)

    async def _count(self, selection: Selection) -> int:
        if any(each.is_whole for each in selection.stretches):
            return await self._staging.shown.count(self._view(), self._window.admin.id)
        return sum(each.last - each.first + 1 for each in selection.stretches)

    # -- acts ----------------------------------------------------------------------------------------------------------

    async def act(self, act: Act, mask: int | None = None, selection: Selection | None = None) -> None:
        """Stage it for all that is selected, in one step, and say what it came to."""
        meant, view = selection or self._selection, self._view()
        if not view.is_live:
            raise InvalidValue("The table as it was cannot be changed.")

        async def step() -> None:
            done = await act_on(self._staging, self._window.admin.id, view, meant, act, mask)
            tell_step(self._window, self._staging, self._outcome(act, done.before, done.touched), done.touched)

        await self._do(step)
        if selection is None:
            with user_errors():
                await self.show()

    def _outcome(self, act: Act, before: Tally, touched: int) -> str:
        rows = count_of(self._staging.subject, touched)
        if act is Act.REMOVE and not before.row_count:
            return "No row is selected, so nothing was staged"
        if act is Act.REMOVE:
            taken_back = before.removal_count == before.row_count
            return f"{rows} {'no longer ' if taken_back else ''}marked for removal"
        if act is Act.FILL:
            return f"Filled down: {rows} changed"
        if not before.box_count:
            return "No box is selected, so nothing was staged"
        grants = act is Act.GRANT or (act is Act.TOGGLE and before.granted_count < before.box_count)
        said = _said(Act.GRANT if grants else Act.REVOKE, before)
        marked = count_of(self._staging.subject, before.removal_count)
        return f"Staged: {said}" + (f"; {marked} marked for removal left alone" if before.removal_count else "")

    async def _one_or_menu(self, act: Act) -> None:
        if not self._is_of_rows(self._selection.mask):
            await self.act(act)
            return
        with user_errors():
            await self._window.require_session()
            await self._open_choices(act)

    def _is_of_rows(self, mask: int) -> bool:
        """Whether whole rows are selected, or none of their boxes: then one asks which privilege is meant."""
        return not mask or (mask == self._shown() and mask.bit_count() > 1)

    async def _open_choices(self, act: Act) -> None:
        rows = Selection(tuple(each._replace(mask=ALL_PRIVILEGES) for each in self._selection.stretches))
        found = await self._tally(rows)
        self._choices.clear()
        with self._choices, ui.element("div").props("role=menu"):
            for privilege in privileges_in(self._shown() or ALL_PRIVILEGES):
                self._choice(act, privilege, found)
        self._choices.open()

    def _choice(self, act: Act, privilege: Privilege, found: Tally | None) -> None:
        said = f": {_said(act, _only(found, privilege))}" if found else ""

        async def choose() -> None:
            self._choices.close()
            await self.act(act, privilege.mask)

        ui.menu_item(f"{privilege.label}{said}", choose).props("role=menuitem tabindex=0").mark(
            f"choice-{privilege.id}"
        )

    # -- a column ------------------------------------------------------------------------------------------------------

    async def open_heading(self, privilege: Privilege) -> None:
        """The menu of a heading: what can be done to its column, in all rows of the view."""
        column = Selection((Stretch(0, 0, None, None, privilege.mask, is_whole=True),), (privilege.id,))
        found = await self._tally(column)

        async def select() -> None:
            self._grid.run("selectColumns", [privilege.id])

        entries = [MenuEntry("Select this column", "column-select", select)]
        if self._may_change:
            entries += [self._entry(act, column, found) for act in (Act.GRANT, Act.REVOKE)]
        self._menu.open(Menu(privilege.label, entries, privilege.description))

    def _entry(self, act: Act, column: Selection, found: Tally | None) -> MenuEntry:
        said = f": {_said(act, found)}" if found else ""
        return MenuEntry(f"{act.value.title()} all{said}", f"column-{act}", lambda: self.act(act, None, column))


def _changed(act: Act, found: Tally) -> int:
    return found.box_count - found.granted_count if act is Act.GRANT else found.granted_count


def _said(act: Act, found: Tally) -> str:
    words = granting if act is Act.GRANT else revoking
    return words(_changed(act, found), found.box_count)


def _only(found: Tally, privilege: Privilege) -> Tally:
    return found._replace(
        boxes=(found.boxes[PRIVILEGES.index(privilege)],), granted=(found.granted[PRIVILEGES.index(privilege)],)
    )
