"""What is staged for one row, and how a step or a change of the row underneath makes another entry of it."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from models.amendments import UNAMENDED, Amendment, TextName
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
    """What is staged for one row: two sets of privileges, an amendment, its removal, or that it shall be made at all."""

    grants: int = 0
    revocations: int = 0
    removal: bool = False
    revision: int = 0
    """For a removal: the row's revision that the admin saw when marking it."""
    restoration: bool = False
    """A removed row shall come back."""
    new: NewKey | None = None
    """The row is no row yet: its number is a negative one of the admin's own, and all of its cells are these grants."""
    amendment: Amendment = UNAMENDED

    @property
    def change_count(self) -> int:
        """Staged changes in this entry; what happens to the whole row is one."""
        is_of_row = self.removal or self.restoration or self.new
        cells = self.grants.bit_count() + self.revocations.bit_count()
        return 1 if is_of_row else cells + self.amendment.change_count

    def count_of(self, privileges: int) -> int:
        """How many of these changes are in the columns of a set of privileges."""
        boxes = (self.grants | self.revocations) & privileges
        return min(1, boxes) if self.new else boxes.bit_count()

    @property
    def numbers(self) -> tuple[int, ...]:
        """All but what shall be made and amended, as it is stored."""
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
    additions: Sequence["Addition"] = ()
    amendments: Mapping[int, Amendment] = MappingProxyType({})
    """What shall be different of rows beside their privileges; of their texts those that are named"""


class Addition(NamedTuple):
    """An authkey that shall be made, as a step wants it."""

    new: NewKey
    privileges: int
    amendment: Amendment = UNAMENDED


def change_of(row_id: int, entry: StagedRow) -> Change:
    """What a submission of this entry asks for."""
    if entry.removal:
        return Removal(row_id, entry.revision)
    if entry.restoration:
        return Restoration(row_id)
    if new := entry.new:
        return NewAuthkey(new.ip, new.service, entry.grants, entry.amendment.secret, entry.amendment.texts)
    return CellChange(row_id, entry.grants, entry.revocations, entry.amendment)


def with_cell(entry: StagedRow, row: Row, privilege: Privilege, granted: bool) -> StagedRow:
    """The entry with one cell staged, or no longer staged if that is what is stored."""
    mask = privilege.mask
    grants, revocations = entry.grants & ~mask, entry.revocations & ~mask
    if granted and not row.privileges & mask:
        grants |= mask
    elif not granted and row.privileges & mask:
        revocations |= mask
    return entry._replace(grants=grants, revocations=revocations)


def with_texts(entry: StagedRow, row: Row, texts: Mapping[TextName, str]) -> StagedRow:
    """The entry with these texts staged, or no longer staged where they are what is stored."""
    amendment = entry.amendment
    for name, text in texts.items():
        amendment = amendment.with_text(name, row, text)
    return entry._replace(amendment=amendment)


def with_both(entry: StagedRow, row: Row, grants: int, revocations: int) -> StagedRow:
    """The entry with these cells staged, as far as they differ from what is stored."""
    kept_grants, kept_revocations = entry.grants & ~revocations, entry.revocations & ~grants
    return entry._replace(
        grants=(kept_grants | grants) & ~row.privileges, revocations=(kept_revocations | revocations) & row.privileges
    )


def with_amendment(entry: StagedRow, wanted: Amendment) -> StagedRow:
    """The entry with this secret and these texts staged, beside other texts."""
    named = {each.name for each in wanted.texts}
    others = [each for each in entry.amendment.texts if each.name not in named]
    texts = sorted([*(each for each in wanted.texts if each.before != each.after), *others])
    return entry._replace(amendment=Amendment(wanted.secret or entry.amendment.secret, tuple(texts)))


def with_revocations(entry: StagedRow, row: Row, mask: int) -> StagedRow:
    """The entry with the revocation of these cells, as far as they are granted."""
    return entry._replace(grants=entry.grants & ~mask, revocations=entry.revocations | mask & row.privileges)


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
    return StagedRow(
        entry.grants & ~row.privileges, entry.revocations & row.privileges, amendment=entry.amendment.rebased(row)
    )


def put_back(mine: StagedRow, back: StagedRow) -> StagedRow:
    """What was held, staged again beside what its admin has staged for the row since then, which counts where both cannot be."""
    whole = (mine.removal, mine.restoration, back.removal, back.restoration)
    if mine == NOTHING:
        return back
    if any(whole) or mine.new or back.new:
        return mine
    named = {each.name for each in mine.amendment.texts}
    texts = sorted([*mine.amendment.texts, *(each for each in back.amendment.texts if each.name not in named)])
    return mine._replace(
        grants=mine.grants | back.grants & ~mine.revocations,
        revocations=mine.revocations | back.revocations & ~mine.grants,
        amendment=mine.amendment._replace(secret=mine.amendment.secret or back.amendment.secret, texts=tuple(texts)),
    )
