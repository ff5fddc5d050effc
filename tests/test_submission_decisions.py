"""What one change does to a row as it is now: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authkeys import Authkey
from models.privileges import ALL_PRIVILEGES
from models.staged_changes import StagedChanges
from models.staged_rows import StagedRow
from models.submissions import (
    Assignment,
    CellChange,
    Conflict,
    ConflictKind,
    Kind,
    Modification,
    Removal,
    Restoration,
    decide_assignment,
    decide_cells,
    decide_removal,
    inverse,
)

masks = st.integers(0, ALL_PRIVILEGES)


def row(privileges: int = 0, revision: int = 1) -> Authkey:
    return Authkey(7, "192.0.2.7", "billing", privileges, revision)


def changed(before: int, after: int) -> Modification:
    return Modification(7, Kind.CHANGED, "192.0.2.7", "billing", before, after)


# -- decisions -----------------------------------------------------------------------------------------------------------


@given(masks, masks, masks)
def test_cells_are_set_and_cleared_on_the_row_as_it_is_now(stored: int, grants: int, others: int) -> None:
    revocations = others & ~grants
    after = sum(
        bit
        for bit in (1 << n for n in range(9))
        if (bit & grants) or (bit & stored and not bit & revocations)
    )  # fmt: skip
    decided = decide_cells(CellChange(7, grants, revocations), row(stored))
    assert decided == (None if after == stored else changed(stored, after))


def test_a_change_of_an_authkey_that_is_gone_is_a_conflict() -> None:
    assert decide_cells(CellChange(7, 1, 0), None) == Conflict(ConflictKind.REMOVED, 0)


@pytest.mark.parametrize("seen", [5, 6])
def test_an_authkey_that_is_as_it_was_seen_is_removed(seen: int) -> None:
    removed = Modification(7, Kind.REMOVED, "192.0.2.7", "billing", 3, 0)
    assert decide_removal(Removal(7, seen), row(3, revision=5)) == removed


def test_the_removal_of_an_authkey_that_changed_since_it_was_seen_is_a_conflict() -> None:
    assert decide_removal(Removal(7, 4), row(3, revision=5)) == Conflict(ConflictKind.CHANGED, 5)


def test_the_removal_of_an_authkey_that_is_gone_is_already_done() -> None:
    assert decide_removal(Removal(7, 4), None) is None


@given(masks, masks)
def test_an_assignment_makes_the_privileges_exactly_these(stored: int, wanted: int) -> None:
    decided = decide_assignment(Assignment("192.0.2.7", "billing", wanted), row(stored))
    assert decided == (None if wanted == stored else changed(stored, wanted))


@pytest.mark.parametrize(
    ("entry", "change"),
    [
        (StagedRow(grants=5, revocations=2), CellChange(7, 5, 2)),
        (StagedRow(removal=True, revision=9), Removal(7, 9)),
    ],
)
def test_a_staged_entry_is_submitted_as_one_change(entry: StagedRow, change: object) -> None:
    assert StagedChanges({7: entry}).changes() == [change]


@given(masks, masks, masks)
def test_the_inverse_of_a_change_turns_back_its_cells_and_leaves_those_that_others_changed(
    before: int, after: int, others: int
) -> None:
    untouched = others & ~(before ^ after)
    undo = inverse(changed(before, after), 1)
    assert isinstance(undo, CellChange)
    decided = decide_cells(undo, row(after ^ untouched))
    assert decided == (None if before == after else changed(after ^ untouched, before ^ untouched))


@pytest.mark.parametrize(
    ("kind", "undo"),
    [
        (Kind.REMOVED, Restoration(7)),
        (Kind.ADDED, Removal(7, 4)),
        (Kind.RESTORED, Removal(7, 4)),
        (Kind.REKEYED, None),
    ],
)
def test_what_happened_to_a_whole_authkey_has_an_inverse_but_for_a_new_secret(kind: Kind, undo: object) -> None:
    assert inverse(Modification(7, kind, "192.0.2.7", "billing", 1, 1), 4) == undo


def test_changed_cells_are_counted_and_anything_else_is_one_change() -> None:
    assert changed(0b0011, 0b0110).change_count == 2
    assert Modification(7, Kind.REMOVED, "192.0.2.7", "billing", ALL_PRIVILEGES, 0).change_count == 1
