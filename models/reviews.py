"""The review as an outline: groups that open, and in each the rows for which something is staged.

It is made anew whenever something else is staged. Only its groups' numbers of rows are held; what stands at a place is said on demand.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from models.errors import InvalidValue
from models.privileges import MANAGE_AUTHKEYS
from models.staged_changes import StagedChanges
from models.staged_rows import StagedRow

OPEN_ROWS = 100
"""Up to so many rows all groups are open at first; of more the first group, so that one sees which others there are."""


class Group(StrEnum):
    """Rows of one kind: what needs a decision first, then what is risky. The values stand in addresses."""

    DECIDE = "decide"
    REMOVALS = "removals"
    MANAGE = "manage"
    NEW = "new"
    OTHER = "other"


TITLES = {
    Group.DECIDE: "To decide",
    Group.REMOVALS: "Removals",
    Group.MANAGE: "Grants of Manage Authkeys",
    Group.NEW: "New",
    Group.OTHER: "Other changes",
}

Groups = Mapping[Group, Sequence[int]]
"""The numbers of the rows of each group that has any, in the order of groups"""
Folds = Mapping[Group, bool]
"""The groups that the admin opened (True) or closed; the others are as they are at first"""


class Heading(NamedTuple):
    """Above the rows of a group."""

    group: Group
    row_count: int
    is_open: bool


class Position(NamedTuple):
    """A row in its group."""

    row_id: int
    number: int
    """From 1"""
    row_count: int
    """Of its group"""


def grouped(staged: StagedChanges, in_order: Iterable[int]) -> Groups:
    """These rows, as far as something is staged for them, each in one group."""
    conflicts = staged.conflicts
    groups: dict[Group, list[int]] = {group: [] for group in Group}
    for id_ in in_order:
        if id_ in staged:
            groups[Group.DECIDE if id_ in conflicts else _group_of(staged[id_])].append(id_)
    return {group: ids for group, ids in groups.items() if ids}


def _group_of(entry: StagedRow) -> Group:
    if entry.removal:
        return Group.REMOVALS
    if entry.grants & MANAGE_AUTHKEYS.mask:
        return Group.MANAGE
    return Group.NEW if entry.new else Group.OTHER


class Outline:
    """The headings, and below each that is open its rows."""

    def __init__(self, groups: Groups, folds: Folds) -> None:
        self._groups = groups
        self.row_count = sum(map(len, groups.values()))
        """Rows in all groups"""
        self._open = {
            group: folds.get(group, at == 0 or self.row_count <= OPEN_ROWS) for at, group in enumerate(groups)
        }
        self.length = len(groups) + sum(len(ids) for group, ids in groups.items() if self._open[group])
        """Headings and rows that stand in it"""

    def part(self, start: int, end: int) -> list[Heading | Position]:
        """What stands at the places from `start` to `end` (exclusive)."""
        return list(chain.from_iterable(self._parts(start, end)))

    def _parts(self, start: int, end: int) -> Iterator[Sequence[Heading | Position]]:
        for group, ids in self._groups.items():
            if start <= 0 < end:
                yield [Heading(group, len(ids), self._open[group])]
            start, end = start - 1, end - 1
            if self._open[group]:
                first = max(0, start)
                some = ids[first : max(0, end)]
                yield [Position(id_, number, len(ids)) for number, id_ in enumerate(some, first + 1)]
                start, end = start - len(ids), end - len(ids)


def parse_folds(opened: str, closed: str) -> Folds:
    """The groups that a browser says are opened and closed, with commas. Raises InvalidValue for an unknown one."""
    try:
        return {Group(name): is_open for names, is_open in ((opened, True), (closed, False)) for name in _names(names)}
    except ValueError:
        raise InvalidValue("The review has no such group.") from None


def _names(text: str) -> list[str]:
    return text.split(",") if text else []
