"""The page on a phone: all of it fits, is within reach of a thumb, and can be read by everybody."""

from itertools import combinations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import (
    add_passphrase,
    axe_finds_nothing,
    bar,
    first_row,
    needs_chromium,
    open_sign_in,
)
from tests.elsewhere import assign, key
from tests.other_process import OtherProcess
from tests.phone import (
    ADD,
    FINGER,
    FIRST,
    LIST,
    PHONE_KEYS,
    SEARCH,
    SECOND,
    WIDTH,
    card,
    fits,
    opened,
    phone,
    switch,
    turn,
)
from tests.program import Program

pytestmark = needs_chromium

KEYS, ACCOUNTS = PHONE_KEYS, (("ben",),)


@pytest.fixture
async def page(browser: Browser, server: Program, dana: OtherProcess) -> Page:
    """A phone that shows the authkeys, with nothing staged."""
    return await phone(browser, server)


# -- everything is there, and can be pressed ---------------------------------------------------------------------------


async def test_every_view_and_dialog_fits_and_its_targets_are_as_large_as_a_finger(page: Page, server: Program) -> None:
    await fits(page, "cards")
    assert await page.locator(".title").evaluate("title => title.scrollWidth <= title.clientWidth")
    sheet = await opened(page, FIRST)
    await switch(sheet, FIRST, "Remove?").tap()
    await fits(page, "sheet")
    await sheet.get_by_role("button", name="Details").tap()
    await expect(page.get_by_role("region", name="Details")).to_contain_text("Privileges")
    await fits(page, "details")
    await page.get_by_role("button", name="Close the panel").tap()
    await page.get_by_role("button", name="Review").tap()
    await expect(page.get_by_role("region", name="Review of staged changes")).to_be_visible()
    await fits(page, "review")
    await page.get_by_role("button", name="Close the review").tap()
    for button, menu in (("Views", "Saved views"), ("Filter", "Filters"), ("Sort: ", "Sort"), ("Account: ", "Account")):
        await page.get_by_role("button", name=button).tap()
        await expect(page.get_by_role("region", name=menu)).to_be_visible()
        await fits(page, button)
        await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Commands").tap()
    await expect(page.get_by_role("option").first).to_be_visible()
    await fits(page, "commands")
    await page.keyboard.press("Escape")
    for button in ("Export", "Import…", "Discard", "Submit authkey modifications"):
        await expect(page.get_by_role("button", name=button)).to_be_in_viewport(ratio=1)
    await page.get_by_role("button", name="Add authkey").tap()
    await expect(page.get_by_role("dialog").get_by_label("Service")).to_be_visible()
    await fits(page, "add")
    await page.keyboard.press("Escape")
    for name, path in (("Passphrases", "/passphrases"), ("History", "/history")):
        await page.get_by_role("link", name=name).tap()
        await expect(page).to_have_url(f"{server.url}{path}")
        await page.locator(".live").wait_for()
        await fits(page, name)


async def test_the_sign_in_page_fits(browser: Browser, server: Program) -> None:
    page = await open_sign_in(browser, server)
    await turn(page, upright=True)
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= WIDTH
    for part in (page.get_by_label("Name"), page.get_by_label("Password"), page.get_by_role("button")):
        at = await part.bounding_box()
        assert at
        assert at["height"] >= FINGER


async def test_only_the_cards_scroll_not_the_page(page: Page) -> None:
    assert await page.evaluate("document.scrollingElement.scrollHeight - innerHeight") <= 0


# -- passphrases -------------------------------------------------------------------------------------------------------


async def test_a_passphrase_is_a_card_too_and_its_switches_stage(page: Page, server: Program) -> None:
    await page.goto(f"{server.url}/passphrases")
    await add_passphrase(page, Note="rack 4", **{"Allowed networks": "192.0.2.0/24"})
    await first_row(page).wait_for()
    name = "#1 rack 4"
    await expect(card(page, name)).to_contain_text("From 192.0.2.0/24")
    await expect(card(page, name)).to_contain_text("0 of 1 used · no expiry")
    sheet = await opened(page, name)
    await switch(sheet, name, ADD).tap()
    await sheet.get_by_role("button", name="Close").tap()
    await expect(bar(page)).to_contain_text("1 change to 1 passphrase")
    await page.get_by_role("button", name="Submit passphrase modifications").tap()
    await expect(bar(page)).to_contain_text("Applied 1 change to 1 passphrase")
    await expect(card(page, name)).to_have_accessible_name(f"{name}: 1 of 9 privileges")


# -- for all eyes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_nothing_in_cards_sheet_and_menus(
    browser: Browser, server: Program, dana: OtherProcess, dark: bool
) -> None:
    page = await phone(browser, server, dark=dark)
    await axe_finds_nothing(page, "cards")
    sheet = await opened(page, FIRST)
    await axe_finds_nothing(page, "sheet")
    await switch(sheet, FIRST, ADD).tap()
    await switch(sheet, FIRST, LIST).tap()
    await dana.do(assign, key("192.0.2.1", "billing", LIST, SEARCH))
    await expect(sheet.locator('.switch[data-by="dana"]')).to_be_visible()
    await axe_finds_nothing(page, "sheet, staged and changed by others")
    await switch(sheet, FIRST, "Remove?").tap()
    await axe_finds_nothing(page, "sheet, removal")
    await page.keyboard.press("Escape")
    await axe_finds_nothing(page, "cards, staged")
    await page.get_by_role("button", name="Sort: ").tap()
    await axe_finds_nothing(page, "sort")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Review").tap()
    await axe_finds_nothing(page, "review")


async def test_with_forced_colours_every_state_of_a_switch_and_a_card_looks_different(page: Page) -> None:
    await page.emulate_media(forced_colors="active")
    sheet = await opened(page, FIRST)
    await switch(sheet, FIRST, ADD).tap()
    await switch(sheet, FIRST, LIST).tap()
    await expect(bar(page)).to_contain_text("2 changes to 1 key")
    lines = {"grant": ADD, "revocation": LIST, "not granted": SEARCH}
    pictures = {
        state: await sheet.locator(f'input[aria-label^="{each.label}"]').screenshot() for state, each in lines.items()
    }
    assert pictures["grant"] != pictures["not granted"]
    assert (
        await sheet.locator(".cell-grant").evaluate("line => getComputedStyle(line, '::after').content") == '"+" / ""'
    )
    await page.keyboard.press("Escape")
    sheet = await opened(page, SECOND)
    await switch(sheet, SECOND, "Remove?").tap()
    await page.keyboard.press("Escape")
    texts = [await card(page, name).locator(".card-row").inner_text() for name in (FIRST, SECOND, "192.0.2.3, billing")]
    assert all(one != other for one, other in combinations(texts, 2))
