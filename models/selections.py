"""A selection of rows and boxes of a view, and what an act on all of it stages: one decision, whoever asks for it.

A selection is corners and columns, never a list of cells, so it costs nothing to make; which rows it means is read when something is done with it.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import NamedTuple, TypeGuard

from models.errors import InvalidValue
from models.privileges import ALL_PRIVILEGES, PRIVILEGES, mask_of, privilege
from models.spreadsheets import to_cell
from models.staged_rows import StagedRow, Wanted
from models.subjects import Row

MAX_STRETCHES = 200
"""Parts of a selection, each with its corners"""
MAX_ROWS = 2**31

PRIVILEGE_IDS = frozenset(each.id for each in PRIVILEGES)


class Stretch(NamedTuple):
    """The rows of a view from one to another, both included, and what of them is meant."""

    first: int
    last: int
    """Places in the view, from 0"""
    first_id: int | None
    last_id: int | None
    """The rows that were seen there; None where nobody looked"""
    mask: int = ALL_PRIVILEGES
    """The privileges whose boxes are selected"""
    is_whole: bool = False
    """All rows of the view, whichever those are"""


class Selection(NamedTuple):
    """Stretches of one view; of what lies in several of them all boxes are meant."""

    stretches: tuple[Stretch, ...]
    columns: tuple[str, ...] = ()
    """The names of all selected columns, also of those without boxes"""

    @property
    def mask(self) -> int:
        """The privileges of which any box is selected."""
        return reduce(or_, (each.mask for each in self.stretches), 0)


class Act(StrEnum):
    """What can be done to a selection."""

    GRANT = "grant"
    REVOKE = "revoke"
    TOGGLE = "toggle"
    """Grant; or revoke where all of it is granted"""
    FILL = "fill"
    """Each box becomes what the one in the first row is"""
    REMOVE = "remove"
    """Mark for removal; or, where all of it is marked, take that back"""


class Selected(NamedTuple):
    """One selected row: what is stored, what is staged for it, and which of its boxes are meant."""

    row: Row
    entry: StagedRow
    mask: int

    @property
    def shown(self) -> int:
        """The privileges that its boxes show."""
        return self.entry.applied_to(self.row.privileges)


class Tally(NamedTuple):
    """What a selection holds. Boxes of rows that are marked for removal are not counted: they can be neither granted nor revoked."""

    row_count: int
    removal_count: int
    """Rows that are marked for removal"""
    boxes: tuple[int, ...]
    """By the place of the privilege: how many boxes are selected"""
    granted: tuple[int, ...]
    """By the place of the privilege: how many of them are granted"""

    @property
    def box_count(self) -> int:
        """All selected boxes."""
        return sum(self.boxes)

    @property
    def granted_count(self) -> int:
        """Those that are granted."""
        return sum(self.granted)


def tally(selected: Iterable[Selected]) -> Tally:
    """Count what is selected."""
    rows = Counter((each.mask, each.shown, each.entry.removal) for each in selected)
    alive = [(mask, shown, count) for (mask, shown, removal), count in rows.items() if not removal]
    return Tally(
        rows.total(),
        sum(count for (_, _, removal), count in rows.items() if removal),
        tuple(sum(count for mask, _, count in alive if mask & each.mask) for each in PRIVILEGES),
        tuple(sum(count for mask, shown, count in alive if mask & shown & each.mask) for each in PRIVILEGES),
    )


def table_text(selected: Iterable[Selected], columns: Sequence[str]) -> str:
    """Rows with tabs between their values and a heading, as spreadsheets and `pasted` read them; boxes are 1 and 0."""
    written = io.StringIO()
    table = csv.writer(written, dialect="excel-tab", lineterminator="\n")
    known = [column for column in columns if column in PRIVILEGE_IDS or column in ("ip", "service", "remove")]
    table.writerow(known)
    table.writerows([to_cell(str(_value(each, column))) for column in known] for each in selected)
    return written.getvalue()


def _value(selected: Selected, column: str) -> str | int:
    if column in PRIVILEGE_IDS:
        return int(bool(selected.shown & privilege(column).mask))
    if column == "remove":
        return int(selected.entry.removal)
    return selected.row.ip if column == "ip" else selected.row.service


def decide_act(act: Act, selected: Sequence[Selected]) -> Wanted:
    """What an act stages. `selected` is in the order of the view: of a fill the first row says what all become."""
    if act is Act.REMOVE:
        if all(each.entry.removal for each in selected):
            return Wanted(taken_back=[each.row.id for each in selected])
        return Wanted(removals=[each.row for each in selected])
    rows = {each.row.id: each.row for each in selected}
    if act is Act.FILL:
        source = selected[0].shown if selected else 0
        return Wanted({each.row.id: (each.mask & source, each.mask & ~source) for each in selected}, rows)
    grants = act is Act.GRANT or (act is Act.TOGGLE and not _all_granted(selected))
    return Wanted({each.row.id: (each.mask, 0) if grants else (0, each.mask) for each in selected}, rows)


def _all_granted(selected: Iterable[Selected]) -> bool:
    return all(each.mask & each.shown == each.mask for each in selected if not each.entry.removal)


# -- what a browser says -------------------------------------------------------------------------------------------------


def parse_selection(claim: object) -> Selection:
    """The selection that a browser claims. Raises InvalidValue for what the page does not send."""
    match claim:
        case {"stretches": list(stretches)} if len(stretches) <= MAX_STRETCHES:
            found = [_stretch(each) for each in stretches]
            columns = dict.fromkeys(column for _, some in found for column in some)
            return Selection(tuple(each for each, _ in found), tuple(columns))
    raise InvalidValue(f"At most {MAX_STRETCHES} parts of a grid can be selected at once.")


def _stretch(claim: object) -> tuple[Stretch, list[str]]:
    match claim:
        case {
            "first": int(first),
            "last": int(last),
            "firstId": first_id,
            "lastId": last_id,
            "whole": bool(whole),
            "columns": list(columns),
        } if 0 <= first <= last < MAX_ROWS and len(columns) < 100 and all(isinstance(each, str) for each in columns):
            if all(each is None or is_row_number(each) for each in (first_id, last_id)):
                mask = mask_of(privilege(each) for each in columns if each in PRIVILEGE_IDS)
                return Stretch(first, last, first_id, last_id, mask, whole), columns
    raise InvalidValue("The grid cannot be selected like that.")


def is_row_number(claim: object) -> TypeGuard[int]:
    """Whether this can be the id of a row, or the negative number of one that shall be made."""
    return type(claim) is int and claim != 0 and -(2**63) < claim < 2**63
