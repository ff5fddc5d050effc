"""Submissions that are repeated or undone, and what is forgotten after 30 days."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from models.errors import AuthkeyNotFound, DuplicateAuthkey, SubmissionRefused
from models.plans import KEEP_REMOVED
from models.secrets import new_secret
from models.submissions import (
    CellChange,
    Kind,
    NewAuthkey,
    Removal,
)
from models.tables import KeyUse, Submission
from services.console import Console
from services.submissions import Receipt
from tests.support import (
    ADD,
    MODIFY,
    SEARCH,
    add_key,
    add_keys,
    all_keys,
    an_admin,
    digests,
    listening,
    modifications,
    new_keys,
    removed_keys,
    submissions,
    submit,
)

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
    names = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
    one, two, three = await add_keys(console, *(NewAuthkey(ip, "mail", SEARCH.mask, new_secret().kept) for ip in names))
    secrets_before = await digests()
    done = await submit(
        console, CellChange(one.id, ADD.mask, SEARCH.mask), Removal(two.id, two.revision), NewAuthkey("::1", "new", 1)
    )
    undone = await undo(console, done)
    assert undone[1:3] == (4, 3)
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
