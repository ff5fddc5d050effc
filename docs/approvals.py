"""Something in every state of an approval, for pictures: what the demonstration's colleague asks for, and the local admin."""

import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.accounts import AdminIdentity
from models.authkeys import Authkey
from models.four_eyes import FourEyes
from models.privileges import MANAGE_AUTHKEYS, Privilege, privilege
from models.submissions import CellChange, Source
from models.views import View
from services import demo
from services.console import Console, open_console
from services.submissions import Order
from storage.database import DatabaseLocation

REMOVALS = 20
_SEARCH = privilege("search")


async def fill(database: str) -> None:
    """Approvals 1 and 2 are the colleague's and wait, 3 is the local admin's and waits, 4 was rejected, 5 approved."""
    async with open_console(DatabaseLocation(database), four_eyes=FourEyes(True, REMOVALS)) as console:
        colleague = await demo.fill(console)
        rows = [
            row
            for row in await console.authkeys.matching(View(), console.admin.id)
            if not row.privileges & (MANAGE_AUTHKEYS.mask | _SEARCH.mask)
        ]
        await _ask(console, colleague, rows[:3], more=rows[3:7])
        await _ask(console, colleague, removals=rows[10:35])
        granted = [CellChange(row.id, _SEARCH.mask, 0) for row in (rows[0], rows[3])]
        await console.submissions.submit(Order(uuid.uuid4(), console.admin, Source.GRID, granted))
        await _ask(console, console.admin, rows[40:42])
        rejected = await _ask(console, colleague, rows[43:44])
        await console.approvals.reject(console.admin, rejected, "Ask the customer first, please.")
        approved = await console.approvals.find(await _ask(console, colleague, rows[45:47]))
        plan = await console.approvals.plans.of(approved)
        await console.approvals.approve(console.admin, approved.number, plan.digest)
        await _stage(console, console.admin, rows[50:51], MANAGE_AUTHKEYS)


async def _ask(
    console: Console,
    admin: AdminIdentity,
    rows: Sequence[Authkey] = (),
    *,
    more: Sequence[Authkey] = (),
    removals: Sequence[Authkey] = (),
) -> int:
    await _stage(console, admin, rows, MANAGE_AUTHKEYS)
    await _stage(console, admin, more, _SEARCH)
    for row in removals:
        await console.staging.stage_removal(admin.id, row.id)
    return (await console.staging.submit(admin, uuid.uuid4())).approval or 0


async def _stage(console: Console, admin: AdminIdentity, rows: Sequence[Authkey], what: Privilege) -> None:
    for row in rows:
        await console.staging.stage(admin.id, row.id, what, True)
