"""Who else is here, in a browser: seen, opened and read by keyboard, at once after a window closes, on every screen."""

import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import axe_finds_nothing, bar, box, needs_chromium, open_page, open_sign_in, sign_in
from tests.program import Program

pytestmark = needs_chromium

KEYS = [Assignment(f"192.0.2.{n}", "billing", privilege("listlicenses").mask) for n in range(1, 31)]
ACCOUNTS = (("dana",),)
FIRST = ("192.0.2.1", "billing")
CUT = """() => [...document.querySelectorAll('.header :is(a, button), .header [role=status]')]
    .filter(each => each.checkVisibility())
    .filter(each => (({ left, right }) => left < 0 || right > innerWidth)(each.getBoundingClientRect()))
    .map(each => each.getAttribute('aria-label') || each.innerText)"""


async def dana_stages(browser: Browser, server: Program) -> Page:
    """Another admin's window, with one staged change."""
    dana = await open_sign_in(browser, server)
    await sign_in(dana, "dana")
    await box(dana, *FIRST).click()
    await expect(bar(dana)).to_contain_text("1 change to 1 key")
    return dana


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_it_is_opened_and_read_by_keyboard_and_fits(
    server: Program, browser: Browser, dark: bool, width: int
) -> None:
    dana = await dana_stages(browser, server)
    page = await open_page(browser, server, width=width, dark=dark)
    others = page.get_by_role("button", name="1 other here: dana")
    await others.focus()
    await page.keyboard.press("Enter")
    panel = page.get_by_role("region", name="Who else is here")
    await expect(panel.get_by_role("region", name="dana")).to_contain_text("Authorization keys")
    summary = panel.locator("summary:visible")  # that of the keys: nothing is staged for passphrases
    await expect(summary).to_contain_text("1 change to 1 key")
    await expect(summary.locator("time")).to_have_text("just now")
    await summary.focus()
    await page.keyboard.press("Enter")
    await expect(panel.get_by_role("listitem")).to_contain_text("Grant Search for a License")
    await axe_finds_nothing(page, "others")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await expect(others).to_be_focused()
    await dana.get_by_role("button", name="Discard").click()
    await dana.context.close()
    await expect(others).to_have_count(0)


async def test_at_any_width_all_of_the_header_is_there(server: Program, browser: Browser) -> None:
    dana = await dana_stages(browser, server)
    page = await open_page(browser, server)
    for width in (1440, 1280, 1200, 1100, 1024, 960, 860, 768, 700, 641, 600, 390, 320):
        await page.set_viewport_size({"width": width, "height": 800})
        await expect(page.get_by_role("button", name="1 other here: dana")).to_be_visible()
        assert await page.evaluate(CUT) == [], width
    await dana.get_by_role("button", name="Discard").click()
    await dana.context.close()
