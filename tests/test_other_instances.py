"""Two instances on one PostgreSQL: what is staged or ended in one costs the pages of the other nothing, and shows there."""

import asyncio
import logging
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from nicegui import Client
from nicegui.awaitable_response import AwaitableResponse
from nicegui.testing import User

from models.accounts import AdminIdentity
from models.subjects import Subject
from models.views import View
from services.console import Console, open_console
from services.desks import IDLE_SECONDS
from storage.database import DatabaseLocation
from storage.postgres_engine import connect
from storage.staging import versions
from tests.other_process import OtherProcess, another_process
from tests.page import says, sign_in
from tests.support import ADD, SEARCH, add_keys, an_admin, new_keys, stage_all
from tests.waiting import eventually
from ui.shell.routes import register_pages

SUBMISSION_LOCK = 4_242_001
OF_PAGES = re.compile(r"\b(authkey|staged_change|staging_step|key_use|pickup_passphrase)\b")
"""What pages read. The feed itself looks at sessions, submissions and versions, however many pages there are."""


@pytest.fixture
def database(postgres_database: DatabaseLocation) -> DatabaseLocation:
    """Several instances are for PostgreSQL."""
    return postgres_database


@contextmanager
def statements(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """The statements of this process meanwhile that read what pages show."""
    with caplog.at_level(logging.DEBUG, logger="tortoise.db_client"):
        caplog.clear()
        yield lambda: [
            record.getMessage() for record in caplog.records if OF_PAGES.search(record.getMessage().replace('"', " "))
        ]


async def stage(console: Console, authkey_id: int, value: bool) -> None:
    await console.staging.stage(console.admin.id, authkey_id, SEARCH, value)


async def stage_everything(console: Console) -> int:
    return await stage_all(console.staging, console.admin.id, View(), ADD, True)


async def sign_out_everywhere(console: Console, admin: AdminIdentity) -> None:
    await console.sessions.end_all(admin, "192.0.2.1")


@asynccontextmanager
async def two_instances(database: DatabaseLocation) -> AsyncIterator[tuple[Console, OtherProcess]]:
    async with open_console(database) as here, another_process(database, "ben") as there:
        yield here, there


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is told to browsers' scripts."""
    said: list[str] = []
    run = Client.run_javascript

    def note(client: Client, code: str, **options: float) -> AwaitableResponse:
        said.append(code)
        return run(client, code, **options)

    monkeypatch.setattr(Client, "run_javascript", note)
    return said


async def opens(user: User, console: Console, admin: AdminIdentity, count: str) -> User:
    await sign_in(user, console, admin)
    await user.open("/")
    await says(user, "count", count)
    return user


async def has_seen_everything(console: Console) -> None:
    """Wait until the feed has looked at all that was committed up to now."""
    seen = asyncio.Event()

    async def note() -> None:
        seen.set()

    console.feed.followers["the test"] = note
    console.feed.committed_something()
    await seen.wait()
    seen.clear()
    console.feed.committed_something()
    await seen.wait()
    del console.feed.followers["the test"]


async def test_a_tick_shows_in_the_pages_of_the_other_instance_and_costs_them_no_statement(
    database: DatabaseLocation, user: User, caplog: pytest.LogCaptureFixture, told: list[str]
) -> None:
    async with two_instances(database) as (here, there):
        [key] = await add_keys(here, *new_keys(1))
        await has_seen_everything(here)
        register_pages(here)
        await opens(user, here, await an_admin("dana"), "1 key")
        with statements(caplog) as read:
            await there.do(stage, key.id, True)
            await eventually(lambda: f'authkeys.mark("ben", [{key.id}], [])' in told)
            await there.do(stage, key.id, False)
            await eventually(lambda: f'authkeys.mark("ben", [], [{key.id}])' in told)
            await has_seen_everything(here)
            assert read() == []
            await here.authkeys.find([key.id])
            assert len(read()) == 1, "statements are counted"


async def test_what_an_admin_stages_elsewhere_is_read_only_where_a_window_of_that_admin_is_open(
    database: DatabaseLocation, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    async with two_instances(database) as (here, there):
        await add_keys(here, *new_keys(3_000))
        await has_seen_everything(here)
        ben = await an_admin("ben")
        register_pages(here)
        await opens(user, here, ben, "3,000 keys")
        assert await there.do(stage_everything) == 3_000
        await says(user, "staged-count", "3,000 changes to 3,000 keys")
        # The window is closed for good; what ben stages there from now on nobody here reads.
        (window,) = [client for client in Client.instances.values() if client.page.path == "/"]
        window.delete()
        await there.do(stage, 1, True)
        await has_seen_everything(here)
        with statements(caplog) as read:
            await there.do(stage, 2, True)
            await has_seen_everything(here)
            assert read() == []
        assert (await here.staging.of(ben.id)).change_count == 3_002  # until it is asked for


async def test_a_desk_that_nobody_attends_is_dropped_after_a_while(
    database: DatabaseLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_console(database) as console:
        [key] = await add_keys(console, *new_keys(1))
        await stage(console, key.id, True)
        desks = console.staging._desks
        desks.attend(console.admin.id)
        desks.drop_idle()
        assert len(desks.all()) == 1
        desk = desks.all()[0]
        desk.asked_at -= IDLE_SECONDS + 1
        desks.drop_idle()
        assert desks.all() == [desk]  # its window is open
        desks.leave(console.admin.id)
        desks.drop_idle()
        assert desks.all() == []
        assert (await console.staging.of(console.admin.id)).change_count == 1


async def test_while_a_submission_is_held_a_session_that_ends_elsewhere_closes_its_page(
    database: DatabaseLocation, user: User, told: list[str]
) -> None:
    async with two_instances(database) as (here, there):
        [key] = await add_keys(here, *new_keys(1))
        dana = await an_admin("dana")
        register_pages(here)
        await opens(user, here, dana, "1 key")
        await here.staging.stage(here.admin.id, key.id, SEARCH, True)
        connection = await connect(database.text)
        try:
            async with connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({SUBMISSION_LOCK})")
                submitting = asyncio.create_task(here.staging.submit(here.admin, uuid.uuid4()))
                desk = await here.staging._desks.open(here.admin.id)
                await eventually(desk.lock.locked)
                await there.do(sign_out_everywhere, dana)
                await eventually(lambda: any(code.startswith("authkeys.leave(") for code in told))
                assert not submitting.done()
        finally:
            await connection.close()
        assert (await submitting).change_count == 1


async def test_a_lost_notification_is_made_up_for_by_the_versions(database: DatabaseLocation) -> None:
    async with two_instances(database) as (here, there):
        [key] = await add_keys(here, *new_keys(1))
        await has_seen_everything(here)
        await there.do(stage, key.id, True)
        await has_seen_everything(here)
        heard: list[object] = []
        here.staging.changed.subscribe(heard.append, expect_args=True)
        here.feed.staged = lambda news: None  # type: ignore[method-assign]
        await there.do(stage, key.id, False)
        await eventually(lambda: len(heard) == 1)
        assert {(each.subject, each.number) for each in await versions()} >= {(Subject.AUTHKEY, 2)}
