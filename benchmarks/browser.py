"""Measuring in headless Chromium: opening, transferred bytes, ticking, searching, submitting."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import time
from typing import Any, NamedTuple

from playwright.async_api import Browser, BrowserContext, CDPSession, Locator, Page, async_playwright

from benchmarks.servers import Server
from models.privileges import MANAGE_AUTHKEYS, PRIVILEGES, Privilege
from models.wording import changes_to_keys

TIMEOUT_MS = 30_000
SETTLE_MS = 1_500
"""After this long nothing that belongs to opening a page is still on its way."""

HARMLESS = [each for each in PRIVILEGES if each is not MANAGE_AUTHKEYS]
"""Those that one click on Submit grants: before the other one the review opens."""

_SCRIPT = (Path(__file__).parent / "browser.js").read_text(encoding="utf-8")
_APPLIED = f"Applied {changes_to_keys(1, 1)}"
_CHROMIUM_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """The system's Chromium if there is one, otherwise Playwright's."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_CHROMIUM_OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def fresh_profile(browser: Browser, server: Server) -> AsyncIterator[BrowserContext]:
    """An empty profile, but for its session: nothing is cached."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(TIMEOUT_MS)
    await context.add_init_script(_SCRIPT)
    name, value = server.cookie
    await context.add_cookies([{"name": name, "value": value, "url": server.url}])
    try:
        yield context
    finally:
        await context.close()


async def open_page(page: Page, url: str) -> float:
    """Navigate, and return after how many milliseconds the page was usable and painted."""
    await page.goto(url, wait_until="commit")
    return await page.evaluate("benchmark.usable")


class Transfer(NamedTuple):
    """What one opened page transferred, both ways."""

    http: int
    socket: int

    @property
    def total(self) -> int:
        return self.http + self.socket


class _Meter:
    def __init__(self, session: CDPSession) -> None:
        self.http = self.socket = 0
        session.on("Network.loadingFinished", self._loaded)
        session.on("Network.webSocketFrameReceived", self._frame)
        session.on("Network.webSocketFrameSent", self._frame)

    def _loaded(self, event: dict[str, Any]) -> None:
        self.http += int(event["encodedDataLength"])

    def _frame(self, event: dict[str, Any]) -> None:
        self.socket += len(event["response"]["payloadData"])


async def measure_transfer(browser: Browser, server: Server) -> tuple[Transfer, Transfer]:
    """What a cold and a warm opening transfer."""
    async with fresh_profile(browser, server) as context:
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        await session.send("Network.enable")
        transfers = []
        for _ in range(2):
            meter = _Meter(session)
            await open_page(page, server.url)
            await page.wait_for_timeout(SETTLE_MS)
            transfers.append(Transfer(meter.http, meter.socket))
            await page.goto("about:blank")
        return transfers[0], transfers[1]


async def measure_ticks(page: Page, count: int) -> list[float]:
    """Tick cell after cell with the mouse; milliseconds from the press until the bar's new count is painted."""
    figures = []
    for number in range(count):
        row, column = divmod(number, len(PRIVILEGES))
        text = changes_to_keys(number + 1, row + 1)
        figures.append(await _press(page, cell(page, row, PRIVILEGES[column]), text))
    await page.get_by_role("button", name="Discard").click()
    await page.get_by_text("No staged changes").wait_for()
    return figures


def cell(page: Page, row: int, privilege: Privilege) -> Locator:
    """The checkbox of a shown row."""
    return page.locator(f'.ag-row[row-index="{row}"] [col-id="{privilege.id}"] input')


async def _press(page: Page, target: Locator, bar_text: str) -> float:
    await target.scroll_into_view_if_needed()
    box = await target.bounding_box()
    assert box is not None
    await page.evaluate("text => benchmark.expect('.bar-count', text, 'mousedown')", bar_text)
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    return await page.evaluate("benchmark.expected")


async def measure_search(page: Page, ip: str) -> float:
    """Search an address that has one authkey; milliseconds from the input until its row is the only one shown."""
    await page.evaluate("ip => benchmark.expectOnly(ip)", ip)
    await page.get_by_role("searchbox").fill(ip)
    figure = await page.evaluate("benchmark.expected")
    await page.evaluate("benchmark.expectSeveral()")
    await page.get_by_role("searchbox").fill("")
    await page.evaluate("benchmark.expected")
    return figure


async def measure_text_search(page: Page, text: str) -> float:
    """Search a text that many services have; milliseconds from the input until only such rows are painted."""
    await page.evaluate("text => benchmark.expectService(text)", text)
    await page.get_by_role("searchbox").fill(text)
    figure = await page.evaluate("benchmark.expected")
    await page.evaluate("text => benchmark.expectOtherService(text)", text)
    await page.get_by_role("searchbox").fill("")
    await page.evaluate("benchmark.expected")
    return figure


async def measure_pointer_moves(page: Page, count: int) -> list[float]:
    """Drag over the grid; milliseconds of the page's work for each move onto another cell, with styles and layout."""
    boxes = [await cell(page, row, PRIVILEGES[1]).bounding_box() for row in range(12)]
    await page.mouse.move(boxes[0]["x"], boxes[0]["y"])
    await page.mouse.down()
    await page.evaluate("benchmark.watchMoves()")
    for number in range(count):
        box = boxes[1 + number % (len(boxes) - 1)]
        await page.mouse.move(box["x"] + number % 5 * 80, box["y"] + 4)
    figures = await page.evaluate("benchmark.moves")
    await page.mouse.up()
    await page.keyboard.press("Escape")
    return figures


async def submit_one(page: Page, row: int, privilege: Privilege) -> None:
    """Tick one cell, with nothing else staged, and submit it; returns when that is confirmed."""
    await _press(page, cell(page, row, privilege), changes_to_keys(1, 1))
    await _press(page, page.get_by_role("button", name="Submit authkey modifications"), _APPLIED)


class CommitTimes(NamedTuple):
    """When a submission was clicked, confirmed to its admin, and painted in another window, as `time.time()`."""

    clicked: float
    confirmed: float
    watched: float


async def submit_watched(submitter: Page, watcher: Page, row: int, privilege: Privilege) -> CommitTimes:
    """Submit one staged change in one window and watch its cell flash in another."""
    label = await cell(watcher, row, privilege).get_attribute("aria-label")
    assert label is not None
    clocks = [await _clock(page) for page in (submitter, watcher)]
    await watcher.evaluate("label => benchmark.expectCommitted(label)", label.removesuffix(", staged"))
    await _press(submitter, submitter.get_by_role("button", name="Submit authkey modifications"), _APPLIED)
    moments = await submitter.evaluate("benchmark.moments")
    watched = await watcher.evaluate("benchmark.expected")
    return CommitTimes(
        clocks[0] + moments["started"] / 1000, clocks[0] + moments["now"] / 1000, clocks[1] + watched / 1000
    )


async def stage_one(submitter: Page, row: int, privilege: Privilege) -> None:
    """Tick one cell, with nothing else staged, and wait until every window is at rest again."""
    await _press(submitter, cell(submitter, row, privilege), changes_to_keys(1, 1))
    await submitter.wait_for_timeout(SETTLE_MS)


async def _clock(page: Page) -> float:
    """`time.time()` when the page's `performance.now()` was 0, by the answer that came back fastest."""
    answers = []
    for _ in range(10):
        before = time()
        now = await page.evaluate("performance.now()")
        after = time()
        answers.append((after - before, (before + after) / 2 - now / 1000))
    return min(answers)[1]
