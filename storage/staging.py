"""Every statement about staged changes of authkeys: entries, steps that can be undone, and the version of each admin's.

Each step raises the admin's `staging_version` in its transaction: who finds a newer one than the own has missed something.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby, islice
from typing import Any, NamedTuple

from models.accounts import Role
from models.staged_changes import NOTHING, Entry, StagedChanges, Step
from models.staging_steps import StepChanges, from_text, reachable, to_texts
from models.tables import Admin, StagedChange, StagingStep
from storage.database import database_errors, reader
from storage.sql import parameters
from storage.transactions import Connection, run_transaction

_PORTION = 5_000
"""Entries that are written at once."""

WhoStaged = Mapping[int, Mapping[int, str]]
"""By authkey: the admins who have staged something for it, by id, with their names."""


class Outdated(Exception):
    """Another process staged something for the same admin since this one looked."""


class Version(NamedTuple):
    """How many steps an admin has taken, and what the admin may do."""

    admin_id: int
    number: int
    role: Role


# -- reading -------------------------------------------------------------------------------------------------------------


async def versions() -> list[Version]:
    """Of all admins."""
    with database_errors():
        rows = await Admin.all().using_db(reader()).values_list("id", "staging_version", "role")
    return [Version(admin_id, number, Role(role)) for admin_id, number, role in rows]


async def version_of(admin_id: int) -> Version:
    """Of one admin."""
    with database_errors():
        admin = await Admin.filter(id=admin_id).using_db(reader()).get()
    return Version(admin.id, admin.staging_version, Role(admin.role))


async def entries_of(admin_id: int) -> dict[int, Entry]:
    """What an admin has staged, by authkey."""
    with database_errors():
        rows = (
            await StagedChange.filter(admin_id=admin_id)
            .using_db(reader())
            .values_list("authkey_id", "grants", "revocations", "removal", "revision")
        )
    return {row[0]: Entry(row[1], row[2], bool(row[3]), row[4]) for row in rows}


async def steps_of(admin_id: int) -> Collection[Step]:
    """The steps that this admin can undo or redo."""
    with database_errors():
        rows = (
            await StagingStep.filter(admin_id=admin_id)
            .using_db(reader())
            .order_by("number", "part")
            .values_list("number", "undone", "entries")
        )
    steps = []
    for (number, undone), parts in groupby(rows, key=lambda row: (row[0], bool(row[1]))):
        entries = {}
        for _, _, text in parts:
            entries.update(from_text(text) if text else {})
            await asyncio.sleep(0)  # other pages have their turn
        steps.append(Step(number, undone, entries))
    return reachable(steps)


async def who_staged(authkey_ids: Iterable[int]) -> WhoStaged:
    """Who has staged something for these authkeys."""
    who: dict[int, dict[int, str]] = {}
    ids = list(authkey_ids)
    if ids:
        # Not by the ORM, which takes three times as long: every block asks this.
        query = (
            "SELECT authkey_id, admin_id, name FROM staged_change JOIN admin ON admin.id = admin_id "
            f"WHERE authkey_id IN ({parameters(len(ids))})"
        )
        with database_errors():
            _, rows = await reader().execute_query(query, ids)
        for authkey_id, admin_id, name in rows:
            who.setdefault(authkey_id, {})[admin_id] = name
    return who


# -- writing -------------------------------------------------------------------------------------------------------------


async def store(
    admin_id: int, seen: int, after: StagedChanges, authkey_ids: Collection[int], steps: StepChanges
) -> None:
    """Write one step: the entries of these authkeys, and the steps. Raises Outdated if `seen` is not the newest version."""

    async def write(db: Connection) -> None:
        await _raise_version(db, admin_id, seen)
        for some in _portions(authkey_ids):
            await _delete(db, admin_id, [id_ for id_ in some if after[id_] == NOTHING])
            await _upsert(db, [[admin_id, id_, *after[id_]] for id_ in some if after[id_] != NOTHING])
        await _store_steps(db, admin_id, steps)

    await run_transaction(write)


async def clear(db: Connection, admin_id: int, seen: int) -> None:
    """After a submission, in its transaction: nothing is staged, nor to be undone. Raises Outdated like `store`."""
    await _raise_version(db, admin_id, seen)
    await StagedChange.filter(admin_id=admin_id).using_db(db).delete()
    await StagingStep.filter(admin_id=admin_id).using_db(db).delete()


async def _raise_version(db: Connection, admin_id: int, seen: int) -> None:
    count = await Admin.filter(id=admin_id, staging_version=seen).using_db(db).update(staging_version=seen + 1)
    if count != 1:
        raise Outdated


def _portions(ids: Iterable[int]) -> Iterator[list[int]]:
    remaining = iter(ids)
    while some := list(islice(remaining, _PORTION)):
        yield some


async def _delete(db: Connection, admin_id: int, authkey_ids: list[int]) -> None:
    if authkey_ids:
        await StagedChange.filter(admin_id=admin_id, authkey_id__in=authkey_ids).using_db(db).delete()


async def _upsert(db: Connection, rows: list[list[Any]]) -> None:
    if rows:
        await db.execute_many(
            "INSERT INTO staged_change (admin_id, authkey_id, grants, revocations, removal, revision) "
            f"VALUES ({parameters(6)}) ON CONFLICT (admin_id, authkey_id) DO UPDATE SET grants = excluded.grants, "
            "revocations = excluded.revocations, removal = excluded.removal, revision = excluded.revision",
            rows,
        )


async def _store_steps(db: Connection, admin_id: int, changes: StepChanges) -> None:
    if changes.new or changes.gone:
        # Not only those that went just now: a step that was found to do nothing when it was loaded is still stored.
        mine = StagingStep.filter(admin_id=admin_id).using_db(db)
        await (mine.exclude(number__in=changes.kept) if changes.kept else mine).delete()
    for step in changes.new:
        for part, text in enumerate(to_texts(step)):
            await db.execute_many(
                f"INSERT INTO staging_step (admin_id, number, part, undone, entries) VALUES ({parameters(5)})",
                [[admin_id, step.number, part, step.undone, text]],
            )
    for undone in (True, False):
        if numbers := [step.number for step in changes.turned if step.undone is undone]:
            await StagingStep.filter(admin_id=admin_id, number__in=numbers).using_db(db).update(undone=undone)
