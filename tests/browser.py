"""Chromium, and how tests point at the page's parts."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.program import PASSWORD, Program
from tests.requirements import INSTALL_HINT

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)

needs_chromium = pytest.mark.skipif(not shutil.which(CHROMIUM), reason=INSTALL_HINT)


@asynccontextmanager
async def chromium(*more: str) -> AsyncIterator[Browser]:
    """Headless Chromium, Debian's; `more` are arguments of its command line."""
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", *more]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


async def open_page(
    browser: Browser,
    server: Program,
    path: str = "/",
    *,
    width: int = 1280,
    height: int = 800,
    dark: bool = False,
    touch: bool = False,
) -> Page:
    """A window of a new, signed-in browser profile, when its first row (or the message that there is none) shows."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", has_touch=touch
    )
    if server.cookie:
        name, value = server.cookie
        await context.add_cookies([{"name": name, "value": value, "url": server.url}])
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(server.url + path)
    await first_row(page).or_(page.locator(".empty .empty-title")).first.wait_for()
    return page


def first_row(page: Page) -> Locator:
    """What shows that the first row has come; on a phone it is a card."""
    return page.locator('.ag-row :is([col-id="ip"], [col-id="made"]):not(:empty), .card-title').first


@asynccontextmanager
async def clean_page(server: Program, **how: Any) -> AsyncIterator[Page]:
    """A window, as `open_page` opens it, in a browser of its own, with nothing staged."""
    async with chromium() as browser:
        page = await open_page(browser, server, **how)
        await discard_all(page)
        yield page


async def discard_all(page: Page) -> None:
    """Discard what a test before has staged, if it has."""
    discard = page.get_by_role("button", name="Discard")
    if await discard.is_visible():
        await discard.click()
    await expect(bar(page)).to_contain_text("No staged changes")


async def open_sign_in(browser: Browser, server: Program, path: str = "/", *, dark: bool = False) -> Page:
    """A window of a new browser profile that wanted to go to `path` and was asked to sign in."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme="dark" if dark else "light"
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(server.url + path)
    return page


async def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form and send it."""
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def choose(page: Page, entry: str) -> None:
    """Choose an entry of the account menu."""
    await page.get_by_role("button", name="Account: signed in as").click()
    await page.get_by_role("menuitem", name=entry, exact=True).click()


async def add_passphrase(page: Page, **fields: str) -> str:
    """Make a pickup passphrase on its page, as a person does; it is shown this once."""
    await page.get_by_role("button", name="Add passphrase").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Suggest").click()
    for label, text in fields.items():
        await dialog.get_by_label(label).fill(text)
    await dialog.get_by_role("button", name="Add passphrase").click()
    phrase = await page.locator(".secret-text").first.inner_text()
    await page.get_by_role("button", name="Done").click()
    return phrase


def box(page: Page, ip: str, service: str, column: str = "Search for a License", *, staged: bool = False) -> Locator:
    """A checkbox by its accessible name."""
    name = f"{column}, {ip}, {service}{', staged' if staged else ''}"
    return page.get_by_role("checkbox", name=name, exact=True)


async def grant_all(page: Page, column: str = "Add a New License") -> None:
    """Grant a privilege to all rows of the view, by the menu of its column."""
    await page.get_by_role("button", name=f"Actions, {column}", exact=True).click()
    await page.get_by_role("menuitem", name="Grant all").click()


async def submit_reviewed(page: Page, noun: str = "authkey") -> None:
    """Submit what is risky: the review opens first, and its own button submits."""
    await page.get_by_role("button", name=f"Submit {noun} modifications").click()
    await page.locator(".review-foot").get_by_role("button", name="Submit").click()


async def focus_cell(cell: Locator) -> None:
    """Put the keyboard into a cell without ticking its box."""
    await cell.click(modifiers=["Control"])
    await cell.page.keyboard.press("Escape")


def bar(page: Page) -> Locator:
    """What the bar says."""
    return page.locator(".bar-status")


async def shown_ips(page: Page) -> list[str]:
    """The addresses of the shown rows, from the top."""
    rows = await page.locator(".ag-pinned-left-cols-container .ag-row").evaluate_all(
        "rows => rows.map(r => [Number(r.getAttribute('row-index')), r.querySelector('[col-id=ip]')?.innerText.trim()])"
    )
    return [ip for _, ip in sorted(rows) if ip]


async def at_rest(page: Page) -> None:
    """Wait until nothing fades or grows any more: half-way texts have too little contrast, and boxes no size."""
    await expect(page.locator('[class*="-enter-active"], [class*="-leave-active"]')).to_have_count(0)
    await page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished.catch(() => {})))")


async def axe_finds_nothing(page: Page, state: str) -> None:
    """Check the page as it is now; `state` says in the report which one that was."""
    await at_rest(page)
    results = await Axe().run(page)
    assert results.violations_count == 0, f"{state}: {results.generate_report()}"
