"""Databases and consoles for all tests."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from nicegui.testing import User
from playwright.async_api import Browser

from services.console import Console, open_console
from storage.database import DatabaseLocation
from tests.browser import chromium
from tests.databases import copy_of_tables
from tests.elsewhere import start_over
from tests.oidc_provider import OidcProvider, oidc_provider
from tests.other_process import OtherProcess, another_process
from tests.page import KEYS, says, sign_in
from tests.postgres import Cluster, find_programs, running_cluster
from tests.program import Program, serving
from tests.requirements import INSTALL_HINT
from tests.single_sign_on import CALLBACK, rules
from ui.shell.routes import register_pages

FUZZ_EXAMPLES = 40
"""Of each test for one seed. So few, that several seeds are tried in a minute."""

# A slow machine is no error. What lands or not is not left to chance: in CI the examples are always the same ones. Others
# are tried where one works, and in CI by `.ci/fuzz`, which prints its seeds.
settings.register_profile("authkeys", deadline=None, derandomize="CI" in os.environ)
settings.register_profile(
    "fuzz", deadline=None, derandomize=False, database=None, print_blob=True, max_examples=FUZZ_EXAMPLES
)
settings.load_profile("authkeys")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of Hypothesis's is tried with random examples too; those that use it within mark themselves."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("fuzz")


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs; without them the test is skipped."""
    programs = find_programs()
    if programs is None:
        pytest.skip(INSTALL_HINT)
    return programs


@pytest.fixture(scope="session")
def postgres(postgres_programs: Path) -> Iterator[Cluster]:
    """One server for all tests."""
    with running_cluster(postgres_programs) as cluster:
        yield cluster


@pytest.fixture
def sqlite_database(tmp_path: Path) -> DatabaseLocation:
    """A SQLite database with nothing in its tables."""
    return copy_of_tables(tmp_path / "authkeys.db")


@pytest.fixture
def postgres_database(postgres: Cluster) -> Iterator[DatabaseLocation]:
    """A PostgreSQL database with nothing in its tables."""
    with postgres.new_database(postgres.with_tables) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> DatabaseLocation:
    """An empty database: the test runs once with SQLite and once with PostgreSQL."""
    location = request.getfixturevalue(f"{request.param}_database")
    assert isinstance(location, DatabaseLocation)
    return location


@pytest.fixture
async def console(database: DatabaseLocation) -> AsyncIterator[Console]:
    """The services on an empty database."""
    async with open_console(database) as console:
        yield console


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def open_now(runner: asyncio.Runner, sqlite_database: DatabaseLocation) -> Iterator[Console]:
    """The services, for tests that run example after example."""
    context = open_console(sqlite_database)
    try:
        yield runner.run(context.__aenter__())
    finally:
        runner.run(context.__aexit__(None, None, None))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program, started as a user starts it, with the KEYS, ACCOUNTS and OPTIONS of the test's module."""
    named = {name: getattr(request.module, name, ()) for name in ("KEYS", "ACCOUNTS", "OPTIONS")}
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, *named["OPTIONS"], keys=named["KEYS"], accounts=named["ACCOUNTS"]) as program:
        yield program


@pytest.fixture
async def dana(request: pytest.FixtureRequest, server: Program) -> AsyncIterator[OtherProcess]:
    """Another admin, in another process; the authkeys are the KEYS of the test's module again, and nothing is staged."""
    async with another_process(DatabaseLocation(server.database), "dana") as other:
        await other.do(start_over, request.module.KEYS)
        yield other


@pytest.fixture
async def empty_page(console: Console, user: User) -> User:
    """The local admin at a console without authkeys."""
    register_pages(console)
    await sign_in(user, console, console.admin)
    return user


@pytest.fixture
async def page(console: Console, empty_page: User) -> User:
    """The local admin, who looks at three authkeys."""
    await start_over(console, KEYS)
    await empty_page.open("/")
    await says(empty_page, "count", "3 keys")
    return empty_page


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    """A provider of OpenID Connect, at which dana signs in as an admin."""
    with oidc_provider() as provider:
        provider.redirect_uris = {CALLBACK}
        yield provider


@pytest.fixture
async def linked_console(database: DatabaseLocation, provider: OidcProvider) -> AsyncIterator[Console]:
    """The services on an empty database, where people sign in at the provider."""
    async with open_console(database, provider=rules(provider)) as console:
        yield console
