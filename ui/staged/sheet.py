"""The sheet of a row, on a phone. `static/sheet.js` opens it, and draws its boxes as switches; here is what else can be done."""

from nicegui import ui

from ui.staged.row_menu import Menu, act_of


class RowSheet:
    """One sheet for all rows of a page."""

    def __init__(self) -> None:
        self._host = ui.element("div")
        # Beside the page, which is inert while the sheet is open.
        with self._host, ui.teleport("body"), ui.element("div").classes("sheet-layer").props("hidden"):
            sheet = ui.element("section").classes("sheet")
        with sheet.props("role=dialog aria-modal=true aria-labelledby=sheet-name tabindex=-1"):
            with ui.element("div").classes("sheet-head"):
                ui.label().classes("sheet-name").props("id=sheet-name role=heading aria-level=2")
                ui.label().classes("sheet-state").props("role=status")
                ui.button(icon="close", color=None).props('flat round aria-label="Close"').classes("sheet-close")
            with ui.element("div").classes("sheet-content"):
                ui.element("div").classes("sheet-switches")
                self._actions = ui.element("div").classes("sheet-actions").props('role=group aria-label="Actions"')

    def show(self, row_id: int, menu: Menu) -> None:
        """What the menu of this row offers, if it is still the one that the sheet shows."""
        self._actions.clear()
        with self._actions:
            for entry in menu.entries:
                button = ui.button(entry.text, on_click=act_of(entry, self._host), color=None)
                button.props("flat no-caps align=left").classes("sheet-action").mark(entry.mark)
            ui.label(menu.hint).classes("sheet-hint")
        self._actions.client.run_javascript(f"authkeys.showActions({row_id})")
