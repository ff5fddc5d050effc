"""Approvals: staged changes that wait until another admin has seen the same plan, and what happened to their rows meanwhile."""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from models.history import Change as Done
from models.plans import Plan, texts_of
from models.privileges import privileges_in
from models.staged_rows import NOTHING, StagedRow, change_of
from models.staging_steps import ENTRIES_IN_A_PART, Step, from_text
from models.staging_steps import to_texts as step_to_texts
from models.subjects import Subject
from models.submissions import Change, Kind, Modification, NewPassphrase
from models.wording import changes_to

EXPIRES_AFTER = timedelta(days=7)
"""What nobody has approved by then goes back to who asked."""
MAX_REASON_LENGTH = 300
"""Characters"""


class ApprovalState(StrEnum):
    """What became of it."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """By who asked"""
    EXPIRED = "expired"


class Approval(NamedTuple):
    """Something that waits for another admin, or did."""

    number: int
    uuid: uuid.UUID
    """That of the submission, once it is approved"""
    admin_id: int
    admin_name: str
    """Who asked"""
    subject: Subject
    asked_at: datetime
    revision: int
    """The newest submission when it was asked"""
    change_count: int
    row_count: int
    summary: str
    """What it came to when it was asked"""
    state: ApprovalState = ApprovalState.WAITING
    decider_id: int | None = None
    decider_name: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    entry: int | None = None
    """The entry of the history that tells of its submission"""

    @property
    def is_waiting(self) -> bool:
        """Whether it can still be decided."""
        return self.state is ApprovalState.WAITING

    @property
    def size(self) -> str:
        """`3 changes to 2 keys`."""
        return changes_to(self.subject, self.change_count, self.row_count)

    @property
    def said(self) -> str:
        """What became of it, in a sentence."""
        by = self.decider_name or "somebody"
        match self.state:
            case ApprovalState.WAITING:
                return "It waits for another admin."
            case ApprovalState.APPROVED:
                return f"Approved by {by}."
            case ApprovalState.REJECTED:
                return f"Rejected by {by}: {self.reason}"
            case ApprovalState.WITHDRAWN:
                return f"Withdrawn by {by}."
            case ApprovalState.EXPIRED:
                return f"It waits no more: {self.reason or f'nobody approved it within {EXPIRES_AFTER.days} days'}."


# -- what it holds -------------------------------------------------------------------------------------------------------


def to_texts(entries: Mapping[int, StagedRow]) -> Iterator[str]:
    """Staged changes as they are stored, in parts, however many they are."""
    remaining = iter(entries.items())
    while some := dict(islice(remaining, ENTRIES_IN_A_PART)):
        yield from step_to_texts(Step(0, False, {id_: (NOTHING, entry) for id_, entry in some.items()}))


def entries_in(text: str) -> dict[int, StagedRow]:
    """The staged changes of one part."""
    return {id_: after for id_, (_, after) in from_text(text).items()}


def without_new_secrets(entries: Mapping[int, StagedRow]) -> dict[int, StagedRow]:
    """As it is approved: a secret that nobody would be shown is not made. Who asked issues the keys afterwards."""
    return {
        id_: entry._replace(new=entry.new._replace(issues=False)) if entry.new else entry
        for id_, entry in entries.items()
    }


def changes_of(entries: Mapping[int, StagedRow]) -> list[Change]:
    """What a submission of these asks for."""
    return [change_of(id_, entry) for id_, entry in entries.items()]


class PlanDigest:
    """Tells whether two plans do the same to the same rows: the one that was shown, and the one that is about to be written."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, plan: Plan) -> None:
        """Go on with the next part."""
        done = [(*each[:7], [list(text) for text in each.texts]) for each in plan.modifications]
        new = [
            each.digest if isinstance(each, NewPassphrase) else (each.ip, each.service, list(map(list, texts_of(each))))
            for each in plan.new
        ]
        granted = [each.privileges for each in plan.new]
        conflicts = [(id_, each.kind.value, each.revision) for id_, each in sorted(plan.conflicts.items())]
        self._hash.update(json.dumps([done, new, granted, conflicts]).encode())

    def text(self) -> str:
        """Of all parts."""
        return self._hash.hexdigest()


# -- what happened since -------------------------------------------------------------------------------------------------


class Since(NamedTuple):
    """Something that was done to one of its rows since it was asked."""

    ip: str
    service: str
    text: str
    """`lee granted Search for a License meanwhile, in #412`"""
    settles: bool
    """Whether a change that waits needs no approval any more, or can have none"""


def told_since(entries: Mapping[int, StagedRow], later: Mapping[int, Sequence[Done]], most: int) -> list[Since]:
    """Line by line what was done to these rows since, oldest first; at most so many lines."""
    lines = (_since(entries[id_], each) for id_, some in sorted(later.items()) for each in some)
    return list(islice(lines, most))


def _since(entry: StagedRow, later: Done) -> Since:
    done = later.done
    turned_on, turned_off = done.after & ~done.before, done.before & ~done.after
    same = entry.grants & turned_on | entry.revocations & turned_off if done.alters_row else 0
    gone = done.kind is Kind.REMOVED
    end = ""
    if gone and entry.removal:
        end = ": nothing is left to do"
    elif gone:
        end = ": what waits for it cannot be approved"
    elif same:
        end = f": {', '.join(each.label for each in privileges_in(same))} needs no approval any more"
    text = f"{later.admin_name} {_did(done)} meanwhile, in #{later.number}{end}"
    return Since(done.ip, done.service, text, bool(gone or same))


_WHOLE = {
    Kind.REMOVED: "removed it",
    Kind.ADDED: "added it",
    Kind.RESTORED: "restored it",
    Kind.REGISTERED: "let its server register it",
}


def _did(done: Modification) -> str:
    if done.kind in _WHOLE:
        return _WHOLE[done.kind]
    parts = [
        *([f"granted {_labels(done.after & ~done.before)}"] if done.after & ~done.before else []),
        *([f"revoked {_labels(done.before & ~done.after)}"] if done.before & ~done.after else []),
        *(f"changed its {each.name}" for each in done.texts),
        *(["issued a new key for it"] if done.kind is Kind.REKEYED else []),
        *(["let its server register again"] if done.kind is Kind.REREGISTERED else []),
    ]
    return " and ".join(parts) or "touched it"


def _labels(mask: int) -> str:
    return ", ".join(each.label for each in privileges_in(mask))
