"""How careful a submission is asked for: in proportion to what it does."""

from enum import IntEnum
from typing import NamedTuple

from models.privileges import MANAGE_AUTHKEYS
from models.staged_changes import StagedChanges

HARMLESS_CHANGES = 20
"""So many grants and revocations are submitted by one click, as in the seed."""
MANY_REMOVALS = 100
MUCH_OF_A_TABLE = 0.3
FEW_REMOVALS = 5
"""So few are never much of a table, however small that is."""


class Caution(IntEnum):
    """What is asked for before a submission."""

    NONE = 0
    REVIEW = 1
    """That the review was seen"""
    TYPED = 2
    """That the number of removals is typed"""


class StagedTotals(NamedTuple):
    """What all staged changes come to. The grants of Manage Authkeys are among the grants, also those of new rows."""

    additions: int = 0
    grants: int = 0
    revocations: int = 0
    removals: int = 0
    restorations: int = 0
    grants_of_manage: int = 0
    texts: int = 0
    secrets: int = 0
    """Keys that are taken over, of rows that are there"""

    @property
    def change_count(self) -> int:
        """Changes as the bar counts them: a new row, with what it is granted, is one."""
        cells = self.grants + self.revocations
        return self.additions + cells + self.removals + self.restorations + self.texts + self.secrets


def totals_of(staged: StagedChanges) -> StagedTotals:
    """Count all that is staged."""
    additions = grants = revocations = removals = restorations = manage = texts = secrets = 0
    for entry in staged.entries.values():
        if entry.new:
            additions += 1
        else:
            grants += entry.grants.bit_count()
            texts += len(entry.amendment.texts)
            secrets += entry.amendment.secret is not None
        revocations += entry.revocations.bit_count()
        removals += entry.removal
        restorations += entry.restoration
        manage += bool(entry.grants & MANAGE_AUTHKEYS.mask)
    return StagedTotals(additions, grants, revocations, removals, restorations, manage, texts, secrets)


def caution(totals: StagedTotals, row_count: int) -> Caution:
    """What is asked for before these are submitted; `row_count` is how many rows there are."""
    removals = totals.removals
    if removals > MANY_REMOVALS or (removals > FEW_REMOVALS and removals > row_count * MUCH_OF_A_TABLE):
        return Caution.TYPED
    if removals or totals.grants_of_manage or totals.change_count > HARMLESS_CHANGES:
        return Caution.REVIEW
    return Caution.NONE
