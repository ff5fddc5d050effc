"""How careful a submission is asked for, and what the review says it would have done."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authkeys import Authkey
from models.privileges import MANAGE_AUTHKEYS
from models.reviews import grouped
from models.risks import Caution, StagedTotals, caution, totals_of
from models.staged_changes import StagedChanges
from models.staged_rows import Addition, NewKey, StagedRow, Wanted
from models.subjects import Subject
from models.submissions import Removal
from models.tables import KeyUseDay
from models.usage import KEPT_USE_DAYS, NO_PRIVILEGE, LostCalls, day_of
from models.wording import lost_calls, step_name, totals
from services.console import Console
from storage import uses
from storage.database import reader
from tests.support import ADD, SEARCH, add_keys, an_admin, new_keys, submit


@pytest.mark.parametrize(
    ("counted", "rows", "asked"),
    [
        (StagedTotals(), 10, Caution.NONE),
        (StagedTotals(grants=15, revocations=5), 10, Caution.NONE),
        (StagedTotals(grants=16, revocations=5), 10, Caution.REVIEW),
        (StagedTotals(additions=21), 10, Caution.REVIEW),
        (StagedTotals(removals=1), 1_000, Caution.REVIEW),
        (StagedTotals(grants=1, grants_of_manage=1), 1_000, Caution.REVIEW),
        (StagedTotals(additions=1, grants_of_manage=1), 1_000, Caution.REVIEW),
        (StagedTotals(removals=100), 1_000_000, Caution.REVIEW),
        (StagedTotals(removals=101), 1_000_000, Caution.TYPED),
        (StagedTotals(removals=30), 100, Caution.REVIEW),
        (StagedTotals(removals=31), 100, Caution.TYPED),
        (StagedTotals(removals=5), 5, Caution.REVIEW),
        (StagedTotals(removals=6), 6, Caution.TYPED),
    ],
)
def test_what_is_asked_for_is_in_proportion_to_what_is_at_stake(
    counted: StagedTotals, rows: int, asked: Caution
) -> None:
    assert caution(counted, rows) is asked


MASKS = st.integers(0, 511)
ENTRIES = st.one_of(
    st.builds(lambda a, b: StagedRow(a & ~b, b & ~a), MASKS, MASKS).filter(lambda each: each.change_count > 0),
    st.just(StagedRow(removal=True, revision=1)),
    st.just(StagedRow(restoration=True)),
    st.builds(lambda mask: StagedRow(mask, new=NewKey("192.0.2.1", "a")), MASKS),
)


@given(st.dictionaries(st.integers(1, 50), ENTRIES))
def test_totals_are_those_of_the_bar_and_each_row_stands_in_one_group(entries: dict[int, StagedRow]) -> None:
    staged = StagedChanges({-id_ if entry.new else id_: entry for id_, entry in entries.items()})
    assert totals_of(staged).change_count == staged.change_count
    listed = [id_ for ids in grouped(staged, staged).values() for id_ in ids]
    assert sorted(listed) == sorted(staged)
    assert totals_of(staged).grants_of_manage == sum(bool(e.grants & MANAGE_AUTHKEYS.mask) for e in entries.values())


def test_the_riskiest_is_said_first() -> None:
    said = totals(Subject.AUTHKEY, StagedTotals(2, 30, 1, 1, 1, 4))
    assert [text for _, text in said] == [
        "1 removal", "4 grants of Manage Authkeys", "1 revocation", "30 grants", "2 new keys", "1 restoration",
    ]  # fmt: skip
    assert not totals(Subject.AUTHKEY, StagedTotals())


# -- what it would have done ---------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TODAY = day_of(NOW)


async def used(authkey_id: int, bit: int, count: int, days_ago: float = 0.0) -> None:
    await uses.store({(authkey_id, bit): (count, NOW - timedelta(days=days_ago))}, {})


async def lost(console: Console) -> LostCalls:
    return await uses.lost_calls(console.admin.id, TODAY - KEPT_USE_DAYS)


async def test_calls_that_a_revocation_or_removal_would_have_refused_are_counted(console: Console) -> None:
    one, two, three = await add_keys(console, *new_keys(3, SEARCH.mask | ADD.mask))
    for key in (one, two, three):
        await used(key.id, SEARCH.bit, 10)
        await used(key.id, SEARCH.bit, 100, days_ago=20)
        await used(key.id, ADD.bit, 7, days_ago=1)
        await used(key.id, NO_PRIVILEGE, 1_000, days_ago=2)
        await used(key.id, SEARCH.bit, 10_000, days_ago=40)
    mine, staging = console.admin.id, console.staging
    assert await lost(console) == LostCalls(0, 0)
    await staging.stage(mine, one.id, SEARCH, False)
    assert await lost(console) == LostCalls(110, 1, NOW, one.ip)
    await staging.stage(mine, two.id, ADD, False)
    assert await lost(console) == LostCalls(117, 2, NOW, one.ip)
    await staging.stage_removal(mine, three.id)
    found = await lost(console)
    assert (found.calls, found.key_count) == (117 + 1_117, 3)
    dana = await an_admin("dana")
    assert await uses.lost_calls(dana.id, TODAY - KEPT_USE_DAYS) == LostCalls(0, 0), "what others have staged is theirs"


async def test_old_days_are_forgotten_and_so_are_those_of_keys_that_are(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2, SEARCH.mask))
    await used(one.id, SEARCH.bit, 5, days_ago=29)
    await used(one.id, SEARCH.bit, 3, days_ago=31)
    await used(two.id, SEARCH.bit, 2)
    await console.staging.stage_removal(console.admin.id, one.id)
    await uses.purge_days(TODAY - 30)
    assert (await uses.lost_calls(console.admin.id, 0)).calls == 5
    await submit(console, Removal(two.id, two.revision))
    await console.submissions.purge_removed(datetime.now(UTC) + timedelta(days=31))
    assert two.id not in await days_of()


async def days_of() -> set[int]:
    return {row.authkey_id for row in await KeyUseDay.all().using_db(reader())}


async def test_uses_are_counted_by_the_day(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1, SEARCH.mask))
    for _ in range(3):
        console.uses.note_use(key.id, SEARCH)
    await console.uses.write()
    console.uses.note_use(key.id, SEARCH)
    await console.uses.write()
    await console.staging.stage(console.admin.id, key.id, SEARCH, False)
    found = await console.uses.lost_calls(console.admin.id)
    assert (found.calls, found.key_count, found.last_ip) == (4, 1, key.ip)
    receipt = await console.staging.submit(console.admin, uuid.uuid4())
    assert receipt.change_count == 1


def test_it_is_said_in_words() -> None:
    assert "None of what is revoked or removed was used" in lost_calls(LostCalls(0, 0))
    said = lost_calls(LostCalls(1_240, 2, NOW, "192.0.2.7"))
    assert said == (
        "It would have refused 1,240 calls of the last 30 days, by 2 keys; the last one 2026-11-27 12:00 UTC, from 192.0.2.7."
    )
    assert lost_calls(LostCalls(1, 1)).startswith("It would have refused 1 call of")


# -- the names of steps --------------------------------------------------------------------------------------------------


def test_a_step_is_named_by_what_it_did() -> None:
    staged = StagedChanges()
    one, two = Authkey(1, "192.0.2.1", "a", SEARCH.mask, 1), Authkey(2, "192.0.2.2", "a", 0, 1)
    said = []
    for step in (
        lambda: staged.stage(two, ADD, True),
        lambda: staged.stage(two, ADD, False),
        lambda: staged.stage(one, SEARCH, False),
        lambda: staged.stage_all([one, two], ADD, True),
        lambda: staged.stage_removal([one]),
        staged.discard,
        lambda: staged.stage_wanted(Wanted(additions=[Addition(NewKey("192.0.2.3", name), 0) for name in "ab"])),
        lambda: staged.stage_wanted(Wanted(restored=[9])),
    ):
        step()
        assert staged.to_undo
        said.append(step_name(Subject.AUTHKEY, staged.to_undo))
    assert said == [
        "granting Add a New License",
        "taking back what was staged for 1 key",
        "revoking Search for a License",
        "changing 2 keys",
        "removing 1 key",
        "taking back what was staged for 2 keys",
        "adding 2 keys",
        "restoring 1 key",
    ]
    staged.undo()
    assert staged.to_redo
    assert step_name(Subject.AUTHKEY, staged.to_redo) == "restoring 1 key"
