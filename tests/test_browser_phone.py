"""The page on a phone: a card for each row, and a sheet with its switches."""

import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import PRIVILEGES
from tests.browser import (
    bar,
    box,
    needs_chromium,
    shown_ips,
)
from tests.elsewhere import assign, key, start_over, stored
from tests.other_process import OtherProcess
from tests.phone import (
    ADD,
    FINGER,
    FIRST,
    HEIGHT,
    LIST,
    PHONE_KEYS,
    SEARCH,
    SECOND,
    WIDTH,
    card,
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
