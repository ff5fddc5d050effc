"""What only a browser can show of the grid: sorting, searching, the address bar, the keyboard, and texts that are code."""

import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import bar, box, needs_chromium, open_page, shown_ips
from tests.program import Program
from tests.waiting import comes_true

pytestmark = needs_chromium

SEARCH, LIST = privilege("search").mask, privilege("listlicenses").mask
ODD_SERVICES = ("<img src=x onerror=document.title=1>", "חיוב", "🔑 keys", "=cmd|'/c calc'!A1", "&lt;b&gt;")
KEYS = [
    Assignment("2001:db8::1", "six", SEARCH),
    Assignment("2001:db8:1::1", "six", 0),
    Assignment("198.51.100.9", "alpha", SEARCH),
    Assignment("198.51.100.10", "beta", LIST),
    *(Assignment("203.0.113.1", service, 0) for service in ODD_SERVICES),
    *(Assignment(f"10.1.{n >> 8}.{n & 255}", "billing", LIST) for n in range(1000)),
]


async def shows(page: Page, *ips: str) -> None:
    """The first rows are these, in this order."""

    async def are_first() -> bool:
        return (await shown_ips(page))[: len(ips)] == list(ips)

    assert await comes_true(are_first), await shown_ips(page)


async def sort(page: Page, heading: str) -> None:
    await page.locator(".ag-header-cell").filter(has_text=heading).first.click()


async def test_ips_are_sorted_by_number_and_the_order_is_in_the_address_bar(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server, "/?search=198.51.100.")
    await shows(page, "198.51.100.9", "198.51.100.10")
    await page.goto(f"{server.url}/?sort=-ip")
    await shows(page, "2001:db8:1::1", "2001:db8::1", "203.0.113.1")
    await sort(page, "Service")
    await expect(page).to_have_url(f"{server.url}/?sort=service")
    await sort(page, "Service")
    await expect(page).to_have_url(f"{server.url}/?sort=-service")
    await sort(page, "Search for a License")
    await expect(page).to_have_url(f"{server.url}/?sort=search")
    await shows(page, "198.51.100.9", "2001:db8::1", "10.1.0.0")


@pytest.mark.parametrize(
    ("search", "count", "first"),
    [
        ("198.51.100.10", "1 of 1,009 keys", "198.51.100.10"),
        ("198.51.", "2 of 1,009 keys", "198.51.100.9"),
        ("10.1.2.0/24", "256 of 1,009 keys", "10.1.2.0"),
        ("2001:db8::/48", "1 of 1,009 keys", "2001:db8::1"),
        ("BETA", "1 of 1,009 keys", "198.51.100.10"),
        ("חיוב", "1 of 1,009 keys", "203.0.113.1"),
    ],
)
async def test_one_finds_by_text_address_beginning_and_network(
    server: Program, browser: Browser, search: str, count: str, first: str
) -> None:
    page = await open_page(browser, server)
    await page.get_by_role("searchbox").fill(search)
    await expect(page.get_by_text(count, exact=True)).to_be_visible()
    await shows(page, first)


async def test_a_view_can_be_bookmarked_with_search_filters_and_order(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server)
    await page.get_by_role("searchbox").fill("198.")
    await page.get_by_role("button", name="Filter").click()
    await page.get_by_role("group", name="Search for a License").get_by_role("button", name="Has").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Filter · 1")).to_be_visible()
    await expect(page.get_by_text("1 of 1,009 keys", exact=True)).to_be_visible()
    await expect(page).to_have_url(f"{server.url}/?search=198.&has=search")
    again = await open_page(browser, server, "/?search=198.&has=search&sort=-service")
    await expect(again.get_by_text("1 of 1,009 keys", exact=True)).to_be_visible()
    await shows(again, "198.51.100.9")
    await expect(again.get_by_role("searchbox")).to_have_value("198.")
    await again.get_by_role("button", name="Has Search for a License: remove").click()
    await expect(again).to_have_url(f"{server.url}/?search=198.&sort=-service")
    await again.get_by_role("searchbox").fill("")
    await expect(again.get_by_text("1,009 keys", exact=True)).to_be_visible()


async def test_a_view_without_a_key_says_so_and_the_way_back(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server, "/?search=nothing-like-this")
    await expect(page.get_by_text("No key matches this view")).to_be_visible()
    await page.get_by_role("button", name="Show all keys").click()
    await expect(page.get_by_text("1,009 keys", exact=True)).to_be_visible()


async def test_only_my_staged_changes_are_shown_when_asked_for(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server, "/?search=198.51.100.10")
    await box(page, "198.51.100.10", "beta").click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await page.goto(f"{server.url}/?staged=1")
    await expect(page.get_by_text("1 of 1,009 keys", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Discard").click()
    await expect(page.get_by_text("0 of 1,009 keys", exact=True)).to_be_visible()


async def test_names_of_services_are_texts_whatever_they_look_like(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server, "/?search=203.0.113.1")
    for service in ODD_SERVICES:
        await expect(page.locator("[col-id=service]").get_by_text(service, exact=True)).to_be_visible()
        await expect(box(page, "203.0.113.1", service)).to_be_visible()
    await expect(page).to_have_title("API Authorization Keys")
    assert await page.locator("[col-id=service] img").count() == 0


async def test_the_keyboard_reaches_everything_and_the_grid_is_one_tab_stop(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server)
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.get_by_role("searchbox").blur()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog").get_by_text("Undo and redo the last staging step")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)

    focused = page.locator(".ag-cell-focus")
    await page.locator('.ag-row[row-index="0"] [col-id="ip"]').click()
    await page.keyboard.press("End")
    await expect(focused).to_have_attribute("col-id", "menu")
    await page.keyboard.press("Home")
    await expect(focused).to_have_attribute("col-id", "ip")
    await page.keyboard.press("PageDown")
    await expect(page.locator('.ag-row[row-index="0"] .ag-cell-focus')).to_have_count(0)
    await page.keyboard.press("Control+End")
    await expect(page.locator('.ag-row[row-index="1008"]').first).to_be_visible()
    await page.keyboard.press("Control+Home")
    await expect(page.locator('.ag-row[row-index="0"]').first).to_be_visible()

    await page.get_by_role("button", name="Add authkey").focus()
    stops_in_grid = 0
    for _ in range(25):
        await page.keyboard.press("Tab")
        stops_in_grid += await page.evaluate("document.activeElement.closest('.grid') !== null")
    assert 1 <= stops_in_grid <= 4  # one stop, each time around the page


async def test_no_page_scrolls_sideways(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server)
    for width, height in ((1440, 900), (1280, 800), (390, 844)):
        await page.set_viewport_size({"width": width, "height": height})
        for path in ("/", "/?unused=30&search=10.", "/passphrases", "/denied"):
            await page.goto(server.url + path)
            await expect(page.locator(".live")).to_be_visible()
            beyond = await page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
            assert beyond <= 0, f"{path} at {width}"
