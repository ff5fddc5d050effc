"""Who hears of a commit, and in which order: sessions and access checks wait for nobody."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import NoReturn

import pytest

from models.accounts import AdminIdentity
from models.errors import DatabaseUnavailable
from models.secrets import new_secret
from models.submissions import CellChange, NewAuthkey
from services.authorizer import FRESH_SECONDS, Question
from services.console import Console, open_console
from services.feed import Commit
from storage import submissions
from storage.database import DatabaseLocation
from storage.postgres_engine import connect
from tests.other_process import another_process
from tests.support import ADD, SEARCH, add_keys, an_admin, new_keys, submit
from tests.waiting import eventually

SUBMISSION_LOCK = 4_242_001


@asynccontextmanager
async def submissions_held(database: DatabaseLocation) -> AsyncIterator[None]:
    """Nobody's submission goes on until the block ends: somebody else is submitting, and takes long."""
    connection = await connect(database.text)
    try:
        async with connection.transaction():
            await connection.execute(f"SELECT pg_advisory_xact_lock({SUBMISSION_LOCK})")
            yield
    finally:
        await connection.close()


async def sign_out_everywhere(console: Console, admin: AdminIdentity) -> None:
    await console.sessions.end_all(admin, "192.0.2.1")


async def tick(console: Console, authkey_id: int) -> None:
    await console.staging.stage(console.admin.id, authkey_id, SEARCH, True)


async def test_while_an_admin_submits_sessions_end_at_once_and_access_checks_stay_remembered(
    postgres_database: DatabaseLocation,
) -> None:
    secret = new_secret()
    async with open_console(postgres_database) as console, another_process(postgres_database, "ben") as other:
        [key] = await add_keys(console, NewAuthkey("192.0.2.50", "billing", ADD.mask, secret.kept))
        dana = await an_admin("dana")
        session = await console.sessions.find(await console.sessions.begin(dana, "192.0.2.1"))
        assert session is not None
        await console.staging.stage(console.admin.id, key.id, SEARCH, True)
        over: list[frozenset[int]] = []
        console.sessions.ended.subscribe(over.append, expect_args=True)
        async with submissions_held(postgres_database):
            desk = await console.staging._desks.open(console.admin.id)
            submitting = asyncio.create_task(console.staging.submit(console.admin, uuid.uuid4()))
            await eventually(desk.lock.locked)
            await other.do(tick, key.id)  # which is looked for here, behind the submission
            await other.do(sign_out_everywhere, dana)
            await eventually(lambda: over == [frozenset([session.id])])
            await eventually(lambda: console.feed.heard_within(FRESH_SECONDS))
            assert (await console.authorizer.judge(Question(secret.text, key.ip, ADD, "addlicense"))).allowed
            assert console.feed.heard_within(FRESH_SECONDS)
            assert not submitting.done()
        assert (await submitting).change_count == 1


async def test_what_fails_for_staged_changes_keeps_neither_access_checks_nor_pages_waiting(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = new_secret()
    [key] = await add_keys(console, NewAuthkey("192.0.2.50", "billing", ADD.mask, secret.kept))
    await eventually(lambda: console.feed.revision == key.revision)
    failed = asyncio.Event()

    async def fail(_: object) -> None:
        failed.set()
        raise ZeroDivisionError

    told: list[Commit] = []
    console.feed.committed.subscribe(told.append, expect_args=True)
    rebased: list[set[int] | None] = []
    with monkeypatch.context() as broken:
        broken.setattr(console.staging, "rebase", fail)
        await submit(console, CellChange(key.id, 0, ADD.mask))
        await failed.wait()
        assert not (await console.authorizer.judge(Question(secret.text, key.ip, ADD, "addlicense"))).allowed
        await eventually(lambda: console.feed.heard_within(FRESH_SECONDS))
        await eventually(lambda: [commit.revision for commit in told] == [key.revision + 1])  # nor do pages wait

        async def rebase(changed: set[int] | None) -> None:
            rebased.append(changed)

        # And what staged changes did not hear they hear with the next commit.
        broken.setattr(console.staging, "rebase", rebase)
        await submit(console, CellChange(key.id, SEARCH.mask, 0))
        await eventually(lambda: len(told) == 2 and rebased == [{key.id}, {key.id}])


async def test_who_follows_from_now_on_may_come_while_others_are_told(console: Console) -> None:
    told: list[str] = []

    async def late() -> None:
        told.append("late")

    async def brings_another() -> None:
        console.feed.followers["late"] = late
        await asyncio.sleep(0)
        told.append("first")

    console.feed.followers["first"] = brings_another
    await add_keys(console, *new_keys(1))

    async def both_were_told() -> bool:
        console.feed.committed_something()
        return "first" in told and "late" in told

    await eventually(both_were_told)
    assert console.supervisor.loops["change feed of pages"].restarts == 0


@pytest.mark.parametrize("error", [DatabaseUnavailable("no more connections"), RuntimeError("a mistake of ours")])
async def test_what_was_signalled_and_could_not_be_read_counts_as_unheard_until_it_is_read(
    console: Console, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    await eventually(lambda: console.feed.heard_within(FRESH_SECONDS))
    failed = asyncio.Event()

    async def fail(_: int) -> NoReturn:
        failed.set()
        raise error

    with monkeypatch.context() as fault:
        fault.setattr(submissions, "after", fail)
        console.feed.committed_something()
        await failed.wait()
        await eventually(lambda: not console.feed._signal.is_set())
        # The watcher's own connection is well, and sees nothing newer than what it signalled.
        asked = monotonic()
        console.feed.nothing_since(asked)
        assert console.feed.lag > monotonic() - asked
        failed.clear()
        await failed.wait()  # it is looked at again, without another signal
    await eventually(lambda: console.feed.heard_within(FRESH_SECONDS))
