"""How an admin has arranged a grid: which columns are shown, in which order and how wide, and how close its rows stand.

The first column says which row it is: it stays first and is always shown. The column for removals is not arranged at all.
"""

import json
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from models.errors import InvalidValue
from models.privileges import ALL_PRIVILEGES, PRIVILEGES

MIN_WIDTH, MAX_WIDTH = 40, 800
"""Pixels"""

_REFUSED = "The columns cannot be arranged like that."
_MASKS = {each.id: each.mask for each in PRIVILEGES}


class Density(StrEnum):
    """How close the rows stand."""

    COMFORTABLE = "comfortable"
    COMPACT = "compact"


class ColumnPlace(NamedTuple):
    """A column; its place is that in `Arrangement.columns`."""

    id: str
    width: int | None = None
    """Pixels; None for what it is given without being asked"""
    is_shown: bool = True


class Arrangement(NamedTuple):
    """Every column of a grid once, from left to right."""

    columns: tuple[ColumnPlace, ...]
    density: Density = Density.COMFORTABLE

    @property
    def hidden_privileges(self) -> int:
        """The privileges whose columns are hidden."""
        return sum(_MASKS.get(each.id, 0) for each in self.columns if not each.is_shown)

    @property
    def shown_privileges(self) -> int:
        """The privileges whose columns are shown."""
        return ALL_PRIVILEGES & ~self.hidden_privileges

    def with_shown(self, column_id: str, is_shown: bool) -> "Arrangement":
        """With a column shown or hidden; the first one is always shown."""
        first, *others = self.columns
        changed = (each._replace(is_shown=is_shown) if each.id == column_id else each for each in others)
        return self._replace(columns=(first, *changed))

    def with_privileges_shown(self, mask: int) -> "Arrangement":
        """With the columns of these privileges shown, beside those that are."""
        shown = (each._replace(is_shown=each.is_shown or bool(_MASKS.get(each.id, 0) & mask)) for each in self.columns)
        return self._replace(columns=tuple(shown))

    def moved(self, column_id: str, step: int) -> "Arrangement":
        """With a column so many places further to the right; it goes neither before the first nor beyond the last place."""
        first, *others = self.columns
        place = next((place for place, each in enumerate(others) if each.id == column_id), None)
        if place is not None:
            column = others.pop(place)
            others.insert(max(0, place + step), column)
        return self._replace(columns=(first, *others))


def natural(column_ids: Iterable[str]) -> Arrangement:
    """What nobody has arranged: all columns, in this order."""
    return Arrangement(tuple(map(ColumnPlace, column_ids)))


def parse_layout(claim: object, now: Arrangement) -> Arrangement:
    """The arrangement with the order and the widths that a browser claims.

    Raises InvalidValue unless it names every column once, the first one first, and widths that a column may have.
    """
    match claim:
        case {"columns": list(columns)} if len(columns) == len(now.columns):
            widths = dict(_width(each) for each in columns)
            known = {each.id: each for each in now.columns}
            if widths.keys() == known.keys() and next(iter(widths)) == now.columns[0].id:
                return now._replace(columns=tuple(known[id_]._replace(width=width) for id_, width in widths.items()))
    raise InvalidValue(_REFUSED)


def _width(claim: object) -> tuple[str, int | None]:
    match claim:
        case {"id": str(id_), "width": None}:
            return id_, None
        case {"id": str(id_), "width": int(width)} if type(width) is int and MIN_WIDTH <= width <= MAX_WIDTH:
            return id_, width
    raise InvalidValue(_REFUSED)


# -- as it is stored -------------------------------------------------------------------------------------------------------


def to_text(arrangement: Arrangement) -> str:
    """As it is stored."""
    return json.dumps({"columns": arrangement.columns, "density": arrangement.density})


def from_text(text: str, natural: Arrangement) -> Arrangement:
    """What `to_text` wrote, perhaps in an earlier release: a column that there was not yet stands where it naturally does,
    and one that there is no more is left out."""
    stored = json.loads(text)
    places = {id_: ColumnPlace(id_, width, is_shown) for id_, width, is_shown in stored["columns"]}
    first, *others = natural.columns
    kept = [each for each in places.values() if each.id in {other.id for other in others}]
    fitted = [places.get(first.id, first)._replace(is_shown=True), *kept]
    for before, column in pairwise(natural.columns):
        if column.id not in places:
            fitted.insert([each.id for each in fitted].index(before.id) + 1, column)
    return Arrangement(tuple(fitted), Density(stored["density"]))
