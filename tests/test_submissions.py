"""Submissions: the decisions as pure functions, then what the service makes of them on both databases."""

import uuid
from datetime import UTC, datetime

import pytest

from models.errors import AuthkeyNotFound, DuplicateAuthkey, SubmissionRefused
from models.secrets import new_secret
from models.submissions import (
    Assignment,
    CellChange,
    Kind,
    Modification,
    NewAuthkey,
    NewSecret,
    Removal,
    Source,
)
from models.tables import Submission
from services.console import Console
from services.submissions import Order, Receipt
from tests.support import (
    ADD,
    SEARCH,
    add_key,
    add_keys,
    all_keys,
    an_admin,
    cells,
    digests,
    modifications,
    new_keys,
    removed_keys,
    submissions,
    submit,
)

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
    (key,) = await add_keys(console, NewAuthkey("192.0.2.7", "billing", SEARCH.mask, secret.kept))
    assert (key.secret_hint, key.privileges) == (secret.hint, SEARCH.mask)
    assert await digests() == {key.id: secret.digest}
    assert await modifications() == [Modification(key.id, Kind.ADDED, "192.0.2.7", "billing", 0, SEARCH.mask)]


async def test_an_assignment_changes_what_exists_and_adds_what_does_not(console: Console) -> None:
    key = await add_key(console, SEARCH.mask)
    receipt = await submit(
        console, Assignment(key.ip, key.service, ADD.mask), Assignment(key.ip, "mail", 0), Assignment("::1", "mail", 1)
    )
    assert receipt[1:3] == (4, 3)
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
    assert receipt[1:3] == (1, 1)


async def test_thousands_of_changes_are_one_submission_with_progress(console: Console) -> None:
    progress: list[tuple[int, int]] = []
    order = Order(uuid.uuid4(), console.admin, Source.IMPORT, new_keys(4_500))
    receipt = await console.submissions.submit(order, on_progress=lambda *done: progress.append(done))
    assert receipt[1:3] == (4_500, 4_500)
    assert progress == sorted(set(progress))
    assert len(progress) > 1
    assert progress[-1] == (4_500, 4_500)
    keys = list((await all_keys()).values())
    removed = await submit(console, *(Removal(key.id, key.revision) for key in keys))
    assert removed[1:3] == (4_500, 4_500)
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
    assert receipt[1:3] == (1, 1)
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


# -- two processes at once -----------------------------------------------------------------------------------------------
