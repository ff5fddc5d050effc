"""Submissions: the only place where privileges change.

Grid, dialog, import and undo all hand their requests to `Submissions.submit`. It applies them in one transaction to the
authkeys as they are at that moment, records a modification for each authkey, and takes the next revision. On a conflict
nothing at all is written.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import NamedTuple

from nicegui import Event

from models.accounts import AdminIdentity
from models.approvals import PlanDigest
from models.errors import (
    ApprovalNeeded,
    AuthkeysError,
    DatabaseUnavailable,
    DuplicateAuthkey,
    NotAllowed,
    PlanOutdated,
    RowNotFound,
    SubmissionRefused,
)
from models.four_eyes import OFF, FourEyes, Stakes, refusal, stakes_of
from models.history import Written
from models.plans import KEEP_REMOVED, Plan, Rows, decide
from models.subjects import Subject
from models.submissions import Change, Conflict, Source, inverse
from models.tallies import SubmissionTally
from models.wording import count_of
from services.proofs import Proofs
from storage import accounts, authkey_plans, passphrase_plans, passphrases, staging, submissions
from storage.transactions import Connection, run_transaction

_CHUNK = 2_500
_CAUSES: dict[type[Exception], str] = {
    SubmissionRefused: "conflict",
    DuplicateAuthkey: "conflict",
    RowNotFound: "conflict",
    NotAllowed: "not_allowed",
    DatabaseUnavailable: "database",
    # Somebody was faster: the caller tries again, or says so.
    staging.StagingOutdated: "overtaken",
    passphrases.PassphraseOutdated: "overtaken",
    AuthkeysError: "refused",
    Exception: "mistake",
}
CAUSES = frozenset(_CAUSES.values())
"""Why a submission failed, as it is counted"""
_PLANS = {Subject.AUTHKEY: authkey_plans, Subject.PASSPHRASE: passphrase_plans}

Progress = Callable[[int, int], None]
"""Told how many of how many changes are done."""


Also = Callable[[Connection], Awaitable[None]]
"""Runs in the same transaction, before its commit"""


class Approver(NamedTuple):
    """The other admin who approves what is submitted."""

    admin: AdminIdentity
    seen: str
    """`PlanDigest` of the plan that was shown: another one is not submitted"""


class Order(NamedTuple):
    """What shall be submitted. At most one change for each row."""

    uuid: uuid.UUID
    """Made by the caller, once for what the admin sees as one submission: repeating the order does it once."""
    admin: AdminIdentity
    source: Source
    changes: Sequence[Change]
    subject: Subject = Subject.AUTHKEY
    """The rows of what the changes are about"""
    address: str = ""
    """From where it came, if not from a page"""
    detail: str = ""
    """What else the history shall say of it"""
    session_id: int | None = None
    """In which session it was asked for, if in one: who grants Manage Authkeys may have to prove anew who it is"""
    approver: Approver | None = None
    by_operator: bool = False
    """Of who works on the server's own files: four eyes are the operator's wish, and bind the admins"""


class Receipt(NamedTuple):
    """What was applied. `revision` is None if everything was already so and nothing had to be written."""

    revision: int | None
    change_count: int
    key_count: int
    approval: int | None = None
    """The number of the approval that all of it waits for: nothing was applied yet"""


class _Rules(NamedTuple):
    """What the operator wants, beyond rights."""

    four_eyes: FourEyes
    proofs: Proofs


class Submissions:
    """Applies submissions and undoes them."""

    def __init__(self, four_eyes: FourEyes = OFF, proofs: Proofs | None = None) -> None:
        self.four_eyes = four_eyes
        """Which submissions another admin must approve"""
        self._rules = _Rules(four_eyes, proofs or Proofs())
        self.committed = Event[[]]()
        """Something was committed by this process; the change feed has something to read."""
        self.first_told: list[Callable[[set[int]], None]] = []
        """Called with the changed authkeys right after a commit, before it is confirmed to anybody."""
        self.tally = SubmissionTally()

    async def submit(
        self,
        order: Order,
        *,
        on_progress: Progress | None = None,
        also: Also | None = None,
    ) -> Receipt:
        """Apply all changes of the order in one transaction, or none.

        `also` runs in the same transaction, before its commit. Raises SubmissionRefused on a conflict, DuplicateAuthkey
        if a new (ip, service) is taken, ApprovalNeeded if another admin must approve it, PlanOutdated if one approved
        something else, NotAllowed, FactorNeeded, AuthkeyNotFound if what shall be restored is no longer kept, and
        DatabaseUnavailable; after the latter the same order may be submitted again.
        """
        if not order.changes:
            return Receipt(None, 0, 0)
        began = perf_counter()
        try:
            receipt = await self._commit(order, on_progress, also)
        except Exception as error:
            self.tally.failed[_cause(error)] += 1
            raise
        if receipt.revision is not None:
            self.tally.commit(order.source, perf_counter() - began)
        self.committed.emit()
        return receipt

    async def _commit(
        self,
        order: Order,
        on_progress: Progress | None,
        also: Callable[[Connection], Awaitable[None]] | None,
    ) -> Receipt:
        touched: set[int] = set()

        def ended() -> None:
            for tell in self.first_told:
                tell(touched)

        try:
            return await run_transaction(
                lambda db: _apply(db, order, self._rules, on_progress, also, touched), in_order=True, ended=ended
            )
        except DatabaseUnavailable:
            # A commit that fails may have happened: look it up instead of guessing.
            known = await self.receipt_of(order.uuid)
            if known is None:
                raise
            return known

    async def receipt_of(self, submission_uuid: uuid.UUID) -> Receipt | None:
        """The receipt of a submission that was committed, or None."""
        found = await submissions.find(submission_uuid)
        return Receipt(*found) if found else None

    async def undo(
        self, revision: int, admin: AdminIdentity, submission_uuid: uuid.UUID, session_id: int | None = None
    ) -> Receipt:
        """Submit the inverse of a submission. Raises like `submit`."""
        done = (await submissions.modifications([revision]))[revision]
        changes = [inverse(modification, revision) for modification in done]
        subject = done[0].subject if done else Subject.AUTHKEY
        kept = [change for change in changes if change is not None]
        return await self.submit(Order(submission_uuid, admin, Source.UNDO, kept, subject, session_id=session_id))

    async def purge_removed(self, now: datetime | None = None) -> None:
        """Forget what can no longer be undone: removed authkeys with their uses, and secrets replaced as long ago."""
        await submissions.purge((now or datetime.now(UTC)) - KEEP_REMOVED)


async def _apply(
    db: Connection,
    order: Order,
    rules: _Rules,
    on_progress: Progress | None,
    also: Also | None,
    touched: set[int],
) -> Receipt:
    if repeated := await submissions.find(order.uuid, db):
        return Receipt(*repeated)
    await _require_right(db, order)
    approver_id = order.approver.admin.id if order.approver else None
    begun = await submissions.begin(
        db, order.uuid, order.admin.id, order.source, order.subject, datetime.now(UTC), approver_id
    )
    seen = _Seen(order, rules.four_eyes)
    change_count = key_count = done = 0
    written = Written()
    conflicts: dict[int, Conflict] = {}
    async for chunk, plan, rows in plans_for(db, order.subject, order.changes):
        seen.see(plan, rows)
        conflicts |= plan.conflicts
        await rules.proofs.require_for_plan(db, plan, order.source, order.session_id)
        if not conflicts:
            await _PLANS[order.subject].write(db, plan, begun.revision, written)
        change_count, key_count = change_count + plan.change_count, key_count + plan.key_count
        if order.subject is Subject.AUTHKEY:
            touched.update(modification.row_id for modification in plan.modifications)
        done += len(chunk)
        if on_progress:
            on_progress(done, len(order.changes))
    seen.require_shown(key_count)
    if conflicts:
        raise _refusal(conflicts, order.subject)
    seen.require_approval()
    if also:
        await also(db)
    await submissions.end(db, begun, change_count, key_count, written, order.address, order.detail)
    return Receipt(begun.revision, change_count, key_count) if key_count else Receipt(None, 0, 0)


def _cause(error: Exception) -> str:
    return next(cause for kind, cause in _CAUSES.items() if isinstance(error, kind))


async def plans_for(
    db: Connection, subject: Subject, changes: Sequence[Change]
) -> AsyncIterator[tuple[Sequence[Change], Plan, Rows]]:
    """What these changes would do to the rows as they are now, in parts: so it is written, and so it is shown. Raises like `decide`."""
    for chunk in _chunks(changes):
        rows = await _PLANS[subject].rows_for(db, chunk)
        yield chunk, decide(chunk, rows), rows


class _Seen:
    """What a submission comes to, as far as somebody else has to see it."""

    def __init__(self, order: Order, four_eyes: FourEyes) -> None:
        self._order, self._four_eyes = order, four_eyes
        is_free = order.by_operator or order.approver or order.source is Source.REGISTERED  # the phrase was approved
        self._is_bound = four_eyes.is_on and not is_free
        self._stakes, self._digest = Stakes(), PlanDigest()

    def see(self, plan: Plan, rows: Rows) -> None:
        """This is the next part of it."""
        if self._is_bound:
            self._stakes = self._stakes.plus(stakes_of(plan, rows))
        if self._order.approver:
            self._digest.add(plan)

    def require_shown(self, key_count: int) -> None:
        """Raise PlanOutdated if it is another one than what the approver was shown."""
        approver = self._order.approver
        if approver and (approver.seen != self._digest.text() or not key_count):
            raise PlanOutdated(
                "Nothing was approved: somebody changed these rows a moment ago, so it would do something else now than "
                "what you were shown. Look at it again."
            )

    def require_approval(self) -> None:
        """Raise ApprovalNeeded if another admin must approve it."""
        if self._is_bound and self._stakes.need_another(self._four_eyes):
            order = self._order
            raise ApprovalNeeded(refusal(self._stakes, self._four_eyes, order.subject, order.source))


async def _require_right(db: Connection, order: Order) -> None:
    if order.approver is None:
        await accounts.require_change(db, order.admin.id)
        return
    if order.approver.admin.id == order.admin.id:
        raise NotAllowed("Nobody approves what they asked for themselves. Another admin must.")
    await accounts.require_change(db, order.approver.admin.id)
    try:
        await accounts.require_change(db, order.admin.id)
    except NotAllowed:
        raise NotAllowed(
            f"{order.admin.name} may no longer change anything, so this cannot be approved any more. Reject it: then it is "
            "among what they have staged."
        ) from None


def _chunks(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    return (changes[first : first + _CHUNK] for first in range(0, len(changes), _CHUNK))


def _refusal(conflicts: dict[int, Conflict], subject: Subject) -> SubmissionRefused:
    were = "was" if len(conflicts) == 1 else "were"
    return SubmissionRefused(
        f"Nothing was submitted: {count_of(subject, len(conflicts))} {were} changed or removed by somebody else in the meantime. "
        f"Your staged changes are kept; the review shows what you can do.",
        tuple(conflicts),
    )
