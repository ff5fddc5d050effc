"""No click is lost, whatever the grid does between the press and the release: rows that arrive, flash, are read again or sorted."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, expect

from models.privileges import PRIVILEGES
from models.submissions import Assignment
from tests.browser import bar, clean_page, needs_chromium
from tests.program import Program

pytestmark = needs_chromium

KEYS = [Assignment(f"10.0.0.{n}", "billing", 0) for n in range(1, 11)]

# Each puts a new state on the page as the server would, and returns when the grid has drawn it.
REDRAWS = {
    "a row arrives": """id => authkeys.put([{id: Number(id), ip: "10.0.0.1", service: "billing", stored: 0, staged: 0,
        removal: false, others: ["bob"], unused: 0, conflict: "", amended: [], owner: "", note: ""}])""",
    "a row flashes": "id => authkeys.flash([[Number(id), 511, true]], 'bob')",
    "the rows are read again": """async (id) => {
        const read = new Promise((resolve) => new PerformanceObserver((list) =>
            list.getEntries().some(({ name }) => name.includes("/grid/rows")) && resolve()).observe({ type: "resource" }));
        authkeys.refresh();
        await read;
        await new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve)));
    }""",
}


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    async with clean_page(server, width=1440, height=900) as page:
        yield page


def checkbox(page: Page, row: int, column: str) -> Locator:
    return page.locator(f'.ag-row[row-index="{row}"] [col-id="{column}"] input')


async def press_and_hold(page: Page, target: Locator) -> None:
    shape = await target.bounding_box()
    assert shape is not None
    await page.mouse.move(shape["x"] + shape["width"] / 2, shape["y"] + shape["height"] / 2)
    await page.mouse.down()


@pytest.mark.parametrize("column", ["addlicense", "remove"])
@pytest.mark.parametrize("redraw", REDRAWS.values(), ids=REDRAWS)
async def test_a_click_counts_once_though_the_cell_is_drawn_anew_while_it_lasts(
    page: Page, redraw: str, column: str
) -> None:
    row = page.locator('.ag-pinned-left-cols-container .ag-row[row-index="0"]')
    authkey_id = await row.get_attribute("row-id")
    for ticked, said in ((True, "to 1 key"), (False, "No staged changes")):
        if not ticked and "put" in redraw:
            continue  # that row arrives unticked
        await press_and_hold(page, checkbox(page, 0, column))
        await page.evaluate(redraw, authkey_id)
        await page.mouse.up()
        await expect(checkbox(page, 0, column)).to_be_checked(checked=ticked)
        await expect(bar(page)).to_contain_text(said)


async def test_ninety_quick_clicks_while_the_rows_are_read_again_stage_ninety_changes(page: Page) -> None:
    for row in range(len(KEYS)):
        await page.evaluate("authkeys.refresh()")
        for privilege in PRIVILEGES:
            await checkbox(page, row, privilege.id).click()
    await expect(bar(page)).to_contain_text(f"{len(KEYS) * len(PRIVILEGES)} changes to {len(KEYS)} keys")


async def test_a_press_that_is_carried_to_another_box_is_no_click(page: Page) -> None:
    await press_and_hold(page, checkbox(page, 0, "addlicense"))
    await checkbox(page, 3, "addlicense").hover()
    await page.mouse.up()
    await checkbox(page, 5, "addlicense").click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await expect(checkbox(page, 0, "addlicense")).not_to_be_checked()
    await expect(checkbox(page, 3, "addlicense")).not_to_be_checked()


async def test_a_browser_that_is_slow_to_answer_still_switches_its_colours(page: Page) -> None:
    switch = page.get_by_role("button", name="Switch between light and dark")
    # After the click has gone out it is busy for longer than NiceGUI waits for an answer by itself.
    await switch.evaluate(
        """button => button.addEventListener("click", () => setTimeout(() => {
            const until = performance.now() + 1500;
            while (performance.now() < until);
        }))"""
    )
    await expect(page.locator("body.body--light")).to_be_visible()
    await switch.click()
    await expect(page.locator("body.body--dark")).to_be_visible()
    await expect(page.get_by_text("Something went wrong")).to_have_count(0)
    await page.reload()
    await expect(page.locator("body.body--dark")).to_be_visible()
