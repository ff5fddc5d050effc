"""The server ends or the network drops under an open page: it says so, recovers by itself, and loses or doubles nothing."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import ALL_PRIVILEGES, privilege
from models.submissions import Assignment
from tests.browser import bar, box, chromium, needs_chromium, open_page
from tests.program import Program, import_csv, write_csv

pytestmark = needs_chromium

KEYS = [Assignment(f"192.0.2.{n}", "billing", privilege("listlicenses").mask) for n in range(1, 41)]
FIRST, SECOND, THIRD, SIXTH, SEVENTH = ((f"192.0.2.{n}", "billing") for n in (1, 2, 3, 6, 7))


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    async with chromium() as browser:
        yield await one_change_staged(browser, server)


async def one_change_staged(browser: Browser, server: Program) -> Page:
    page = await open_page(browser, server)
    discard = page.get_by_role("button", name="Discard")
    if await discard.is_visible():
        await discard.click()
    await expect(bar(page)).to_contain_text("No staged changes")
    await box(page, *FIRST).click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    return page


async def says_that_it_is_offline(page: Page) -> None:
    """In words for the eye, and as a status that a screen reader reads out."""
    await expect(page.locator("#popup")).to_be_visible()
    await expect(page.locator("#popup")).to_contain_text("Connection lost")
    await expect(page.locator("#popup")).to_contain_text("Boxes that you tick now are sent when the connection is back")
    await expect(announcement(page)).to_contain_text("Connection lost. What you staged is kept.")


def announcement(page: Page):
    return page.locator("body > [role=status].visually-hidden")


async def undoing_finds_each_tick_once(page: Page, count: int) -> None:
    """What was ticked is staged by so many steps, and not by one more."""
    for left in reversed(range(count)):
        await page.keyboard.press("Control+z")
        expected = f"{left} change{'s' * (left > 1)} to {left} key" if left else "No staged changes"
        await expect(bar(page)).to_contain_text(expected)
    await page.keyboard.press("Control+z")
    await expect(page.get_by_text("There is no staging step to undo.")).to_be_visible()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_server_restarts_while_boxes_are_ticked(server: Program, page: Page, how: signal.Signals) -> None:
    server.end(how)
    await says_that_it_is_offline(page)
    await box(page, *SECOND).click()
    await box(page, *THIRD).click()
    await expect(box(page, *THIRD, staged=True)).to_be_checked()
    server.start()
    await expect(bar(page)).to_contain_text("3 changes to 3 keys")
    await expect(page.locator("#popup")).to_be_hidden()
    await expect(box(page, *THIRD, staged=True)).to_be_checked()
    await undoing_finds_each_tick_once(page, 3)


async def test_the_network_drops_while_boxes_are_ticked_and_others_submit(
    server: Program, page: Page, tmp_path: Path
) -> None:
    await page.locator(".ag-body-viewport").evaluate("view => view.scrollTop = 76")
    await page.context.set_offline(True)
    await says_that_it_is_offline(page)
    await box(page, *SIXTH).click()
    await box(page, *SEVENTH).click()
    await box(page, *SEVENTH, staged=True).click()
    changed = [Assignment("192.0.2.8", "billing", ALL_PRIVILEGES), Assignment("192.0.3.1", "new", 0)]
    import_csv(server.database, write_csv(tmp_path / "more.csv", changed), admin="dana")

    await page.context.set_offline(False)
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    await expect(announcement(page)).to_have_text("Connected again.")
    await expect(page.locator("#popup")).to_be_hidden()
    await expect(page.get_by_text("41 keys", exact=True)).to_be_visible()
    await expect(box(page, "192.0.2.8", "billing")).to_be_checked()
    await expect(box(page, *SIXTH, staged=True)).to_be_checked()
    assert await page.locator(".ag-body-viewport").evaluate("view => view.scrollTop") == 76
    # Ticked and cleared again is two steps.
    for text in ("3 changes to 3 keys", "2 changes to 2 keys", "1 change to 1 key", "No staged changes"):
        await page.keyboard.press("Control+z")
        await expect(bar(page)).to_contain_text(text)


async def test_a_page_that_was_away_for_longer_than_the_server_remembers_it_is_opened_anew_with_all_its_ticks(
    server: Program, page: Page
) -> None:
    await page.evaluate("window.before = true")
    await page.context.set_offline(True)
    await says_that_it_is_offline(page)
    await box(page, *SECOND).click()
    server.kill()  # what it remembers of open pages goes too
    server.start()
    await page.context.set_offline(False)
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    await page.wait_for_function("window.before === undefined")
    await expect(box(page, *SECOND, staged=True)).to_be_checked()
    await undoing_finds_each_tick_once(page, 2)


async def test_a_submission_whose_answer_is_lost_is_made_once_and_said_after_all(server: Program, page: Page) -> None:
    await page.get_by_role("button", name="Submit authkey modifications").evaluate("button => button.click()")
    await page.context.set_offline(True)
    await expect(page.locator("#popup")).to_be_visible()
    await page.context.set_offline(False)
    await expect(bar(page)).to_contain_text("Applied 1 change to 1 key")
    await expect(box(page, *FIRST)).to_be_checked()
    await expect(page.get_by_role("button", name="Submit authkey modifications")).to_be_disabled()


async def test_a_tick_that_a_page_of_an_earlier_release_kept_is_sent(page: Page, server: Program) -> None:
    # Ticked while the server was away, for an upgrade; the new server's page is loaded in its place.
    await page.evaluate(
        """() => {
            const [store] = Object.keys(sessionStorage).filter((name) => /^authkeys\\.pending\\.\\d+$/.test(name));
            const tick = {seq: 7, id: 2, column: "search", bit: 8, value: true};
            addEventListener("pagehide", () => sessionStorage.setItem(store, JSON.stringify([tick])));
        }"""
    )
    await page.reload()
    await expect(box(page, *SECOND, staged=True)).to_be_checked()
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")


NO_SOCKET = """window.WebSocket = class {
  constructor() { setTimeout(() => this.onerror?.(new Event("error"))); }
  close() {}
  send() {}
}"""


async def test_a_page_whose_very_first_connection_does_not_come_about_says_so_too(page: Page, server: Program) -> None:
    alone = await page.context.new_page()
    await alone.add_init_script(NO_SOCKET)
    await alone.route("**/_nicegui_ws/**", lambda route: route.abort())  # nor by polling
    await alone.goto(server.url)
    await expect(box(alone, *SECOND)).to_be_visible()  # rows come by themselves
    await says_that_it_is_offline(alone)
    await expect(alone.locator(".toolbar")).to_have_js_property("inert", True)
