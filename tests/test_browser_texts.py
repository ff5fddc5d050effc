"""Service names in every script, of every length, and in the shape of code: texts everywhere, and nothing else."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from models.submissions import Assignment
from tests.browser import at_rest, bar, box, chromium, needs_chromium, open_page
from tests.program import Program, serving

pytestmark = needs_chromium

IP = "203.0.113.1"
SERVICES = [
    "חיוב \u200f(תל אביב) 42",
    "فوترة الخدمات",
    "👩‍👩‍👧‍👦🔑 keys",
    "Z̷̢̛̗̆a̵͉͑l̶̰̈́g̸̱̑o̷͕̍ ñ",
    "x" * 100,
    "word " * 19 + "words",
    "<img src=x onerror=window.hacked=1>",
    "<script>window.hacked=1</script>",
    "'\"><svg/onload=window.hacked=1>",
    ":window.hacked=1",
    "=cmd|'/c calc'!A1",
    "{{constructor.constructor('window.hacked=1')()}}",
    "${window.hacked=1} %s &lt;b&gt; \\u003c",
]
KEYS = [Assignment(IP, service, 0) for service in SERVICES]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Program]:
    """Anew for each test."""
    with serving(tmp_path, keys=KEYS) as program:
        yield program


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    async with chromium() as browser:
        yield await open_page(browser, server)


async def stays_within(inner: Locator, outer: Locator) -> None:
    """Each of the inner elements is drawn inside of the outer one, or cut off there."""
    await at_rest(outer.page)
    frame = await outer.bounding_box()
    for each in await inner.all():
        drawn = await each.bounding_box()
        assert frame["x"] - 1 <= drawn["x"], await each.inner_text()
        assert drawn["x"] + drawn["width"] <= frame["x"] + frame["width"] + 1, await each.inner_text()


async def nothing_ran(page: Page) -> None:
    assert await page.evaluate("window.hacked") is None
    assert (
        await page.locator(
            ":is(.ag-cell, .review, .dialog, .q-menu, .q-notification) :is(img, script, [onload])"
        ).count()
        == 0
    )
    assert await page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0


async def test_every_service_name_is_a_text_in_grid_review_menu_dialogs_and_messages(page: Page) -> None:
    names = page.locator(".ag-cell[col-id=service]")
    assert sorted(await names.all_text_contents()) == sorted(SERVICES)
    for service in SERVICES:
        await box(page, IP, service).click()
        await expect(box(page, IP, service, staged=True)).to_be_checked()
    await expect(bar(page)).to_contain_text(f"{len(SERVICES)} changes to {len(SERVICES)} keys")
    heights = await page.locator(".ag-pinned-left-cols-container .ag-row").evaluate_all(
        "rows => rows.map(row => row.getBoundingClientRect().height)"
    )
    assert set(heights) == {38}
    await nothing_ran(page)

    await page.get_by_role("button", name="Review").click()
    review = page.get_by_role("region", name="Review of staged changes")
    await expect(review.locator(".review-service")).to_have_count(len(SERVICES))
    assert sorted(await review.locator(".review-service").all_text_contents()) == sorted(SERVICES)
    for service in SERVICES:
        await expect(
            review.get_by_role("button", name=f"Take back: Grant Search for a License, {IP}, {service}", exact=True)
        ).to_have_count(1)
    await stays_within(review.locator(".review-service, .review-line"), review)
    await nothing_ran(page)
    await page.get_by_role("button", name="Close the review").click()

    dialog = page.get_by_role("dialog")
    for service in SERVICES:
        await page.get_by_role("button", name=f"Actions, {IP}, {service}", exact=True).click()
        await expect(page.get_by_role("region", name=f"Actions, {IP}, {service}", exact=True)).to_be_visible()
        await page.get_by_role("menuitem", name="Issue new key").click()
        await expect(dialog.locator(".review-service")).to_have_text(service)
        await stays_within(dialog.locator(".review-service"), dialog.locator(".dialog"))
        await nothing_ran(page)
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)

    # What it says about a service that exists.
    await page.get_by_role("button", name="Add authkey").click()
    for service in (SERVICES[0], SERVICES[4], SERVICES[6]):
        await dialog.get_by_label("IP").fill(IP)
        await dialog.get_by_label("Service").fill(service)
        await dialog.get_by_role("button", name="Add authkey").click()
        await expect(dialog.get_by_role("alert")).to_contain_text(f"already has an authkey for the service {service!r}")
        await stays_within(dialog.get_by_role("alert"), dialog.locator(".dialog"))
    await nothing_ran(page)
    await page.keyboard.press("Escape")


async def test_a_message_names_a_service_as_a_text(page: Page) -> None:
    for sequence, service in enumerate((SERVICES[4], SERVICES[6], SERVICES[0]), 1):
        authkey_id = SERVICES.index(service) + 1
        await page.evaluate(
            "claim => emitEvent('tick', claim)",
            {"seq": 2 * sequence - 1, "id": authkey_id, "column": "remove", "value": True},
        )
        await expect(box(page, IP, service, "Remove?", staged=True)).to_be_checked()
        # On its way when the removal was staged, so that the box was not disabled yet.
        await page.evaluate(
            "claim => emitEvent('tick', claim)",
            {"seq": 2 * sequence, "id": authkey_id, "column": "search", "value": True},
        )
        message = page.locator(".q-notification").filter(has_text=f"{IP} ({service}) is staged for removal.")
        await expect(message).to_be_visible()
        await stays_within(message.locator(".q-notification__message"), page.locator("body"))
    await nothing_ran(page)
