"""The denied requests in a browser: times that stay fresh, the chart and the tester by keyboard, and how it fits a phone."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import privilege
from tests.browser import axe_finds_nothing, needs_chromium, open_page
from tests.elsewhere import key
from tests.program import Program
from tests.test_times import AGES, NOW

pytestmark = needs_chromium

KEYS = [key("192.0.2.7", "billing", privilege("search"))]


async def is_denied(page: Page, server: Program) -> None:
    """Let somebody ask with a key that nobody has; it shows when it was written, seconds later."""
    await page.request.get(f"{server.url}/authorize/search", headers={"X-Api-Key": "unknown"})


@pytest.fixture
async def page(browser: Browser, server: Program) -> Page:
    """The view, with at least one line."""
    page = await open_page(browser, server)
    await page.goto(f"{server.url}/denied")
    await is_denied(page, server)
    await expect(page.get_by_text("No authkey has the key that it brought.")).to_be_visible()
    return page


async def test_a_browser_tells_times_in_the_words_of_the_server(page: Page) -> None:
    ages = [[(NOW - age).isoformat(), NOW.timestamp() * 1000] for age in AGES]
    said = await page.evaluate(
        """async (ages) => {
            const { ago } = await import(document.querySelector('script[src$="main.js"]').src.replace("main.js", "times.js"));
            return ages.map(([at, now]) => ago(at, now));
        }""",
        ages,
    )
    assert said == list(AGES.values())


async def test_a_time_stays_fresh_without_the_server_and_follows_what_the_server_says(
    page: Page, server: Program
) -> None:
    time = page.locator(".denied-table time")
    await expect(time).to_have_text("just now")
    await expect(time).to_have_attribute(
        "title", await time.evaluate("time => `${time.dateTime.slice(0, 16).replace('T', ' ')} UTC`")
    )
    # As it is minutes later: the server then says the words that it said before.
    await time.evaluate("time => { time.firstChild.data = '3 min ago' }")
    before = await page.locator(".denied-table td.number").inner_text()
    await is_denied(page, server)
    await expect(page.locator(".denied-table td.number")).not_to_have_text(before)
    await expect(time).to_have_text("just now")
    await page.clock.install()
    await page.reload()
    await expect(time).to_have_text("just now")
    await page.clock.fast_forward("05:00")
    await expect(time).to_have_text("5 min ago")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_tester_opens_beside_the_list_and_escape_leads_back(page: Page, dark: bool) -> None:
    await page.emulate_media(color_scheme="dark" if dark else "light")
    opener = page.get_by_role("button", name="Try it again: Search for a License")
    await opener.focus()
    await page.keyboard.press("Enter")
    panel = page.get_by_role("region", name="Try an access check")
    await expect(panel.get_by_label("Key, or the name of a service")).to_be_focused()
    await expect(page).to_have_url(re.compile("try=1&ip=127.0.0.1"))
    await page.keyboard.type("billing")
    await panel.get_by_label("From IP").fill("192.0.2.7")
    await page.keyboard.press("Enter")
    await expect(panel.get_by_text("Now: allowed")).to_be_visible()
    await axe_finds_nothing(page, "tester")
    await panel.get_by_label("Privilege").click()
    await expect(page.get_by_role("option").first).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("option")).to_have_count(0)
    await expect(panel).to_be_visible()  # only the choices were closed
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await expect(opener).to_be_focused()
    await expect(page).to_have_url(re.compile("/denied$"))


async def test_a_day_is_chosen_by_keyboard_and_stands_in_the_address(page: Page) -> None:
    today = page.locator(".chart-day").last
    await expect(today).to_have_accessible_name(await page.locator(".chart-day").last.get_attribute("aria-label") or "")
    await today.focus()
    await page.keyboard.press("Space")
    await expect(today).to_have_attribute("aria-pressed", "true")
    await expect(page).to_have_url(re.compile("day="))
    await axe_finds_nothing(page, "chart with a chosen day")
    await page.locator(".chart-day").first.press("Enter")
    await expect(page.get_by_text("No denied request matches this view")).to_be_visible()
    await page.get_by_role("button", name="Clear search and filters").press("Enter")
    await expect(page.locator(".denied-table tbody tr")).to_have_count(1)


async def test_at_any_width_and_on_paper_the_list_fits_and_what_helps_is_one_line(page: Page) -> None:
    again = page.get_by_role("button", name="Try it again")
    beside = "list => list.scrollWidth - list.clientWidth"
    for width in (1440, 1100, 900, 801, 800, 768, 641, 600, 390):
        await page.set_viewport_size({"width": width, "height": 800})
        shape = await again.bounding_box()
        assert shape
        assert shape["height"] <= 44, width
        assert await page.locator(".denied-list").evaluate(beside) <= 0, width
    await page.set_viewport_size({"width": 718, "height": 1000})
    await page.emulate_media(media="print")
    assert await page.locator(".denied-list").evaluate(beside) <= 0


async def test_on_a_phone_each_line_is_a_card_and_nothing_is_cut(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    card = page.locator(".denied-table tbody tr")
    for part in (card, page.locator(".chart-day").last, card.get_by_role("button", name="Try it again")):
        box = await part.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert await page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0
    cut = (
        "each => [...each.querySelectorAll('.chart-date')].filter((date) => date.scrollWidth > date.clientWidth).length"
    )
    assert await page.locator(".chart-days").evaluate(cut) == 0
    await axe_finds_nothing(page, "denied requests on a phone")


async def test_bars_are_seen_where_no_colours_are(page: Page) -> None:
    empty, filled = page.locator(".chart-day").first.locator("svg"), page.locator(".chart-day").last.locator("svg")
    for media in ({"forced_colors": "active"}, {"forced_colors": "none", "media": "print"}):
        await page.emulate_media(**media)  # type: ignore[arg-type]
        await page.mouse.move(0, 0)
        assert await filled.screenshot() != await empty.screenshot()
