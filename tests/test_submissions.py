"""Submissions: the decisions as pure functions, then what the service makes of them on both databases."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authkeys import Authkey
from models.errors import AuthkeyNotFound, DuplicateAuthkey, SubmissionRefused
from models.privileges import ALL_PRIVILEGES
from models.secrets import new_secret
from models.staged_changes import StagedChanges, StagedRow
from models.submissions import (
    Assignment,
    CellChange,
    Conflict,
    ConflictKind,
    Kind,
    Modification,
    NewAuthkey,
    NewSecret,
    Removal,
    Restoration,
    Source,
    decide_assignment,
    decide_cells,
    decide_removal,
    inverse,
)
from models.tables import KeyUse, Submission
from services.console import Console
from services.submissions import KEEP_REMOVED, Order, Receipt
from tests.support import (
    ADD,
    MODIFY,
    SEARCH,
    add_key,
    add_keys,
    all_keys,
    an_admin,
    cells,
    digests,
    listening,
    modifications,
    new_keys,
    removed_keys,
    submissions,
    submit,
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
    assert inverse(Modification(7, kind, "192.0.2.7", "billing", 0, 1), 4) == undo


def test_changed_cells_are_counted_and_anything_else_is_one_change() -> None:
    assert changed(0b0011, 0b0110).change_count == 2
    assert Modification(7, Kind.REMOVED, "192.0.2.7", "billing", ALL_PRIVILEGES, 0).change_count == 1


# -- what a submission writes --------------------------------------------------------------------------------------------


async def test_a_submission_changes_the_rows_records_modifications_and_has_the_next_revision(console: Console) -> None:
    one, two, three = await add_keys(console, *new_keys(3, cells("search")))
    receipt = await submit(console, CellChange(one.id, ADD.mask, SEARCH.mask), Removal(two.id, two.revision))
    assert receipt == Receipt(one.revision + 1, change_count=3, key_count=2)
    assert await all_keys() == {
        one.id: one._replace(privileges=ADD.mask, revision=receipt.revision),
        three.id: three,
    }
    assert await modifications(receipt.revision) == [
        Modification(one.id, Kind.CHANGED, "10.0.0.0", "billing", SEARCH.mask, ADD.mask),
        Modification(two.id, Kind.REMOVED, "10.0.0.1", "billing", SEARCH.mask, 0),
    ]


async def test_a_submission_is_recorded_with_its_admin_source_time_and_counts(console: Console) -> None:
    grace, before = await an_admin("grace"), datetime.now(UTC)
    order = Order(uuid.uuid4(), grace, Source.IMPORT, new_keys(3))
    receipt = await console.submissions.submit(order)
    recorded = await Submission.get(id=receipt.revision)
    assert (recorded.uuid, recorded.source, recorded.change_count, recorded.key_count) == (order.uuid, "import", 3, 3)
    assert (await recorded.admin).name == "grace"
    assert before <= recorded.at <= datetime.now(UTC)


async def test_new_authkeys_keep_their_secrets_as_digest_and_hint(console: Console) -> None:
    secret = new_secret()
    (key,) = await add_keys(console, NewAuthkey("192.0.2.7", "billing", SEARCH.mask, secret.digest, secret.hint))
    assert (key.secret_hint, key.privileges) == (secret.hint, SEARCH.mask)
    assert await digests() == {key.id: secret.digest}
    assert await modifications() == [Modification(key.id, Kind.ADDED, "192.0.2.7", "billing", 0, SEARCH.mask)]


async def test_an_assignment_changes_what_exists_and_adds_what_does_not(console: Console) -> None:
    key = await add_key(console, SEARCH.mask)
    receipt = await submit(
        console, Assignment(key.ip, key.service, ADD.mask), Assignment(key.ip, "mail", 0), Assignment("::1", "mail", 1)
    )
    assert receipt[1:] == (4, 3)
    stored = {(each.ip, each.service): each.privileges for each in (await all_keys()).values()}
    assert stored == {(key.ip, "billing"): ADD.mask, (key.ip, "mail"): 0, ("::1", "mail"): 1}


async def test_a_new_secret_replaces_the_old_and_leaves_the_privileges(console: Console) -> None:
    key, secret = await add_key(console, SEARCH.mask), new_secret()
    receipt = await submit(console, NewSecret(key.id, secret.digest, secret.hint))
    assert await all_keys() == {key.id: key._replace(secret_hint=secret.hint, revision=receipt.revision)}
    assert await digests() == {key.id: secret.digest}
    assert [each.kind for each in await modifications(receipt.revision)] == [Kind.REKEYED]


async def test_each_authkey_carries_the_revision_that_last_touched_it(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2))
    later = [(await submit(console, CellChange(one.id, mask, 0))).revision for mask in (1, 2)]
    keys = await all_keys()
    assert (keys[one.id].revision, keys[two.id].revision) == (later[-1], two.revision)
    assert two.revision < later[0] < later[1]


async def test_what_is_already_so_is_not_written(console: Console) -> None:
    key = await add_key(console, SEARCH.mask)
    revisions = await submissions()
    receipt = await submit(
        console, CellChange(key.id, SEARCH.mask, ADD.mask), Assignment("10.0.0.0", "billing", SEARCH.mask)
    )
    assert receipt == Receipt(None, 0, 0)
    assert await submissions() == revisions
    assert await all_keys() == {key.id: key}


async def test_an_empty_order_writes_nothing(console: Console) -> None:
    assert await submit(console) == Receipt(None, 0, 0)
    assert await submissions() == []


async def test_only_what_really_changes_is_counted(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2, SEARCH.mask))
    receipt = await submit(console, CellChange(one.id, SEARCH.mask | ADD.mask, 0), CellChange(two.id, SEARCH.mask, 0))
    assert receipt[1:] == (1, 1)


async def test_thousands_of_changes_are_one_submission_with_progress(console: Console) -> None:
    progress: list[tuple[int, int]] = []
    order = Order(uuid.uuid4(), console.admin, Source.IMPORT, new_keys(4_500))
    receipt = await console.submissions.submit(order, on_progress=lambda *done: progress.append(done))
    assert receipt[1:] == (4_500, 4_500)
    assert progress == sorted(set(progress))
    assert len(progress) > 1
    assert progress[-1] == (4_500, 4_500)
    keys = list((await all_keys()).values())
    removed = await submit(console, *(Removal(key.id, key.revision) for key in keys))
    assert removed[1:] == (4_500, 4_500)
    assert await all_keys() == {}
    assert await removed_keys() == {key.id: key._replace(revision=removed.revision) for key in keys}


# -- conflicts: all or nothing -------------------------------------------------------------------------------------------


async def test_two_admins_who_change_different_cells_of_one_authkey_both_win(console: Console) -> None:
    key = await add_key(console, SEARCH.mask)
    await submit(console, CellChange(key.id, ADD.mask, 0), admin=await an_admin("ada"))
    await submit(console, CellChange(key.id, 0, SEARCH.mask), admin=await an_admin("grace"))
    assert (await all_keys())[key.id].privileges == ADD.mask


async def test_a_conflict_keeps_everything_as_it_was_and_names_the_authkeys(console: Console) -> None:
    one, gone, changed_since = await add_keys(console, *new_keys(3))
    await submit(console, Removal(gone.id, gone.revision), CellChange(changed_since.id, 1, 0))
    before = await all_keys(), await removed_keys(), await submissions(), await modifications()
    with pytest.raises(SubmissionRefused, match="Nothing was submitted: 2 keys were changed or removed") as refusal:
        await submit(
            console,
            CellChange(one.id, SEARCH.mask, 0),
            CellChange(gone.id, SEARCH.mask, 0),
            Removal(changed_since.id, changed_since.revision),
            *new_keys(9),
        )
    assert set(refusal.value.row_ids) == {gone.id, changed_since.id}
    assert (await all_keys(), await removed_keys(), await submissions(), await modifications()) == before


async def test_a_conflict_in_a_late_chunk_of_changes_undoes_the_chunks_before(console: Console) -> None:
    keys = await add_keys(console, *new_keys(4_100))
    await submit(console, Removal(keys[-1].id, keys[-1].revision))
    before = await all_keys()
    with pytest.raises(SubmissionRefused) as refusal:
        await submit(console, *(CellChange(key.id, SEARCH.mask, 0) for key in keys))
    assert refusal.value.row_ids == (keys[-1].id,)
    assert await all_keys() == before


async def test_the_removal_of_what_somebody_else_removed_is_no_conflict(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2))
    await submit(console, Removal(one.id, one.revision))
    receipt = await submit(console, Removal(one.id, one.revision), Removal(two.id, two.revision))
    assert receipt[1:] == (1, 1)
    assert await all_keys() == {}


async def test_a_new_authkey_whose_address_and_service_are_taken_is_refused(console: Console) -> None:
    key = await add_key(console)
    with pytest.raises(DuplicateAuthkey, match=r"10\.0\.0\.0 already has an authkey for the service 'billing'"):
        await submit(console, NewAuthkey("192.0.2.7", "mail", 0), NewAuthkey(key.ip, key.service, ADD.mask))
    assert await all_keys() == {key.id: key}


async def test_services_that_differ_in_case_or_only_in_the_address_are_different_authkeys(console: Console) -> None:
    await add_keys(console, *(NewAuthkey(*name, 0) for name in [("::1", "a"), ("::1", "A"), ("::2", "a")]))
    assert len(await all_keys()) == 3


async def test_a_new_secret_for_an_authkey_that_is_gone_is_refused(console: Console) -> None:
    key = await add_key(console)
    await submit(console, Removal(key.id, key.revision))
    with pytest.raises(AuthkeyNotFound, match="no key was issued"):
        await submit(console, NewSecret(key.id, "digest", "hint"))


# -- repeating, undoing, purging -----------------------------------------------------------------------------------------


async def test_the_same_order_is_applied_once_however_often_it_comes(console: Console) -> None:
    key, order_uuid = await add_key(console), uuid.uuid4()
    change = CellChange(key.id, SEARCH.mask, 0)
    first = await submit(console, change, submission_uuid=order_uuid)
    await submit(console, CellChange(key.id, 0, SEARCH.mask))
    assert await submit(console, change, submission_uuid=order_uuid) == first
    assert (await all_keys())[key.id].privileges == 0
    assert await console.submissions.receipt_of(order_uuid) == first


async def test_the_same_order_at_the_same_time_is_applied_once(console: Console) -> None:
    order_uuid = uuid.uuid4()
    receipts = await asyncio.gather(*(submit(console, *new_keys(3), submission_uuid=order_uuid) for _ in range(5)))
    assert len(set(receipts)) == len(await submissions()) == 1


async def test_an_order_that_never_came_has_no_receipt(console: Console) -> None:
    assert await console.submissions.receipt_of(uuid.uuid4()) is None


async def undo(console: Console, receipt: Receipt) -> Receipt:
    assert receipt.revision is not None
    return await console.submissions.undo(receipt.revision, console.admin, uuid.uuid4())


async def test_undo_brings_back_cells_and_removed_authkeys_with_the_same_secret(console: Console) -> None:
    secret = new_secret()
    names = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
    one, two, three = await add_keys(
        console, *(NewAuthkey(ip, "mail", SEARCH.mask, secret.digest, secret.hint) for ip in names)
    )
    secrets_before = await digests()
    done = await submit(
        console, CellChange(one.id, ADD.mask, SEARCH.mask), Removal(two.id, two.revision), NewAuthkey("::1", "new", 1)
    )
    undone = await undo(console, done)
    assert undone[1:] == (4, 3)
    assert await all_keys() == {
        one.id: one._replace(revision=undone.revision),
        two.id: two._replace(revision=undone.revision),
        three.id: three,
    }
    assert await digests() == secrets_before
    kinds = {each.kind: (each.before, each.after) for each in await modifications(undone.revision)}
    assert kinds == {
        Kind.CHANGED: (ADD.mask, SEARCH.mask),
        Kind.RESTORED: (0, SEARCH.mask),
        Kind.REMOVED: (1, 0),
    }


async def test_an_undo_can_be_undone(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2, SEARCH.mask))
    done = await submit(console, CellChange(one.id, 0, SEARCH.mask), Removal(two.id, two.revision))
    again = await undo(console, await undo(console, done))
    assert await all_keys() == {one.id: one._replace(privileges=0, revision=again.revision)}


async def test_undo_leaves_the_cells_that_others_changed_since(console: Console) -> None:
    key = await add_key(console)
    done = await submit(console, CellChange(key.id, SEARCH.mask, 0))
    await submit(console, CellChange(key.id, MODIFY.mask, 0), admin=await an_admin("grace"))
    await undo(console, done)
    assert (await all_keys())[key.id].privileges == MODIFY.mask


async def test_undo_of_an_addition_is_refused_when_the_authkey_changed_since(console: Console) -> None:
    added = await submit(console, *new_keys(1))
    (key,) = (await all_keys()).values()
    await submit(console, CellChange(key.id, SEARCH.mask, 0), admin=await an_admin("grace"))
    with pytest.raises(SubmissionRefused):
        await undo(console, added)
    assert (await all_keys())[key.id].privileges == SEARCH.mask


async def test_undo_of_a_change_is_refused_when_the_authkey_was_removed_since(console: Console) -> None:
    key = await add_key(console)
    done = await submit(console, CellChange(key.id, SEARCH.mask, 0))
    await submit(console, Removal(key.id, 99))
    with pytest.raises(SubmissionRefused):
        await undo(console, done)


async def test_undo_of_a_removal_is_refused_when_its_address_and_service_are_taken_again(console: Console) -> None:
    one, two = await add_keys(console, *new_keys(2))
    done = await submit(console, Removal(one.id, one.revision), Removal(two.id, two.revision))
    await submit(console, *new_keys(1, SEARCH.mask))
    with pytest.raises(DuplicateAuthkey, match=r"10\.0\.0\.0 has a new authkey for the service 'billing'"):
        await undo(console, done)
    assert len(await all_keys()) == 1
    assert set(await removed_keys()) == {one.id, two.id}


async def test_undo_of_an_unknown_submission_does_nothing(console: Console) -> None:
    assert await undo(console, Receipt(4711, 0, 0)) == Receipt(None, 0, 0)


async def test_a_removed_authkey_is_kept_for_30_days_and_then_forgotten(console: Console) -> None:
    key = await add_key(console)
    done = await submit(console, Removal(key.id, key.revision))
    removed_at = (await Submission.get(id=done.revision)).at
    await console.submissions.purge_removed(removed_at + timedelta(days=30))
    assert set(await removed_keys()) == {key.id}
    await console.submissions.purge_removed(removed_at + timedelta(days=30, seconds=1))
    assert await removed_keys() == {}
    with pytest.raises(AuthkeyNotFound, match="A removed authkey is kept for 30 days"):
        await undo(console, done)
    assert timedelta(days=30) == KEEP_REMOVED


async def test_the_purge_spares_what_was_removed_later(console: Console) -> None:
    old, young = await add_keys(console, *new_keys(2))
    first = await submit(console, Removal(old.id, old.revision))
    await Submission.filter(id__lte=first.revision).update(at=datetime.now(UTC) - timedelta(days=31))
    await submit(console, Removal(young.id, young.revision))
    await console.submissions.purge_removed()
    assert set(await removed_keys()) == {young.id}


async def test_a_submission_dated_long_ago_by_a_wrong_clock_makes_no_earlier_removal_old(console: Console) -> None:
    removed, other = await add_keys(console, *new_keys(2))
    await submit(console, Removal(removed.id, removed.revision))
    misdated = await submit(console, CellChange(other.id, SEARCH.mask, 0))
    await Submission.filter(id=misdated.revision).update(at=datetime(1970, 1, 1, tzinfo=UTC))
    await console.submissions.purge_removed()
    assert set(await removed_keys()) == {removed.id}


async def test_the_uses_of_a_removed_authkey_are_forgotten_with_it(console: Console) -> None:
    removed, other = await add_keys(console, *new_keys(2))
    for key in (removed, other):
        await KeyUse.create(authkey_id=key.id, privilege=SEARCH.bit, count=3, last_at=datetime.now(UTC))
    done = await submit(console, Removal(removed.id, removed.revision))
    removed_at = (await Submission.get(id=done.revision)).at
    await console.submissions.purge_removed(removed_at + timedelta(days=30))
    assert set(await console.uses.counts(removed.id)) == {SEARCH.bit}
    await console.submissions.purge_removed(removed_at + timedelta(days=30, seconds=1))
    assert await console.uses.counts(removed.id) == {}
    assert set(await console.uses.counts(other.id)) == {SEARCH.bit}


async def test_ids_of_removed_authkeys_are_never_given_to_others(console: Console) -> None:
    key = await add_key(console)
    await submit(console, Removal(key.id, key.revision))
    await console.submissions.purge_removed(datetime.now(UTC) + timedelta(days=31))
    assert (await add_key(console)).id > key.id


async def test_every_commit_is_announced_and_no_refusal_is(console: Console) -> None:
    key = await add_key(console)
    async with listening(console.submissions.committed) as heard:
        await submit(console, CellChange(key.id, 1, 0))
        with pytest.raises(SubmissionRefused):
            await submit(console, CellChange(4711, 1, 0))
        assert len(heard.rest()) == 1


# -- two processes at once -----------------------------------------------------------------------------------------------
