"""What the tests of approvals have in common: a console with four eyes, lee who asks and dana who approves."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.accounts import AdminIdentity
from models.approvals import Approval, PlanDigest
from models.authkeys import Authkey
from models.four_eyes import FourEyes
from models.privileges import MANAGE_AUTHKEYS, Privilege
from models.secrets import new_secret
from models.subjects import Subject
from models.submissions import Assignment, Change, Source
from models.tables import Admin
from services.console import Console, open_console
from services.submissions import Approver, Order, Receipt, plans_for
from storage.database import DatabaseLocation, reader
from tests.support import all_keys, an_admin

FOUR_EYES = FourEyes(is_on=True, removals=3)
MANAGE = MANAGE_AUTHKEYS


@asynccontextmanager
async def watched(database: DatabaseLocation) -> AsyncIterator[Console]:
    """The services, with four eyes on."""
    async with open_console(database, four_eyes=FOUR_EYES) as console:
        yield console


async def lee() -> AdminIdentity:
    """Who asks."""
    return await an_admin("lee")


async def dana() -> AdminIdentity:
    """Who approves; with a password, as somebody who can sign in."""
    admin = await an_admin("dana")
    await Admin.filter(id=admin.id).update(password_hash="$argon2id$not-a-real-one")
    return admin


async def key_with_manage(console: Console, *, secret: bool = False) -> Authkey:
    """A key that has Manage Authkeys, by the operator's own import."""
    key = Assignment("192.0.2.99", "panel", MANAGE.mask, new_secret().kept if secret else None)
    await console.submissions.submit(Order(uuid.uuid4(), console.admin, Source.IMPORT, [key], by_operator=True))
    return next(row for row in (await all_keys()).values() if row.ip == key.ip)


async def stage_and_submit(
    console: Console, admin: AdminIdentity, *what: tuple[Authkey, Privilege], removals: list[Authkey] | None = None
) -> Receipt:
    """Grant these privileges, and remove these keys, in one submission."""
    for row, privilege in what:
        await console.staging.stage(admin.id, row.id, privilege, True)
    for row in removals or []:
        await console.staging.stage_removal(admin.id, row.id)
    return await console.staging.submit(admin, uuid.uuid4())


async def asked_for_manage(console: Console, row: Authkey, *more: tuple[Authkey, Privilege]) -> Approval:
    """Lee asks for Manage Authkeys for a key."""
    receipt = await stage_and_submit(console, await lee(), (row, MANAGE), *more)
    assert receipt.approval
    return await console.approvals.find(receipt.approval)


async def approve(console: Console, number: int, admin: AdminIdentity | None = None) -> Receipt:
    """As dana, or another one, who looked at the plan."""
    plan = await console.approvals.plans.of(await console.approvals.find(number))
    return await console.approvals.approve(admin or await dana(), number, plan.digest)


async def approved(console: Console, author: AdminIdentity, approver: AdminIdentity, *changes: Change) -> Receipt:
    """A submission that another admin approved, as an approval makes it."""
    digest = PlanDigest()
    async for _, plan, _ in plans_for(reader(), Subject.AUTHKEY, changes):
        digest.add(plan)
    order = Order(uuid.uuid4(), author, Source.GRID, changes, approver=Approver(approver, digest.text()))
    return await console.submissions.submit(order)
