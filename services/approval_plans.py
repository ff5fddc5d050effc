"""The plan that an approval comes to now: the same that its submission would write, line by line, with what happened since."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models.addresses import sort_key
from models.approvals import Approval, PlanDigest, Since, changes_of, told_since, without_new_secrets
from models.errors import AuthkeysError, DatabaseError
from models.reviews import Folds, Groups, Heading, Outline, Position, grouped
from models.risks import StagedTotals, totals_of
from models.staged_changes import StagedChanges
from models.staged_rows import StagedRow
from models.subjects import Row, Subject
from models.texts import search_key
from models.wording import count_of
from services.reviewed import ReviewPart, reviewed_rows
from services.staging import Staging
from services.submissions import plans_for
from storage import accounts, approvals, authkeys, history_views, passphrases, submissions
from storage.database import reader

TOLD_SINCE = 200
"""Lines about what happened since"""
_REMEMBERED = 8

Names = Mapping[int, tuple[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class ApprovalPlan:
    """What approving would do now."""

    approval: Approval
    entries: Mapping[int, StagedRow]
    """As they were asked for"""
    staged: StagedChanges
    """What is left of that to be done"""
    found: Mapping[int, Row]
    """The rows that are in force, of those that it is about"""
    names: Names
    in_order: list[int]
    since: list[Since]
    digest: str
    """`PlanDigest`: what is approved is this plan and no other"""
    problem: str
    """Why it cannot be approved as it is; empty if it can"""

    @property
    def totals(self) -> StagedTotals:
        """What it comes to."""
        return totals_of(self.staged)


class ApprovalPlans:
    """Makes them, and remembers some: a browser asks for the lines of one part by part. Raises DatabaseUnavailable."""

    def __init__(self, stagings: Mapping[Subject, Staging[Any]]) -> None:
        self._stagings = stagings
        self._made: OrderedDict[tuple[int, int], asyncio.Task[ApprovalPlan]] = OrderedDict()

    async def of(self, approval: Approval) -> ApprovalPlan:
        """The plan of one that waits."""
        key = (approval.number, await submissions.newest())
        task = self._made.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._made[key] = asyncio.create_task(self._make(approval))
            while len(self._made) > _REMEMBERED:
                self._made.popitem(last=False)
        return await asyncio.shield(task)

    async def part(self, approval: Approval, search: str, folds: Folds, start: int, end: int) -> ReviewPart:
        """What stands at the positions from `start` to `end` (exclusive) of what matches a search."""
        plan = await self.of(approval)
        groups = await asyncio.to_thread(_groups, plan, search)
        outline = Outline(groups, folds)
        lines = outline.part(start, end)
        positions = {each.row_id: each for each in lines if isinstance(each, Position)}
        rows = await reviewed_rows(approval.subject, plan.staged, positions, plan.found)
        named = [
            each if isinstance(each, Heading) else _named(rows[each.row_id], plan.names.get(each.row_id))
            for each in lines
        ]
        return ReviewPart(outline.length, outline.row_count, named)

    async def _make(self, approval: Approval) -> ApprovalPlan:
        entries = without_new_secrets(await approvals.entries_of(approval.number))
        staged, found = await self._stagings[approval.subject].as_now(entries)
        stored = [id_ for id_ in entries if id_ > 0]
        names = {id_: (row.ip, row.service) for id_, row in found.items()}
        names |= {id_: (each.new.ip, each.new.service) for id_, each in entries.items() if each.new}
        names |= await _former_names(approval.subject, [id_ for id_ in stored if id_ not in found])
        later = await history_views.changes_after(approval.subject, approval.revision, stored)
        digest, problem = await _decided(approval, entries)
        return ApprovalPlan(
            approval,
            entries,
            staged,
            found,
            names,
            sorted(entries, key=lambda id_: _order(names.get(id_, ("", "")), id_)),
            told_since(entries, later, TOLD_SINCE),
            digest,
            await _of_who_asked(approval) or problem,
        )


async def _decided(approval: Approval, entries: Mapping[int, StagedRow]) -> tuple[str, str]:
    """The digest of the plan, and why it cannot be written."""
    digest, count, conflicts = PlanDigest(), 0, 0
    try:
        async for _, plan, _ in plans_for(reader(), approval.subject, changes_of(entries)):
            digest.add(plan)
            count, conflicts = count + plan.key_count, conflicts + len(plan.conflicts)
    except DatabaseError:
        raise
    except AuthkeysError as error:
        return "", str(error)
    if conflicts:
        were = f"{count_of(approval.subject, conflicts)} {'was' if conflicts == 1 else 'were'}"
        back = f"Reject it, or let {approval.admin_name} withdraw it: then they can decide."
        return "", f"{were} changed or removed by somebody else since it was asked. {back}"
    return digest.text(), "" if count else "All of it is in force already: nothing is left to approve."


async def _of_who_asked(approval: Approval) -> str:
    account = await accounts.find(approval.admin_name)
    if account is not None and not account.disabled and account.identity.may_change:
        return ""
    return f"{approval.admin_name} may no longer change anything, so nobody can approve this. Reject it."


async def _former_names(subject: Subject, ids: list[int]) -> Names:
    removed: Iterable[Row]
    if subject is Subject.AUTHKEY:
        removed = (await authkeys.removed(ids)).values()
    else:
        removed = (await passphrases.by_id(ids, removed_too=True)).values()
    return {row.id: (row.ip, row.service) for row in removed}


def _order(name: tuple[str, str], id_: int) -> tuple[bytes, str, int]:
    return (sort_key(name[0]) if name[0] else b"", search_key(name[1]), id_)


def _groups(plan: ApprovalPlan, search: str) -> Groups:
    words = search_key(search).split()
    in_order = plan.in_order
    if words:
        texts = {id_: search_key(" ".join(plan.names.get(id_, ()))) for id_ in in_order}
        in_order = [id_ for id_ in in_order if all(word in texts[id_] for word in words)]
    return grouped(plan.staged, in_order)


def _named(row: Any, name: tuple[str, str] | None) -> Any:
    return row._replace(ip=name[0], service=name[1]) if name else row
