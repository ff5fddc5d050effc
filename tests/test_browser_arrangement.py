"""What only a browser shows of columns and saved views: headings that are dragged and sized, the menus by keyboard, other windows."""

import re
import sqlite3
from collections.abc import Awaitable
from contextlib import closing

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from models.privileges import privilege
from tests.browser import axe_finds_nothing, bar, box, discard_all, focus_cell, needs_chromium, open_page
from tests.elsewhere import key
from tests.program import Program

pytestmark = needs_chromium

LIST = privilege("listlicenses")
KEYS = [key(f"10.0.{n // 200}.{n % 200 + 1}", "billing", LIST) for n in range(400)]

SENT = """() => {
    if (window.sent) return;
    window.sent = [];
    const send = window.emitEvent;
    window.emitEvent = (name, ...more) => { sent.push(name); send(name, ...more); };
}"""
TOLD = "sent.filter((each) => each === 'arranged').length"
COPIED = "document.addEventListener('copy', (e) => window.copied = e.clipboardData.getData('text/plain'))"
PASTE = """(text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""


def forget_arrangements(server: Program) -> None:
    """As nobody has arranged anything: what is arranged stays otherwise."""
    with closing(sqlite3.connect(server.database)) as file, file:
        for table in ("preference", "saved_view", "open_view"):
            file.execute(f"DELETE FROM {table}")


@pytest.fixture
async def page(server: Program, browser: Browser) -> Page:
    """As nobody has arranged it, with nothing staged."""
    forget_arrangements(server)
    page = await open_page(browser, server, width=1440, height=900)
    await discard_all(page)
    return page


def heading(page: Page, column: str) -> Locator:
    return page.locator(f'.ag-header-cell[col-id="{column}"]')


DRAWN = """(wanted) => {
    const cells = [...document.querySelectorAll(".ag-header-cell")].filter((each) => each.checkVisibility());
    const placed = cells.map((each) => [each.getBoundingClientRect().left, each.getAttribute("col-id")]);
    return placed.sort(([one], [other]) => one - other).map(([, id]) => id).join(" ") === wanted;
}"""


async def come_to_be(page: Page, columns: str) -> None:
    """Wait until exactly these are drawn, in this order from the left; what moves glides to its place."""
    await page.wait_for_function(DRAWN, arg=columns)


async def width(cell: Locator) -> float:
    shape = await cell.bounding_box()
    assert shape
    return shape["width"]


async def drag(page: Page, start: dict[str, float], to: tuple[float, float]) -> None:
    await page.mouse.move(start["x"], start["y"])
    await page.mouse.down()
    await page.mouse.move(start["x"] + (5 if to[0] > start["x"] else -5), start["y"])
    await page.mouse.move(*to, steps=12)
    await page.mouse.up()


async def drag_heading(page: Page, column: str, onto: str) -> None:
    one, other = await heading(page, column).bounding_box(), await heading(page, onto).bounding_box()
    assert one
    assert other
    start = {"x": one["x"] + one["width"] / 2, "y": one["y"] + 12}
    await drag(page, start, (other["x"] + other["width"] / 2 - 10, start["y"]))


async def size_heading(page: Page, column: str, by: float) -> None:
    shape = await heading(page, column).bounding_box()
    assert shape
    edge = {"x": shape["x"] + shape["width"] - 1, "y": shape["y"] + shape["height"] / 2}
    await drag(page, edge, (edge["x"] + by, edge["y"]))


async def open_columns(page: Page) -> Locator:
    await page.get_by_role("button", name="Columns", exact=True).click()
    menu = page.get_by_role("region", name="Columns")
    await expect(menu).to_be_visible()
    return menu


async def close_menu(page: Page) -> None:
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("region", name="Columns")).to_have_count(0)


async def is_told(page: Page, act: Awaitable[object]) -> None:
    """Do something to a heading, and wait until the server is told of it."""
    await page.evaluate(SENT)
    before = await page.evaluate(TOLD)
    await act
    await page.wait_for_function(f"{TOLD} === {before + 1}")


ALL = "ip service addlicense secverify explisc partner_onetimeext listlicenses manageauthkeys modlisc liscreact search remove menu"


async def test_columns_are_hidden_moved_and_sized_and_another_browser_shows_the_same(
    server: Program, browser: Browser, page: Page
) -> None:
    await come_to_be(page, ALL)
    menu = await open_columns(page)
    for hidden in ("Expire a License", "Reactivate a License", "Modify/Transfer a License"):
        await menu.get_by_role("checkbox", name=hidden).click()
    await menu.get_by_role("button", name="Compact").click()
    await close_menu(page)
    await come_to_be(
        page, "ip service addlicense secverify partner_onetimeext listlicenses manageauthkeys search remove menu"
    )
    await is_told(page, drag_heading(page, "search", onto="addlicense"))
    arranged = "ip service search addlicense secverify partner_onetimeext listlicenses manageauthkeys remove menu"
    await come_to_be(page, arranged)
    before = await width(heading(page, "service"))
    await is_told(page, size_heading(page, "service", 70))
    sized = await width(heading(page, "service"))
    assert sized == pytest.approx(before + 70, abs=6)

    other = await open_page(browser, server, width=1440, height=900)
    await come_to_be(other, arranged)
    assert await width(heading(other, "service")) == pytest.approx(sized, abs=1)
    row = await other.locator('.ag-row[row-index="1"]').first.bounding_box()
    assert row
    assert row["height"] == 28
    await (await open_columns(other)).get_by_role("button", name="Reset").click()
    await come_to_be(other, ALL)
    await expect(other.get_by_role("button", name="Comfortable")).to_have_attribute("aria-pressed", "true")
    assert "Traceback" not in server.complaints()


async def test_the_address_and_the_ends_of_the_row_stay_where_they_are(page: Page) -> None:
    await drag_heading(page, "ip", onto="secverify")
    await drag_heading(page, "remove", onto="secverify")
    await drag_heading(page, "secverify", onto="ip")
    shown = await page.evaluate("authkeys.grid.api.getAllDisplayedColumns().map((each) => each.getColId())")
    assert (shown[0], shown[-2:]) == ("ip", ["remove", "menu"])
    one = await heading(page, "search").bounding_box()
    assert one
    await drag(page, {"x": one["x"] + 40, "y": one["y"] + 12}, (one["x"] - 200, one["y"] - 110))  # out of the grid
    await expect(heading(page, "search")).to_be_visible()


async def test_what_the_server_says_of_columns_is_not_told_back(page: Page) -> None:
    await page.evaluate(SENT)
    menu = await open_columns(page)
    await menu.get_by_role("checkbox", name="Expire a License").click()
    await menu.get_by_role("button", name="Move Search for a License to the left").click()
    await expect(heading(page, "explisc")).to_have_count(0)
    await close_menu(page)
    await is_told(page, size_heading(page, "service", 50))  # what is told is told after all that was before it
    assert await page.evaluate(TOLD) == 1


async def test_by_keyboard_alone_columns_are_hidden_and_moved_and_the_keyboard_stays_where_it_is(page: Page) -> None:
    button = page.get_by_role("button", name="Columns", exact=True)
    await button.focus()
    await page.keyboard.press("Enter")
    menu = page.get_by_role("region", name="Columns")
    await expect(menu).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(menu.get_by_role("checkbox", name="Service")).to_be_focused()
    down = menu.get_by_role("button", name="Move Service to the right")
    await page.keyboard.press("Tab")  # the first cannot go to the left
    await expect(down).to_be_focused()
    for place in (2, 3):
        await page.keyboard.press("Enter")
        await expect(page.locator(".visually-hidden").get_by_text(f"Service is column {place} of 10")).to_be_attached()
        await expect(down).to_be_focused()
    up = menu.get_by_role("button", name="Move Service to the left")
    await page.keyboard.press("Shift+Tab")
    await expect(up).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".visually-hidden").get_by_text("Service is column 2 of 10")).to_be_attached()
    await expect(up).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(down).to_be_focused()  # at the end only the other one is left
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Space")
    await come_to_be(page, ALL.replace("service ", ""))
    await axe_finds_nothing(page, "the menu of the columns")
    await page.keyboard.press("Escape")
    await expect(button).to_be_focused()


async def test_a_heading_is_moved_and_sized_by_keyboard(page: Page) -> None:
    await heading(page, "search").focus()
    await is_told(page, page.keyboard.press("Shift+ArrowLeft"))
    await come_to_be(page, ALL.replace("liscreact search", "search liscreact"))
    before = await width(heading(page, "search"))
    await is_told(page, page.keyboard.press("Alt+ArrowRight"))
    assert await width(heading(page, "search")) > before


async def test_what_is_staged_in_a_hidden_column_is_told_in_the_bar_and_shown_by_a_click(page: Page) -> None:
    await box(page, "10.0.0.1", "billing").click()
    await box(page, "10.0.0.2", "billing", "List active licenses").click()
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    menu = await open_columns(page)
    await menu.get_by_role("checkbox", name="Search for a License").click()
    await expect(bar(page)).to_contain_text("1 not in view")
    await page.keyboard.press("Escape")
    await axe_finds_nothing(page, "something is not in view")
    await page.get_by_role("button", name="Show the staged changes that are not in view").click()
    await expect(box(page, "10.0.0.1", "billing", staged=True)).to_be_checked()
    await expect(bar(page)).not_to_contain_text("not in view")


async def test_on_a_phone_nothing_counts_as_hidden_and_there_is_nothing_to_arrange(
    server: Program, browser: Browser, page: Page
) -> None:
    await box(page, "10.0.0.1", "billing").click()
    await (await open_columns(page)).get_by_role("checkbox", name="Search for a License").click()
    await expect(bar(page)).to_contain_text("1 not in view")
    phone = await open_page(browser, server, width=390, height=844)
    await expect(bar(phone)).to_contain_text("1 change to 1 key")
    await expect(bar(phone)).not_to_contain_text("not in view")
    await expect(phone.get_by_role("button", name="Columns", exact=True)).to_be_hidden()
    await phone.set_viewport_size({"width": 1280, "height": 800})
    await expect(bar(phone)).to_contain_text("1 not in view")
    await come_to_be(phone, ALL.replace("search ", ""))


async def test_what_was_done_to_a_heading_outlives_a_window_that_was_narrow_for_a_while(page: Page) -> None:
    await is_told(page, drag_heading(page, "search", onto="service"))
    moved = ALL.replace(" search", "").replace("service", "search service")
    await come_to_be(page, moved)
    await page.set_viewport_size({"width": 390, "height": 844})
    await expect(page.get_by_role("button", name="Columns", exact=True)).to_be_hidden()
    await expect(page.locator('.ag-row [col-id="card"]').first).to_be_visible()
    await page.set_viewport_size({"width": 1440, "height": 900})
    await come_to_be(page, moved)


async def test_a_copy_has_the_shown_columns_in_their_order_and_is_pasted_back(page: Page) -> None:
    await page.evaluate(COPIED)
    await (await open_columns(page)).get_by_role("checkbox", name="Expire a License").click()
    await close_menu(page)
    await is_told(page, drag_heading(page, "search", onto="service"))
    await come_to_be(page, ALL.replace(" search", "").replace("service", "search service").replace("explisc ", ""))
    cell = page.locator('.ag-row[row-index="0"] [col-id="ip"]')
    await cell.click()
    await page.keyboard.press("Shift+Space")
    await page.keyboard.press("Control+c")
    copied: str = await page.evaluate("window.copied")
    assert copied.splitlines()[0].split("\t")[:4] == ["ip", "search", "service", "addlicense"]
    assert "explisc" not in copied
    await page.keyboard.press("Escape")
    await focus_cell(cell)
    await page.evaluate(PASTE, copied.replace("10.0.0.1\t0", "10.0.0.1\t1"))
    await page.get_by_role("button", name="Stage 1 change").click()
    await expect(box(page, "10.0.0.1", "billing", staged=True)).to_be_checked()


async def test_a_digit_means_the_box_at_that_place_and_never_a_hidden_one(page: Page) -> None:
    menu = await open_columns(page)
    await menu.get_by_role("checkbox", name="Add a New License").click()
    await come_to_be(page, ALL.replace("addlicense ", ""))
    await page.keyboard.press("Escape")
    await focus_cell(page.locator('.ag-row[row-index="0"] [col-id="secverify"]'))
    await page.keyboard.press("1")
    await expect(box(page, "10.0.0.1", "billing", "cPanel Security Verification Program", staged=True)).to_be_checked()
    await page.keyboard.press("9")  # there are only eight
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await expect(bar(page)).not_to_contain_text("not in view")


async def test_a_column_that_goes_is_not_selected_any_more(page: Page) -> None:
    await page.locator('.ag-row[row-index="1"] [col-id="search"]').click(modifiers=["Control"])
    await expect(page.locator(".selection-text")).to_have_text("1 row, 1 column selected")
    await (await open_columns(page)).get_by_role("checkbox", name="Search for a License").click()
    await expect(page.locator(".selection-text")).to_be_hidden()


async def test_rows_that_have_not_come_yet_are_as_high_as_the_others(page: Page) -> None:
    await (await open_columns(page)).get_by_role("button", name="Compact").click()
    await expect(page.locator('.grid[data-density="compact"]')).to_have_count(1)
    await page.keyboard.press("Escape")
    await page.evaluate("authkeys.grid.api.ensureIndexVisible(399)")
    await expect(page.locator('.ag-row[row-index="399"] [col-id="ip"]')).to_have_text("10.0.1.200")
    tops = await page.locator(".ag-pinned-left-cols-container .ag-row").evaluate_all(
        "rows => rows.map(each => [Number(each.getAttribute('row-index')), each.getBoundingClientRect().top])"
    )
    (first, top), *rest = sorted(tops)
    assert [round(each - top) for _, each in rest] == [28 * (index - first) for index, _ in rest]
    assert await page.evaluate("authkeys.grid.api.getDisplayedRowAtIndex(399).rowTop") == 28 * 399


async def test_a_saved_view_is_found_by_keyboard_and_its_link_opens_for_others(
    server: Program, browser: Browser, page: Page
) -> None:
    await page.goto(f"{server.url}/?search=10.0.1.&sort=-ip")
    await expect(page.get_by_text("200 of 400 keys")).to_be_visible()
    views = page.get_by_role("button", name="Views", exact=True)
    await views.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Save this view…").click()
    await page.get_by_label("Name").fill("Second floor")
    await page.get_by_role("checkbox", name="Share with everybody").click()
    await page.get_by_label("Name").press("Enter")
    await expect(page.get_by_text("Saved as “Second floor”")).to_be_visible()
    await page.get_by_role("dialog").wait_for(state="detached")

    await page.goto(server.url)
    await views.focus()
    await page.keyboard.press("Enter")
    link = page.get_by_role("link", name=re.compile("^Second floor"))
    await expect(link).to_be_visible()
    await axe_finds_nothing(page, "the menu of the views")
    await page.keyboard.press("Tab")
    await expect(link).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("200 of 400 keys")).to_be_visible()
    await expect(page.locator('.ag-row[row-index="0"] [col-id="ip"]')).to_have_text("10.0.1.200")
    assert page.url == f"{server.url}/?search=10.0.1.&sort=-ip"
    await views.click()
    await expect(link).to_have_attribute("aria-current", "true")
