"""Copy, paste, files and exports in a real browser, whose own events carry them, also without https."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from models.privileges import privilege
from tests.browser import axe_finds_nothing, bar, box, clean_page, needs_chromium
from tests.elsewhere import key
from tests.program import Program, write_csv

pytestmark = needs_chromium

KEYS = [
    *(key(f"10.0.0.{n}", "billing", privilege("search")) for n in range(1, 31)),
    *(key(f"172.16.0.{n}", service) for n, service in enumerate(("=odd()", "#odd", "odd"))),
]

PASTE = """text => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""
DROP = """([name, text]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], name, {type: "text/csv"}));
    const told = {dataTransfer, bubbles: true, cancelable: true};
    document.querySelector(".grid").dispatchEvent(new DragEvent("dragover", told));
    document.querySelector(".grid").dispatchEvent(new DragEvent("drop", told));
}"""


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    """With nothing staged."""
    async with clean_page(server, width=1440, height=900) as page:
        yield page


async def focus(page: Page, row: int, column: int = 0) -> None:
    """A cell, without ticking it."""
    await page.locator(f'.ag-row[row-index="{row}"] [col-id="ip"]').click()
    for _ in range(column):
        await page.keyboard.press("ArrowRight")


async def test_a_block_from_a_spreadsheet_is_shown_line_by_line_and_then_staged(page: Page) -> None:
    await focus(page, 1, 2)
    await page.evaluate(PASTE, "WAHR\tx\r\nFALSCH\t\r\nperhaps\t1\r\n")
    plan = page.get_by_role("dialog")
    await expect(plan).to_contain_text(
        "2 keys: 1 changed, 1 already so, 1 that cannot be read. Left as before: 1 empty cell."
    )
    await expect(plan).to_contain_text("10.0.0.2 billing")
    await expect(plan).to_contain_text("+ Add a New License, + cPanel Security Verification Program")
    await axe_finds_nothing(page, "a plan")
    await plan.get_by_text("1 line cannot be read").click()
    await expect(plan).to_contain_text("line 3: 'perhaps' is neither yes nor no")
    await expect(bar(page)).to_contain_text("No staged changes")
    await plan.get_by_role("button", name="Stage 2 changes").click()
    await expect(bar(page)).to_contain_text("2 changes to 1 key")
    await expect(box(page, "10.0.0.2", "billing", "Add a New License", staged=True)).to_be_checked()
    await page.keyboard.press("Control+z")
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_what_was_copied_is_pasted_onto_other_rows(page: Page) -> None:
    await box(page, "10.0.0.1", "billing", "Manage Authkeys").click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await focus(page, 0)
    await page.keyboard.press("Shift+Space")
    await page.keyboard.press("Control+c")
    await expect(page.get_by_text("Copied 1 row, with a heading")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText().catch(() => null)")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+v")
    await expect(page.get_by_role("dialog")).to_contain_text("1 key: 1 already so.")
    assert copied is None or copied.startswith("ip\tservice\taddlicense")


async def test_a_block_with_an_empty_row_leaves_that_row_and_fits_the_others(page: Page) -> None:
    await focus(page, 3, 2)
    await page.evaluate(PASTE, "x\r\n\r\nx\r\n")
    await page.get_by_role("button", name="Stage 2 changes").click()
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    for number, ticked in ((4, True), (5, False), (6, True)):
        await expect(box(page, f"10.0.0.{number}", "billing", "Add a New License", staged=ticked)).to_be_checked(
            checked=ticked
        )


async def test_what_is_copied_here_and_by_the_server_is_the_same_and_no_formula(page: Page, server: Program) -> None:
    copied = "document.addEventListener('copy', (e) => window.copied = e.clipboardData.getData('text/plain'))"
    await page.evaluate(copied)
    await page.get_by_role("searchbox").fill("odd")
    await expect(page.get_by_text("3 of ", exact=False).first).to_be_visible()
    await focus(page, 0)
    await page.keyboard.press("Control+a")
    await expect(page.locator(".selection-text")).to_have_text("3 rows, 12 columns selected")
    await page.keyboard.press("Control+c")
    here = await page.evaluate("window.copied")
    there = await page.evaluate(
        "fetch('/grid/rows/copy?search=odd', {method: 'POST', body: JSON.stringify(authkeys.selection())}).then((a) => a.text())"
    )
    assert here == there
    assert [line.split("\t")[1] for line in here.splitlines()[1:]] == ["'=odd()", "'#odd", "odd"]


async def test_a_dropped_file_adds_and_changes_keys_and_makes_their_secrets_when_wanted(
    page: Page, tmp_path: Path
) -> None:
    file = write_csv(
        tmp_path / "more.csv", [key("10.0.0.3", "billing"), key("192.0.2.1", "new"), key("192.0.2.2", "new")]
    )
    await page.evaluate(DROP, ["more.csv", file.read_text()])
    plan = page.get_by_role("dialog")
    await expect(plan).to_contain_text("Import of more.csv")
    await expect(plan).to_contain_text("3 keys: 2 new, 1 changed.")
    await plan.get_by_role("checkbox", name="1 to revoke").click()
    await plan.get_by_role("checkbox", name="Make secrets for the new keys").click()
    await plan.get_by_role("button", name="Stage 2 changes").click()
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    await expect(page.locator(".ag-pinned-left-cols-container .row-new")).to_have_count(2)
    await page.get_by_role("button", name="Submit authkey modifications").click()
    await expect(page.get_by_text("2 keys were made.")).to_be_visible()
    await axe_finds_nothing(page, "new keys")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download as CSV").click()
    lines = (Path(await (await download.value).path())).read_text().splitlines()
    assert lines[0] == "ip,service,secret"
    assert [line.rsplit(",", 1)[0] for line in lines[1:]] == ["192.0.2.1,new", "192.0.2.2,new"]
    await page.get_by_role("button", name="Done").click()
    await expect(page.get_by_text("35 keys", exact=True)).to_be_visible()


async def test_an_export_that_is_chosen_as_a_file_has_nothing_to_stage(page: Page) -> None:
    await page.get_by_role("searchbox").fill("10.0.0.0/28")
    await expect(page.get_by_text("15 of", exact=False).first).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export").click()
    file = await download.value
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Import…").click()
    await (await chooser.value).set_files(await file.path())
    await expect(page.get_by_role("dialog")).to_contain_text("15 keys: 15 already so.")
    await expect(page.get_by_role("button", name="Nothing to stage")).to_be_disabled()


async def test_a_file_that_is_none_is_refused_in_words(page: Page) -> None:
    await page.evaluate(DROP, ["photo.jpg", "\x00\x01\x02"])
    await expect(page.get_by_role("alert")).to_contain_text("photo.jpg cannot be imported")
    await expect(bar(page)).to_contain_text("No staged changes")
