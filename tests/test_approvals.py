"""Four eyes: what waits for another admin, who may approve it, and that nothing of it is lost or applied twice."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from models import chain
from models.approvals import ApprovalState
from models.errors import ApprovalClosed, ApprovalNeeded, InvalidValue, NotAllowed, PlanOutdated
from models.exports import ExportFormat
from models.history import EntryKind
from models.history_views import HistoryView
from models.submissions import CellChange, Removal
from models.tables import Admin, Entry, Submission
from services.console import Console
from storage.database import DatabaseLocation
from tests.approvals import MANAGE, approve, asked_for_manage, dana, key_with_manage, lee, stage_and_submit, watched
from tests.support import (
    ADD,
    SEARCH,
    add_key,
    add_keys,
    all_keys,
    listening,
    new_keys,
    staged_in_database,
    submissions,
    submit,
)


@pytest.fixture
async def console(database: DatabaseLocation) -> AsyncIterator[Console]:
    async with watched(database) as console:
        yield console


async def kinds() -> list[str]:
    """The kinds of all entries, in their order."""
    return [str(row.kind) for row in await Entry.all().order_by("number")]


# -- asking ------------------------------------------------------------------------------------------------------------


async def test_a_grant_of_manage_authkeys_waits_and_leaves_what_is_staged(console: Console) -> None:
    row = await add_key(console)
    before = await submissions()
    approval = await asked_for_manage(console, row, (row, SEARCH))
    assert approval.is_waiting
    assert approval.change_count == 2
    assert "1 grant of Manage Authkeys" in approval.summary
    assert (await all_keys())[row.id].privileges == 0
    assert await submissions() == before
    me = await lee()
    assert await staged_in_database(me.id) == {}
    assert not len(await console.staging.of(me.id))
    assert (await kinds())[-1] == EntryKind.APPROVAL_ASKED
    assert [each.number for each in console.approvals.waiting] == [approval.number]


async def test_harmless_submissions_and_few_removals_wait_for_nobody(console: Console) -> None:
    rows = await add_keys(console, *new_keys(4))
    receipt = await stage_and_submit(console, await lee(), (rows[3], ADD), removals=rows[:3])
    assert receipt.approval is None
    assert receipt.revision
    assert list(await all_keys()) == [rows[3].id]


async def test_more_removals_than_the_operator_said_wait(console: Console) -> None:
    rows = await add_keys(console, *new_keys(4))
    receipt = await stage_and_submit(console, await lee(), removals=rows)
    assert receipt.approval
    assert len(await all_keys()) == 4
    await approve(console, receipt.approval)
    assert await all_keys() == {}


async def test_what_is_granted_already_is_no_grant(console: Console) -> None:
    row = await key_with_manage(console)
    assert (await submit(console, CellChange(row.id, MANAGE.mask | SEARCH.mask, 0), admin=await lee())).revision


# -- approving ---------------------------------------------------------------------------------------------------------


async def test_another_admin_approves_and_both_names_are_on_record(console: Console) -> None:
    row = await add_key(console)
    approval = await asked_for_manage(console, row, (row, SEARCH))
    receipt = await approve(console, approval.number)
    assert (await all_keys())[row.id].privileges == MANAGE.mask | SEARCH.mask
    stored = await Submission.get(id=receipt.revision)
    assert (stored.admin_id, stored.approver_id) == ((await lee()).id, (await dana()).id)  # type: ignore[attr-defined]
    approved = await console.approvals.find(approval.number)
    assert approved.state is ApprovalState.APPROVED
    assert approved.said == "Approved by dana."
    assert approved.entry
    told = await console.history.entry(approved.entry)
    assert told
    assert told.entry.name == "lee"
    assert told.sentence.endswith(", approved by dana")
    assert told.entry.detail == f"approval {approval.number}"
    assert console.approvals.waiting == []
    assert (await console.chain.check()).fault is None


async def test_nobody_approves_what_they_asked_for(console: Console) -> None:
    approval = await asked_for_manage(console, await add_key(console))
    with pytest.raises(NotAllowed, match="themselves"):
        await approve(console, approval.number, await lee())
    assert (await console.approvals.find(approval.number)).is_waiting


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "auditor"}])
async def test_an_approver_who_may_not_change_anything_now_is_refused(
    console: Console, change: dict[str, object]
) -> None:
    row = await add_key(console)
    approval = await asked_for_manage(console, row)
    await Admin.filter(id=(await dana()).id).update(**change)
    with pytest.raises(NotAllowed):
        await approve(console, approval.number)
    assert (await all_keys())[row.id].privileges == 0


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "auditor"}])
async def test_what_somebody_asked_who_may_no_longer_change_anything_cannot_be_approved(
    console: Console, change: dict[str, object]
) -> None:
    row = await add_key(console)
    approval = await asked_for_manage(console, row)
    await Admin.filter(id=(await lee()).id).update(**change)
    plan = await console.approvals.plans.of(approval)
    assert "lee may no longer change anything" in plan.problem
    with pytest.raises(NotAllowed, match="lee may no longer"):
        await console.approvals.approve(await dana(), approval.number, plan.digest)
    await console.approvals.reject(await dana(), approval.number, "lee left")
    assert (await staged_in_database((await lee()).id))[row.id].grants == MANAGE.mask


async def test_of_two_who_approve_at_once_one_does_and_the_other_is_told(console: Console) -> None:
    row = await add_key(console)
    approval = await asked_for_manage(console, row)
    await dana()
    kim = (await Admin.get_or_create(name="kim"))[0]
    admins = [await dana(), (await dana())._replace(id=kim.id, name="kim")]
    digest = (await console.approvals.plans.of(approval)).digest
    ended = await asyncio.gather(
        *(console.approvals.approve(each, approval.number, digest) for each in admins), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in ended) == ["ApprovalClosed", "Receipt"]
    assert (await kinds()).count(EntryKind.SUBMITTED) == 2  # the key itself, and this


async def test_what_was_withdrawn_cannot_be_approved(console: Console) -> None:
    row = await add_key(console)
    approval = await asked_for_manage(console, row)
    digest = (await console.approvals.plans.of(approval)).digest
    await console.approvals.withdraw(await lee(), approval.number)
    with pytest.raises(ApprovalClosed, match="Withdrawn by lee"):
        await console.approvals.approve(await dana(), approval.number, digest)
    assert (await all_keys())[row.id].privileges == 0


async def test_approving_and_withdrawing_at_once_ends_in_one_of_both(console: Console) -> None:
    row = await add_key(console)
    approval = await asked_for_manage(console, row)
    digest = (await console.approvals.plans.of(approval)).digest
    ended = await asyncio.gather(
        console.approvals.approve(await dana(), approval.number, digest),
        console.approvals.withdraw(await lee(), approval.number),
        return_exceptions=True,
    )
    assert [isinstance(each, ApprovalClosed) for each in ended].count(True) == 1
    is_granted = bool((await all_keys())[row.id].privileges & MANAGE.mask)
    is_staged = row.id in await staged_in_database((await lee()).id)
    assert is_granted is not is_staged


async def test_a_plan_that_became_another_one_is_not_approved(console: Console) -> None:
    row, other = await add_keys(console, *new_keys(2))
    approval = await asked_for_manage(console, row, (other, SEARCH))
    seen = (await console.approvals.plans.of(approval)).digest
    await submit(console, CellChange(other.id, SEARCH.mask, 0))
    with pytest.raises(PlanOutdated):
        await console.approvals.approve(await dana(), approval.number, seen)
    plan = await console.approvals.plans.of(approval)
    (since,) = plan.since
    assert since.settles
    assert "granted Search for a License meanwhile, in #" in since.text
    assert since.text.startswith(f"{console.admin.name} ")
    assert plan.totals.grants == 1
    assert not plan.problem
    await console.approvals.approve(await dana(), approval.number, plan.digest)
    assert (await all_keys())[row.id].privileges == MANAGE.mask


async def test_what_was_removed_meanwhile_is_told_and_cannot_be_approved(console: Console) -> None:
    row = await add_key(console)
    approval = await asked_for_manage(console, row)
    await submit(console, Removal(row.id, row.revision))
    plan = await console.approvals.plans.of(approval)
    assert plan.problem.startswith("1 key was changed or removed")
    assert plan.digest == ""
    assert "removed it meanwhile" in plan.since[0].text
    with pytest.raises(PlanOutdated):
        await console.approvals.approve(await dana(), approval.number, plan.digest)


async def test_what_is_all_in_force_already_needs_no_approval(console: Console) -> None:
    row = await add_key(console)
    approval = await asked_for_manage(console, row)
    other = await asked_for_manage(console, row)
    await approve(console, other.number)
    plan = await console.approvals.plans.of(approval)
    assert "in force already" in plan.problem
    with pytest.raises(PlanOutdated):
        await console.approvals.approve(await dana(), approval.number, plan.digest)


# -- giving back -------------------------------------------------------------------------------------------------------


async def test_a_rejection_with_a_reason_stages_it_again_as_one_step_that_can_be_undone(console: Console) -> None:
    rows = await add_keys(console, *new_keys(2))
    approval = await asked_for_manage(console, rows[0], (rows[1], SEARCH))
    me = await lee()
    with pytest.raises(InvalidValue, match="Say why"):
        await console.approvals.reject(await dana(), approval.number, " ")
    async with listening(console.approvals.decided) as heard:
        await console.approvals.reject(await dana(), approval.number, "Ask the customer first.")
        (decided,) = await heard.next()
    assert decided.said == "Rejected by dana: Ask the customer first."
    staged = await console.staging.of(me.id)
    assert {id_: each.grants for id_, each in staged.entries.items()} == {
        rows[0].id: MANAGE.mask,
        rows[1].id: SEARCH.mask,
    }
    await console.staging.undo(me.id)
    assert await staged_in_database(me.id) == {}
    assert (await kinds())[-1] == EntryKind.APPROVAL_REJECTED


async def test_what_was_staged_meanwhile_for_the_same_cells_stays(console: Console) -> None:
    row, marked = await add_keys(console, *new_keys(2, SEARCH.mask))
    me = await lee()
    await console.staging.stage(me.id, marked.id, SEARCH, False)
    approval = await asked_for_manage(console, row)
    await console.staging.stage(me.id, row.id, SEARCH, False)
    await console.staging.stage_removal(me.id, marked.id)
    await console.approvals.withdraw(me, approval.number)
    staged = await console.staging.of(me.id)
    assert (staged[row.id].grants, staged[row.id].revocations) == (MANAGE.mask, SEARCH.mask)
    assert staged[marked.id].removal


async def test_a_removal_comes_back_as_it_was_seen_and_shows_what_happened_since(console: Console) -> None:
    rows = await add_keys(console, *new_keys(4))
    me = await lee()
    receipt = await stage_and_submit(console, me, removals=rows)
    assert receipt.approval
    await submit(console, CellChange(rows[0].id, SEARCH.mask, 0))
    await console.approvals.withdraw(me, receipt.approval)
    assert list((await console.staging.of(me.id)).conflicts) == [rows[0].id]


async def test_only_who_asked_withdraws_and_only_another_rejects(console: Console) -> None:
    approval = await asked_for_manage(console, await add_key(console))
    with pytest.raises(NotAllowed, match="Reject it instead"):
        await console.approvals.withdraw(await dana(), approval.number)
    with pytest.raises(NotAllowed, match="withdraw it instead"):
        await console.approvals.reject(await lee(), approval.number, "no")


async def test_after_seven_days_it_is_staged_again(console: Console) -> None:
    row = await add_key(console)
    approval = await asked_for_manage(console, row)
    await console.approvals.expire(datetime.now(UTC) + timedelta(days=6, hours=23))
    assert (await console.approvals.find(approval.number)).is_waiting
    await console.approvals.expire(datetime.now(UTC) + timedelta(days=7, minutes=1))
    assert (await console.approvals.find(approval.number)).state is ApprovalState.EXPIRED
    assert row.id in await staged_in_database((await lee()).id)
    assert (await kinds())[-1] == EntryKind.APPROVAL_EXPIRED


async def test_it_waits_across_a_restart_and_comes_back_without_loss(database: DatabaseLocation) -> None:
    async with watched(database) as console:
        rows = await add_keys(console, *new_keys(2))
        approval = await asked_for_manage(console, rows[0], (rows[1], ADD))
    async with watched(database) as console:
        assert [each.number for each in console.approvals.waiting] == [approval.number]
        await console.approvals.withdraw(await lee(), approval.number)
    async with watched(database) as console:
        me = await lee()
        assert set((await console.staging.of(me.id)).entries) == {rows[0].id, rows[1].id}
        await console.staging.undo(me.id)
        assert not len(await console.staging.of(me.id))


async def test_the_same_request_asked_twice_is_one_and_what_is_staged_by_then_stays(console: Console) -> None:
    row, me, id_ = await add_key(console), await lee(), uuid.uuid4()
    await console.staging.stage(me.id, row.id, MANAGE, True)
    first = await console.staging.submit(me, id_)
    await console.staging.stage(me.id, row.id, MANAGE, True)
    second = await console.staging.submit(me, id_)
    assert first.approval == second.approval
    assert len(await console.approvals.listed()) == 1
    assert set((await console.staging.of(me.id)).entries) == set(await staged_in_database(me.id)) == {row.id}


async def test_undo_of_a_revocation_of_manage_authkeys_is_refused_with_words(console: Console) -> None:
    row = await key_with_manage(console)
    revoked = await submit(console, CellChange(row.id, 0, MANAGE.mask), admin=await lee())
    assert revoked.revision
    with pytest.raises(ApprovalNeeded, match="Undo it in History instead"):
        await console.submissions.undo(revoked.revision, await lee(), uuid.uuid4())


async def test_an_export_tells_both_and_the_verifier_finds_an_approver_who_was_changed_or_dropped(
    console: Console,
) -> None:
    row = await add_key(console)
    await approve(console, (await asked_for_manage(console, row)).number)
    pieces = [
        piece async for piece in await console.exports.of_history(HistoryView(), ExportFormat.JSONL, await dana())
    ]
    lines = "".join(pieces).splitlines()
    checker, whole = chain.check_lines(lines, {})
    assert whole
    assert checker.end() is None
    at = next(number for number, line in enumerate(lines) if '"approved_by":"dana"' in line)
    told = json.loads(lines[at])
    assert told["who"] == "lee"
    for other in ({"approver": told["entry"]["submission"]["approver"] + 1}, {}):
        part = {name: value for name, value in told["entry"]["submission"].items() if name != "approver"} | other
        changed = {**told, "entry": {**told["entry"], "submission": part}}
        checker, _ = chain.check_lines([*lines[:at], json.dumps(changed), *lines[at + 1 :]], {})
        assert checker.fault
    text = "".join(
        [piece async for piece in await console.exports.of_history(HistoryView(), ExportFormat.CSV, await dana())]
    )
    assert ", approved by dana" in text
