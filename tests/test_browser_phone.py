"""The page on a phone: a card for each row, a sheet with its switches, and all else within reach of a thumb."""

from collections.abc import AsyncIterator
from itertools import combinations

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from models.privileges import PRIVILEGES, Privilege, privilege
from storage.database import DatabaseLocation
from tests.browser import (
    add_passphrase,
    at_rest,
    axe_finds_nothing,
    bar,
    box,
    first_row,
    needs_chromium,
    open_page,
    open_sign_in,
    shown_ips,
)
from tests.elsewhere import assign, key, start_over, stored
from tests.other_process import OtherProcess, another_process
from tests.program import Program

pytestmark = needs_chromium

WIDTH, HEIGHT = 390, 844
ADD, LIST, SEARCH = privilege("addlicense"), privilege("listlicenses"), privilege("search")
KEYS = [key(f"192.0.2.{n}", "billing" if n % 2 else "audit", LIST) for n in range(1, 41)]
FIRST, SECOND = "192.0.2.1, billing", "192.0.2.2, audit"
ACCOUNTS = (("ben",),)
FINGER = 44
"""Pixels that a finger hits: WCAG 2.2, 2.5.5"""

TOO_SMALL = """least => [...document.querySelectorAll(
        'button, a[href], input, textarea, label, summary, [role=button], [role^=menuitem], [role=combobox]')]
    .map(each => each.closest('.q-field__control, .switch, .q-checkbox') ?? each)
    .filter(each => each.checkVisibility() && !each.closest('[inert]'))
    .map(each => [each.getAttribute('aria-label') || each.innerText || each.className, each.getBoundingClientRect()])
    .filter(([, { width, height }]) => width && (Math.round(width) < least || Math.round(height) < least))
    .map(([name, { width, height }]) => `${name}: ${width} x ${height}`)"""
BESIDE = """() => [...document.querySelectorAll('button, a[href], input, [role^=menuitem], [role=combobox]')]
    .filter(each => each.checkVisibility() && !each.closest('[inert]'))
    .filter(each => (({ left, right, width }) => width && (left < 0 || right > innerWidth))(each.getBoundingClientRect()))
    .map(each => each.getAttribute('aria-label') || each.innerText || each.className)"""


@pytest.fixture
async def dana(server: Program) -> AsyncIterator[OtherProcess]:
    """Another admin, in another process; the keys are as at the beginning."""
    async with another_process(DatabaseLocation(server.database), "dana") as other:
        await other.do(start_over, KEYS)
        yield other


@pytest.fixture
async def page(browser: Browser, server: Program, dana: OtherProcess) -> Page:
    """A phone that shows the authkeys, with nothing staged."""
    return await phone(browser, server)


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


# -- cards -------------------------------------------------------------------------------------------------------------


async def test_each_row_is_a_card_that_says_how_many_privileges_it_has_and_there_are_no_columns(page: Page) -> None:
    await expect(page.get_by_role("row", name=f"{FIRST}: 1 of 9 privileges")).to_be_visible()
    await expect(card(page, FIRST)).to_have_text("192.0.2.1billing1 of 9")
    await expect(page.locator(".ag-header")).to_be_hidden()
    await expect(page.get_by_role("checkbox")).to_have_count(0)
    assert await page.locator(".ag-row").first.evaluate("row => row.getBoundingClientRect().height") >= FINGER


async def test_cards_are_sorted_by_a_menu_and_chosen_again_the_other_way_round(page: Page, server: Program) -> None:
    for way, first in (("ascending", SECOND), ("descending", "192.0.2.39, billing")):
        await page.get_by_role("button", name="Sort: ").tap()
        await page.get_by_role("menuitemradio", name="Service").tap()
        await expect(page.get_by_role("button", name=f"Sort: Service, {way}")).to_be_visible()
        await expect(page.locator('.ag-row[row-index="0"] .card')).to_have_accessible_name(
            f"{first}: 1 of 9 privileges"
        )
    await expect(page).to_have_url(f"{server.url}/?sort=-service")


async def test_cards_scroll_through_all_rows_and_a_search_leads_to_one(page: Page) -> None:
    await page.locator(".ag-body-viewport").evaluate("view => view.scrollTop = view.scrollHeight")
    await expect(card(page, "192.0.2.40, audit")).to_be_in_viewport()
    await page.get_by_role("searchbox").fill("192.0.2.17")
    await expect(page.get_by_text("1 of 40 keys", exact=True)).to_be_visible()
    await expect(card(page, "192.0.2.17, billing")).to_be_visible()


# -- the sheet ---------------------------------------------------------------------------------------------------------


async def test_a_switch_stages_as_a_tick_does_and_what_is_staged_is_submitted(page: Page, dana: OtherProcess) -> None:
    sheet = await opened(page, FIRST)
    assert await sheet.get_by_role("switch").count() == len(PRIVILEGES) + 1
    await expect(switch(sheet, FIRST, LIST)).to_be_checked()
    await expect(switch(sheet, FIRST, ADD)).not_to_be_checked()
    await sheet.get_by_text(ADD.description, exact=True).tap()  # the whole line is the target
    await switch(sheet, FIRST, LIST).tap()
    await expect(switch(sheet, FIRST, ADD, staged=True)).to_be_checked()
    await expect(switch(sheet, FIRST, LIST, staged=True)).to_have_accessible_description(
        "Not submitted yet: a revocation"
    )
    await expect(sheet.get_by_role("status")).to_have_text("1 of 9 privileges, 1 grant staged, 1 revocation staged")
    await sheet.get_by_role("button", name="Close").tap()
    await expect(bar(page)).to_contain_text("2 changes to 1 key")
    await expect(card(page, FIRST)).to_contain_text("+1−1")
    await page.get_by_role("button", name="Undo revoking").tap()
    await expect(card(page, FIRST)).not_to_contain_text("−1")
    await page.get_by_role("button", name="Submit authkey modifications").tap()
    await expect(bar(page)).to_contain_text("Applied 1 change to 1 key")
    await expect(card(page, FIRST)).to_have_accessible_name(f"{FIRST}: 2 of 9 privileges")
    assert (await dana.do(stored))["192.0.2.1", "billing"] == ADD.mask | LIST.mask


async def test_a_removal_disables_the_other_switches_and_strikes_the_card_through(page: Page) -> None:
    sheet = await opened(page, FIRST)
    await switch(sheet, FIRST, "Remove?").tap()
    await expect(switch(sheet, FIRST, "Remove?", staged=True)).to_be_checked()
    for each in PRIVILEGES:
        await expect(switch(sheet, FIRST, each)).to_be_disabled()
    await page.keyboard.press("Escape")
    await expect(card(page, FIRST)).to_contain_text("× Remove")
    await expect(card(page, FIRST).locator(".card-title")).to_have_css("text-decoration-line", "line-through")


async def test_what_another_admin_submits_arrives_in_the_open_sheet_with_the_name(
    page: Page, dana: OtherProcess
) -> None:
    sheet = await opened(page, FIRST)
    await switch(sheet, FIRST, ADD).tap()
    await expect(switch(sheet, FIRST, ADD, staged=True)).to_be_checked()
    await dana.do(assign, key("192.0.2.1", "billing", LIST, SEARCH))
    await expect(switch(sheet, FIRST, SEARCH)).to_be_checked()
    await expect(sheet.locator('.switch[data-by="dana"]')).to_contain_text(SEARCH.label)
    await expect(switch(sheet, FIRST, ADD, staged=True)).to_be_checked()
    await dana.do(start_over, KEYS[1:])
    await expect(page.get_by_text(f"{FIRST}: the view does not show it any more.")).to_be_visible()
    await expect(sheet).to_be_hidden()


async def test_a_tick_made_without_a_connection_is_kept_and_all_else_in_the_sheet_waits(page: Page) -> None:
    sheet = await opened(page, FIRST)
    await page.context.set_offline(True)
    await expect(page.locator("#popup")).to_be_visible()
    await expect(sheet.get_by_role("group", name="Actions")).to_have_js_property("inert", True)
    await switch(sheet, FIRST, ADD).tap()
    await expect(switch(sheet, FIRST, ADD, staged=True)).to_be_checked()
    await page.context.set_offline(False)
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await expect(sheet.get_by_role("group", name="Actions")).to_have_js_property("inert", False)


async def test_the_keyboard_opens_the_sheet_stays_in_it_and_comes_back(page: Page) -> None:
    await page.get_by_role("searchbox").focus()
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.closest('.grid') !== null"):
            break
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name=SECOND)
    await expect(sheet).to_be_focused()
    await expect(sheet.get_by_role("button", name="Details")).to_be_visible()
    for _ in range(20):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('#app') === null")
    await switch(sheet, SECOND, ADD).focus()
    await page.keyboard.press("Space")
    await expect(switch(sheet, SECOND, ADD, staged=True)).to_be_checked()
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(page.locator('.ag-row[row-index="1"] [col-id="card"]')).to_be_focused()


async def test_a_tap_beside_the_sheet_closes_it(page: Page) -> None:
    sheet = await opened(page, FIRST)
    await page.touchscreen.tap(200, 20)
    await expect(sheet).to_be_hidden()


async def test_the_sheet_offers_what_the_menu_of_the_row_offers(page: Page) -> None:
    sheet = await opened(page, FIRST)
    await sheet.get_by_role("button", name="History of this key").tap()
    await expect(sheet).to_be_hidden()
    panel = page.get_by_role("region", name="History")
    await expect(panel).to_contain_text("Added")
    at = await panel.bounding_box()
    assert at
    assert (at["x"], at["y"], at["width"], at["height"]) == (0, 0, WIDTH, HEIGHT)
    await panel.get_by_role("button", name="Close the panel").tap()
    sheet = await opened(page, SECOND)
    await sheet.get_by_role("button", name="Issue new key").tap()
    dialog = page.get_by_role("dialog", name="Issue new key")
    await expect(dialog).to_contain_text(SECOND.replace(", ", ""))
    await dialog.get_by_role("button", name="Cancel").tap()
    await expect(dialog).to_have_count(0)


async def test_a_line_of_the_review_leads_to_its_card(page: Page) -> None:
    sheet = await opened(page, FIRST)
    await switch(sheet, FIRST, ADD).tap()
    await page.keyboard.press("Escape")
    await page.locator(".ag-body-viewport").evaluate("view => view.scrollTop = view.scrollHeight")
    await page.get_by_role("button", name="Review").tap()
    await page.get_by_role("button", name=f"Show {FIRST} in the grid").tap()
    await expect(page.get_by_role("region", name="Review of staged changes")).to_be_hidden()
    await expect(card(page, FIRST)).to_be_in_viewport()


async def test_who_may_change_nothing_sees_switches_that_cannot_be_pressed(page: Page, server: Program) -> None:
    await page.goto(f"{server.url}/?as_of=1")
    await card(page, FIRST).tap()
    sheet = page.get_by_role("dialog", name=FIRST)
    await expect(sheet.get_by_role("switch", disabled=True)).to_have_count(len(PRIVILEGES))
    await expect(sheet.get_by_text("Remove?")).to_have_count(0)
    await expect(sheet.get_by_role("button", name="History of this key")).to_be_visible()


# -- the phone is turned -----------------------------------------------------------------------------------------------


async def test_what_is_staged_sorted_and_scrolled_to_stays_when_the_phone_is_turned(page: Page) -> None:
    await page.get_by_role("button", name="Sort: ").tap()
    await page.get_by_role("menuitemradio", name="IP").tap()
    await expect(card(page, "192.0.2.40, audit")).to_be_visible()
    await page.locator(".ag-body-viewport").evaluate("view => view.scrollTop = 760")  # ten cards
    name = "192.0.2.30, audit"
    sheet = await opened(page, name)
    await switch(sheet, name, ADD).tap()
    await turn(page, upright=False)
    await expect(sheet).to_be_hidden()
    staged = box(page, "192.0.2.30", "audit", ADD.label, staged=True)
    await expect(staged).to_be_checked()
    await expect(staged).to_be_in_viewport()
    await expect(page.get_by_role("columnheader", name="IP")).to_have_attribute("aria-sort", "descending")
    assert (await shown_ips(page))[0] > "192.0.2.30"
    await turn(page, upright=True)
    await expect(card(page, name)).to_be_in_viewport()
    await expect(card(page, name)).to_contain_text("+1")
    await expect(bar(page)).to_contain_text("1 change to 1 key")


# -- everything is there, and can be pressed ---------------------------------------------------------------------------


async def fits(page: Page, state: str) -> None:
    """Nothing is beside the screen, and nothing that is to be pressed is too small for a finger."""
    await at_rest(page)
    beyond = "document.scrollingElement.scrollWidth - innerWidth"
    assert await page.evaluate(beyond) <= 0, state
    assert await page.evaluate(TOO_SMALL, FINGER) == [], state
    assert await page.evaluate(BESIDE) == [], state


async def test_every_view_and_dialog_fits_and_its_targets_are_as_large_as_a_finger(page: Page, server: Program) -> None:
    await fits(page, "cards")
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
