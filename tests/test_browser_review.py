"""The review of thousands of rows in a browser: every line reachable, few of them there at once, and none that moves by itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from models.privileges import ALL_PRIVILEGES
from models.submissions import Assignment
from tests.browser import axe_finds_nothing, bar, box, clean_page, grant_all, needs_chromium, open_page
from tests.program import Program, import_csv, write_csv
from tests.support import ADD, new_keys

pytestmark = needs_chromium

COUNT = 5_000
KEYS = new_keys(COUNT)
IPS = [key.ip for key in KEYS]
LAST = IPS[-1]
MOST_LINES = 150
"""Of a list in a window of 800 pixels"""
CAN_SHOW = "element => element.scrollHeight / element.clientHeight"


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    """With something staged for every key, and its review open."""
    async with clean_page(server) as page:
        await grant_all(page)
        await expect(bar(page)).to_contain_text(f"{COUNT:,} changes to {COUNT:,} keys")
        await page.get_by_role("button", name="Review", exact=True).click()
        await expect(lines(page).first).to_be_visible()
        yield page


def lines(page: Page) -> Locator:
    """The list of the review, and in it the rows."""
    return page.locator(".review-list .review-item")


def name_of(page: Page, ip: str) -> Locator:
    """The button that leads to a row."""
    return page.get_by_role("button", name=f"Show {ip}, billing in the grid", exact=True)


async def scroll(page: Page, share: float) -> None:
    """Drag the scrollbar there, as a share of its way."""
    await page.locator(".review-list").evaluate(
        "(list, share) => (list.scrollTop = share * (list.scrollHeight - list.clientHeight))", share
    )


async def at_the_edge(page: Page) -> str:
    """The row at the upper edge of the list, when it has come."""
    found = await page.wait_for_function(
        """() => {
            const list = document.querySelector(".review-list");
            const line = [...list.children].slice(1, -1).find((each) => each.offsetTop + each.offsetHeight > list.scrollTop);
            return line?.offsetTop < list.scrollTop + list.clientHeight && line.querySelector(".review-ip")?.textContent;
        }"""
    )
    return str(await found.json_value())


async def top_of(locator: Locator) -> float:
    found = await locator.bounding_box()
    assert found
    return found["y"]


async def test_every_line_is_reachable_and_few_are_there_at_once(page: Page) -> None:
    assert await lines(page).count() < MOST_LINES
    await expect(page.get_by_role("treegrid", name="Staged changes")).to_have_attribute("aria-rowcount", str(COUNT + 1))
    assert await page.locator(".review-list").evaluate(CAN_SHOW) > 300, "the scrollbar says how much there is"
    for share, number in ((0.5, COUNT / 2), (0.1, COUNT / 10), (0.9, COUNT * 0.9)):
        await scroll(page, share)
        assert abs(IPS.index(await at_the_edge(page)) - number) < COUNT / 50
        assert await lines(page).count() < MOST_LINES
    await scroll(page, 1)
    await expect(name_of(page, LAST)).to_be_in_viewport()
    await expect(lines(page).last).to_have_attribute("aria-posinset", str(COUNT))
    await expect(lines(page).last).to_have_attribute("aria-setsize", str(COUNT))
    await axe_finds_nothing(page, "the end of a long review")
    await scroll(page, 0)
    await expect(name_of(page, IPS[0])).to_be_in_viewport()


async def test_one_scrolls_through_it_without_a_line_left_out(page: Page) -> None:
    await page.locator(".review-list").hover()
    seen: list[str] = []
    while len(seen) < 250:
        await expect(page.locator(".review-waiting")).to_have_count(0)
        now = await page.locator(".review-list .review-ip").all_text_contents()
        seen += now[now.index(seen[-1]) + 1 :] if seen else now
        await page.mouse.wheel(0, 400)
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert seen == IPS[: len(seen)]


async def test_a_line_far_down_leads_to_its_row_and_is_taken_back(page: Page) -> None:
    await scroll(page, 1)
    await name_of(page, LAST).click()
    await expect(box(page, LAST, "billing", "Add a New License", staged=True)).to_be_in_viewport()
    await page.get_by_role("button", name=f"Take back: Grant Add a New License, {LAST}, billing").click()
    await expect(bar(page)).to_contain_text(f"{COUNT - 1:,} changes")
    await expect(name_of(page, LAST)).to_have_count(0)
    await expect(name_of(page, IPS[-2])).to_be_in_viewport()
    await expect(box(page, LAST, "billing", "Add a New License")).not_to_be_checked()


async def test_the_list_is_one_tab_stop_whose_rows_the_arrow_keys_go_through(page: Page) -> None:
    keyboard = page.keyboard
    await page.get_by_role("searchbox", name="Search in the review").focus()
    await keyboard.press("Tab")
    group = page.get_by_role("button", name=f"Other changes · {COUNT:,}")
    await expect(group).to_be_focused()
    await keyboard.press("ArrowDown")
    await expect(name_of(page, IPS[0])).to_be_focused()
    await expect(name_of(page, IPS[0])).to_have_accessible_description(f"1 of {COUNT:,}")
    await keyboard.press("ArrowRight")
    await expect(page.get_by_role("button", name=f"Take back: Grant Add a New License, {IPS[0]}, b")).to_be_focused()
    await keyboard.press("End")
    await expect(name_of(page, LAST)).to_be_focused()
    await expect(name_of(page, LAST)).to_be_in_viewport()
    await keyboard.press("Tab")
    await expect(page.get_by_role("button", name=f"Submit {COUNT:,} changes")).to_be_focused()
    await keyboard.press("Shift+Tab")
    await expect(name_of(page, LAST)).to_be_focused()
    await page.locator(".review-list").hover()
    await scroll(page, 0.5)
    await expect(page.locator(".review-list")).to_be_focused()  # its line is out of sight, so that it keeps the place
    await keyboard.press("Home")
    await expect(group).to_be_focused()
    await keyboard.press("Enter")
    await expect(group).to_have_attribute("aria-expanded", "false")
    await expect(group).to_be_focused()
    await expect(lines(page)).to_have_count(0)
    await keyboard.press("Escape")
    await expect(page.get_by_role("region", name="Review of staged changes")).to_be_hidden()


async def test_what_others_and_other_windows_do_moves_no_line_in_sight(
    page: Page, server: Program, browser: Browser, tmp_path: Path
) -> None:
    await scroll(page, 0.5)
    seen = name_of(page, IPS[IPS.index(await at_the_edge(page)) + 2])
    await seen.focus()
    before = await top_of(seen)

    elsewhere = await open_page(browser, server)
    await box(elsewhere, IPS[1], "billing", "Remove?").click()
    await expect(bar(page)).to_contain_text(f"{COUNT:,} changes")
    await expect(page.locator(".review-totals")).to_contain_text("1 removal")
    changed = write_csv(tmp_path / "changed.csv", [Assignment(IPS[1], "billing", ALL_PRIVILEGES & ~ADD.mask)])
    import_csv(server.database, changed, admin="dana")
    await expect(page.get_by_text("1 key needs a decision")).to_be_visible()
    await expect(page.locator(".review-list")).to_have_attribute("aria-rowcount", str(COUNT + 2))
    await expect(seen).to_be_focused()
    assert abs(await top_of(seen) - before) < 2
    await elsewhere.context.close()


async def test_a_search_in_it_finds_what_is_staged_for_an_address(page: Page) -> None:
    field = page.get_by_role("searchbox", name="Search in the review")
    await field.fill("10.0.7.0/24")
    await expect(page.locator(".review-found")).to_have_text("256 keys found")
    await expect(name_of(page, "10.0.7.0")).to_be_in_viewport()
    await axe_finds_nothing(page, "a search in the review")
    await field.fill("10.0.7.200")
    await expect(lines(page)).to_have_count(1)
    await field.fill("nobody")
    await expect(page.locator(".review-found")).to_have_text("0 keys found")
    await axe_finds_nothing(page, "a search in the review without a match")
    await field.fill("")
    await expect(lines(page).nth(20)).to_be_attached()
    await page.get_by_role("button", name="Discard").click()
    await expect(page.get_by_text("Nothing is staged.")).to_be_visible()
    await expect(field).to_be_hidden()
