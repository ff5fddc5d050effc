"""What only a browser can show of pickup passphrases: the same grid, keys, marks and review as for authkeys."""

import uuid
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from models.passphrases import digest
from models.subjects import Subject
from models.submissions import NewPassphrase, Source
from models.tables import Admin
from services.console import Console
from services.submissions import Order
from storage.database import DatabaseLocation
from tests.browser import (
    add_passphrase,
    bar,
    chromium,
    first_row,
    focus_cell,
    needs_chromium,
    open_page,
    submit_reviewed,
)
from tests.other_process import another_process
from tests.program import Program

pytestmark = needs_chromium

ACCOUNTS = (("dana",),)
PATH = "/passphrases"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def page(server: Program, browser: Browser) -> Page:
    """300 passphrases of dana's, with nothing staged by anybody."""
    async with another_process(DatabaseLocation(server.database), "dana") as other:
        await other.do(start_over)
    return await shows(browser, server)


async def start_over(console: Console) -> None:
    for admin in await Admin.all():
        await console.passphrase_staging.discard(admin.id)
    if not await console.passphrases.find([1]):
        new = [NewPassphrase(digest(b"test", uuid.uuid4().hex), 1, note=f"rack {number}") for number in range(300)]
        await console.submissions.submit(Order(uuid.uuid4(), console.admin, Source.IMPORT, new, Subject.PASSPHRASE))


async def stage_as_dana(console: Console, passphrase_id: int) -> None:
    await console.passphrase_staging.stage_removal(console.admin.id, passphrase_id)


async def submit_as_dana(console: Console) -> None:
    await console.passphrase_staging.submit(console.admin, uuid.uuid4())


async def shows(browser: Browser, server: Program, query: str = "", *, width: int = 1280, height: int = 800) -> Page:
    """The page when its first row is there; `open_page` waits for that of the grid of authkeys."""
    page = await open_page(browser, server, width=width, height=height)
    await page.goto(f"{server.url}{PATH}{query}")
    await first_row(page).wait_for()
    return page


def box(page: Page, name: str, column: str = "Search for a License", *, staged: bool = False) -> Locator:
    return page.get_by_role("checkbox", name=f"{column}, {name}{', staged' if staged else ''}", exact=True)


async def test_boxes_are_ticked_by_mouse_and_keyboard_reviewed_submitted_and_undone(page: Page) -> None:
    await box(page, "#300 rack 299").click()
    await page.keyboard.press("ArrowDown")
    await focus_cell(page.locator('.ag-row[row-index="1"] [col-id="search"]'))
    await page.keyboard.press("1")
    await page.keyboard.press("Space")
    await expect(box(page, "#299 rack 298", staged=True)).to_be_checked()
    await expect(box(page, "#299 rack 298", "Add a New License", staged=True)).not_to_be_checked()
    await expect(bar(page)).to_contain_text("3 changes to 2 passphrases")
    await page.keyboard.press("Control+z")
    await expect(bar(page)).to_contain_text("2 changes to 2 passphrases")
    await page.keyboard.press("Control+y")
    await page.keyboard.press("Delete")
    await expect(box(page, "#299 rack 298", "Remove?", staged=True)).to_be_checked()

    await page.keyboard.press("Control+s")
    review = page.get_by_role("region", name="Review of staged changes")
    await expect(review).to_contain_text("Remove: no server can register with it any more")
    await expect(review).to_contain_text("Grant Search for a License")
    await page.get_by_role("button", name="Submit passphrase modifications").click()
    await expect(bar(page)).to_contain_text("Applied 2 changes to 2 passphrases")
    await expect(page.get_by_text("299 passphrases", exact=True)).to_be_visible()
    await expect(box(page, "#299 rack 298")).to_have_count(0)
    await page.get_by_role("button", name="Undo: Applied 2 changes to 2 passphrases").click()
    await expect(bar(page)).to_contain_text("Undone: 2 changes to 2 passphrases")
    await expect(box(page, "#299 rack 298")).to_be_visible()
    await expect(page.get_by_text("300 passphrases", exact=True)).to_be_visible()


async def test_what_another_admin_stages_and_submits_shows_at_once(page: Page, server: Program) -> None:
    async with another_process(DatabaseLocation(server.database), "dana") as other:
        await other.do(stage_as_dana, 296)
        await expect(page.get_by_role("img", name="dana: staged changes, not yet submitted")).to_be_visible()
        await box(page, "#296 rack 295").click()
        await expect(bar(page)).to_contain_text("1 change to 1 passphrase")
        await other.do(submit_as_dana)
    await expect(bar(page)).to_contain_text("1 change to decide")
    await page.get_by_role("button", name="Submit passphrase modifications").click()
    await expect(page.get_by_text("1 passphrase needs a decision before anything can be submitted.")).to_be_visible()
    await page.get_by_role("button", name="Drop these lines").click()
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_states_are_apart_and_the_address_keeps_view_and_search(
    page: Page, server: Program, browser: Browser
) -> None:
    await box(page, "#295 rack 294", "Remove?").click()
    await submit_reviewed(page, "passphrase")
    await expect(bar(page)).to_contain_text("Applied 1 change to 1 passphrase")
    await page.get_by_role("combobox", name="State").click()
    await page.get_by_role("option", name="Removed").click()
    await expect(box(page, "#295 rack 294")).to_be_disabled()
    await page.get_by_role("searchbox").fill("rack 294")
    await expect(page).to_have_url(f"{server.url}{PATH}?search=rack+294&state=removed")
    again = await shows(browser, server, "?search=rack+294&state=removed")
    await expect(again.locator(".toolbar .count")).to_contain_text("1 of ")
    await again.locator('.ag-row[row-index="0"] [col-id="menu"] button').click()
    await again.get_by_role("menuitem", name="Details").click()
    await expect(again.get_by_role("region", name="Details")).to_contain_text("Removed by alice")


async def test_a_tick_that_was_on_its_way_survives_a_reload_and_stays_in_its_own_view(page: Page) -> None:
    # Never sent: the page is loaded anew before the server hears of it.
    await page.evaluate("window.socket.disconnect()")
    await box(page, "#294 rack 293").click()
    await page.goto(page.url.replace(PATH, "/"))
    await expect(page.locator(".bar-status")).to_contain_text("No staged changes")
    await page.goto(page.url.rstrip("/") + PATH)
    await expect(box(page, "#294 rack 293", staged=True)).to_be_checked()
    await expect(bar(page)).to_contain_text("1 change to 1 passphrase")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1440, 900), (390, 844)])
async def test_on_every_screen_nothing_but_the_grid_scrolls_sideways(
    page: Page, server: Program, browser: Browser, width: int, height: int
) -> None:
    shown = await shows(browser, server, width=width, height=height)
    assert await shown.evaluate("document.documentElement.scrollWidth") <= width
    if width >= 1280:  # all boxes of a row are in sight
        hidden = "(grid) => grid.querySelector('.ag-center-cols-viewport').scrollWidth - grid.querySelector('.ag-center-cols-viewport').clientWidth"
        assert await shown.locator(".grid").evaluate(hidden) == 0


async def test_a_new_passphrase_comes_in_at_the_top(page: Page) -> None:
    await add_passphrase(page, Note="for the new rack")
    await expect(page.locator('.ag-row[row-index="0"] [col-id="made"]')).to_contain_text("for the new rack")
