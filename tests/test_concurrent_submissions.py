"""Two processes, each with its own admin, submit at random to the same authkeys at the same time."""

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from models.authkeys import Authkey
from models.errors import AuthkeyNotFound, DuplicateAuthkey, SubmissionRefused
from models.privileges import ALL_PRIVILEGES
from models.submissions import (
    Assignment,
    CellChange,
    Change,
    Kind,
    Modification,
    NewAuthkey,
    Removal,
    Restoration,
    inverse,
)
from models.tables import Admin, Submission
from services.console import Console
from services.submissions import Receipt
from storage.database import DatabaseLocation, reader
from tests.other_process import another_process
from tests.support import add_keys, all_keys, modifications, new_keys, removed_keys, submissions, submit
from tests.waiting import eventually

SUBMISSIONS = 100
KEYS = new_keys(20, ALL_PRIVILEGES & 0b10101)
REFUSALS = (SubmissionRefused, DuplicateAuthkey, AuthkeyNotFound)


class Done(NamedTuple):
    """A submission that was committed, and what it had been asked for: changes, or to undo another."""

    receipt: Receipt
    changes: Sequence[Change]
    undone: int | None = None


async def test_two_processes_at_once_come_to_what_one_after_the_other_would(
    console: Console, database: DatabaseLocation
) -> None:
    keys = await add_keys(console, *KEYS)
    (first,) = await submissions()
    async with another_process(database, "ada") as ada, another_process(database, "grace") as grace:
        working = asyncio.gather(ada.do(submit_at_random, Random("ada")), grace.do(submit_at_random, Random("grace")))
        seen = await watch(working, after=first)
        by_ada, by_grace = await working

    for done in (by_ada, by_grace):
        assert len(done) > SUBMISSIONS / 3, "most was refused: this proves little"
        assert strictly_increasing([each.receipt.revision for each in done]), (
            "each admin's submissions keep their order"
        )
    asked = sorted([*by_ada, *by_grace], key=lambda each: each.receipt.revision)
    assert [first, *(each.receipt.revision for each in asked)] == await submissions(), (
        "each is stored once, no other is"
    )
    assert seen == [each.receipt.revision for each in asked], "none became visible before an earlier one"

    ledger = Ledger(keys)
    for each in asked:
        stored = await modifications(each.receipt.revision)
        expected = ledger.enter(each, ids={(m.ip, m.service): m.row_id for m in stored if m.kind is Kind.ADDED})
        assert sorted(stored) == sorted(expected), f"what {each} did"
        assert each.receipt[1:3] == (sum(m.change_count for m in stored), len(stored))
    assert await all_keys() == ledger.keys
    assert await removed_keys() == ledger.removed


def strictly_increasing(numbers: Sequence[int]) -> bool:
    return list(numbers) == sorted(set(numbers))


async def watch(working: asyncio.Future, after: int) -> list[int]:
    """The revisions as they become visible to one who asks again and again for what is newer than the last."""
    seen = [after]
    while True:
        over = working.done()
        newer = Submission.filter(id__gt=seen[-1]).using_db(reader()).order_by("id")
        seen += [row.id for row in await newer]
        if over:
            return seen[1:]


# -- what each process does ----------------------------------------------------------------------------------------------


async def submit_at_random(console: Console, dice: Random) -> list[Done]:
    """Submit many times; returns what was committed."""
    done: list[Done] = []
    for number in range(SUBMISSIONS):
        # Both are rolled every time, so that the dice fall the same whatever the other process does.
        undo, changes = dice.random() < 0.15, random_changes(dice, await keys_by_name())
        try:
            if undo and done:
                undone = done[-1].receipt.revision
                done.append(Done(await console.submissions.undo(undone, console.admin, uuid.uuid4()), (), undone))
            else:
                done.append(Done(await submit(console, *changes), changes))
        except REFUSALS:
            pass
        if number == 0:
            await eventually(all_are_at_work)
    return [each for each in done if each.receipt.revision is not None]


async def keys_by_name() -> dict[tuple[str, str], Authkey]:
    return {(key.ip, key.service): key for key in (await all_keys()).values()}


def random_changes(dice: Random, keys: dict[tuple[str, str], Authkey]) -> list[Change]:
    """Requests for up to five authkeys: cells of those that exist, seldom their removal; the others are added."""
    return [
        random_change(dice.random(), dice.randint(0, ALL_PRIVILEGES), dice.randint(0, ALL_PRIVILEGES), name, keys)
        for name in dice.sample([(key.ip, key.service) for key in KEYS], dice.randint(1, 5))
    ]


def random_change(
    chance: float, one: int, two: int, name: tuple[str, str], keys: dict[tuple[str, str], Authkey]
) -> Change:
    if chance < 0.1:
        return Assignment(*name, one)
    if name not in keys:
        return NewAuthkey(*name, one)
    if chance < 0.25:
        return Removal(keys[name].id, keys[name].revision)
    return CellChange(keys[name].id, one, two & ~one)


async def all_are_at_work() -> bool:
    """Whether the test's admin and those of the two processes have submitted."""
    return await Admin.filter(submissions__id__gt=0).using_db(reader()).distinct().count() == 3


# -- what must have come of it -------------------------------------------------------------------------------------------


class Ledger:
    """The authkeys as they must be, worked out from the requests alone, one submission after the other."""

    def __init__(self, keys: Iterable[Authkey]) -> None:
        self.keys = {key.id: key for key in keys}
        self.removed: dict[int, Authkey] = {}
        self._entered: dict[int, list[Modification]] = {}

    def enter(self, done: Done, ids: dict[tuple[str, str], int]) -> list[Modification]:
        """The modifications that this submission must have made; `ids` are those of the authkeys that it added."""
        revision, changes = done.receipt.revision, done.changes
        if done.undone is not None:
            changes = [inverse(modification, done.undone) for modification in self._entered[done.undone]]
        each = [self._change(change, revision, ids) for change in changes]
        self._entered[revision] = [modification for modification in each if modification is not None]
        return self._entered[revision]

    def _change(self, change: Change, revision: int, ids: dict[tuple[str, str], int]) -> Modification | None:
        match change:
            case CellChange(id_, grants, revocations):
                return self._put(id_, self.keys[id_].privileges & ~revocations | grants, revision)
            case Removal(id_, seen_revision) if key := self.keys.pop(id_, None):
                assert key.revision <= seen_revision, "what changed since it was seen is not removed"
                self.removed[id_] = key._replace(revision=revision)
                return Modification(id_, Kind.REMOVED, key.ip, key.service, key.privileges, 0)
            case Restoration(id_):
                key = self.keys[id_] = self.removed.pop(id_)._replace(revision=revision)
                return Modification(id_, Kind.RESTORED, key.ip, key.service, 0, key.privileges)
            case Assignment(ip, service, privileges) if there := self._named(ip, service):
                return self._put(there.id, privileges, revision)
            case NewAuthkey(ip=ip, service=service, privileges=privileges) | Assignment(ip, service, privileges):
                assert self._named(ip, service) is None, "what exists is not added"
                id_ = ids[ip, service]
                self.keys[id_] = Authkey(id_, ip, service, privileges, revision)
                return Modification(id_, Kind.ADDED, ip, service, 0, privileges)
        return None

    def _put(self, id_: int, privileges: int, revision: int) -> Modification | None:
        key = self.keys[id_]
        if key.privileges == privileges:
            return None
        self.keys[id_] = key._replace(privileges=privileges, revision=revision)
        return Modification(id_, Kind.CHANGED, key.ip, key.service, key.privileges, privileges)

    def _named(self, ip: str, service: str) -> Authkey | None:
        return next((key for key in self.keys.values() if (key.ip, key.service) == (ip, service)), None)
