"""Chromium, and how tests point at the page's parts."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright

from tests.program import Program
from tests.requirements import INSTALL_HINT

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 20_000

needs_chromium = pytest.mark.skipif(not shutil.which(CHROMIUM), reason=INSTALL_HINT)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Headless Chromium, Debian's."""
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


async def open_page(
    browser: Browser, server: Program, path: str = "/", *, width: int = 1280, height: int = 800, dark: bool = False
) -> Page:
    """A window of a new, signed-in browser profile, when its first row (or the message that there is none) shows."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    if server.cookie:
        name, value = server.cookie
        await context.add_cookies([{"name": name, "value": value, "url": server.url}])
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(server.url + path)
    await page.locator('.ag-row [col-id="ip"]:not(:empty), .empty .empty-title').first.wait_for()
    return page


def box(page: Page, ip: str, service: str, column: str = "Search for a License", *, staged: bool = False) -> Locator:
    """A checkbox by its accessible name."""
    name = f"{column}, {ip}, {service}{', staged' if staged else ''}"
    return page.get_by_role("checkbox", name=name, exact=True)


def bar(page: Page) -> Locator:
    """What the bar says."""
    return page.locator(".bar-status")


async def shown_ips(page: Page) -> list[str]:
    """The addresses of the shown rows, from the top."""
    rows = await page.locator(".ag-pinned-left-cols-container .ag-row").evaluate_all(
        "rows => rows.map(r => [Number(r.getAttribute('row-index')), r.querySelector('[col-id=ip]').innerText.trim()])"
    )
    return [ip for _, ip in sorted(rows) if ip]
