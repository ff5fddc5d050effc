"""What a browser says about its grid. All of it may be forged, so each claim is parsed into known values or refused."""

from typing import NamedTuple, TypeGuard

from models.errors import InvalidValue
from models.privileges import PRIVILEGES, Privilege, privilege
from models.views import GridView

PRIVILEGE_IDS = frozenset(each.id for each in PRIVILEGES)


class Tick(NamedTuple):
    """A box that was ticked or cleared. `sequence` counts the ticks of one window."""

    sequence: int
    row_id: int
    privilege: Privilege | None
    """None for the column Remove?"""
    value: bool


def parse_tick(claim: object) -> Tick:
    """The tick that a browser claims. Raises InvalidValue for anything that the page does not send."""
    match claim:
        case {"seq": int(sequence), "id": row_id, "column": column, "value": bool(value)} if type(
            sequence
        ) is int and _is_id(row_id):
            return Tick(sequence, row_id, None if column == "remove" else privilege(column), value)
    raise InvalidValue("That change was refused: it is not one that this page makes.")


def parse_sort(claim: object, view: GridView) -> tuple[str, bool]:
    """The column that a browser sorted by, and whether descending. Raises InvalidValue for one that the view has not."""
    match claim:
        case {"column": None}:  # by none: as it is without being asked
            return view.natural().sort, view.natural().descending
        case {"column": str(column), "descending": bool(descending)} if column in view.sort_columns():
            return column, descending
    raise InvalidValue("The grid cannot be sorted like that.")


def parse_row(claim: object) -> int:
    """The id of the row whose menu a browser wants. Raises InvalidValue for what cannot be one."""
    match claim:
        case {"id": row_id} if _is_id(row_id):
            return row_id
    raise InvalidValue("There is no such row.")


def parse_box_of_row(claim: object) -> tuple[int, Privilege | None]:
    """The row, and of its boxes the one that was meant, if any. Raises InvalidValue for what cannot be one."""
    match claim:
        case {"id": row_id, "column": str(column)} if _is_id(row_id) and column in PRIVILEGE_IDS:
            return row_id, privilege(column)
    return parse_row(claim), None


def _is_id(claim: object) -> TypeGuard[int]:
    """Whether this can be the id of a row; both databases hold 63 bits."""
    return type(claim) is int and 0 < claim < 2**63
