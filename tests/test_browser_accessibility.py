"""axe finds nothing on the page with its grid, review and row menu, light and dark. The dialogs are not covered yet."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from models.privileges import ALL_PRIVILEGES, privilege
from models.submissions import Assignment
from tests.browser import axe_finds_nothing, bar, box, chromium, needs_chromium, open_page
from tests.program import Program, import_csv, running, write_csv

pytestmark = needs_chromium

KEYS = [Assignment(f"192.0.2.{n}", "billing", privilege("listlicenses").mask) for n in range(1, 31)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Program]:
    database = str(tmp_path / "authkeys.db")
    with running(database=database) as program:
        yield program


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_no_violation(server: Program, browser: Browser, tmp_path: Path, dark: bool) -> None:
    page = await open_page(browser, server, dark=dark)
    await expect(page.get_by_text("There are no authorization keys")).to_be_visible()
    await axe_finds_nothing(page, "empty")

    import_csv(server.database, write_csv(tmp_path / "keys.csv", KEYS))
    await expect(box(page, "192.0.2.1", "billing")).to_be_visible()
    await axe_finds_nothing(page, "filled")

    await box(page, "192.0.2.1", "billing").click()
    await box(page, "192.0.2.2", "billing", "List active licenses").click()
    await box(page, "192.0.2.3", "billing", "Remove?").click()
    await expect(bar(page)).to_contain_text("3 changes to 3 keys")
    await axe_finds_nothing(page, "staged")

    await page.get_by_role("button", name="Review").click()
    await expect(page.get_by_role("region", name="Review of staged changes")).to_be_visible()
    await axe_finds_nothing(page, "review")

    changed = write_csv(tmp_path / "changed.csv", [Assignment("192.0.2.3", "billing", ALL_PRIVILEGES)])
    import_csv(server.database, changed, admin="dana")
    await expect(bar(page)).to_contain_text("1 change to decide")
    await axe_finds_nothing(page, "conflict")
    await page.get_by_role("button", name="Close the review").click()

    await page.locator('.ag-row[row-index="0"] [col-id="menu"] button').click()
    await expect(page.get_by_role("menuitem", name="Issue new key")).to_be_visible()
    await axe_finds_nothing(page, "row menu")
