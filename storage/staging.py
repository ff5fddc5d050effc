"""Every statement about staged changes: entries, steps that can be undone, and the version of each admin's.

What an admin has staged for one subject is a desk. Each step raises the desk's version in its transaction: who finds a newer
one than the own has missed something.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any, NamedTuple

from models.accounts import Role
from models.addresses import sort_key
from models.amendments import Amendment, TextName
from models.marks import Marks, StagingNews
from models.presence import StagedSummary
from models.privileges import PRIVILEGES, privilege
from models.staged_changes import StagedChanges
from models.staged_rows import NOTHING, NewKey, StagedRow
from models.staging_steps import Step, StepChanges, from_text, reachable, to_texts
from models.subjects import Subject
from models.tables import Admin, StagedChange, StagingStep, StagingVersion
from models.texts import search_key
from models.views import View
from storage.authkeys import add_filters
from storage.database import database_errors, reader
from storage.sql import Conditions, parameters
from storage.transactions import Connection, notify, run_transaction

_PORTION = 5_000
"""Entries that are written at once."""

_NEW = ("ip", "service", "issues")

_BITS = " + ".join(f"((grants | revocations) >> {each.bit} & 1)" for each in PRIVILEGES)
# As `Amendment.to_text` writes it: within its texts a quotation mark stands behind a backslash.
_AMENDED = " + ".join(
    f"CASE WHEN amendment LIKE '{pattern}' THEN 1 ELSE 0 END"
    for pattern in ("[[%", *(f'%["{each}",%' for each in TextName))
)
CHANGE_COUNT = f"CASE WHEN removal OR restoration OR ip IS NOT NULL THEN 1 ELSE {_BITS} + {_AMENDED} END"
"""`StagedRow.change_count`"""

WhoStaged = Mapping[int, Mapping[int, str]]
"""By row: the admins who have staged something for it, by id, with their names."""


class StagingOutdated(Exception):
    """Another process staged something for the same admin since this one looked."""


class DeskKey(NamedTuple):
    """Whose staged changes, and for the rows of what."""

    admin_id: int
    subject: Subject


class Version(NamedTuple):
    """How many steps an admin has taken for a subject, and who the admin is."""

    admin_id: int
    subject: Subject | None
    """None for who has never staged anything"""
    number: int
    name: str
    role: Role


# -- reading -------------------------------------------------------------------------------------------------------------


async def versions() -> list[Version]:
    """Of all admins, for all subjects."""
    query = (
        "SELECT admin.id, subject, COALESCE(number, 0), name, role FROM admin "
        "LEFT JOIN staging_version ON staging_version.admin_id = admin.id"
    )
    with database_errors():
        _, rows = await reader().execute_query(query)
    return [
        Version(id_, Subject(subject) if subject else None, number, name, Role(role))
        for id_, subject, number, name, role in rows
    ]


async def version_of(desk: DeskKey) -> Version:
    """Of one admin."""
    with database_errors():
        admin = await Admin.filter(id=desk.admin_id).using_db(reader()).get()
        version = await StagingVersion.filter(**desk._asdict()).using_db(reader()).first()
    return Version(admin.id, desk.subject, version.number if version else 0, admin.name, Role(admin.role))


async def entries_of(desk: DeskKey) -> dict[int, StagedRow]:
    """What an admin has staged, by row."""
    return await _entries(desk)


async def first_entries(desk: DeskKey, count: int) -> dict[int, StagedRow]:
    """Some of that: of the rows with the lowest numbers."""
    return await _entries(desk, f"ORDER BY row_id LIMIT {int(count)}")


async def summaries(admin_ids: Collection[int]) -> list[StagedSummary]:
    """How much each of these admins has staged, where it is anything."""
    query = (
        f"SELECT admin_id, subject, sum({CHANGE_COUNT}), count(*) FROM staged_change "
        f"WHERE admin_id IN ({parameters(len(admin_ids))}) GROUP BY admin_id, subject ORDER BY admin_id, subject"
    )
    versions = StagingVersion.filter(admin_id__in=list(admin_ids)).using_db(reader())
    with database_errors():
        _, rows = await reader().execute_query(query, list(admin_ids))
        times = {
            (id_, subject): at for id_, subject, at in await versions.values_list("admin_id", "subject", "staged_at")
        }
    return [
        StagedSummary(id_, Subject(subject), int(change_count), key_count, times.get((id_, subject)))
        for id_, subject, change_count, key_count in rows
    ]


async def _entries(desk: DeskKey, which: str = "") -> dict[int, StagedRow]:
    # Past the ORM's conversions: there may be as many as there are keys.
    columns = ", ".join(("row_id", "amendment", "grants", "revocations", "removal", "revision", "restoration", *_NEW))
    query = f"SELECT {columns} FROM staged_change WHERE admin_id = {int(desk.admin_id)} AND subject = '{desk.subject.value}' {which}"
    with database_errors():
        _, rows = await reader().execute_query(query)
    return {
        id_: StagedRow(
            grants, revocations, bool(removal), revision, bool(restoration), _new(*new), Amendment.from_text(text)
        )
        for id_, text, grants, revocations, removal, revision, restoration, *new in map(tuple, rows)
    }


def _new(ip: str | None, service: str | None, issues: bool) -> NewKey | None:
    return None if ip is None or service is None else NewKey(ip, service, bool(issues))


async def steps_of(desk: DeskKey) -> Collection[Step]:
    """The steps that this admin can undo or redo."""
    with database_errors():
        rows = (
            await StagingStep.filter(**desk._asdict())
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


async def who_staged(subject: Subject, row_ids: Iterable[int]) -> WhoStaged:
    """Who has staged something for these rows."""
    who: dict[int, dict[int, str]] = {}
    ids = [id_ for id_ in row_ids if id_ > 0]  # under the others each admin has own rows
    if ids:
        # Not by the ORM, which takes three times as long: every block asks this.
        query = (
            "SELECT row_id, admin_id, name FROM staged_change JOIN admin ON admin.id = admin_id "
            f"WHERE subject = '{subject.value}' AND row_id IN ({parameters(len(ids))})"
        )
        with database_errors():
            _, rows = await reader().execute_query(query, ids)
        for row_id, admin_id, name in rows:
            who.setdefault(row_id, {})[admin_id] = name
    return who


async def additions(desk: DeskKey, view: View, start: int, count: int) -> list[tuple[int, NewKey]]:
    """The authkeys that an admin wants made, with their numbers, as a view has them: searched, filtered and sorted like those that there are."""
    where = _additions_in(desk, view)
    keys = ["service_key", "ip_key"] if view.sort == "service" else ["ip_key", "service_key"]
    order = [*keys, "row_id DESC"]
    if view.sort not in view.columns:
        order = [f"grants & {privilege(view.sort).mask} {'' if view.descending else 'DESC'}", *order]
    elif view.descending:
        order = [*(f"{key} DESC" for key in keys), "row_id"]
    query = f"SELECT row_id, {', '.join(_NEW)} FROM staged_change {where} ORDER BY {', '.join(order)} "
    with database_errors():
        _, rows = await reader().execute_query(f"{query} LIMIT {int(count)} OFFSET {int(start)}", where.values)
    found = [(row[0], _new(*tuple(row)[1:])) for row in map(tuple, rows)]
    return [(id_, new) for id_, new in found if new]


async def count_additions(desk: DeskKey, view: View) -> int:
    """How many of these a view has."""
    where = _additions_in(desk, view)
    with database_errors():
        _, rows = await reader().execute_query(f"SELECT count(*) FROM staged_change {where}", where.values)
    return int(rows[0][0])


def _additions_in(desk: DeskKey, view: View) -> Conditions:
    where = Conditions()
    where.add("admin_id = {} AND subject = {} AND row_id < 0", *desk)
    add_filters(where, view, "grants", of_keys=False)
    if view.unused_days or not view.is_live:
        where.add("0 = 1")  # neither used nor unused, and not there before
    return where


# -- writing -------------------------------------------------------------------------------------------------------------


async def store(
    desk: DeskKey,
    seen: int,
    after: StagedChanges,
    row_ids: Collection[int],
    steps: StepChanges,
    marks: Marks | None,
    also: Callable[[Connection], Awaitable[None]] | None = None,
) -> None:
    """Write one step: the entries of these rows, and the steps; other processes are told of its marks.

    `also` runs in the same transaction, at its end. Raises StagingOutdated if `seen` is not the newest version.
    """

    async def write(db: Connection) -> None:
        await _raise_version(db, desk, seen, marks)
        for some in _portions(row_ids):
            await _delete(db, desk, [id_ for id_ in some if after[id_] == NOTHING])
            entries = [(id_, after[id_]) for id_ in some if after[id_] != NOTHING]
            await _upsert(
                db,
                [[*desk, id_, *each[:5], each.amendment.to_text()] for id_, each in entries if not each.new],
            )
            await _upsert_new(db, desk, [(id_, after[id_], new) for id_ in some if (new := after[id_].new)])
        await _store_steps(db, desk, steps)
        if also:
            await also(db)

    await run_transaction(write)


async def clear(db: Connection, desk: DeskKey, seen: int, marks: Marks | None) -> None:
    """After a submission, in its transaction: nothing is staged, nor to be undone. Raises StagingOutdated like `store`."""
    await _raise_version(db, desk, seen, marks)
    await StagedChange.filter(**desk._asdict()).using_db(db).delete()
    await StagingStep.filter(**desk._asdict()).using_db(db).delete()


async def _raise_version(db: Connection, desk: DeskKey, seen: int, marks: Marks | None) -> None:
    if not seen:
        await db.execute_query(
            f"INSERT INTO staging_version (admin_id, subject, number) VALUES ({parameters(3)}) ON CONFLICT DO NOTHING",
            [*desk, 0],
        )
    mine = StagingVersion.filter(**desk._asdict(), number=seen).using_db(db)
    count = await mine.update(number=seen + 1, staged_at=datetime.now(UTC))
    if count != 1:
        raise StagingOutdated
    await notify(db, StagingNews(*desk, seen + 1, marks).to_text())


def _portions(ids: Iterable[int]) -> Iterator[list[int]]:
    remaining = iter(ids)
    while some := list(islice(remaining, _PORTION)):
        yield some


async def _delete(db: Connection, desk: DeskKey, row_ids: list[int]) -> None:
    if row_ids:
        await StagedChange.filter(**desk._asdict(), row_id__in=row_ids).using_db(db).delete()


async def _upsert(db: Connection, rows: list[list[Any]]) -> None:
    if rows:
        await db.execute_many(
            "INSERT INTO staged_change (admin_id, subject, row_id, grants, revocations, removal, revision, restoration, amendment) "
            f"VALUES ({parameters(9)}) ON CONFLICT (admin_id, subject, row_id) DO UPDATE SET grants = excluded.grants, "
            "revocations = excluded.revocations, removal = excluded.removal, revision = excluded.revision, "
            "restoration = excluded.restoration, amendment = excluded.amendment",
            rows,
        )


async def _upsert_new(db: Connection, desk: DeskKey, some: list[tuple[int, StagedRow, NewKey]]) -> None:
    if some:
        columns = "admin_id, subject, row_id, grants, revocations, removal, revision, ip_key, service_key, amendment"
        await db.execute_many(
            f"INSERT INTO staged_change ({columns}, {', '.join(_NEW)}) VALUES ({parameters(13)}) "
            "ON CONFLICT (admin_id, subject, row_id) DO UPDATE SET grants = excluded.grants, amendment = excluded.amendment",
            [
                [
                    *desk,
                    id_,
                    entry.grants,
                    0,
                    False,
                    0,
                    sort_key(new.ip),
                    search_key(new.service),
                    entry.amendment.to_text(),
                    *new,
                ]
                for id_, entry, new in some
            ],
        )


async def _store_steps(db: Connection, desk: DeskKey, changes: StepChanges) -> None:
    if changes.new or changes.gone:
        # Not only those that went just now: a step that was found to do nothing when it was loaded is still stored.
        mine = StagingStep.filter(**desk._asdict()).using_db(db)
        await (mine.exclude(number__in=changes.kept) if changes.kept else mine).delete()
    for step in changes.new:
        for part, text in enumerate(to_texts(step)):
            await db.execute_many(
                f"INSERT INTO staging_step (admin_id, subject, number, part, undone, entries) VALUES ({parameters(6)})",
                [[*desk, step.number, part, step.undone, text]],
            )
    for undone in (True, False):
        if numbers := [step.number for step in changes.turned if step.undone is undone]:
            await StagingStep.filter(**desk._asdict(), number__in=numbers).using_db(db).update(undone=undone)
