"""What a browser says about its grid. All of it may be forged, so each claim is parsed into known values or refused."""

from typing import NamedTuple, TypeGuard
from urllib.parse import parse_qsl

from models.amendments import TextName
from models.errors import InvalidValue
from models.privileges import Privilege, privilege
from models.selections import MAX_ROWS, PRIVILEGE_IDS, Act, is_row_number
from models.views import GridView

MAX_ADDRESS_LENGTH = 10_000
"""Characters"""


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
        ) is int and is_row_number(row_id):
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


def is_for_sheet(claim: object) -> bool:
    """Whether a browser wants the menu of a row in its sheet, and not beside the row."""
    match claim:
        case {"sheet": True}:
            return True
    return False


class Upload(NamedTuple):
    """Something that a browser sent for its page: a file with its name, or a paste, and where it was pasted."""

    token: str
    name: str
    row: int
    columns: tuple[Privilege, ...]


def parse_upload(claim: object) -> Upload:
    """The upload that a browser names. Raises InvalidValue for what the page does not send."""
    match claim:
        case {"token": str(token), "name": str(name), "row": int(row), "columns": list(columns)} if (
            len(token) < 100 and len(name) < 1_000 and 0 <= row < MAX_ROWS and len(columns) < 100
        ):
            meant = tuple(privilege(each) for each in columns if isinstance(each, str) and each in PRIVILEGE_IDS)
            return Upload(token, name, row, meant)
    raise InvalidValue("That is nothing that this page sends.")


def parse_narrow(claim: object) -> bool:
    """Whether a browser's window is as narrow as a phone. Raises InvalidValue for what the page does not send."""
    match claim:
        case {"narrow": bool(narrow)}:
            return narrow
    raise InvalidValue("That is nothing that this page sends.")


def parse_new_row(claim: object) -> int | None:
    """The negative number of an authkey that shall be made; None if the claim is about anything else."""
    match claim:
        case {"id": row_id} if is_row_number(row_id) and row_id < 0:
            return row_id
    return None


def parse_address(claim: object) -> dict[str, str]:
    """What a browser's address says after Back or Forward, by name. Raises InvalidValue for what cannot be one."""
    match claim:
        case {"query": str(query)} if len(query) < MAX_ADDRESS_LENGTH:
            return dict(parse_qsl(query.removeprefix("?")))
    raise InvalidValue("That is no address of this page.")


def parse_act(claim: object) -> tuple[Act, Privilege | None]:
    """What a browser wants done to its selection; the privilege where one is meant that may not be selected."""
    match claim:
        case {"act": str(act), "column": str(column)} if act in set(Act):
            return Act(act), privilege(column)
        case {"act": str(act)} if act in set(Act):
            return Act(act), None
    raise InvalidValue("That cannot be done to a selection.")


class ReviewAct(NamedTuple):
    """What an admin does with a line of the review: take back what is staged for a row, or one cell of it; or confirm it."""

    row_id: int
    part: Privilege | TextName | None = None
    confirms: bool = False


def parse_review_act(claim: object) -> ReviewAct:
    """What a browser wants done with a line of its review. Raises InvalidValue for anything that the page does not send."""
    match claim:
        case {"act": "take-back", "id": row_id, "column": None} if is_row_number(row_id):
            return ReviewAct(row_id)
        case {"act": "take-back", "id": row_id, "column": str(column)} if is_row_number(row_id):
            return ReviewAct(row_id, TextName(column) if column in set(TextName) else privilege(column))
        case {"act": "confirm", "id": row_id} if is_row_number(row_id):
            return ReviewAct(row_id, confirms=True)
    raise InvalidValue("The review has no such line.")


def parse_column(claim: object) -> Privilege:
    """The column whose menu a browser wants. Raises InvalidValue for one without boxes."""
    match claim:
        case {"column": str(column)}:
            return privilege(column)
    raise InvalidValue("There is no such column.")


def _is_id(claim: object) -> TypeGuard[int]:
    """Whether this can be the id of a row; both databases hold 63 bits."""
    return is_row_number(claim) and claim > 0
