"""What waits for another admin: asked, approved, rejected, withdrawn or expired. Nothing that waits is lost by any of these.

Which submissions wait is decided by the submission itself (`services.submissions`), so nobody gets round it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from nicegui import Event

from models.accounts import AdminIdentity
from models.approvals import (
    EXPIRES_AFTER,
    MAX_REASON_LENGTH,
    Approval,
    ApprovalState,
    changes_of,
    to_texts,
    without_new_secrets,
)
from models.authkeys import Authkey
from models.errors import ApprovalClosed, DatabaseUnavailable, InvalidValue, NotAllowed, RowNotFound
from models.four_eyes import FourEyes
from models.history import EntryKind
from models.risks import totals_of
from models.staged_changes import StagedChanges
from models.subjects import Subject
from models.submissions import Source
from models.texts import canonical_text
from models.wording import changes_to, totals
from services.approval_plans import ApprovalPlans
from services.clock import read_clock
from services.staging import Staging
from services.submissions import Also, Approver, Order, Receipt, Submissions
from services.supervisor import Supervisor
from storage import accounts, approvals, authkeys, history, submissions
from storage.transactions import Connection, run_transaction

DECIDED_SHOWN = 50
_EXPIRY_SECONDS = 600

log = logging.getLogger(__name__)


class Approvals:
    """Keeps them, for all admins. While four eyes are off it does nothing and reads nothing."""

    def __init__(self, submissions: Submissions, stagings: Mapping[Subject, Staging[Any]]) -> None:
        self._submissions, self._stagings = submissions, stagings
        self.plans = ApprovalPlans(stagings)
        """What approving one would do"""
        self.waiting: Sequence[Approval] = ()
        """All that wait, oldest first, as far as this process has heard"""
        self.changed = Event[[]]()
        """Something else waits now."""
        self.decided = Event[[Approval]]()
        """One waits no more, by whomever and in whichever process."""
        if self.four_eyes.is_on:
            for staging in stagings.values():
                staging.ask = self._ask

    @property
    def four_eyes(self) -> FourEyes:
        """What the operator asked for."""
        return self._submissions.four_eyes

    # -- reading -------------------------------------------------------------------------------------------------------

    async def listed(self) -> list[Approval]:
        """Those that wait, oldest first, and those that were decided last."""
        return [*await approvals.waiting(), *await approvals.decided(DECIDED_SHOWN)]

    async def find(self, number: int) -> Approval:
        """One. Raises RowNotFound if there never was one of this number."""
        found = (await approvals.by_number([number])).get(number)
        if found is None:
            raise RowNotFound(f"There is no approval {number}.")
        return found

    @staticmethod
    async def has_others(admin: AdminIdentity) -> bool:
        """Whether another admin can sign in and approve what this one asks for."""
        return await approvals.others_who_come_in(admin.id)

    @staticmethod
    async def made_by(approval: Approval) -> list[Authkey]:
        """The authkeys that were new in it, as far as they are in force."""
        entries = (await approvals.entries_of(approval.number)).values()
        ids = await authkeys.named([(each.new.ip, each.new.service) for each in entries if each.new])
        return list((await authkeys.find(ids.values())).values())

    def waiting_of(self, admin_id: int, subject: Subject) -> list[Approval]:
        """What this admin asked for and still waits."""
        return [each for each in self.waiting if each.admin_id == admin_id and each.subject is subject]

    def to_decide(self, admin: AdminIdentity) -> list[Approval]:
        """What this admin may approve or reject."""
        return [each for each in self.waiting if each.admin_id != admin.id] if admin.may_change else []

    # -- asking --------------------------------------------------------------------------------------------------------

    async def _ask(self, order: Order, staged: StagedChanges, take_away: Also) -> Receipt:
        """Have another admin approve what is staged; `take_away` takes it from what is staged, in the same transaction."""
        summary = ", ".join(text for _, text in totals(order.subject, totals_of(staged)))
        asked = Approval(
            0, order.uuid, order.admin.id, order.admin.name, order.subject, datetime.now(UTC),
            await submissions.newest(), staged.change_count, staged.key_count, summary[:MAX_REASON_LENGTH],
        )  # fmt: skip

        async def ask(db: Connection) -> int:
            if known := await approvals.number_of(db, order.uuid):
                return known  # asked before, with an answer that never came
            await accounts.require_change(db, order.admin.id)
            number = await approvals.insert(db, asked, to_texts(staged.entries))
            await take_away(db)
            await history.append(
                db, EntryKind.APPROVAL_ASKED, order.admin.id, order.address, _detail(number, asked, summary)
            )
            return number

        number = await run_transaction(ask)
        await self.refresh()
        return Receipt(None, staged.change_count, staged.key_count, number)

    # -- deciding ------------------------------------------------------------------------------------------------------

    async def approve(self, admin: AdminIdentity, number: int, seen: str, session_id: int | None = None) -> Receipt:
        """Submit what waits, in the name of who asked; `seen` is the digest of the plan that was shown.

        `session_id` is the approver's. Raises PlanOutdated if it would do something else by now, ApprovalClosed if it waits no
        more, NotAllowed, and like `Submissions.submit`; then it is as it was.
        """
        asked = await self._still_waiting(number)
        changes = changes_of(without_new_secrets(await approvals.entries_of(number)))
        author = AdminIdentity(asked.admin_id, asked.admin_name)
        order = Order(
            asked.uuid,
            author,
            Source.GRID,
            changes,
            asked.subject,
            detail=f"approval {number}",
            session_id=session_id,
            approver=Approver(admin, seen),
        )
        receipt = await self._submissions.submit(
            order,
            also=lambda db: approvals.decide(db, number, ApprovalState.APPROVED, admin.id, "", datetime.now(UTC)),
        )
        await self.refresh()
        decided = await self.find(number)
        if decided.decider_id != admin.id:  # of two at the same moment the other one was first
            raise ApprovalClosed(decided.said)
        return receipt

    async def reject(self, admin: AdminIdentity, number: int, reason: str) -> None:
        """Give it back to who asked, with a reason. Raises InvalidValue without one, ApprovalClosed, NotAllowed."""
        said = canonical_text(reason, "The reason")
        if not said or len(said) > MAX_REASON_LENGTH:
            raise InvalidValue(f"Say why, in at most {MAX_REASON_LENGTH} characters: who asked reads it.")
        asked = await self._still_waiting(number)
        if asked.admin_id == admin.id:
            raise NotAllowed("It is your own: withdraw it instead.")
        await self._give_back(asked, ApprovalState.REJECTED, admin, said)

    async def withdraw(self, admin: AdminIdentity, number: int) -> None:
        """Take one's own back: it is staged again. Raises ApprovalClosed and NotAllowed."""
        asked = await self._still_waiting(number)
        if asked.admin_id != admin.id:
            raise NotAllowed(f"{asked.admin_name} asked for it. Reject it instead, and say why.")
        await self._give_back(asked, ApprovalState.WITHDRAWN, admin)

    async def expire(self, now: datetime) -> None:
        """Give back what nobody has approved for too long."""
        for asked in await approvals.waiting():
            if now - asked.asked_at > EXPIRES_AFTER:
                await self._let_expire(asked, "")

    async def give_all_back(self) -> None:
        """Four eyes were switched off: what still waits is staged again."""
        for asked in await approvals.waiting():
            await self._let_expire(asked, "four eyes were switched off on this server")

    async def _let_expire(self, asked: Approval, reason: str) -> None:
        with suppress(ApprovalClosed):  # another process, or its admin, did something to it at this moment
            await self._give_back(asked, ApprovalState.EXPIRED, None, reason)

    async def _still_waiting(self, number: int) -> Approval:
        asked = await self.find(number)
        if not asked.is_waiting:
            raise ApprovalClosed(asked.said)
        if datetime.now(UTC) - asked.asked_at > EXPIRES_AFTER:
            raise ApprovalClosed(f"Nobody approved it within {EXPIRES_AFTER.days} days, so it goes back to who asked.")
        return asked

    async def _give_back(
        self, asked: Approval, state: ApprovalState, admin: AdminIdentity | None, reason: str = ""
    ) -> None:
        entries = await approvals.entries_of(asked.number)
        staging = self._stagings[asked.subject]

        async def decide(db: Connection) -> None:
            if admin:
                await accounts.require_change(db, admin.id)
            await approvals.decide(db, asked.number, state, admin and admin.id, reason, datetime.now(UTC))
            await approvals.forget_entries(db, asked.number)
            who = admin.id if admin else asked.admin_id
            await history.append(db, _KINDS[state], who, "", _detail(asked.number, asked, reason))

        await staging.take_step(asked.admin_id, lambda staged: staged.put_back(entries), decide)
        await staging.rebase(None)
        await self.refresh()

    # -- hearing of it -------------------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """See what waits now, and tell what waits no more."""
        before, now = self.waiting, await approvals.waiting()
        self.waiting = now
        gone = {each.number for each in before} - {each.number for each in now}
        found = await approvals.by_number(sorted(gone))
        if [each.number for each in before] != [each.number for each in now]:
            self.changed.emit()
        for each in found.values():
            self.decided.emit(each)

    @asynccontextmanager
    async def running(
        self, supervisor: Supervisor, follow: Callable[[Callable[[], Any]], object]
    ) -> AsyncIterator[None]:
        """Follow what other processes do, and let old ones expire, until the block ends. With four eyes off nothing runs."""
        if not self.four_eyes.is_on:
            yield
            return
        await self.refresh()
        follow(self.refresh)
        async with supervisor.keeping({"approvals": self._expire_regularly}):
            yield

    async def _expire_regularly(self) -> None:
        while True:
            try:
                if (await read_clock()).is_settled:
                    await self.expire(datetime.now(UTC))
            except DatabaseUnavailable:
                log.warning(
                    "Old approvals could not be given back; the next attempt is in %s minutes.", _EXPIRY_SECONDS // 60
                )
            await asyncio.sleep(_EXPIRY_SECONDS)


_KINDS = {
    ApprovalState.REJECTED: EntryKind.APPROVAL_REJECTED,
    ApprovalState.WITHDRAWN: EntryKind.APPROVAL_WITHDRAWN,
    ApprovalState.EXPIRED: EntryKind.APPROVAL_EXPIRED,
}


def _detail(number: int, asked: Approval, more: str) -> str:
    """What the history says of it: `approval 12, 3 changes to 2 keys: 1 grant of Manage Authkeys`. Names may be erased: none is in it."""
    size = changes_to(asked.subject, asked.change_count, asked.row_count)
    return f"approval {number}, {size}" + (f": {more}" if more else "")
