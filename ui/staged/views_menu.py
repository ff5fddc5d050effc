"""The menu of saved views: links to the admin's own and to those that others share, and the dialogs that keep and change them."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from models.errors import AuthkeysError
from models.saved_views import MAX_NAME_LENGTH, SavedView, in_words, reading, view_name
from models.views import GridView
from services.saved_views import change_view, delete_view, save_view, views_seen_by
from ui.shell.dialogs import open_dialog
from ui.shell.feedback import user_errors
from ui.shell.forms import Problem
from ui.shell.window import Window
from ui.staged.grid import GridKind


class ViewsMenu:
    """The button and its menu, which is built when it opens. Entries are links: they can be bookmarked, sent, opened beside."""

    def __init__(self, window: Window, kind: GridKind, path: str, view: Callable[[], GridView]) -> None:
        """`path` is where the grid's page is, `view` what it shows now."""
        self._window, self._kind, self._path, self._view = window, kind, path, view
        button = ui.button("Views", icon="bookmark_border", color=None).props("outline no-caps aria-label=Views")
        button.classes("filter views-button").mark("views").on("click", self._open)
        with button:
            self._menu = ui.menu().props('role=region aria-label="Saved views" no-parent-event')

    async def _open(self) -> None:
        with user_errors():
            await self._window.require_session()
            self._build(await views_seen_by(self._window.admin, self._kind.subject))
            self._menu.open()

    def _build(self, seen: Sequence[SavedView]) -> None:
        mine = [each for each in seen if each.owner_id == self._window.admin.id]
        self._menu.clear()
        with self._menu, ui.element("div").classes("views-menu"):
            self._group("Mine", mine)
            self._group("Shared by others", [each for each in seen if each not in mine])
            if not seen:
                ui.label("Search, filter and sort the rows, then save what is shown under a name.").classes("menu-hint")
            save = ui.button("Save this view…", icon="add", on_click=self._ask_save, color=None)
            save.props("flat dense no-caps").classes("views-save").mark("view-save")

    def _group(self, title: str, views: Sequence[SavedView]) -> None:
        if not views:
            return
        ui.label(title).classes("views-title").props("role=heading aria-level=2")
        with ui.element("ul").classes("views-list").props(f'aria-label="{title}"'):
            for each in views:
                with ui.element("li").classes("views-line"):
                    self._line(each)

    def _line(self, saved: SavedView) -> None:
        view, problems = reading(saved.query, self._kind.parse)
        address = f"{self._path}?{saved.query}" if saved.query else self._path
        with ui.link(target=address).classes("views-link").mark(f"view: {saved.name}") as link:
            ui.label(saved.name).classes("views-name")
            ui.label(" ".join(problems) or in_words(view)).classes("views-words problem" if problems else "views-words")
        if saved.query == self._view().to_query():
            link.props("aria-current=true")
        if note := self._note(saved):
            ui.label(note).classes("views-note")
        if saved.may_be_changed_by(self._window.admin):
            edit = ui.button(icon="edit", on_click=lambda: self._ask_change(saved), color=None)
            edit.props("flat round dense size=sm").classes("quiet").mark(f"edit-view: {saved.name}")
            edit.props["aria-label"] = f"Change {saved.name}"

    def _note(self, saved: SavedView) -> str:
        if saved.owner_id == self._window.admin.id:
            return "Shared" if saved.is_shared else ""
        return f"{saved.owner}, who left" if saved.is_orphan else saved.owner

    def _ask_save(self) -> None:
        self._menu.close()
        view = self._view()

        async def save(form: "_ViewForm") -> None:
            await save_view(self._window.admin, self._kind.subject, form.name, view, is_shared=form.is_shared)
            self._window.tell(f"Saved as “{form.name.strip()}”: it is in Views.")

        form = _ViewForm("Save this view", self._window, save, shows=in_words(view))
        form.build_buttons("Save")

    def _ask_change(self, saved: SavedView) -> None:
        self._menu.close()
        view = self._view()

        async def change(form: "_ViewForm") -> None:
            shown = view if form.is_replaced else None
            await change_view(self._window.admin, saved.id, form.name, is_shared=form.is_shared, view=shown)
            self._window.tell(f"“{form.name.strip()}” is changed.")

        async def delete(_: "_ViewForm") -> None:
            await delete_view(self._window.admin, saved.id)
            self._window.tell(f"“{saved.name}” is deleted.")

        was = in_words(reading(saved.query, self._kind.parse)[0])
        form = _ViewForm("Saved view", self._window, change, shows=was, saved=saved)
        if view.to_query() != saved.query:
            form.offer_replacing(in_words(view))
        form.build_buttons("Save", delete)


class _ViewForm:
    """A view's name, and who sees it."""

    def __init__(self, title: str, window: Window, keep: "Act", *, shows: str, saved: SavedView | None = None) -> None:
        """`keep` raises AuthkeysError, which is said in the dialog."""
        self._window, self._keep = window, keep
        self._dialog, self._card = open_dialog(title)
        self._replaced: ui.checkbox | None = None
        with self._card:
            ui.label(f"Shows {shows}.").classes("dialog-text").mark("view-shows")
            self._name = ui.input("Name", value=saved.name if saved else "")
            self._name.props(f"outlined dense stack-label autofocus maxlength={MAX_NAME_LENGTH}").mark("view-name")
            self._name.on("keydown.enter", lambda: self._do(self._keep))
            self._shared = ui.checkbox("Share with everybody", value=bool(saved and saved.is_shared)).props("dense")
            self._shared.mark("view-shared").set_visibility(window.admin.may_change or self.is_shared)

    def offer_replacing(self, shows: str) -> None:
        """Offer that it shows what the page shows now."""
        with self._card:
            self._replaced = ui.checkbox(f"Let it show what is shown now: {shows}").props("dense").mark("view-replace")

    def build_buttons(self, verb: str, delete: "Act | None" = None) -> None:
        """The last of the dialog."""
        with self._card:
            self._problem = Problem("view-problem")
            with ui.row().classes("dialog-actions"):
                if delete:
                    gone = ui.button("Delete", on_click=lambda: self._do(delete), color=None)
                    gone.props("flat no-caps").classes("danger").mark("view-delete")
                    ui.space()
                ui.button("Cancel", on_click=self._dialog.close).props("flat no-caps")
                save = ui.button(verb, on_click=lambda: self._do(self._keep), color=None)
                save.props("unelevated no-caps").classes("primary").mark("view-submit")

    @property
    def name(self) -> str:
        return str(self._name.value or "")

    @property
    def is_shared(self) -> bool:
        return self._shared.value is True

    @property
    def is_replaced(self) -> bool:
        return self._replaced is not None and self._replaced.value is True

    async def _do(self, act: "Act") -> None:
        try:
            await self._window.require_session()
            await act(self)
        except AuthkeysError as error:
            self._problem.show(error, {self._name: view_name})
        else:
            self._dialog.close()


Act = Callable[[_ViewForm], Awaitable[None]]
