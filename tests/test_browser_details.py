"""The details of a key in a browser: the keyboard's way in and back, Back and Forward, other windows, copying, every screen."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from models.privileges import privilege
from models.submissions import CellChange, Removal
from models.tables import Authkey
from services.console import Console
from storage.database import DatabaseLocation, reader
from tests.browser import axe_finds_nothing, bar, box, chromium, focus_cell, needs_chromium, open_page
from tests.elsewhere import key
from tests.other_process import another_process
from tests.program import Program
from tests.support import submit

pytestmark = needs_chromium

SEARCH = privilege("search")
KEYS = [key(f"192.0.2.{n}", "billing, EU & co", SEARCH) for n in range(1, 31)]
ACCOUNTS = (("dana",),)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def page(server: Program, browser: Browser) -> Page:
    return await open_page(browser, server, width=1600)  # nothing lies over the grid


async def revoke(console: Console, ip: str) -> None:
    row = await Authkey.filter(ip=ip).using_db(reader()).get()
    await submit(console, CellChange(row.id, 0, SEARCH.mask))


async def remove(console: Console, ip: str) -> None:
    row = await Authkey.filter(ip=ip).using_db(reader()).get()
    await submit(console, Removal(row.id, row.revision))


async def use(console: Console, ip: str) -> None:
    row = await Authkey.filter(ip=ip).using_db(reader()).get()
    for days_ago in (0, 3):
        console.uses.note_uses(row.id, SEARCH, 7, datetime.now(UTC) - timedelta(days=days_ago))
        await console.uses.write()


async def as_dana(server: Program, work: object, *arguments: object) -> None:
    async with another_process(DatabaseLocation(server.database), "dana") as other:
        await other.do(work, *arguments)  # type: ignore[arg-type]


def panel(page: Page) -> Locator:
    return page.locator("section.side")


def cell(page: Page, row: int, column: str) -> Locator:
    return page.locator(f'.ag-row[row-index="{row}"] [col-id="{column}"]')


def named(page: Page, ip: str) -> Locator:
    """The panel, once it is about this key."""
    return panel(page).filter(has=page.get_by_text(ip, exact=True))


async def open_by_menu(page: Page, row: int) -> None:
    await cell(page, row, "menu").locator("button").click()
    await page.get_by_role("menuitem", name="Details").click()
    await expect(panel(page).get_by_role("table")).to_be_visible()


async def test_enter_on_a_name_opens_them_and_escape_leads_back_to_the_row(page: Page, server: Program) -> None:
    for column in ("ip", "service"):
        await focus_cell(cell(page, 2, column))
        await page.keyboard.press("Enter")
        await expect(panel(page).get_by_role("heading", name="Details")).to_be_focused()
        await expect(page).to_have_url(f"{server.url}/?key=192.0.2.3,billing,+EU+%26+co")
        await page.keyboard.press("Escape")
        await expect(panel(page)).to_be_hidden()
        await expect(cell(page, 2, column)).to_be_focused()
        await expect(page).to_have_url(f"{server.url}/")


async def test_from_the_menu_too_the_keyboard_is_in_the_panel_and_comes_back(page: Page) -> None:
    await open_by_menu(page, 1)
    await expect(panel(page).get_by_role("heading", name="Details")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(panel(page)).to_be_hidden()
    await expect(page.locator('.ag-row[row-index="1"] :focus, .ag-row[row-index="1"] .ag-cell:focus')).to_have_count(1)


async def test_a_menu_that_still_fades_does_not_take_the_escape_that_closes_the_panel(page: Page) -> None:
    await open_by_menu(page, 1)
    await page.add_style_tag(content=".q-menu { transition-duration: 60s !important }")
    await cell(page, 3, "menu").locator("button").click()
    await expect(page.get_by_role("menuitem", name="Details")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".q-menu[class*=-leave-active]")).to_be_attached()
    await page.keyboard.press("Escape")
    await expect(panel(page)).to_be_hidden()


async def test_escape_in_the_grid_first_clears_the_selection_and_then_closes_the_panel(page: Page) -> None:
    await open_by_menu(page, 1)
    await cell(page, 3, "ip").click()
    await page.keyboard.press("Shift+ArrowDown")
    await expect(page.get_by_text("2 rows, 1 column selected")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".selection-bar")).to_be_hidden()
    await expect(panel(page)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(panel(page)).to_be_hidden()
    await expect(cell(page, 4, "ip")).to_be_focused()


async def test_from_thing_to_thing_the_keyboard_stays_in_the_panel(page: Page) -> None:
    await focus_cell(cell(page, 0, "ip"))
    await page.keyboard.press("Enter")
    await panel(page).get_by_role("button", name="History").focus()
    await page.keyboard.press("Enter")
    await expect(panel(page).get_by_role("heading", name="History")).to_be_focused()
    await panel(page).get_by_role("button", name="Details").focus()
    await page.keyboard.press("Enter")
    await expect(panel(page).get_by_role("heading", name="Details")).to_be_focused()


async def test_marking_for_removal_by_keyboard_keeps_the_keyboard_on_the_button(page: Page) -> None:
    await focus_cell(cell(page, 0, "ip"))
    await page.keyboard.press("Enter")
    await panel(page).get_by_role("button", name="Mark for removal").focus()
    await page.keyboard.press("Enter")
    await expect(panel(page)).to_contain_text("× removal staged")
    await expect(page.locator('.ag-row[row-index="0"]').first).to_have_class(re.compile("row-removal"))
    await expect(panel(page).get_by_role("button", name="Take back the removal")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_back_and_forward_lead_through_what_was_open(page: Page, server: Program) -> None:
    await open_by_menu(page, 0)
    await open_by_menu(page, 1)
    await panel(page).get_by_role("button", name="History").click()
    await expect(panel(page)).to_contain_text("It stands until now.")
    await page.go_back()
    await expect(named(page, "192.0.2.2").get_by_role("heading", name="Details")).to_be_visible()
    await page.go_back()
    await expect(named(page, "192.0.2.1")).to_be_visible()
    await expect(page).to_have_url(f"{server.url}/?key=192.0.2.1,billing,+EU+%26+co")
    await page.go_back()
    await expect(panel(page)).to_be_hidden()
    await expect(page).to_have_url(f"{server.url}/")
    await page.go_forward()
    await expect(named(page, "192.0.2.1")).to_be_visible()


async def test_the_review_is_such_a_step_too_and_takes_the_place_of_the_panel(page: Page, server: Program) -> None:
    review = page.get_by_role("region", name="Review of staged changes")
    await box(page, "192.0.2.5", "billing, EU & co").click()
    await open_by_menu(page, 0)
    await page.get_by_role("button", name="Review").click()
    await expect(review).to_be_visible()
    await expect(panel(page)).to_be_hidden()
    await expect(page).to_have_url(f"{server.url}/?review=1")
    await page.reload()
    await expect(review).to_contain_text("Revoke Search for a License")
    await page.go_back()
    await expect(named(page, "192.0.2.1")).to_be_visible()
    await expect(review).to_be_hidden()
    await page.get_by_role("button", name="Discard").click()
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_the_address_shows_the_same_in_a_colleagues_window_beside_the_same_view(
    page: Page, server: Program, browser: Browser
) -> None:
    await page.get_by_role("searchbox").fill("192.0.2.1")
    await expect(page.locator(".toolbar .count")).to_contain_text("1 of 30 keys")
    await open_by_menu(page, 0)
    await expect(page).to_have_url(re.compile(r"/\?search=192\.0\.2\.1&key="))
    other = await open_page(browser, server, page.url.removeprefix(server.url))
    await expect(named(other, "192.0.2.1").get_by_role("heading", name="Details")).to_be_visible()
    await expect(other.locator(".toolbar .count")).to_contain_text("1 of 30 keys")
    await expect(other).to_have_url(page.url)


async def test_what_others_do_is_told_in_place_without_a_jump(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server, "/?key=192.0.2.20,billing, EU %26 co", height=560)
    rows = panel(page).get_by_role("row")
    await expect(rows.filter(has_text="Search for a License")).to_contain_text("✓")
    scrolled = "(list) => { list.scrollTop = 60; return list.scrollTop; }"
    top = await panel(page).locator(".side-list").evaluate(scrolled)
    assert top > 0
    await as_dana(server, revoke, "192.0.2.20")
    await expect(rows.filter(has_text="Search for a License")).to_contain_text("–")
    await expect(panel(page)).to_contain_text("Privileges changed by dana")
    assert await panel(page).locator(".side-list").evaluate("(list) => list.scrollTop") == top
    await as_dana(server, remove, "192.0.2.20")
    await expect(panel(page).get_by_role("status").filter(has_text="Removed:")).to_contain_text("Removed by dana")


async def test_ip_service_and_the_line_for_a_shell_are_copied(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server, "/?key=192.0.2.9,billing, EU %26 co")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    command = f'curl -i -H "X-Api-Key: $AUTHKEY" {server.url}/authorize/search'
    for name, expected in (("the IP", "192.0.2.9"), ("the service", "billing, EU & co"), ("the curl line", command)):
        await panel(page).get_by_role("button", name=f"Copy {name}").click()
        await expect(panel(page).get_by_text("Copied")).to_have_count(1)
        assert await page.evaluate("navigator.clipboard.readText()") == expected


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_nothing_and_the_chart_has_a_name(server: Program, browser: Browser, dark: bool) -> None:
    page = await open_page(browser, server, "/?key=192.0.2.7,billing, EU %26 co", width=1600, dark=dark)
    await expect(panel(page)).to_contain_text("No use in the last 30 days.")
    await axe_finds_nothing(page, "details of a key that was never used")
    await as_dana(server, use, "192.0.2.8")
    page = await open_page(browser, server, "/?key=192.0.2.8,billing, EU %26 co", width=1600, dark=dark)
    chart = panel(page).get_by_role(
        "img", name=re.compile(r"^\d+ uses in the last 30 days, most on \w{3} \d+ \w{3}: \d+$")
    )
    await expect(chart.locator(".used")).to_have_count(2)
    await box(page, "192.0.2.8", "billing, EU & co").click()
    await expect(panel(page)).to_contain_text("− staged")
    await panel(page).get_by_role("button", name="Mark for removal").click()
    await expect(panel(page)).to_contain_text("× removal staged")
    await axe_finds_nothing(page, "details of a key that shall be removed")
    await page.get_by_role("button", name="Discard").click()
    await expect(bar(page)).to_contain_text("No staged changes")


@pytest.mark.parametrize("width", [794, 1280])
async def test_on_paper_they_stand_below_the_grid_with_their_chart_and_without_buttons(
    server: Program, browser: Browser, width: int
) -> None:
    await as_dana(server, use, "192.0.2.10")
    page = await open_page(browser, server, "/?key=192.0.2.10,billing, EU %26 co", width=width)
    await expect(panel(page).locator(".uses-chart")).to_be_visible()
    await page.emulate_media(media="print")
    await expect(panel(page).locator(".used").first).to_be_visible()
    await expect(panel(page).get_by_role("button")).to_have_count(0)
    grid, side = await page.locator(".grid").bounding_box(), await panel(page).bounding_box()
    assert grid
    assert side
    assert side["y"] >= grid["y"] + grid["height"]
    hidden = "(list) => list.scrollHeight - list.clientHeight"
    assert await panel(page).locator(".side-list").evaluate(hidden) == 0
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "covers"), [(1600, False), (1280, True), (390, True)])
async def test_on_a_wide_screen_it_stands_beside_the_grid_on_others_over_it_and_on_a_phone_it_is_a_sheet(
    server: Program, browser: Browser, width: int, covers: bool
) -> None:
    page = await open_page(browser, server, "/?key=192.0.2.1,billing, EU %26 co", width=width, height=844)
    await expect(panel(page).get_by_role("table")).to_be_visible()
    grid, side = await page.locator(".grid-area").bounding_box(), await panel(page).bounding_box()
    assert grid
    assert side
    assert (grid["x"] + grid["width"] > side["x"]) is covers
    assert side["x"] + side["width"] <= width
    if width < 640:
        assert side["width"] == width
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    hidden = "(list) => list.scrollWidth - list.clientWidth"
    assert await panel(page).locator(".side-list").evaluate(hidden) == 0
