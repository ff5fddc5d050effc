"""Between the page and a spreadsheet, in a browser: files of LibreOffice Calc dropped and pasted, exports and copies that it saved.

What it made is in `tests/spreadsheets`.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser import bar, box, clean_page, needs_chromium
from tests.program import Program
from tests.spreadsheets.keys import KEYS, NEW, copied, exported
from tests.test_browser_plans import PASTE, focus

pytestmark = needs_chromium

__all__ = ["KEYS"]
FILES = Path(__file__).parent / "spreadsheets"
ALREADY = len(KEYS) - 2
"""Of the workbook's keys: all but a changed one, and one whose name looks like a formula"""
DROP = """([name, bytes]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
    const told = {dataTransfer, bubbles: true, cancelable: true};
    document.querySelector(".grid").dispatchEvent(new DragEvent("drop", told));
}"""


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    """With nothing staged."""
    async with clean_page(server, width=1440, height=900) as page:
        yield page


async def drop(page: Page, name: str) -> Locator:
    """Drop a file onto the page; what comes of it shows in a dialog."""
    await page.evaluate(DROP, [name, list((FILES / name).read_bytes())])
    return page.get_by_role("dialog")


async def paste(page: Page, name: str) -> Locator:
    """Paste a file's content as a spreadsheet puts it on the clipboard."""
    await focus(page, 0)
    await page.evaluate(PASTE, (FILES / name).read_text())
    return page.get_by_role("dialog")


async def stages_what_the_workbook_changed(page: Page, plan: Locator) -> None:
    await expect(plan).to_contain_text(
        f"{ALREADY + 3} keys: 2 new, 1 changed, {ALREADY} already so, 1 that cannot be read."
    )
    await plan.get_by_text("1 line cannot be read").click()
    await expect(plan).to_contain_text("'=odd()' is a formula instead of a service name")
    await plan.get_by_role("button", name="Stage 4 changes").click()
    await expect(bar(page)).to_contain_text("4 changes to 3 keys")
    await expect(box(page, "192.0.2.1", "billing", "Add a New License", staged=True)).not_to_be_checked()
    await expect(box(page, NEW[0].ip, NEW[0].service, "Add a New License", staged=True)).to_be_checked()


async def test_a_workbook_that_calc_saved_as_csv_is_dropped_and_staged(page: Page) -> None:
    await stages_what_the_workbook_changed(page, await drop(page, "keys.csv"))


async def test_a_workbook_that_calc_saved_as_tsv_is_pasted_and_staged(page: Page) -> None:
    await stages_what_the_workbook_changed(page, await paste(page, "keys.tsv"))


async def test_an_export_that_calc_opened_and_saved_changes_nothing(page: Page) -> None:
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export").click()
    file = await (await download.value).path()
    assert file.read_bytes().replace(b"\r\n", b"\n") == exported().replace(b"\r\n", b"\n")
    await expect(await drop(page, "exported-and-saved.csv")).to_contain_text(
        f"{len(KEYS)} keys: {len(KEYS)} already so."
    )


async def test_a_copy_that_calc_opened_and_saved_changes_nothing(page: Page) -> None:
    await page.evaluate(
        "document.addEventListener('copy', (e) => window.copied = e.clipboardData.getData('text/plain'))"
    )
    await focus(page, 0)
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Control+c")
    await expect(page.get_by_text(f"Copied {len(KEYS)} rows, with a heading")).to_be_visible()
    assert await page.evaluate("window.copied") == copied()
    await page.keyboard.press("Escape")
    await expect(await paste(page, "copied-and-saved.tsv")).to_contain_text(
        f"{len(KEYS)} keys: {len(KEYS)} already so."
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("keys.xlsx", "an Excel workbook"), ("keys.ods", "an OpenDocument spreadsheet")]
)
async def test_a_workbook_itself_is_refused_in_words(page: Page, name: str, kind: str) -> None:
    await drop(page, name)
    await expect(page.get_by_role("alert")).to_contain_text(
        f'{name} cannot be imported: it is {kind}, not CSV. Save the table as "CSV UTF-8", with commas'
    )
    await expect(bar(page)).to_contain_text("No staged changes")
