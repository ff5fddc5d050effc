"""Searching in the page: the rows come first, and how many there are when that is known."""

import asyncio
import json
import re

from playwright.async_api import Browser, Route, expect

from models.submissions import Assignment
from tests.browser import needs_chromium, open_page
from tests.program import Program

pytestmark = needs_chromium

KEYS = [
    *(Assignment(f"10.0.{n >> 8}.{n & 255}", "billing", 0) for n in range(450)),
    *(Assignment(f"192.0.2.{n}", "mail", 0) for n in range(3)),
]


async def test_rows_are_shown_before_they_are_counted_and_all_can_be_reached_then(
    browser: Browser, server: Program
) -> None:
    page = await open_page(browser, server)
    counting = asyncio.Event()

    async def without_total(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=json.dumps({**await answer.json(), "total": None}))

    async def late(route: Route) -> None:
        await counting.wait()
        await route.continue_()

    await page.get_by_role("searchbox").fill("192.0.2.")
    await expect(page.locator(".ag-pinned-left-cols-container .ag-row")).to_have_count(3)
    await page.route("**/grid/rows?*", without_total)
    await page.route("**/grid/rows/count?*", late)
    await page.get_by_role("searchbox").fill("billing")
    await expect(page.locator('.ag-row[row-index="9"] [col-id="ip"]')).to_have_text("10.0.0.9")
    counting.set()
    await page.wait_for_function(
        "() => document.querySelector('.grid [role=treegrid], .grid [role=grid]').ariaRowCount > 450"
    )
    await page.locator('.ag-row[row-index="0"] [col-id="ip"]').click(modifiers=["Control"])
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+End")
    await expect(page.locator('.ag-row[row-index="449"] [col-id="ip"]')).to_have_text("10.0.1.193")


async def test_one_search_after_another_shows_what_was_typed_last(browser: Browser, server: Program) -> None:
    page = await open_page(browser, server)
    first = asyncio.Event()

    async def late(route: Route) -> None:
        await first.wait()
        await route.continue_()

    await page.route("**/grid/rows?search=bill&*", late)
    search = page.get_by_role("searchbox")
    for text in ("bill", "billin", "mail"):
        async with page.expect_request(re.compile(rf"search={text}&")):
            await search.fill(text)
    rows = page.locator('.ag-pinned-left-cols-container .ag-row [col-id="ip"]')
    await expect(rows).to_have_text(["192.0.2.0", "192.0.2.1", "192.0.2.2"])
    first.set()
    await page.wait_for_load_state("networkidle")
    await expect(rows).to_have_text(["192.0.2.0", "192.0.2.1", "192.0.2.2"])
    await search.fill("")
    await expect(page.get_by_text("453 keys")).to_be_visible()
    await expect(rows.first).to_have_text("10.0.0.0")
