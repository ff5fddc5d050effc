"""What a grid with staged changes needs of the service whose rows it shows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from models.subjects import Row
from models.views import GridView

MAX_BLOCK = 200
"""Rows that one request may ask for."""

V = TypeVar("V", bound=GridView)
V_contra = TypeVar("V_contra", bound=GridView, contravariant=True)


class Listing(Protocol[V_contra]):
    """Reads the rows of one subject. Raises DatabaseUnavailable."""

    async def block(self, view: V_contra, admin_id: int, start: int, end: int) -> Sequence[Row]:
        """Rows `start` to `end` (exclusive) of a view; at most MAX_BLOCK."""

    async def stretch(self, view: V_contra, admin_id: int, start: int, end: int) -> Sequence[Row]:
        """Rows `start` to `end` (exclusive) of a view, however many."""

    async def place(self, view: V_contra, admin_id: int, row_id: int, /) -> int | None:
        """Where a row stands in a view, from 0; None if it does not."""

    async def count(self, view: V_contra, admin_id: int) -> int:
        """How many rows a view shows."""

    async def find(self, ids: Iterable[int], /) -> Mapping[int, Row]:
        """Those of these rows that are in force, by id."""

    async def matching(self, view: V_contra, admin_id: int) -> Sequence[Row]:
        """All rows of a view that are in force, for staging one step for all of them."""

    async def staged_ids_in(self, view: V_contra, admin_id: int) -> list[int]:
        """The ids of the rows in a view for which this admin has staged changes."""

    async def staged_in_order(self, admin_id: int, search: str, /) -> list[int]:
        """The numbers of the rows that match a search, of those for which this admin has staged changes, in their natural order."""
