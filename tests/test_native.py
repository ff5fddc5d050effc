"""`--native`: a real window on a desktop without a screen, used, closed, interrupted and killed."""

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from models.privileges import privilege
from models.views import View
from services.console import Console
from storage.database import DatabaseLocation
from tests.browser import bar, box, submit_reviewed
from tests.native import NativeProgram, install_native, needs_desktop, running_native, running_xvfb
from tests.other_process import another_process
from tests.support import new_keys, stage_all, submit
from tests.waiting import eventually

# The first run fetches Qt.
pytestmark = [needs_desktop, pytest.mark.timeout(900)]

KEYS, MANY = 10, 100_000
FIRST, SECOND = ("10.0.0.0", "billing"), ("10.0.0.1", "billing")
SEARCH = privilege("search")


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    install_native()
    with running_xvfb() as name:
        yield name


async def add_few(console: Console) -> None:
    await submit(console, *new_keys(KEYS))


async def stage_many(console: Console) -> None:
    await submit(console, *new_keys(MANY))
    await stage_all(console.staging, console.admin.id, View(), SEARCH, True)


async def database_with(tmp_path: Path, prepare: Callable[[Console], Awaitable[None]]) -> Path:
    file = tmp_path / "authkeys.db"
    async with another_process(DatabaseLocation(str(file))) as other:
        await other.do(prepare)
    return file


def in_database(file: Path) -> tuple[int, int, int]:
    """How many authkeys have the privilege, how many modifications granted it, how many are staged."""
    with sqlite3.connect(file) as database:
        return database.execute(
            "SELECT (SELECT count(*) FROM authkey WHERE privileges), "
            "(SELECT count(*) FROM modification WHERE kind = 'changed'), (SELECT count(*) FROM staged_change)"
        ).fetchone()


async def end_of(program: NativeProgram) -> int:
    return await asyncio.to_thread(program.wait)


async def test_one_ticks_and_submits_in_the_window_and_closing_it_ends_the_program(
    display: str, tmp_path: Path
) -> None:
    file = await database_with(tmp_path, add_few)
    with running_native(display, file) as program:
        assert program.announcement().startswith("Authkeys is running at http://127.0.0.1:")
        async with program.window() as page:
            assert program.windows() == 1
            await expect(page.get_by_text(f"{KEYS} keys")).to_be_visible()
            await box(page, *FIRST).click()
            await page.get_by_role("button", name="Submit authkey modifications").click()
            await expect(bar(page)).to_contain_text("Applied 1 change to 1 key")
            await box(page, *SECOND).click()
            await expect(bar(page)).not_to_contain_text("Applied")
            await expect(bar(page)).to_contain_text("1 change to 1 key")
        await eventually(lambda: in_database(file) == (1, 1, 1))  # shown at once, stored right after
        assert in_database(file) == (1, 1, 1)
        program.close_window()
        assert await end_of(program) == 0
        assert "Traceback" not in program.errors()
    assert in_database(file) == (1, 1, 1)

    with running_native(display, file) as program:
        async with program.window() as page:
            await expect(box(page, *SECOND, staged=True)).to_be_checked()
            await expect(bar(page)).to_contain_text("1 change to 1 key")
        program.close_window()
        assert await end_of(program) == 0


async def test_what_is_being_submitted_when_the_window_is_closed_is_finished(display: str, tmp_path: Path) -> None:
    file = await database_with(tmp_path, stage_many)
    assert in_database(file) == (0, 0, MANY)
    with running_native(display, file) as program:
        async with program.window() as page:
            await submit_reviewed(page)
            await expect(bar(page)).to_contain_text(re.compile("Submitting|Applied"))  # as soon as it says either
            program.close_window()
        assert await end_of(program) == 0
        assert "Traceback" not in program.errors()
    assert in_database(file) == (MANY, MANY, 0)


async def test_ctrl_c_closes_the_window(display: str, tmp_path: Path) -> None:
    file = await database_with(tmp_path, add_few)
    with running_native(display, file) as program:
        async with program.window():
            program.interrupt()
            assert await end_of(program) == 130
        await eventually(lambda: program.windows() == 0)
        assert "Traceback" not in program.errors()


async def test_a_killed_server_leaves_no_window_behind(display: str, tmp_path: Path) -> None:
    file = await database_with(tmp_path, add_few)
    with running_native(display, file) as program:
        async with program.window():
            program.kill()
        await eventually(lambda: program.windows() == 0)


async def test_without_a_desktop_it_ends_and_says_what_else_there_is(tmp_path: Path) -> None:
    install_native()
    with running_native("", tmp_path / "authkeys.db") as program:
        assert await end_of(program) == 1
        assert "The window could not be opened" in program.errors()
        assert "the page opens in the browser" in program.errors()
        assert "Traceback" not in program.errors()
