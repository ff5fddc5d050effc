"""The live grid of a subject: its columns, and the few words that it exchanges with Python."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from models.accounts import AdminIdentity
from models.arrangements import Arrangement, ColumnPlace, Density, natural
from models.grid_rows import GridRow
from models.marks import Marks
from models.privileges import PRIVILEGES
from models.subjects import Subject
from models.submissions import Kind, Modification
from models.views import GridView, Parse
from models.wording import noun
from services.imports import MAX_BYTES
from ui.shell.grids import Column, Grid
from ui.shell.window import Window


class GridKind(NamedTuple):
    """What tells the grid of one subject from that of another."""

    subject: Subject
    name: str
    """For a screen reader"""
    rows_path: str
    """Where its blocks are"""
    parse: Parse[Any]
    """What reads its view from an address"""
    names: tuple[str, ...]
    """The fields of a row that say which one it is"""
    columns: tuple[Column, ...]
    """Those before the privileges"""
    remove_label: str
    remove_description: str
    card_lines: tuple[tuple[str, ...], ...]
    """On a phone, below the first of its names: the fields of each line of its card"""
    row_height: int = 38
    """Pixels"""
    compact_height: int = 28
    """Where the rows stand close"""
    shows_removed: bool = False
    """Whether rows that were removed still stand in it"""

    @property
    def arranged(self) -> dict[str, str]:
        """The columns that an admin arranges, as they naturally stand: their headings by their ids."""
        return {
            **{str(each["colId"]): str(each["headerName"]) for each in self.columns},
            **{each.id: each.label for each in PRIVILEGES},
        }

    @property
    def natural(self) -> Arrangement:
        """How it is arranged by nobody."""
        return natural(self.arranged)

    def height(self, density: Density) -> int:
        """Of a row, in pixels."""
        return self.compact_height if density is Density.COMPACT else self.row_height

    @property
    def card_height(self) -> int:
        """Pixels of a card and of the gap below it"""
        return 54 + 22 * len(self.card_lines)


class StagedGrid(Grid):
    """The grid element of one page."""

    def __init__(
        self, kind: GridKind, view: GridView, window: Window, arrangement: Arrangement, *, may_change: bool
    ) -> None:
        self._kind = kind
        columns = _columns(kind, view)
        self._natural = {each["colId"]: each for each in columns}
        super().__init__(
            kind.name,
            f"{window.root_path}{kind.rows_path}",
            view.to_query(),
            [*self._arranged(arrangement), *(each for each in columns if each["colId"] not in kind.arranged)],
            f"authkeys.rowHeight({kind.height(arrangement.density)}, {kind.card_height})",
            arrangement=self._told(arrangement),
            noun=noun(kind.subject),
            names=kind.names,
            tickStore=_tick_store(kind.subject, window.admin),
            mayChange=may_change,
            cardHeight=kind.card_height,
            maxUpload=MAX_BYTES,
            uploadsUrl=f"{window.root_path}/uploads",
            exportUrl=f"{window.root_path}/export",
            takesFiles=kind.subject is Subject.AUTHKEY,
        )
        self._grid.props(f"data-density={arrangement.density}")

    def _arranged(self, arrangement: Arrangement) -> list[Column]:
        return [{**self._natural[each.id], **_state(self._natural[each.id], each)} for each in arrangement.columns]

    def _told(self, arrangement: Arrangement) -> dict[str, Any]:
        """As AG Grid's `applyColumnState` takes it, and how high a row is."""
        return {
            "columns": [{"colId": each.id, **_state(self._natural[each.id], each)} for each in arrangement.columns],
            "density": arrangement.density,
            "rowHeight": self._kind.height(arrangement.density),
        }

    def arrange(self, arrangement: Arrangement) -> None:
        """Show other columns, in another order, or closer rows."""
        self.run("arrange", self._told(arrangement))

    def show(self, view: GridView) -> None:
        """Show another view, from its first row."""
        self.show_query(view.to_query())

    def sort(self, column: str, descending: bool) -> None:
        """Sort by a column, as a click on its heading does."""
        self.run("sortBy", column, descending)

    def put(self, rows: Sequence[GridRow]) -> None:
        """Replace rows where they are shown."""
        if rows:
            self.run("put", rows)

    def mark(self, marks: Marks) -> None:
        """Show for which rows another admin has something staged now, and for which no more."""
        self.run("mark", marks.name, sorted(marks.staged), sorted(marks.cleared))

    def flash(self, modifications: Sequence[Modification], admin_name: str) -> None:
        """Mark for some seconds what an admin just changed, with the name."""
        self.run(
            "flash", [[m.row_id, m.before ^ m.after, m.kind is not Kind.CHANGED] for m in modifications], admin_name
        )

    def acknowledge(self, sequence: int) -> None:
        """Tell the browser that its ticks up to this one are stored or refused."""
        self.run("ack", sequence)

    def resend(self) -> None:
        """Ask the browser for the ticks that are not acknowledged."""
        self.run("resend")


def _state(column: Column, place: ColumnPlace) -> Column:
    """What an arrangement says of a column, in AG Grid's words."""
    if place.width is None:
        return {"hide": not place.is_shown, "width": column.get("width"), "flex": column.get("flex")}
    return {"hide": not place.is_shown, "width": place.width, "flex": None}


def _tick_store(subject: Subject, admin: AdminIdentity) -> str:
    """That of authkeys as earlier releases named it: a page that is open during an upgrade loses no tick."""
    return f"authkeys.pending.{admin.id}" + ("" if subject is Subject.AUTHKEY else f".{subject}")


_FIXED = {"lockPosition": "left", "lockPinned": True, "resizable": True}
"""The column that says which row it is"""
_ARRANGED = {"suppressMovable": False, "lockPinned": True, "resizable": True}


def _columns(kind: GridKind, view: GridView) -> list[Column]:
    columns = [
        *({**column, **_FIXED} if column.get("pinned") else {**column, **_ARRANGED} for column in kind.columns),
        *({**_checkbox(each.id, each.label, each.description, each.bit), **_ARRANGED} for each in PRIVILEGES),
        *([_remove(kind)] if view.is_live else []),
        {
            "colId": "menu",
            "headerName": "",
            "headerComponentParams": {"template": '<span class="visually-hidden">Actions</span>'},
            "pinned": "right",
            "lockPosition": "right",
            "width": 44,
            "sortable": False,
            "cellClass": "cell-menu",
            ":cellRenderer": "authkeys.MenuCell",
        },
    ]
    natural = view.natural()
    for column in columns:
        if column["colId"] == view.sort and (view.sort, view.descending) != (natural.sort, natural.descending):
            column["initialSort"] = "desc" if view.descending else "asc"
    return [_card(kind), *columns]


def _card(kind: GridKind) -> Column:
    """The one column on a phone; which of both it is the browser decides (`static/cards.js`)."""
    return {
        "colId": "card",
        "headerName": kind.name,
        "hide": True,
        "flex": 1,
        "sortable": False,
        "autoHeaderHeight": False,
        "cellClass": "cell-card",
        "cellAriaRole": "rowheader",
        "cellRendererParams": {"title": kind.names[0], "lines": kind.card_lines, "all": len(PRIVILEGES)},
        ":cellRenderer": "authkeys.CardCell",
    }


def _remove(kind: GridKind) -> Column:
    return {
        **_checkbox("remove", kind.remove_label, kind.remove_description, None),
        "pinned": "right",
        "lockPosition": "right",
        "width": 82,
        "flex": None,
        "sortable": False,
    }


def _checkbox(column_id: str, label: str, description: str, bit: int | None) -> Column:
    return {
        "colId": column_id,
        "headerName": label,
        "headerTooltip": description,
        "headerClass": "header-privilege",
        "cellClass": "cell-checkbox",
        "flex": 2,
        "minWidth": _width_of_longest_word(label),
        "cellRendererParams": {"bit": bit, "label": label},
        "headerComponentParams": {":innerHeaderComponent": "authkeys.BoxHeading"},
        ":cellRenderer": "authkeys.CheckboxCell",
        ":cellClassRules": "({...authkeys.cellClassRules, 'cell-selected': authkeys.selectedRule})",
        ":valueGetter": "authkeys.cellValue",
    }


def _width_of_longest_word(label: str) -> int:
    """Pixels that keep every word of a heading whole, at 12 px bold."""
    return max(84, 12 + round(6.3 * max(map(len, label.split()))))
