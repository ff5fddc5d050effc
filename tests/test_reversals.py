"""Undo of anything that ever happened: what nobody touched since comes back, and nothing else changes."""

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from models.accounts import AdminIdentity
from models.authkeys import Authkey
from models.errors import DuplicateAuthkey, InvalidValue
from models.history import EntryKind
from models.reversals import Outcome
from models.secrets import KnownSecret
from models.staged_rows import StagedRow
from models.submissions import (
    Assignment,
    CellChange,
    Change,
    Kind,
    Modification,
    NewAuthkey,
    NewSecret,
    Removal,
    Restoration,
    Source,
)
from services.console import Console
from services.reversals import Preview
from services.submissions import Order
from tests.support import (
    ADD,
    MODIFY,
    SEARCH,
    add_keys,
    all_keys,
    an_admin,
    digests,
    modifications,
    new_keys,
    removed_keys,
    submit,
)

TRIALS = 25


async def entry_of(console: Console, revision: int | None = None) -> int:
    """The number of the entry of a submission, by default of the newest one."""
    told = await console.history.newest(1_000)
    return next(e.number for e in told if e.submission and revision in (None, e.submission.revision))


async def undo(console: Console, number: int) -> Preview:
    """Preview the undo of an entry, and stage what it offers."""
    preview = await console.reversals.of_entry(number)
    chosen = [place for place, line in enumerate(preview.lines) if line.outcome is Outcome.UNDONE]
    await console.reversals.stage(console.admin.id, preview, chosen)
    return preview


def said(preview: Preview) -> list[tuple[str, str, str]]:
    return [(line.text, line.outcome.value, line.why) for line in preview.lines]


# -- against a simple model ----------------------------------------------------------------------------------------------


async def random_submission(console: Console, chance: random.Random, admin: AdminIdentity) -> None:
    keys, gone = await all_keys(), await removed_keys()
    names = {(key.ip, key.service) for key in keys.values()}
    changes: dict[int, Change] = {}
    for _ in range(chance.randint(1, 3)):
        luck = chance.random()
        back = [key for key in gone.values() if (key.ip, key.service) not in names]
        if luck < 0.15 or not keys:
            name = (f"192.0.2.{chance.randrange(250)}", "new")
            if name not in names:
                names.add(name)
                changes[-len(changes) - 1] = NewAuthkey(
                    *name, chance.randrange(512), KnownSecret(f"{chance.random():.60f}", "hint")
                )
        elif luck < 0.25 and back:
            key = chance.choice(back)
            names.add((key.ip, key.service))
            changes[key.id] = Restoration(key.id)
        else:
            key = chance.choice(list(keys.values()))
            mask, other = chance.randrange(512), chance.randrange(512)
            changes[key.id] = Removal(key.id, 10**6) if luck < 0.4 else CellChange(key.id, mask, other & ~mask)
    order = Order(uuid.uuid4(), admin, Source.GRID, list(changes.values()))
    await console.submissions.submit(order)


def expected_after(
    before: dict[int, Authkey], done: list[Modification], later: list[Modification], gone: dict[int, Authkey]
) -> dict[int, int]:
    """What the keys have once everything of a submission is undone that nobody touched since."""
    after = {id_: key.privileges for id_, key in before.items()}
    taken = {(key.ip, key.service) for key in before.values()}
    for each in done:
        touched = [other for other in later if other.row_id == each.row_id]
        if each.kind is Kind.CHANGED and each.row_id in before:
            free = each.before ^ each.after
            for other in touched:
                if other.kind is Kind.CHANGED:  # what was removed and restored has what it had
                    free &= ~(other.before ^ other.after)
            after[each.row_id] = after[each.row_id] & ~free | each.before & free
        elif each.kind in (Kind.ADDED, Kind.RESTORED) and not touched:
            del after[each.row_id]
        elif each.kind is Kind.REMOVED and not touched and (each.ip, each.service) not in taken:
            after[each.row_id] = gone[each.row_id].privileges
    return after


@pytest.mark.timeout(600)
async def test_undo_of_random_old_submissions_gives_back_what_nobody_touched_since_and_nothing_else(
    console: Console,
) -> None:
    chance = random.Random(20261126)
    admins = [console.admin, await an_admin("dana"), await an_admin("lee")]
    await add_keys(console, *new_keys(8, SEARCH.mask))
    for _ in range(TRIALS):
        for _ in range(6):
            await random_submission(console, chance, chance.choice(admins))
        entries = [each for each in await console.history.newest(1_000) if each.submission]
        entry = chance.choice(entries)
        revision = entry.submission.revision
        all_done = {each.submission.revision: await modifications(each.submission.revision) for each in entries}
        later = [each for number, done in all_done.items() if number > revision for each in done]
        before, gone, secrets = await all_keys(), await removed_keys(), await digests()
        expected = expected_after(before, all_done[revision], later, gone)
        await undo(console, entry.number)
        receipt = await console.staging.submit(console.admin, uuid.uuid4())
        now = await all_keys()
        assert {id_: key.privileges for id_, key in now.items()} == expected
        assert {id_: d for id_, d in (await digests()).items() if id_ in secrets} == {
            id_: secrets[id_] for id_ in secrets if id_ in now
        }
        if receipt.revision:
            await undo(console, await entry_of(console, receipt.revision))
            await console.staging.submit(console.admin, uuid.uuid4())
            again = await all_keys()
            assert {id_: key.privileges for id_, key in again.items()} == {
                id_: key.privileges for id_, key in before.items()
            }, "redo is undo of the undo"
    assert (await console.chain.check()).fault is None


# -- in words ------------------------------------------------------------------------------------------------------------


async def test_each_change_says_whether_it_will_be_undone_is_so_already_or_was_changed_since(console: Console) -> None:
    lee = await an_admin("lee")
    one, other, third = await add_keys(console, *new_keys(3))
    await submit(console, *(CellChange(key.id, ADD.mask | SEARCH.mask, 0) for key in (one, other, third)))
    number = await entry_of(console)
    await submit(console, CellChange(one.id, 0, ADD.mask), admin=lee)
    await submit(console, CellChange(one.id, ADD.mask, 0), CellChange(other.id, 0, SEARCH.mask), admin=lee)
    changed = await entry_of(console)
    await submit(console, Removal(third.id, 10**6), admin=lee)
    removed = await entry_of(console)
    assert said(await console.reversals.of_entry(number)) == [
        (f"Revoke {ADD.label}", "was changed since", f"lee changed it since, in #{changed}"),
        (f"Revoke {SEARCH.label}", "will be undone", ""),
        (f"Revoke {ADD.label}", "will be undone", ""),
        (f"Revoke {SEARCH.label}", "is already so", ""),
        (f"Revoke {ADD.label}", "cannot be undone any more", f"lee removed it since, in #{removed}"),
        (f"Revoke {SEARCH.label}", "cannot be undone any more", f"lee removed it since, in #{removed}"),
    ]


async def test_what_came_with_a_secret_that_was_taken_over_since_is_not_undone_unasked(console: Console) -> None:
    lee = await an_admin("lee")
    (key,) = await add_keys(console, *new_keys(1))
    await submit(console, CellChange(key.id, ADD.mask, 0))
    number = await entry_of(console)
    await submit(console, CellChange(key.id, 0, ADD.mask), admin=lee)
    secret = KnownSecret("d" * 64, "wxyz")
    await submit(console, Assignment(key.ip, key.service, ADD.mask, secret), admin=lee)
    taken_over = await entry_of(console)
    assert said(await console.reversals.of_entry(number)) == [
        (f"Revoke {ADD.label}", "was changed since", f"lee changed it since, in #{taken_over}")
    ]


async def test_what_was_changed_since_is_undone_only_on_demand(console: Console) -> None:
    lee = await an_admin("lee")
    (key,) = await add_keys(console, *new_keys(1))
    await submit(console, CellChange(key.id, ADD.mask, 0))
    number = await entry_of(console)
    await submit(console, CellChange(key.id, 0, ADD.mask), admin=lee)
    await submit(console, CellChange(key.id, ADD.mask, 0), admin=lee)
    preview = await console.reversals.of_entry(number)
    await undo(console, number)
    assert len(await console.staging.of(console.admin.id)) == 0
    await console.reversals.stage(console.admin.id, preview, [0])
    assert (await console.staging.of(console.admin.id))[key.id] == StagedRow(revocations=ADD.mask)


async def test_unrelated_staged_work_is_neither_in_the_way_nor_touched(console: Console) -> None:
    one, other = await add_keys(console, *new_keys(2, SEARCH.mask))
    await submit(console, CellChange(one.id, ADD.mask, 0))
    number = await entry_of(console)
    staging, me = console.staging, console.admin.id
    await staging.stage(me, one.id, MODIFY, True)
    await staging.stage_removal(me, other.id)
    await undo(console, number)
    staged = await staging.of(me)
    assert staged[one.id] == StagedRow(grants=MODIFY.mask, revocations=ADD.mask)
    assert staged[other.id].removal
    await staging.undo(me)
    assert (await staging.of(me))[one.id] == StagedRow(grants=MODIFY.mask)


async def test_a_removed_key_comes_back_with_its_secret_as_a_staged_restoration(console: Console) -> None:
    await submit(console, NewAuthkey("192.0.2.7", "billing", 5, KnownSecret("d" * 64, "wxyz")))
    (key,) = (await all_keys()).values()
    await submit(console, Removal(key.id, 10**6))
    await undo(console, await entry_of(console))
    staged = await console.staging.of(console.admin.id)
    assert staged[key.id] == StagedRow(restoration=True)
    assert staged.conflicts == {}
    assert staged.change_count == 1
    await console.staging.submit(console.admin, uuid.uuid4())
    assert await digests() == {key.id: "d" * 64}


async def test_a_restoration_outlives_the_program_with_its_steps(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1))
    await submit(console, Removal(key.id, 10**6))
    await undo(console, await entry_of(console))
    me = console.admin.id
    for desk in console.staging._desks.all():
        await console.staging._desks.reload(desk)
    assert (await console.staging.of(me))[key.id] == StagedRow(restoration=True)
    await console.staging.undo(me)
    await console.staging.redo(me)
    assert (await console.staging.of(me))[key.id] == StagedRow(restoration=True)


async def test_who_else_restores_a_key_first_leaves_nothing_staged_to_do(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1))
    await submit(console, Removal(key.id, 10**6))
    await undo(console, await entry_of(console))
    await submit(console, Restoration(key.id), admin=await an_admin("lee"))
    await console.staging.rebase({key.id})
    assert len(await console.staging.of(console.admin.id)) == 0


async def test_what_can_never_come_back_is_said(console: Console) -> None:
    one, other = await add_keys(console, *new_keys(2))
    await submit(console, Removal(one.id, 10**6))
    first = await entry_of(console)
    await submit(console, NewAuthkey(one.ip, one.service, 0))
    preview = await console.reversals.of_entry(first)
    assert said(preview)[0][1:] == ("cannot be undone any more", f"{one.ip} has a new authkey for {one.service}")
    await submit(console, Removal(other.id, 10**6))
    second = await entry_of(console)
    await console.submissions.purge_removed(datetime.now(UTC) + timedelta(days=40))
    assert "removed more than 30 days ago" in said(await console.reversals.of_entry(second))[0][2]
    (now,) = [key for key in (await all_keys()).values() if key.ip == one.ip]
    await submit(console, NewSecret(now.id, "e" * 64, "abcd"))
    preview = await console.reversals.of_entry(await entry_of(console))
    assert said(preview) == [
        ("Bring the old key back", "cannot be undone any more", "A key that was replaced does not come back")
    ]


async def test_a_restoration_whose_name_is_taken_meanwhile_is_refused_and_stays_staged(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1))
    await submit(console, Removal(key.id, 10**6))
    await undo(console, await entry_of(console))
    await submit(console, NewAuthkey(key.ip, key.service, 0))
    with pytest.raises(DuplicateAuthkey, match="take that back in the review"):
        await console.staging.submit(console.admin, uuid.uuid4())
    assert (await console.staging.of(console.admin.id))[key.id].restoration
    await console.staging.take_back(console.admin.id, [key.id])
    assert len(await console.staging.of(console.admin.id)) == 0


async def test_a_passphrase_submission_is_undone_like_any_other(console: Console) -> None:
    await console.passphrases.add(console.admin, "correct horse battery", SEARCH.mask)
    staging, me = console.passphrase_staging, console.admin
    await staging.stage(me.id, 1, ADD, True)
    await staging.submit(me, uuid.uuid4())
    changed = await entry_of(console)
    await staging.stage_removal(me.id, 1)
    await staging.submit(me, uuid.uuid4())
    removed = await entry_of(console)
    assert said(await console.reversals.of_entry(changed))[0][1] == "cannot be undone any more"
    await undo(console, removed)
    assert (await staging.of(me.id))[1] == StagedRow(restoration=True)
    await staging.submit(me, uuid.uuid4())
    await undo(console, changed)
    await staging.submit(me, uuid.uuid4())
    assert (await console.passphrases.find([1]))[1].privileges == SEARCH.mask


# -- as it was -----------------------------------------------------------------------------------------------------------


async def test_a_key_and_a_box_get_what_they_had_at_a_moment(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1, SEARCH.mask))
    moment = await console.past.moment(await entry_of(console))
    await submit(console, CellChange(key.id, ADD.mask | MODIFY.mask, SEARCH.mask))
    whole = await console.reversals.of_row(key.id, moment)
    assert {line.text for line in whole.lines} == {
        f"Revoke {ADD.label}",
        f"Revoke {MODIFY.label}",
        f"Grant {SEARCH.label}",
    }
    box = await console.reversals.of_row(key.id, moment, SEARCH.mask)
    assert [(line.text, line.outcome) for line in box.lines] == [(f"Grant {SEARCH.label}", Outcome.UNDONE)]
    await console.reversals.stage(console.admin.id, box, [0])
    assert (await console.staging.of(console.admin.id))[key.id] == StagedRow(grants=SEARCH.mask)


async def test_a_box_from_before_its_key_was_there_is_taken_back_and_not_the_key_removed(console: Console) -> None:
    await add_keys(console, *new_keys(1, 0))
    before = await console.past.moment(await entry_of(console))
    (later,) = await add_keys(console, *new_keys(2, SEARCH.mask)[1:])
    box = await console.reversals.of_row(later.id, before, SEARCH.mask)
    assert [line.text for line in box.lines] == [f"Revoke {SEARCH.label}"]


async def test_a_part_of_what_became_of_the_table_can_be_brought_back(console: Console) -> None:
    keys = await add_keys(console, *new_keys(20, SEARCH.mask))
    then = await console.past.now()
    await submit(console, *(CellChange(key.id, 0, SEARCH.mask) for key in keys))
    await submit(console, *(Removal(key.id, 10**6) for key in keys[:2]))
    preview = await console.reversals.between(then, await console.past.now())
    assert len(preview.lines) == 20
    await console.reversals.stage(console.admin.id, preview, range(14))
    await console.staging.submit(console.admin, uuid.uuid4())
    now = await all_keys()
    assert sum(key.privileges == SEARCH.mask for key in now.values()) == 12
    assert keys[0].id in now, "a removed key too, with what it had when it was removed"


async def test_who_asks_for_an_entry_without_a_submission_is_told_so(console: Console) -> None:
    await console.history.put(EntryKind.REFUSED, "mallory", "192.0.2.1")
    for number in (1, 2, 0):
        with pytest.raises(InvalidValue, match=f"There is no submission on record in an entry #{number}"):
            await console.reversals.of_entry(number)
    with pytest.raises(InvalidValue, match="Nothing is on record of this authkey"):
        await console.reversals.of_row(7, await console.past.moment(1))
