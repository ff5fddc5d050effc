"""The database goes away, or can no longer be written, during use: clear words, nothing lost, and all well afterwards."""

import asyncio
import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from models.access import CONFIRM_PATH, FACTORS_PATH
from models.errors import DatabaseUnavailable
from models.privileges import ALL_PRIVILEGES
from models.staged_rows import StagedRow
from models.submissions import Assignment, CellChange
from services.console import Console, open_console
from services.feed import Commit
from storage.database import DatabaseLocation
from tests.browser import bar, box, chromium, needs_chromium, open_page
from tests.disks import disk_of, full
from tests.forked import Done
from tests.network import Wire
from tests.other_process import another_process
from tests.postgres import Cluster
from tests.program import import_csv, run, running, signed_in, write_csv
from tests.support import ADD, SEARCH, add_keys, all_keys, new_keys, submissions, submit
from tests.waiting import eventually

KEYS = [Assignment(f"192.0.2.{n}", "billing", 0) for n in range(1, 31)]
FIRST, SECOND = (KEYS[0].ip, "billing"), (KEYS[1].ip, "billing")
SUBMIT = "Submit authkey modifications"


@contextmanager
def stopped(cluster: Cluster) -> Iterator[None]:
    """PostgreSQL goes down, and comes back after the block whatever happens."""
    cluster.stop()
    try:
        yield
    finally:
        cluster.start()


# -- PostgreSQL ----------------------------------------------------------------------------------------------------------


async def test_while_postgres_is_away_nothing_is_lost_and_afterwards_no_commit_is_missed(
    postgres: Cluster, postgres_database: DatabaseLocation
) -> None:
    async with open_console(postgres_database) as console:
        first, second, third = await add_keys(console, *new_keys(3))
        await eventually(lambda: console.feed.revision > 0)
        told: list[Commit] = []
        console.feed.committed.subscribe(told.append, expect_args=True)
        mine = console.admin.id
        await console.staging.stage(mine, first.id, SEARCH, True)
        with stopped(postgres):
            with pytest.raises(DatabaseUnavailable, match="Nothing that you staged is lost; try again"):
                await console.staging.stage(mine, second.id, SEARCH, True)
            with pytest.raises(DatabaseUnavailable, match="Nothing that you staged is lost; try again"):
                await console.staging.submit(console.admin, uuid.uuid4())
            await eventually(lambda: not console.feed.available)
            assert dict((await console.staging.of(mine)).entries) == {first.id: StagedRow(grants=SEARCH.mask)}

        async with another_process(postgres_database, "dana") as dana:
            await dana.do(submit, CellChange(third.id, ADD.mask, 0))
            await dana.do(submit, CellChange(third.id, SEARCH.mask, 0))
        await eventually(lambda: len(told) == 2)
        assert [(commit.admin_name, commit.modifications[0].after) for commit in told] == [
            ("dana", ADD.mask),
            ("dana", ADD.mask | SEARCH.mask),
        ]
        await eventually(lambda: console.feed.available)
        assert (await console.staging.submit(console.admin, uuid.uuid4()))[1:3] == (1, 1)
        assert (await all_keys())[first.id].privileges == SEARCH.mask


async def test_a_submission_whose_commit_got_no_answer_is_looked_up_and_not_made_twice(
    postgres_database: DatabaseLocation,
) -> None:
    wire = Wire(postgres_database)
    async with wire.open() as database, open_console(database) as console:
        first, second = await add_keys(console, *new_keys(2))
        await console.staging.stage(console.admin.id, first.id, SEARCH, True)
        known = len(await submissions())
        wire.cuts_after = b"COMMIT;"
        task = asyncio.create_task(console.staging.submit(console.admin, same := uuid.uuid4()))
        await eventually(lambda: wire.cuts > 0)
        wire.cuts_after = None
        receipt = await task
        assert receipt[1:3] == (1, 1)
        assert len(await submissions()) == known + 1
        assert (await all_keys())[first.id].privileges == SEARCH.mask
        assert await console.staging.submit(console.admin, same) == receipt
        await eventually(lambda: nothing_is_staged(console))

        # And a step that was stored without an answer is known as soon as the database is heard again.
        wire.cuts_after = b"COMMIT;"
        with pytest.raises(DatabaseUnavailable):
            await console.staging.stage(console.admin.id, second.id, SEARCH, True)
        wire.cuts_after = None
        await console.staging.stage(console.admin.id, second.id, SEARCH, True)
        assert dict((await console.staging.of(console.admin.id)).entries) == {second.id: StagedRow(grants=SEARCH.mask)}
        await console.staging.undo(console.admin.id)
        assert await nothing_is_staged(console)


async def nothing_is_staged(console: Console) -> bool:
    return not len(await console.staging.of(console.admin.id))


@needs_chromium
async def test_the_page_says_that_postgres_is_away_keeps_the_ticks_and_goes_on_by_itself(
    postgres: Cluster, postgres_database: DatabaseLocation, tmp_path: Path
) -> None:
    import_csv(postgres_database.text, write_csv(tmp_path / "keys.csv", KEYS))
    with running("--secret-file", str(tmp_path / "secret"), database=postgres_database.text) as server:
        async with chromium() as browser:
            page, other = await open_page(browser, server), await open_page(browser, server)
            await box(page, *FIRST).click()
            await expect(bar(page)).to_contain_text("1 change to 1 key")
            with stopped(postgres):
                await expect(page.get_by_role("status").filter(has_text="Database unavailable")).to_be_visible()
                await box(page, *SECOND).click()
                await expect(page.get_by_text("The tick is kept and will be sent again.")).to_be_visible()
                await submit_is_refused_in_words(page, "The database does not answer")
                await other.reload()
                await expect(other.get_by_role("heading", name="Database unavailable")).to_be_visible()
                await expect(other.get_by_role("status")).to_contain_text("Nothing that you staged is lost")
            await expect(page.locator(".live-text")).to_have_text("Live")
            await expect(bar(page)).to_contain_text("2 changes to 2 keys")
            await expect(bar(other)).to_contain_text("2 changes to 2 keys")
            await page.get_by_role("button", name=SUBMIT).click()
            await expect(bar(page)).to_contain_text("Applied 2 changes to 2 keys")
            changed = write_csv(tmp_path / "more.csv", [Assignment(*FIRST, ALL_PRIVILEGES)])
            import_csv(server.database, changed, admin="dana")
            await expect(box(other, *FIRST, "Add a New License")).to_be_checked()


async def submit_is_refused_in_words(page: Page, words: str) -> None:
    await page.get_by_role("button", name=SUBMIT).click()
    # Not the message of the tick, which goes on.
    refusal = page.locator(".q-notification__message").filter(has_text=re.compile(r"is lost; try again\.$"))
    await expect(refusal.first).to_contain_text(words)
    await expect(bar(page)).to_contain_text("1 change to 1 key")


def test_a_postgres_that_never_answers_ends_the_start_with_words() -> None:
    async def never_answer(*_: object) -> None:
        await asyncio.Event().wait()

    async def main() -> Done:
        server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
        where = f"postgres://u:hidden-password@127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        async with server:
            return await asyncio.to_thread(run, "--no-browser", "--port", "0", "--database", where)

    done = asyncio.run(main())
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "hidden-password" not in done.stderr
    assert "Traceback" not in done.stderr


async def test_while_postgres_is_away_nobody_is_told_that_the_session_has_ended(
    postgres: Cluster, postgres_database: DatabaseLocation, tmp_path: Path
) -> None:
    with running("--secret-file", str(tmp_path / "secret"), database=postgres_database.text) as server:
        cookies, headers = dict([server.cookie]), {"Origin": server.url}
        async with httpx.AsyncClient(base_url=server.url, cookies=cookies, headers=headers) as client:
            with stopped(postgres):
                answers = [await client.post(path) for path in ("/sign-out", "/sign-out-everywhere")]
            for answer in answers:
                assert answer.status_code == 503
                assert "does not answer" in answer.text
                assert "set-cookie" not in answer.headers
        assert "Traceback" not in server.complaints()


async def test_while_postgres_is_away_the_plain_pages_say_so_too(
    postgres: Cluster, postgres_database: DatabaseLocation, tmp_path: Path
) -> None:
    with running("--secret-file", str(tmp_path / "secret"), database=postgres_database.text) as server:
        assert signed_in(server).get(FACTORS_PATH).status_code == 200  # its session is known
        headers = {"Origin": server.url, "Accept": "text/html"}
        async with httpx.AsyncClient(base_url=server.url, cookies=dict([server.cookie]), headers=headers) as client:
            with stopped(postgres):
                asked = [await client.get(path) for path in (FACTORS_PATH, CONFIRM_PATH)]
                done = [await client.post(path) for path in (CONFIRM_PATH, f"{FACTORS_PATH}/recovery")]
            for answer in (*asked, *done):
                assert answer.status_code == 503
                assert "does not answer" in answer.text
            assert all("opens by itself" in answer.text for answer in asked)
            assert all("send it once more" in answer.text for answer in done)
        assert "Traceback" not in server.complaints()


@pytest.mark.parametrize("home", ["/proc/none", "a file"])
def test_with_postgres_it_starts_also_where_the_home_folder_cannot_be_written(
    postgres_database: DatabaseLocation, tmp_path: Path, home: str
) -> None:
    if home == "a file":
        (tmp_path / "file").touch()
        home = str(tmp_path / "file")
    secret = ("--secret-file", str(tmp_path / "secret"))
    with running(*secret, database=postgres_database.text, HOME=home, XDG_STATE_HOME="") as server:
        assert httpx.get(server.url, cookies=dict([server.cookie])).status_code == 200
    # Without a secret of its own it needs the folder, and says so.
    done = run("--no-browser", "--port", "0", AUTHKEYS_DATABASE=postgres_database.text, HOME=home, XDG_STATE_HOME="")
    assert done.returncode == 1
    assert "--secret-file" in done.stderr
    assert "Traceback" not in done.stderr


# -- the SQLite file -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with disk_of(6, tmp_path / "disk") as disk:
        yield disk


@contextmanager
def immutable(file: Path) -> Iterator[None]:
    """Somebody makes the file and its log immutable: its mode alone would not stop root, nor who has it open."""
    files = [file, file.with_name(f"{file.name}-wal")]
    if os.getuid() or subprocess.run(["chattr", "+i", *files], check=False).returncode:
        pytest.skip("only root can make files immutable, and not on every file system")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *files], check=True)


async def test_while_the_file_cannot_be_written_nothing_is_lost_and_afterwards_all_is_well(
    sqlite_database: DatabaseLocation,
) -> None:
    async with open_console(sqlite_database) as console:
        first, second = await add_keys(console, *new_keys(2))
        mine = console.admin.id
        await console.staging.stage(mine, first.id, SEARCH, True)
        with immutable(sqlite_database.path):
            for attempt in (
                console.staging.stage(mine, second.id, SEARCH, True),
                console.staging.undo(mine),
                console.staging.submit(console.admin, uuid.uuid4()),
            ):
                with pytest.raises(DatabaseUnavailable, match=r"cannot be .*written.* Nothing that you staged is lost"):
                    await attempt
            assert dict((await console.staging.of(mine)).entries) == {first.id: StagedRow(grants=SEARCH.mask)}
        await console.staging.stage(mine, second.id, SEARCH, True)
        assert (await console.staging.submit(console.admin, uuid.uuid4()))[1:3] == (2, 2)


@pytest.mark.parametrize(
    ("what", "mode", "words"),
    [
        ("authkeys.db", 0o400, "authkeys.db cannot be opened for writing"),
        ("authkeys.db", 0o000, "authkeys.db cannot be opened for writing"),
        (".", 0o500, "cannot be written (Permission denied)"),
        (".", 0o000, "cannot be written (Permission denied)"),
    ],
)
def test_a_start_without_permission_ends_with_words(tmp_path: Path, what: str, mode: int, words: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    import_csv(str(folder / "authkeys.db"), write_csv(tmp_path / "keys.csv", KEYS))
    (folder / what).chmod(mode)
    try:
        # Root may do what it likes, unless it gives that up.
        ordinary = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
        done = run("--no-browser", "--port", "0", "--database", str(folder / "authkeys.db"), before=ordinary)
    finally:
        (folder / what).chmod(0o700)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1, "one line, and no traceback"


@needs_chromium
async def test_while_the_disk_is_full_ticks_are_kept_and_afterwards_stored(small_disk: Path) -> None:
    database = str(small_disk / "authkeys.db")
    import_csv(database, write_csv(small_disk / "keys.csv", KEYS))
    with running(database=database) as server:
        async with chromium() as browser:
            page = await open_page(browser, server)
            await box(page, *FIRST).click()
            await expect(bar(page)).to_contain_text("1 change to 1 key")
            with full(small_disk):
                await box(page, *SECOND).click()
                words = "The disk of the database is full, so nothing can be stored."
                await expect(page.get_by_text(words)).to_contain_text("The tick is kept and will be sent again.")
                await submit_is_refused_in_words(page, words)
                await expect(box(page, *SECOND, staged=True)).to_be_checked()
            await expect(bar(page)).to_contain_text("2 changes to 2 keys")
            await page.get_by_role("button", name=SUBMIT).click()
            await expect(bar(page)).to_contain_text("Applied 2 changes to 2 keys")
