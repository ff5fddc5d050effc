"""The steps that an admin can undo and redo, in the database: a restart, or another process, knows them too."""

import asyncio
from collections.abc import Collection
from itertools import groupby

from tortoise.backends.base.client import BaseDBAsyncClient

from models.staged_changes import Step
from models.staging_steps import StepChanges, from_text, reachable, to_texts
from models.tables import StagingStep
from storage.database import database_errors, parameters, reader


async def store_steps(db: BaseDBAsyncClient, admin_id: int, changes: StepChanges) -> None:
    """Write, as part of the transaction of a step, what it did to the remembered steps."""
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


async def forget_steps(db: BaseDBAsyncClient, admin_id: int) -> None:
    """After a submission there is nothing to undo."""
    await StagingStep.filter(admin_id=admin_id).using_db(db).delete()


async def load_steps(admin_id: int) -> Collection[Step]:
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
