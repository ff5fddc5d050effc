"""kill -9 in the middle of a submission: all of it or nothing, and then still everything staged; and between two steps."""

import asyncio
import sqlite3
import uuid
from pathlib import Path

import pytest

from models.privileges import privilege
from models.staged_rows import StagedRow
from models.views import View
from services.console import Console, open_console
from tests.databases import copy_of_tables
from tests.other_process import OtherProcess, another_process, tell
from tests.support import new_keys, stage_all, submit

KEYS = 10_000


async def stage_many(console: Console) -> None:
    await submit(console, *new_keys(KEYS))
    await stage_all(console.staging, console.admin.id, View(), privilege("search"), True)


async def submit_and_tell(console: Console) -> None:
    await console.staging.submit(console.admin, uuid.uuid4(), lambda done, total: tell(done))
    tell("committed")


@pytest.mark.parametrize("moment", [5_000, 10_000, "committed"])
async def test_a_killed_submission_is_whole_or_did_not_happen(tmp_path: Path, moment: int | str) -> None:
    database = copy_of_tables(tmp_path / "authkeys.db")
    async with another_process(database) as preparing:
        await preparing.do(stage_many)
    killed = OtherProcess(database, None)
    assert await killed.told() == "open"
    killed.begin(submit_and_tell)
    while await killed.told() != moment:
        pass
    killed.kill()

    with sqlite3.connect(database.path) as file:
        applied = file.execute("SELECT count(*) FROM authkey WHERE privileges <> 0").fetchone()[0]
        recorded = file.execute("SELECT count(*) FROM modification WHERE kind = 'changed'").fetchone()[0]
        staged = file.execute("SELECT count(*) FROM staged_change").fetchone()[0]
        assert file.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert (applied, recorded, staged) in [(KEYS, KEYS, 0), (0, 0, KEYS)]
    if moment == "committed":
        assert applied == KEYS, "what was confirmed is kept"


async def stage_for_a_passphrase(console: Console) -> None:
    me, staging = console.admin, console.passphrase_staging
    await console.passphrases.add(me, "open sesame please", 0)
    await staging.stage(me.id, 1, privilege("search"), True)
    await staging.stage_removal(me.id, 1)
    tell("staged")
    await asyncio.Event().wait()


async def test_what_was_staged_for_a_passphrase_outlives_the_process_with_every_step(tmp_path: Path) -> None:
    database = copy_of_tables(tmp_path / "authkeys.db")
    killed = OtherProcess(database, None)
    assert await killed.told() == "open"
    killed.begin(stage_for_a_passphrase)
    assert await killed.told() == "staged"
    killed.kill()
    async with open_console(database) as console:
        me, staging = console.admin, console.passphrase_staging
        assert (await staging.of(me.id))[1].removal
        await staging.undo(me.id)
        assert (await staging.of(me.id))[1] == StagedRow(grants=privilege("search").mask)
        await staging.undo(me.id)
        assert len(await staging.of(me.id)) == 0
