"""What can be done with a row that a browser names: in a menu beside it or, on a phone, in its sheet."""

from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.events import GenericEventArguments

from models.privileges import Privilege
from ui.shell.feedback import user_errors
from ui.shell.window import Window
from ui.staged.claims import is_for_sheet, parse_box_of_row, parse_new_row
from ui.staged.row_menu import Menu, MenuEntry, RowMenu
from ui.staged.sheet import RowSheet

MenuOf = Callable[[int, Privilege | None], Awaitable[Menu | None]]
"""The menu of a row, or of one of its boxes; there may be no row with that id"""


class RowMenus:
    """Those of one page, to be built where the popup is to stand."""

    def __init__(
        self, window: Window, noun: str, menu_of: MenuOf, take_back: Callable[[list[int]], Awaitable[object]]
    ) -> None:
        """`noun` is of one row, `take_back` drops rows that shall only be made."""
        self._window, self._noun, self._menu_of, self._take_back = window, noun, menu_of, take_back
        self.popup = RowMenu()
        self._sheet = RowSheet()
        ui.on("menu", self._open)

    async def _open(self, event: GenericEventArguments) -> None:
        with user_errors():
            await self._window.require_session()
            if new := parse_new_row(event.args):
                row_id, menu = new, self._of_new(new)
            else:
                row_id, privilege = parse_box_of_row(event.args)
                menu = await self._menu_of(row_id, privilege)
            if menu and is_for_sheet(event.args):
                self._sheet.show(row_id, menu)
            elif menu:
                self.popup.open(menu)

    def _of_new(self, row_id: int) -> Menu | None:
        entry = MenuEntry("Take back", "row-take-back", lambda: self._take_back([row_id]))
        return Menu(f"this new {self._noun}", [entry], "Not there yet: it is made when you submit")
