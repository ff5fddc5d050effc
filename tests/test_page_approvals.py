"""Four eyes in the page, without a browser: asking, looking at the plan, deciding, and what the others are told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from models.accounts import Role
from models.approvals import Approval
from models.submissions import CellChange
from models.tables import Admin, Authkey
from services.console import Console
from storage.database import DatabaseLocation
from tests.approvals import MANAGE, approve, asked_for_manage, dana, lee, stage_and_submit, watched
from tests.elsewhere import assign
from tests.page import BILLING, KEYS, MAIL, PORTAL, SEARCH, id_of, is_told, sign_in, text, ticks
from tests.support import add_keys, all_keys, new_keys, staged_in_database, submit
from tests.waiting import comes_true, eventually
from ui.shell.routes import register_pages


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


@pytest.fixture
async def console(database: DatabaseLocation) -> AsyncIterator[Console]:
    async with watched(database) as console:
        register_pages(console)
        await assign(console, *KEYS)
        await dana()
        yield console


async def opened(user: User, console: Console, path: str, *, by: str = "dana") -> User:
    """A page in a new session of this admin."""
    admin = await (lee() if by == "lee" else dana())
    await sign_in(user, console, admin)
    await user.open(path)
    return user


def shows(user: User, marker: str) -> bool:
    """Whether such an element is there and visible."""
    return any(each.visible for each in _marked(user, marker))


def _marked(user: User, marker: str) -> list[ui.element]:
    with user.client:
        return list(ElementFilter(marker=marker))


def label_of(user: User, marker: str) -> Any:
    """What its accessible name is."""
    (element,) = _marked(user, marker)
    return element.props["aria-label"]


async def one(console: Console) -> Approval:
    """Lee asks for Manage Authkeys for a key, and for a search."""
    found = await console.authkeys.find([await id_of(BILLING), await id_of(PORTAL)])
    return await asked_for_manage(console, found[await id_of(BILLING)], (found[await id_of(PORTAL)], SEARCH))


async def test_the_review_says_that_another_admin_must_approve_and_the_bar_what_waits(
    user: User, console: Console
) -> None:
    await opened(user, console, "/", by="lee")
    await ticks(user, 1, PORTAL, MANAGE.id, True)
    assert await comes_true(lambda: text(user, "staged-count") == "1 change to 1 key")
    user.find(marker="submit").click()
    await user.should_see("Another admin must approve this, because it grants Manage Authkeys to 1 key.")
    user.find("Ask for approval of 1 change").click()
    await is_told(user, "1 change to 1 key: asked for approval. Nothing is in force yet.")
    await user.should_see("1 change waits for approval")
    assert text(user, "staged-count") == "No staged changes"
    assert (await all_keys())[await id_of(PORTAL)].privileges == PORTAL.privileges
    await console.approvals.withdraw(await lee(), 1)
    await user.should_not_see("waits for approval")


async def test_where_nobody_can_approve_the_page_says_what_to_do(user: User, console: Console) -> None:
    await Admin.filter(name="dana").update(disabled=True)
    await opened(user, console, "/", by="lee")
    await ticks(user, 1, PORTAL, MANAGE.id, True)
    assert await comes_true(lambda: text(user, "staged-count") == "1 change to 1 key")
    user.find(marker="review").click()
    await user.should_see("There is no other admin who could approve it.")
    user.find(marker="review-submit").click()
    await is_told(user, "There is no other admin who could approve it.")


async def test_the_mark_counts_live_what_waits_for_this_admin(user: User, console: Console) -> None:
    await opened(user, console, "/denied")
    assert label_of(user, "approvals-mark") == "Approvals: none wait"
    assert not shows(user, "approvals-count")
    approval = await one(console)
    assert await comes_true(lambda: label_of(user, "approvals-mark") == "Approvals: 1 approval waits for you")
    assert text(user, "approvals-count") == "1"
    await console.approvals.withdraw(await lee(), approval.number)
    assert await comes_true(lambda: label_of(user, "approvals-mark") == "Approvals: none wait")


async def test_another_admin_sees_the_plan_and_what_changed_since_and_approves_it(user: User, console: Console) -> None:
    approval = await one(console)
    await submit(console, CellChange(await id_of(PORTAL), SEARCH.mask, 0))
    await opened(user, console, f"/approvals/{approval.number}")
    await user.should_see("lee: 2 changes to 2 keys")
    await user.should_see("1 grant of Manage Authkeys")
    await user.should_see(f"{console.admin.name} granted Search for a License meanwhile, in #")
    user.find("Approve 1 change").click()
    await is_told(user, "Approved for lee. Applied 1 change to 1 key.")
    await user.should_see("Approved by dana.")
    assert (await all_keys())[await id_of(BILLING)].privileges & MANAGE.mask


async def test_a_plan_that_changed_at_that_moment_is_shown_again_instead_of_being_applied(
    user: User, console: Console
) -> None:
    approval = await one(console)
    await opened(user, console, f"/approvals/{approval.number}")
    seen = (await console.approvals.plans.of(approval)).digest
    await Authkey.filter(id=await id_of(PORTAL)).update(
        privileges=SEARCH.mask
    )  # a commit of which nobody has heard yet
    user.find("Approve 2 changes").click()
    await is_told(user, "it would do something else now than what you were shown")
    assert (await console.approvals.find(approval.number)).is_waiting
    await submit(console, CellChange(await id_of(MAIL), 0, SEARCH.mask))
    await user.should_see("Approve 1 change")
    assert (await console.approvals.plans.of(approval)).digest != seen
    user.find("Approve 1 change").click()
    await user.should_see("Approved by dana.")


async def test_a_rejection_needs_a_reason_which_who_asked_is_told_at_once(user: User, console: Console) -> None:
    approval = await one(console)
    await opened(user, console, f"/approvals/{approval.number}")
    user.find(marker="reject").click()
    user.find(marker="reject-confirm").click()
    await user.should_see("Say why")
    user.find(marker="reason").type("Ask the customer first.")
    user.find(marker="reject-confirm").click()
    await user.should_see("Rejected by dana: Ask the customer first.")
    assert len(await staged_in_database((await lee()).id)) == 2


async def test_who_asked_is_told_live_what_became_of_it(user: User, console: Console) -> None:
    approval = await one(console)
    await opened(user, console, "/history", by="lee")
    assert label_of(user, "approvals-mark") == "Approvals: 1 of yours waits for another admin"
    await console.approvals.reject(await dana(), approval.number, "Not today.")
    await is_told(user, "Your 2 changes to 2 keys: Rejected by dana: Not today. It is staged again.")
    second = await one(console)
    await approve(console, second.number)
    await is_told(user, "Your 2 changes to 2 keys: Approved by dana.")


async def test_who_asked_can_only_withdraw_it(user: User, console: Console) -> None:
    approval = await one(console)
    await opened(user, console, f"/approvals/{approval.number}", by="lee")
    assert not _marked(user, "approve")
    user.find(marker="withdraw").click()
    await user.should_see("Withdrawn by lee.")
    assert len(await staged_in_database((await lee()).id)) == 2


async def test_an_auditor_sees_it_and_can_do_nothing(user: User, console: Console) -> None:
    approval = await one(console)
    auditor = await dana()
    await Admin.filter(id=auditor.id).update(role=Role.AUDITOR.value)
    await sign_in(user, console, auditor._replace(role=Role.AUDITOR))
    await user.open(f"/approvals/{approval.number}")
    await user.should_see("lee: 2 changes to 2 keys")
    assert not _marked(user, "approve")
    assert not _marked(user, "withdraw")
    assert label_of(user, "approvals-mark") == "Approvals: none wait"


async def test_what_was_removed_meanwhile_cannot_be_approved_and_the_page_says_why(
    user: User, console: Console
) -> None:
    approval = await one(console)
    await opened(user, console, f"/approvals/{approval.number}")
    row = (await all_keys())[await id_of(BILLING)]
    assert (await stage_and_submit(console, await lee(), removals=[row])).revision
    await user.should_see("1 key was changed or removed by somebody else since it was asked.")
    await user.should_see("lee removed it meanwhile")
    (button,) = _marked(user, "approve")
    assert isinstance(button, ui.button)
    assert not button.enabled


async def test_the_list_says_what_waits_and_what_was_decided_and_follows(user: User, console: Console) -> None:
    await opened(user, console, "/approvals")
    await user.should_see("Nothing waits for approval.")
    approval = await one(console)
    await user.should_see("1 grant of Manage Authkeys, 2 grants")
    await approve(console, approval.number)
    await user.should_see("Decided · 1")


@pytest.mark.parametrize("number", ["99", "x", "9" * 30])
async def test_an_approval_that_never_was_is_said_to_be_none(user: User, console: Console, number: str) -> None:
    await opened(user, console, f"/approvals/{number}")
    await is_told(user, "There is no approval")


async def test_who_asked_issues_the_new_keys_once_it_is_approved(user: User, console: Console) -> None:
    me = await lee()
    await console.staging.stage_addition(me.id, "192.0.2.77", "panel", MANAGE.mask)
    receipt = await stage_and_submit(console, me)
    assert receipt.approval
    await approve(console, receipt.approval)
    await opened(user, console, f"/approvals/{receipt.approval}")
    assert not _marked(user, "approval-issue")
    await opened(user, console, f"/approvals/{receipt.approval}", by="lee")
    user.find(marker="approval-issue").click()
    assert await comes_true(lambda: bool(_marked(user, "secret")))

    async def has_key() -> bool:
        return all(row.has_key for row in (await all_keys()).values() if row.ip == "192.0.2.77")

    await eventually(has_key)
    await user.should_not_see("Issue their keys")


async def test_over_many_removals_the_number_is_typed_before_they_are_approved(user: User, console: Console) -> None:
    rows = await add_keys(console, *new_keys(6))
    receipt = await stage_and_submit(console, await lee(), removals=rows)
    assert receipt.approval
    await opened(user, console, f"/approvals/{receipt.approval}")
    (button,) = _marked(user, "approve")
    assert isinstance(button, ui.button)
    assert not button.enabled
    user.find(marker="approval-typed").type("6")
    assert await comes_true(lambda: button.enabled)
    user.find(marker="approve").click()
    await user.should_see("Approved by dana.")
    assert len(await all_keys()) == len(KEYS)
