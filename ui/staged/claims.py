"""What a browser says about its grid. All of it may be forged, so each claim is parsed into known values or refused."""

from typing import NamedTuple, TypeGuard

from models.errors import InvalidValue
from models.privileges import PRIVILEGES, Privilege, mask_of, privilege
from models.selections import Act, Selection, Stretch
from models.views import GridView

MAX_STRETCHES = 200
"""Parts of a selection, each with its corners"""
MAX_ROWS = 2**31

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
        ) is int and _is_row(row_id):
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


def parse_new_row(claim: object) -> int | None:
    """The negative number of an authkey that shall be made; None if the claim is about anything else."""
    match claim:
        case {"id": row_id} if _is_row(row_id) and row_id < 0:
            return row_id
    return None


def parse_selection(claim: object) -> Selection:
    """The selection that a browser claims. Raises InvalidValue for what the page does not send."""
    match claim:
        case {"stretches": list(stretches)} if len(stretches) <= MAX_STRETCHES:
            found = [_stretch(each) for each in stretches]
            columns = {column for _, some in found for column in some}
            return Selection(tuple(each for each, _ in found), len(columns))
    raise InvalidValue(f"At most {MAX_STRETCHES} parts of a grid can be selected at once.")


def _stretch(claim: object) -> tuple[Stretch, set[str]]:
    match claim:
        case {
            "first": int(first),
            "last": int(last),
            "firstId": first_id,
            "lastId": last_id,
            "whole": bool(whole),
            "columns": list(columns),
        } if 0 <= first <= last < MAX_ROWS and len(columns) < 100 and all(isinstance(each, str) for each in columns):
            if all(each is None or _is_row(each) for each in (first_id, last_id)):
                mask = mask_of(privilege(each) for each in columns if each in PRIVILEGE_IDS)
                return Stretch(first, last, first_id, last_id, mask, whole), set(columns)
    raise InvalidValue("The grid cannot be selected like that.")


def parse_act(claim: object) -> tuple[Act, Privilege | None]:
    """What a browser wants done to its selection; the privilege where one is meant that may not be selected."""
    match claim:
        case {"act": str(act), "column": str(column)} if act in set(Act):
            return Act(act), privilege(column)
        case {"act": str(act)} if act in set(Act):
            return Act(act), None
    raise InvalidValue("That cannot be done to a selection.")


def parse_column(claim: object) -> Privilege:
    """The column whose menu a browser wants. Raises InvalidValue for one without boxes."""
    match claim:
        case {"column": str(column)}:
            return privilege(column)
    raise InvalidValue("There is no such column.")


def _is_row(claim: object) -> TypeGuard[int]:
    """Whether this can be the id of a row, or the negative number of one that shall be made."""
    return type(claim) is int and claim != 0 and -(2**63) < claim < 2**63


def _is_id(claim: object) -> TypeGuard[int]:
    """Whether this can be the id of a row; both databases hold 63 bits."""
    return _is_row(claim) and claim > 0
