"""Every statement about approvals: what waits for another admin, what it holds, and what became of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from models.approvals import Approval, ApprovalState, entries_in
from models.errors import ApprovalClosed
from models.staged_rows import StagedRow
from models.subjects import Subject
from models.tables import Admin, ApprovalPart
from models.tables import Approval as ApprovalTable
from storage.database import database_errors, reader
from storage.history import time_of
from storage.sql import parameters
from storage.transactions import Connection

_COLUMNS = (
    "approval.id, approval.uuid, approval.admin_id, admin.name, approval.subject, approval.asked_at, approval.revision, "
    "approval.change_count, approval.row_count, approval.summary, approval.state, approval.decider_id, decider.name, "
    "approval.decided_at, approval.reason, entry.number"
)
_FROM = (
    "approval JOIN admin ON admin.id = approval.admin_id LEFT JOIN admin AS decider ON decider.id = approval.decider_id "
    "LEFT JOIN submission ON submission.uuid = approval.uuid LEFT JOIN entry ON entry.submission_id = submission.id"
)


# -- reading -------------------------------------------------------------------------------------------------------------


async def waiting() -> list[Approval]:
    """All that wait, oldest first."""
    return await _read(f"WHERE approval.state = '{ApprovalState.WAITING}' ORDER BY approval.id")


async def decided(limit: int) -> list[Approval]:
    """What was decided last, newest first."""
    return await _read(
        f"WHERE approval.state <> '{ApprovalState.WAITING}' ORDER BY approval.decided_at DESC, approval.id DESC LIMIT {int(limit)}"
    )


async def by_number(numbers: Sequence[int]) -> dict[int, Approval]:
    """Those with these numbers."""
    if not numbers:
        return {}
    found = await _read(f"WHERE approval.id IN ({parameters(len(numbers))})", numbers)
    return {each.number: each for each in found}


async def entries_of(number: int) -> dict[int, StagedRow]:
    """The staged changes that it holds, as they were when it was asked."""
    with database_errors():
        parts = await ApprovalPart.filter(approval_id=number).using_db(reader()).order_by("number")
    entries: dict[int, StagedRow] = {}
    for part in parts:
        entries |= entries_in(part.entries)
    return entries


async def others_who_come_in(admin_id: int) -> bool:
    """Whether anybody else can sign in, with a password or at the provider, and approve something."""
    known = Q(password_hash__isnull=False) | Q(identities__id__isnull=False)
    others = Admin.filter(known, role="admin", disabled=False).exclude(id=admin_id)
    with database_errors():
        return await others.using_db(reader()).exists()


async def _read(rest: str, values: Sequence[Any] = ()) -> list[Approval]:
    with database_errors():
        _, rows = await reader().execute_query(f"SELECT {_COLUMNS} FROM {_FROM} {rest}", list(values))
    return [_approval(*tuple(row)) for row in rows]


def _approval(number: int, uuid: Any, admin_id: int, name: str, subject: str, asked_at: Any, *rest: Any) -> Approval:
    revision, changes, row_count, summary, state, decider_id, decider, decided_at, reason, entry = rest
    return Approval(
        number, uuid, admin_id, name, Subject(subject), time_of(asked_at), revision, changes, row_count, summary,
        ApprovalState(state), decider_id, decider or "", decided_at and time_of(decided_at), reason, entry,
    )  # fmt: skip


# -- writing, within a transaction ---------------------------------------------------------------------------------------


async def insert(db: Connection, asked: Approval, parts: Iterable[str]) -> int:
    """Put what an admin asks for, with its staged changes in parts; returns its number, which is not that in `asked`."""
    row = await ApprovalTable.create(
        uuid=asked.uuid,
        admin_id=asked.admin_id,
        subject=asked.subject,
        asked_at=asked.asked_at,
        revision=asked.revision,
        change_count=asked.change_count,
        row_count=asked.row_count,
        summary=asked.summary,
        state=asked.state,
        using_db=db,
    )
    for number, text in enumerate(parts):
        await ApprovalPart.create(approval_id=row.id, number=number, entries=text, using_db=db)
    return int(row.id)


async def number_of(db: Connection, uuid: UUID) -> int | None:
    """The number of the one with this id."""
    row = await ApprovalTable.filter(uuid=uuid).using_db(db).first()
    return int(row.id) if row else None


async def decide(
    db: Connection, number: int, state: ApprovalState, decider_id: int | None, reason: str, at: datetime
) -> None:
    """It waits no more. Raises ApprovalClosed if it did not wait, so that of two decisions one counts."""
    this = ApprovalTable.filter(id=number, state=ApprovalState.WAITING.value).using_db(db)
    if await this.update(state=state.value, decider_id=decider_id, reason=reason, decided_at=at) != 1:
        raise ApprovalClosed(f"Approval {number} was decided or withdrawn a moment ago. Nothing was changed by you.")


async def forget_entries(db: Connection, number: int) -> None:
    """Its staged changes are kept elsewhere now."""
    await ApprovalPart.filter(approval_id=number).using_db(db).delete()
