"""The history in a browser: who changed this, the undo of an old submission, the table as it was; live, and by keyboard."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from models.privileges import mask_of, privilege
from models.submissions import CellChange, Removal
from models.tables import Authkey
from services.console import Console
from storage.database import DatabaseLocation, reader
from tests.browser import axe_finds_nothing, bar, box, chromium, needs_chromium, open_page
from tests.elsewhere import key
from tests.other_process import another_process
from tests.program import Program
from tests.support import submit

pytestmark = needs_chromium

ADD, SEARCH = privilege("addlicense"), privilege("search")
KEYS = [key(f"192.0.2.{n}", "billing", SEARCH) for n in range(1, 41)]
ACCOUNTS = (("dana",),)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def change(console: Console, ip: str, grants: list[str], revocations: list[str]) -> None:
    """Let dana change one key."""
    row = await Authkey.filter(ip=ip).using_db(reader()).get()
    granted, revoked = (mask_of(privilege(each) for each in ids) for ids in (grants, revocations))
    await submit(console, CellChange(row.id, granted, revoked))


async def remove(console: Console, ip: str) -> None:
    row = await Authkey.filter(ip=ip).using_db(reader()).get()
    await submit(console, Removal(row.id, row.revision))


async def as_dana(server: Program, work: object, *arguments: object) -> None:
    async with another_process(DatabaseLocation(server.database), "dana") as other:
        await other.do(work, *arguments)  # type: ignore[arg-type]


async def history(browser: Browser, server: Program, query: str = "", **more: object) -> Page:
    page = await open_page(browser, server, **more)  # type: ignore[arg-type]
    await page.goto(f"{server.url}/history{query}")
    await page.locator('.ag-row [col-id="what"]:not(:empty)').first.wait_for()
    return page


def lines(page: Page) -> Locator:
    return page.locator('.ag-row [col-id="what"]')


def panel(page: Page) -> Locator:
    return page.locator("section.side")


async def test_what_another_admin_submits_appears_in_the_open_history(server: Program, browser: Browser) -> None:
    page = await history(browser, server)
    await as_dana(server, change, "192.0.2.1", ["addlicense"], [])
    await expect(page.locator('.ag-row[row-index="0"]')).to_contain_text("dana")
    await expect(lines(page).first).to_contain_text("granted Add a New License on 192.0.2.1, billing")
    await page.locator('.ag-row[row-index="0"] time').hover()
    await expect(page.locator('.ag-row[row-index="0"] time')).to_have_attribute("title", re.compile("UTC\n.*here"))


async def test_who_changed_a_box_is_one_key_or_two_clicks_away(server: Program, browser: Browser) -> None:
    await as_dana(server, change, "192.0.2.2", ["addlicense"], ["search"])
    page = await open_page(browser, server)
    await page.locator('.ag-row[row-index="1"] [col-id="ip"]').click()
    for _ in range(10):
        await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(panel(page)).to_contain_text("Search for a License: granted → not granted")
    await expect(panel(page)).to_contain_text("It stands until now.")
    await expect(panel(page).locator(".history-who").first).to_have_text("dana")
    await expect(page).to_have_url(re.compile(r"\?history=\d+\.search$"))
    await page.keyboard.press("Escape")
    await expect(panel(page)).to_be_hidden()
    await expect(page).to_have_url(f"{server.url}/")
    await expect(page.locator('.ag-row[row-index="1"] [col-id="search"]')).to_be_focused()

    await page.locator('.ag-row[row-index="1"] [col-id="addlicense"]').click(button="right")
    await page.get_by_role("menuitem", name="History of Add a New License").click()
    await expect(panel(page)).to_contain_text("Add a New License: not granted → granted")
    await panel(page).get_by_role("combobox", name="Privilege").click()
    await page.get_by_role("option", name="All privileges").click()
    await expect(panel(page)).to_contain_text("Added with Search for a License")


async def test_an_old_submission_is_previewed_staged_submitted_and_the_undo_is_undone(
    server: Program, browser: Browser
) -> None:
    await as_dana(server, change, "192.0.2.3", ["addlicense", "modlisc"], ["search"])
    await as_dana(server, remove, "192.0.2.4")
    page = await history(browser, server, "?search=192.0.2.3&admin=dana")
    await lines(page).first.click()
    await expect(panel(page)).to_contain_text("granted Add a New License and 1 more and revoked Search for a License")
    await panel(page).get_by_role("button", name="Undo…").click()
    await expect(panel(page)).to_contain_text("3 will be undone")
    await panel(page).get_by_role("checkbox", name="Revoke Modify/Transfer a License, 192.0.2.3").click()
    await panel(page).get_by_role("button", name="Stage 2 changes").click()
    await panel(page).get_by_role("link", name="Review 1 key and submit").click()
    await expect(bar(page)).to_contain_text("2 changes to 1 key")
    await page.get_by_role("button", name="Submit authkey modifications").click()
    await expect(bar(page)).to_contain_text("Applied 2 changes to 1 key")

    await page.goto(f"{server.url}/history?search=192.0.2.3&admin=alice")
    await lines(page).first.click()
    await panel(page).get_by_role("button", name="Undo…").click()
    await panel(page).get_by_role("button", name="Stage 2 changes").click()
    await panel(page).get_by_role("link", name="Review 1 key and submit").click()
    await page.get_by_role("button", name="Submit authkey modifications").click()
    await expect(bar(page)).to_contain_text("Applied 2 changes to 1 key")
    await page.goto(f"{server.url}/?search=192.0.2.3")
    await expect(box(page, "192.0.2.3", "billing")).not_to_be_checked()
    await expect(box(page, "192.0.2.3", "billing", "Add a New License")).to_be_checked()

    await page.goto(f"{server.url}/history?search=192.0.2.4&what=removals")
    await lines(page).first.click()
    await panel(page).get_by_role("button", name="Undo…").click()
    await panel(page).get_by_role("button", name="Stage 1 change").click()
    await panel(page).get_by_role("link", name="Review 1 key and submit").click()
    await page.get_by_role("button", name="Review").click()
    await expect(page.get_by_role("region", name="Review of staged changes")).to_contain_text("Restore: it comes back")
    await page.get_by_role("button", name="Submit authkey modifications").click()
    await page.goto(f"{server.url}/?search=192.0.2.4")
    await expect(box(page, "192.0.2.4", "billing")).to_be_checked()


async def test_the_table_as_it_was_is_searched_like_todays_and_cannot_be_changed(
    server: Program, browser: Browser
) -> None:
    page = await open_page(browser, server, "/?as_of=1")
    await expect(page.locator(".banner")).to_contain_text("As it was after #1")
    await expect(page.get_by_text("40 keys", exact=True)).to_be_visible()
    await expect(box(page, "192.0.2.1", "billing")).to_be_disabled()
    await expect(box(page, "192.0.2.1", "billing", "Add a New License")).not_to_be_checked()
    await as_dana(server, change, "192.0.2.5", ["addlicense"], ["search"])
    await page.get_by_role("searchbox").fill("192.0.2.5")
    await expect(page.get_by_text("1 of 40 keys", exact=True)).to_be_visible()
    await expect(box(page, "192.0.2.5", "billing")).to_be_checked()
    await expect(page).to_have_url(f"{server.url}/?search=192.0.2.5&as_of=1")
    await page.get_by_role("link", name="Compare with now").click()
    await expect(panel(page)).to_contain_text("will be undone")
    await page.go_back()
    await page.get_by_role("link", name="Back to now").click()
    await expect(box(page, "192.0.2.5", "billing", "Add a New License")).to_be_checked()


@pytest.mark.parametrize(
    ("moment", "said"),
    [("99999", "There is no entry #99999"), ("2001-01-01", "The record begins at"), ("yesterday", "is no time")],
)
async def test_a_moment_that_cannot_be_is_said_and_the_table_of_today_is_shown(
    server: Program, browser: Browser, moment: str, said: str
) -> None:
    page = await open_page(browser, server, f"/?as_of={moment}")
    await expect(page.locator(".q-notification")).to_contain_text(said)
    await expect(page.locator(".banner")).to_have_count(0)
    await page.goto(f"{server.url}/history")
    await page.get_by_label("From time or #").fill(moment)
    await page.get_by_role("button", name="Show table").click()
    await expect(page.locator(".q-notification")).to_contain_text(said)


async def test_a_part_of_what_became_of_the_table_is_staged(server: Program, browser: Browser) -> None:
    await as_dana(server, change, "192.0.2.6", ["modlisc"], [])
    page = await history(browser, server)
    await page.get_by_label("From time or #").fill("1")
    await page.get_by_role("button", name="Compare").click()
    boxes = panel(page).get_by_role("checkbox")
    await expect(boxes.first).to_be_checked()
    for place in range(1, await boxes.count()):
        if await boxes.nth(place).is_checked():
            await boxes.nth(place).click()
        await expect(boxes.nth(place)).not_to_be_checked()
    await panel(page).get_by_role("button", name="Stage 1 change").click()
    await expect(panel(page).get_by_role("link", name="Review 1 key and submit")).to_be_visible()


async def test_the_record_is_verified_and_exported_from_the_page(server: Program, browser: Browser) -> None:
    page = await history(browser, server)
    await page.get_by_role("button", name="Verify now").click()
    await expect(page.locator(".check-said")).to_contain_text("nothing is wrong, up to #")
    await page.get_by_role("button", name="Export").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="These entries as CSV").click()
    file = await (await download.value).path()
    assert file.read_text("utf-8-sig").startswith("entry,at,who,")
    await expect(lines(page).first).to_contain_text("exported: history as csv: all of it")


async def test_by_keyboard_alone_an_entry_is_opened_and_its_undo_staged(server: Program, browser: Browser) -> None:
    await as_dana(server, change, "192.0.2.7", ["liscreact"], [])
    page = await history(browser, server, "?search=192.0.2.7&admin=dana")
    await page.locator(".search input").focus()
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("Boolean(document.activeElement.closest('.ag-cell'))"):
            break
    await page.keyboard.press("Enter")
    await expect(panel(page).get_by_role("heading", name=re.compile("Entry #"))).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(panel(page).get_by_role("button", name="Undo…")).to_be_focused()
    await page.keyboard.press("Enter")
    stage = panel(page).get_by_role("button", name="Stage 1 change")
    await expect(stage).to_be_visible()
    await stage.focus()
    await page.keyboard.press("Enter")
    await expect(panel(page).get_by_role("link", name="Review 1 key and submit")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_nothing_in_any_state(server: Program, browser: Browser, dark: bool) -> None:
    await as_dana(server, change, "192.0.2.8", ["explisc"], ["search"])
    await as_dana(server, change, "192.0.2.8", ["search"], ["explisc"])
    page = await history(browser, server, "?search=192.0.2.8&admin=dana", dark=dark)
    await axe_finds_nothing(page, "history")
    await lines(page).nth(1).click()
    await expect(panel(page)).to_be_visible()
    await axe_finds_nothing(page, "entry")
    await panel(page).get_by_role("button", name="Undo…").click()
    await expect(panel(page)).to_contain_text("already so")
    await axe_finds_nothing(page, "preview")
    await page.goto(f"{server.url}/history?search=nothing-is-called-so")
    await expect(page.get_by_text("No entry matches this view")).to_be_visible()
    await axe_finds_nothing(page, "no entry")
    await page.goto(f"{server.url}/?as_of=1&history=8")
    await expect(panel(page)).to_contain_text("Bring this back")
    await axe_finds_nothing(page, "table as it was, with the history of a key")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1440, 900), (390, 844)])
@pytest.mark.parametrize("path", ["/history?entry=1", "/?as_of=1"])
async def test_on_every_screen_nothing_but_the_grid_scrolls_sideways(
    server: Program, browser: Browser, width: int, height: int, path: str
) -> None:
    page = await open_page(browser, server, width=width, height=height)
    await page.goto(server.url + path)
    await page.locator(".ag-row .ag-cell:not(:empty)").first.wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_with_forced_colours_effects_are_told_by_their_marks(server: Program, browser: Browser) -> None:
    await as_dana(server, change, "192.0.2.9", ["explisc"], ["search"])
    page = await history(browser, server, "?search=192.0.2.9&admin=dana")
    await page.emulate_media(forced_colors="active")
    await lines(page).first.click()
    marks = panel(page).locator(".review-mark")
    await expect(marks).to_have_text(["+", "−"])
