"""axe finds nothing: on the page in each of its states, in every dialog, in the other views; light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from models.privileges import ALL_PRIVILEGES, privilege
from models.submissions import Assignment
from tests.browser import add_passphrase, axe_finds_nothing, bar, box, needs_chromium, open_page
from tests.program import Program, import_csv, serving, write_csv

pytestmark = needs_chromium

KEYS = [Assignment(f"192.0.2.{n}", "billing", privilege("listlicenses").mask) for n in range(1, 31)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Program]:
    """Anew for each test."""
    with serving(tmp_path) as program:
        yield program


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


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_no_violation_in_any_dialog(
    server: Program, browser: Browser, tmp_path: Path, dark: bool
) -> None:
    import_csv(server.database, write_csv(tmp_path / "keys.csv", KEYS[:3]))
    page = await open_page(browser, server, dark=dark)
    dialog = page.get_by_role("dialog")

    await page.get_by_role("button", name="Add authkey").click()
    await expect(dialog.get_by_label("Service")).to_be_visible()
    await axe_finds_nothing(page, "add")
    await dialog.get_by_role("button", name="Add authkey").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await axe_finds_nothing(page, "add, refused")
    await dialog.get_by_role("button", name="Cancel").click()

    await page.locator('.ag-row[row-index="0"] [col-id="ip"]').click()
    await page.keyboard.press("Shift+Space")
    await expect(page.get_by_text("1 row, 12 columns selected")).to_be_visible()
    await axe_finds_nothing(page, "selection")
    await page.get_by_role("button", name="Grant…").click()
    await expect(page.get_by_role("menuitem", name="Add a New License")).to_be_visible()
    await axe_finds_nothing(page, "choice of a privilege")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Clear the selection").click()
    await page.get_by_role("button", name="Actions, Manage Authkeys").click()
    await expect(page.get_by_role("menuitem", name="Select this column")).to_be_visible()
    await axe_finds_nothing(page, "menu of a column")
    await page.keyboard.press("Escape")

    await page.locator('.ag-row[row-index="0"] [col-id="menu"] button').click()
    await page.get_by_role("menuitem", name="Issue new key").click()
    await expect(dialog.get_by_text("This authkey has no key yet")).to_be_visible()
    await axe_finds_nothing(page, "issue")
    await dialog.get_by_role("button", name="Issue new key").click()
    await expect(dialog.locator(".secret-text")).to_be_visible()
    await axe_finds_nothing(page, "secret")
    await dialog.get_by_role("button", name="Done").click()

    await page.locator('.ag-row[row-index="0"] [col-id="menu"] button').click()
    await page.get_by_role("menuitem", name="Details").click()
    await expect(page.get_by_role("region", name="Details")).to_contain_text("New key issued by alice")
    await axe_finds_nothing(page, "details")
    await page.get_by_role("button", name="Close the panel").click()

    await page.keyboard.press("?")
    await expect(dialog.get_by_text("This list")).to_be_visible()
    await axe_finds_nothing(page, "keyboard")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_no_violation_in_the_other_views(server: Program, browser: Browser, dark: bool) -> None:
    page = await open_page(browser, server, dark=dark)
    await page.goto(f"{server.url}/passphrases")
    await expect(page.get_by_text("There are no pickup passphrases")).to_be_visible()
    await axe_finds_nothing(page, "no passphrases")
    await page.get_by_role("button", name="Add passphrase").click()
    await expect(page.get_by_role("dialog").get_by_label("Note")).to_be_visible()
    await axe_finds_nothing(page, "add passphrase")
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await add_passphrase(page, Note="rack 4")
    await page.get_by_role("checkbox", name="Manage Authkeys, #1 rack 4").click()
    await expect(bar(page)).to_contain_text("1 change to 1 passphrase")
    await axe_finds_nothing(page, "passphrases")
    await page.get_by_role("button", name="Review").click()
    await expect(page.get_by_role("region", name="Review of staged changes")).to_be_visible()
    await axe_finds_nothing(page, "review of passphrases")
    await page.get_by_role("button", name="Close the review").click()
    await page.locator('.ag-row[row-index="0"] [col-id="menu"] button').click()
    await page.get_by_role("menuitem", name="Details").click()
    await expect(page.get_by_text("No server has registered with it.")).to_be_visible()
    await axe_finds_nothing(page, "details of a passphrase")

    await page.goto(f"{server.url}/denied")
    await expect(page.get_by_text("No request was denied")).to_be_visible()
    await axe_finds_nothing(page, "no denied requests")
    await page.request.get(f"{server.url}/authorize/search", headers={"X-Api-Key": "unknown"})
    await expect(page.get_by_text("No authkey has the key that it brought.")).to_be_visible()
    await axe_finds_nothing(page, "denied requests")
