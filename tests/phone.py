"""What the tests of the page on a phone have in common."""

from playwright.async_api import Browser, Locator, Page, expect

from models.privileges import Privilege, privilege
from tests.browser import (
    at_rest,
    open_page,
)
from tests.elsewhere import key
from tests.program import Program

WIDTH, HEIGHT = 390, 844
ADD, LIST, SEARCH = privilege("addlicense"), privilege("listlicenses"), privilege("search")
PHONE_KEYS = [key(f"192.0.2.{n}", "billing" if n % 2 else "audit", LIST) for n in range(1, 41)]
FIRST, SECOND = "192.0.2.1, billing", "192.0.2.2, audit"
FINGER = 44
"""Pixels that a finger hits: WCAG 2.2, 2.5.5"""

TOO_SMALL = """least => [...document.querySelectorAll(
        'button, a[href], input, textarea, label, summary, [role=button], [role^=menuitem], [role=combobox], [role=option]')]
    .map(each => each.closest('.q-field__control, .switch, .q-checkbox') ?? each)
    .filter(each => each.checkVisibility() && !each.closest('[inert]'))
    .map(each => [each.getAttribute('aria-label') || each.innerText || each.className, each.getBoundingClientRect()])
    .filter(([, { width, height }]) => width && (Math.round(width) < least || Math.round(height) < least))
    .map(([name, { width, height }]) => `${name}: ${width} x ${height}`)"""
BESIDE = """() => [...document.querySelectorAll('button, a[href], input, [role^=menuitem], [role=combobox]')]
    .filter(each => each.checkVisibility() && !each.closest('[inert]'))
    .filter(each => (({ left, right, width }) => width && (left < 0 || right > innerWidth))(each.getBoundingClientRect()))
    .map(each => each.getAttribute('aria-label') || each.innerText || each.className)"""


async def phone(browser: Browser, server: Program, *, dark: bool = False) -> Page:
    return await open_page(browser, server, width=WIDTH, height=HEIGHT, dark=dark, touch=True)


async def turn(page: Page, *, upright: bool) -> None:
    size = (WIDTH, HEIGHT) if upright else (HEIGHT, WIDTH)
    await page.set_viewport_size({"width": size[0], "height": size[1]})


def card(page: Page, name: str) -> Locator:
    """The card of a row."""
    return page.get_by_role("button", name=f"{name}: ")


async def opened(page: Page, name: str) -> Locator:
    """The sheet of a row, by a tap on its card."""
    await card(page, name).tap()
    sheet = page.get_by_role("dialog", name=name)
    await expect(sheet.get_by_role("button", name="Details")).to_be_visible()
    return sheet


def switch(sheet: Locator, name: str, what: Privilege | str, *, staged: bool = False) -> Locator:
    """A switch by its accessible name, which is that of the box."""
    label = what.label if isinstance(what, Privilege) else what
    return sheet.get_by_role("switch", name=f"{label}, {name}{', staged' if staged else ''}", exact=True)


async def fits(page: Page, state: str) -> None:
    """Nothing is beside the screen, and nothing that is to be pressed is too small for a finger."""
    await at_rest(page)
    beyond = "document.scrollingElement.scrollWidth - innerWidth"
    assert await page.evaluate(beyond) <= 0, state
    assert await page.evaluate(TOO_SMALL, FINGER) == [], state
    assert await page.evaluate(BESIDE) == [], state
