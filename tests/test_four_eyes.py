"""Four eyes: every way to submit something is bound by them, but the operator's own."""

import logging
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.accounts import Role
from models.approvals import ApprovalState
from models.errors import ApprovalNeeded, NotAllowed
from models.submissions import Assignment, CellChange, Removal
from services.console import Console, open_console
from services.imports import import_file
from services.keymaking import issue_new_key
from storage import history
from storage.database import DatabaseLocation
from tests.approvals import MANAGE, approve, asked_for_manage, dana, key_with_manage, lee, watched
from tests.other_process import another_process
from tests.program import PASSWORD, run, write_csv
from tests.support import (
    SEARCH,
    add_key,
    all_keys,
    came_in,
    digests,
    kept_passphrases,
    listening,
    submit,
)
from tests.waiting import eventually


@pytest.fixture
async def console(database: DatabaseLocation) -> AsyncIterator[Console]:
    async with watched(database) as console:
        yield console


# -- every other way to submit -----------------------------------------------------------------------------------------


async def test_a_new_passphrase_with_manage_authkeys_is_refused_and_the_grant_in_its_grid_waits(
    console: Console,
) -> None:
    me = await lee()
    with pytest.raises(ApprovalNeeded, match="Make it without that privilege"):
        await console.passphrases.add(me, "correct horse battery", MANAGE.mask)
    await console.passphrases.add(me, "correct horse battery", SEARCH.mask)
    (phrase,) = await kept_passphrases()
    await console.passphrase_staging.stage(me.id, phrase.id, MANAGE, True)
    receipt = await console.passphrase_staging.submit(me, uuid.uuid4())
    assert receipt.approval
    await approve(console, receipt.approval)
    assert (await kept_passphrases())[0].privileges == MANAGE.mask | SEARCH.mask
    registered = await console.passphrases.register("correct horse battery", "panel", "192.0.2.50")
    (row,) = (await all_keys()).values()
    assert (row.ip, row.privileges) == (registered.ip, MANAGE.mask | SEARCH.mask)


async def test_a_key_with_manage_authkeys_gets_no_other_secret_by_one_admin(console: Console) -> None:
    row = await key_with_manage(console, secret=True)
    before = await digests()
    with pytest.raises(ApprovalNeeded, match="Revoke Manage Authkeys of them first"):
        await issue_new_key(console.submissions, await lee(), row)
    assert await digests() == before
    await submit(console, CellChange(row.id, 0, MANAGE.mask), admin=await lee())
    await issue_new_key(console.submissions, await lee(), row)


async def test_a_removed_key_comes_back_with_manage_authkeys_only_by_two(console: Console) -> None:
    row = await key_with_manage(console)
    me = await lee()
    removed = await submit(console, Removal(row.id, row.revision), admin=me)
    with pytest.raises(ApprovalNeeded):
        await console.submissions.undo(removed.revision or 0, me, uuid.uuid4())
    preview = await console.reversals.of_entry((await history.number_of(removed.revision or 0)) or 0)
    assert await console.reversals.stage(me.id, preview, [0]) == 1
    receipt = await console.staging.submit(me, uuid.uuid4())
    assert receipt.approval
    plan = await console.approvals.plans.of(await console.approvals.find(receipt.approval))
    assert plan.names[row.id] == (row.ip, row.service)
    await approve(console, receipt.approval)
    assert (await all_keys())[row.id].privileges == MANAGE.mask


async def test_new_keys_of_what_is_approved_are_made_without_a_secret_and_who_asked_issues_it(console: Console) -> None:
    me = await lee()
    await console.staging.stage_addition(me.id, "192.0.2.77", "billing", MANAGE.mask)
    id_ = uuid.uuid4()
    receipt = await console.staging.submit(me, id_)
    assert receipt.approval
    assert not console.staging.take_issued(id_)
    await approve(console, receipt.approval)
    (row,) = (await all_keys()).values()
    assert (row.privileges, row.has_key) == (MANAGE.mask, False)
    assert await issue_new_key(console.submissions, me, row)
    with pytest.raises(ApprovalNeeded):
        await issue_new_key(console.submissions, await dana(), (await all_keys())[row.id])


async def test_what_the_operator_does_on_the_servers_files_waits_for_nobody(console: Console, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "keys.csv", [Assignment("192.0.2.7", "billing", MANAGE.mask)])
    assert (await import_file(file, console.admin, console.submissions)).revision


async def test_switched_off_nothing_waits_and_what_waited_is_staged_again(database: DatabaseLocation) -> None:
    async with watched(database) as console:
        row = await add_key(console)
        approval = await asked_for_manage(console, row)
    async with open_console(database) as console:
        await console.approvals.give_all_back()
        assert "switched off" in (await console.approvals.find(approval.number)).said
        receipt = await console.staging.submit(await lee(), uuid.uuid4())
        assert receipt.revision
        assert "approvals" not in console.feed.followers
        assert (await all_keys())[row.id].privileges == MANAGE.mask


async def withdraw(console: Console, number: int) -> None:
    """As lee, in another process."""
    await console.approvals.withdraw(await lee(), number)


async def test_what_becomes_of_it_in_another_process_is_heard_here(database: DatabaseLocation) -> None:
    async with watched(database) as console, another_process(database) as other:
        row = await add_key(console)
        approval = await asked_for_manage(console, row)
        async with listening(console.approvals.decided) as heard:
            await other.do(withdraw, approval.number)
            (decided,) = await heard.next()
        assert (decided.number, decided.state) == (approval.number, ApprovalState.WITHDRAWN)
        assert console.approvals.waiting == []

        async def is_staged_here() -> bool:
            return row.id in (await console.staging.of((await lee()).id)).entries

        await eventually(is_staged_here)


async def test_with_four_eyes_off_no_loop_runs_and_nothing_is_asked_of_the_table(
    database: DatabaseLocation, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="tortoise.db_client"):
        async with open_console(database) as console:
            row = await add_key(console)
            await console.staging.stage(console.admin.id, row.id, MANAGE, True)
            assert (await console.staging.submit(console.admin, uuid.uuid4())).revision
            assert "approvals" not in console.supervisor.loops
    said = [record.getMessage() for record in caplog.records]
    assert any("INSERT INTO" in each for each in said)
    assert not [each for each in said if re.search(r"\bapproval(_part)?\b", each)]


def test_a_number_of_removals_without_four_eyes_is_refused(tmp_path: Path) -> None:
    for options, words in (
        (("--four-eyes-removals", "5"), "--four-eyes-removals belongs to --four-eyes"),
        (("--four-eyes", "--four-eyes-removals", "many"), "takes a whole number"),
    ):
        ended = run("--database", str(tmp_path / "new.db"), "--no-browser", "--port", "0", *options)
        assert ended.returncode == 1
        assert words in ended.stderr


# -- accounts ------------------------------------------------------------------------------------------------------------


async def test_no_admin_lets_another_one_in_alone_who_could_then_approve_but_the_operator_does(
    console: Console,
) -> None:
    await came_in(console)
    me, admins, links = await lee(), console.admins, console.invitations
    await dana()
    for name, role in (("ada", Role.AUDITOR), ("eve", Role.ADMIN)):
        await admins.add(name, PASSWORD, role, "the operator")
    await admins.set_disabled("eve", True, "the operator")
    for attempt in (
        links.invite("puppet", Role.ADMIN, me),
        links.reset("dana", me),
        admins.set_role("ada", Role.ADMIN, me),
        admins.set_disabled("eve", False, me),
        admins.add("puppet", PASSWORD, Role.ADMIN, me),
        admins.set_password("dana", PASSWORD, me),
        console.second_factors.reset("dana", me),
    ):
        with pytest.raises(NotAllowed, match="wants four eyes"):
            await attempt
    accounts = {each.name: each for each in await admins.accounts()}
    assert "puppet" not in accounts
    assert (accounts["ada"].role, accounts["eve"].disabled) == (Role.AUDITOR, True)
    await links.invite("newcomer", Role.AUDITOR, me)
    await admins.set_role("dana", Role.AUDITOR, me)
    await admins.set_role("ada", Role.ADMIN, "the operator")
