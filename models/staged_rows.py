"""What is staged for one row, and how a step or a change of the row underneath makes another entry of it."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from models.privileges import Privilege
from models.subjects import Row
from models.submissions import CellChange, Change, NewAuthkey, Removal, Restoration


class NewKey(NamedTuple):
    """An authkey that shall be made."""

    ip: str
    """Canonical"""
    service: str
    """Canonical"""
    issues: bool = False
    """Whether a secret is made for it when it is submitted, and shown then"""


class StagedRow(NamedTuple):
    """What is staged for one row: two sets of privileges, its removal, or that it shall be made at all."""

    grants: int = 0
    revocations: int = 0
    removal: bool = False
    revision: int = 0
    """For a removal: the row's revision that the admin saw when marking it."""
    restoration: bool = False
    """A removed row shall come back."""
    new: NewKey | None = None
    """The row is no row yet: its number is a negative one of the admin's own, and all of its cells are these grants."""

    @property
    def change_count(self) -> int:
        """Staged changes in this entry; what happens to the whole row is one."""
        is_of_row = self.removal or self.restoration or self.new
        return 1 if is_of_row else self.grants.bit_count() + self.revocations.bit_count()

    def count_of(self, privileges: int) -> int:
        """How many of these changes are in the columns of a set of privileges."""
        boxes = (self.grants | self.revocations) & privileges
        return min(1, boxes) if self.new else boxes.bit_count()

    @property
    def numbers(self) -> tuple[int, ...]:
        """All but what shall be made, as it is stored."""
        return tuple(map(int, (self.grants, self.revocations, self.removal, self.revision, self.restoration)))

    def applied_to(self, privileges: int) -> int:
        """The set of privileges that a submission would leave: each cell set or cleared, the others as they are."""
        return privileges & ~self.revocations | self.grants


NOTHING = StagedRow()


class Wanted(NamedTuple):
    """What one step shall stage, beside what is staged already."""

    cells: Mapping[int, tuple[int, int]] = MappingProxyType({})
    """The privileges to grant and to revoke, by row; what is staged for removal stays so"""
    rows: Mapping[int, Row] = MappingProxyType({})
    """The rows of these cells, as they are stored"""
    removals: Sequence[Row] = ()
    restored: Collection[int] = ()
    """Removed rows that shall come back"""
    taken_back: Collection[int] = ()
    """Rows for which nothing shall be staged any more"""
    additions: Sequence[tuple[NewKey, int]] = ()
    """Authkeys that shall be made, each with its privileges"""


def change_of(row_id: int, entry: StagedRow) -> Change:
    """What a submission of this entry asks for."""
    if entry.removal:
        return Removal(row_id, entry.revision)
    if entry.restoration:
        return Restoration(row_id)
    if new := entry.new:
        return NewAuthkey(new.ip, new.service, entry.grants)
    return CellChange(row_id, entry.grants, entry.revocations)


def with_cell(entry: StagedRow, row: Row, privilege: Privilege, granted: bool) -> StagedRow:
    """The entry with one cell staged, or no longer staged if that is what is stored."""
    mask = privilege.mask
    grants, revocations = entry.grants & ~mask, entry.revocations & ~mask
    if granted and not row.privileges & mask:
        grants |= mask
    elif not granted and row.privileges & mask:
        revocations |= mask
    return StagedRow(grants, revocations, new=entry.new)


def with_both(entry: StagedRow, row: Row, grants: int, revocations: int) -> StagedRow:
    """The entry with these cells staged, as far as they differ from what is stored."""
    kept = StagedRow(entry.grants & ~revocations, entry.revocations & ~grants)
    grants, revocations = (kept.grants | grants) & ~row.privileges, (kept.revocations | revocations) & row.privileges
    return StagedRow(grants, revocations, new=entry.new)


def with_revocations(entry: StagedRow, row: Row, mask: int) -> StagedRow:
    """The entry with the revocation of these cells, as far as they are granted."""
    return StagedRow(entry.grants & ~mask, entry.revocations | mask & row.privileges, new=entry.new)


def with_removal(row: Row) -> StagedRow:
    """The removal of a row as it is; of one that shall only be made nothing is left."""
    return StagedRow(removal=True, revision=row.revision) if row.id > 0 else NOTHING


def rebased(entry: StagedRow, row: Row | None) -> StagedRow:
    """The entry against the row as it is now. Cells of a removed row are kept: the admin must decide on them."""
    if row is None:
        return NOTHING if entry.removal else entry
    if entry.restoration:
        return NOTHING
    if entry.removal:
        return entry
    return StagedRow(entry.grants & ~row.privileges, entry.revocations & row.privileges)
