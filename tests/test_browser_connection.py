"""What is pressed while the connection is lost does not happen later; copying and keeping say only what is so."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import PATIENCE_MS, bar, box, chromium, needs_chromium, open_page
from tests.program import Program

pytestmark = needs_chromium

HOST = "keys.test"
KEYS = [Assignment(f"192.0.2.{n}", "billing", privilege("listlicenses").mask) for n in range(1, 11)]
FIRST, SECOND = (("192.0.2.1", "billing"), ("192.0.2.2", "billing"))


OPTIONS = ("--allowed-host", HOST)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium(f"--host-resolver-rules=MAP {HOST} 127.0.0.1") as browser:
        yield browser


@pytest.fixture
async def page(server: Program, browser: Browser) -> Page:
    return await nothing_staged(await open_page(browser, server))


async def nothing_staged(page: Page) -> Page:
    discard = page.get_by_role("button", name="Discard")
    if await discard.is_visible():
        await discard.click()
    await expect(page.locator(".bar-count")).not_to_contain_text("change to")
    return page


async def lose(page: Page) -> None:
    await page.context.set_offline(True)
    await expect(page.locator("#popup")).to_be_visible()
    await expect(page.locator("#popup")).to_contain_text("Everything else waits until then.")


async def find(page: Page) -> None:
    await page.context.set_offline(False)
    await expect(page.locator("#popup")).to_be_hidden()


# -- offline -------------------------------------------------------------------------------------------------------------


async def test_offline_everything_but_ticking_is_inert_and_what_was_tried_does_not_happen_afterwards(
    page: Page,
) -> None:
    await box(page, *FIRST).click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await lose(page)
    for part in (".header nav", ".toolbar", ".bar"):
        assert await page.locator(part).evaluate("element => element.inert"), part
    # Also what does not ask whether it may: a shortcut, and a program that presses the button.
    await page.keyboard.press("Control+z")
    await page.locator(".bar .primary").evaluate("button => button.click()")
    await expect(page.locator("body > [role=status].visually-hidden")).to_contain_text(
        "Not now: the connection is lost"
    )
    await box(page, *SECOND).click()
    await find(page)
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    assert not await page.locator(".bar").evaluate("element => element.inert")
    await page.reload()
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")


async def test_the_word_of_a_lost_connection_covers_neither_bar_nor_header(page: Page) -> None:
    await lose(page)
    popup = await page.locator("#popup").bounding_box()
    header = await page.locator(".header").bounding_box()
    footer = await page.locator(".bar").bounding_box()
    assert popup
    assert header
    assert footer
    assert popup["y"] >= header["y"] + header["height"]
    assert popup["y"] + popup["height"] <= footer["y"]


# -- what a browser does not allow -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }",
        "Object.defineProperty(window, 'sessionStorage', { configurable: true, get() { throw new DOMException('no', 'SecurityError') } })",
        "Storage.prototype.getItem = () => '{\"not\": a list'",
        'Storage.prototype.getItem = () => \'[null, 7, {"id": "x"}]\'',
    ],
    ids=["full", "blocked", "damaged", "of another shape"],
)
async def test_a_tick_works_whatever_becomes_of_the_tabs_storage(
    server: Program, browser: Browser, broken: str
) -> None:
    context = await browser.new_context()
    await context.add_cookies([{"name": server.cookie[0], "value": server.cookie[1], "url": server.url}])
    await context.add_init_script(broken)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(server.url)
    await expect(box(page, *FIRST).or_(box(page, *FIRST, staged=True))).to_be_visible()
    await nothing_staged(page)
    await box(page, *FIRST).click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")


@pytest.mark.parametrize("allowed", [True, False], ids=["copied", "not copied"])
async def test_on_plain_http_copied_is_said_when_it_was(server: Program, browser: Browser, allowed: bool) -> None:
    url = f"http://{HOST}:{server.port}"
    context = await browser.new_context()
    await context.add_cookies([{"name": server.cookie[0], "value": server.cookie[1], "url": url}])
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(url)
    assert not await page.evaluate("isSecureContext")
    await page.get_by_role("button", name="Add authkey").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("IP").fill(f"192.0.3.{1 + allowed}")
    await dialog.get_by_label("Service").fill("billing")
    await dialog.get_by_role("button", name="Add authkey").click()
    await page.get_by_role("button", name="Submit authkey modifications").click()
    secret = await page.locator(".secret-text").inner_text()
    if not allowed:
        await page.evaluate("document.execCommand = () => false")
    await page.get_by_role("button", name="Copy").click()
    said = page.locator(".copyable-said")
    await expect(said).to_have_text(
        "Copied" if allowed else "Not copied: it is selected now, press Ctrl+C (on a Mac ⌘C)."
    )
    assert await page.evaluate("getSelection().toString()") == secret
    if allowed:
        await page.get_by_role("button", name="Done").click()
        search = page.get_by_role("searchbox")
        await search.click()
        await page.keyboard.press("Control+v")
        await expect(search).to_have_value(secret)
