"""The command palette and the undo that is offered, in a browser: by keyboard alone, with the focus where it belongs."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import at_rest, axe_finds_nothing, bar, clean_page, focus_cell, grant_all, needs_chromium
from tests.program import Program

pytestmark = needs_chromium

KEYS = [Assignment(f"192.0.2.{n}", "billing", privilege("listlicenses").mask) for n in range(1, 201)]


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    """With nothing staged."""
    async with clean_page(server) as page:
        yield page


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Commands and keys")


def options(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Commands").get_by_role("option")


def active(page: Page) -> Locator:
    return page.get_by_role("option", selected=True)


async def test_the_arrow_keys_move_the_field_names_the_option_and_escape_gives_the_focus_back(page: Page) -> None:
    await focus_cell(page.locator('.ag-row[row-index="2"] [col-id="service"]'))
    await page.keyboard.press("Control+k")
    await expect(field(page)).to_be_focused()
    first, second, last = options(page).nth(0), options(page).nth(1), options(page).last
    for key, expected in (("", first), ("ArrowDown", second), ("ArrowUp", first), ("ArrowUp", last)):
        if key:
            await page.keyboard.press(key)
        await expect(expected).to_have_attribute("aria-selected", "true")
        await expect(active(page)).to_have_count(1)
        await expect(field(page)).to_have_attribute("aria-activedescendant", await expected.get_attribute("id") or "?")
    await expect(last).to_be_in_viewport()
    await expect(field(page)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(field(page)).to_have_count(0)
    await expect(page.locator('.ag-row[row-index="2"] [col-id="service"]')).to_be_focused()


async def test_a_key_is_found_and_reached_wherever_it_stands(page: Page) -> None:
    await page.keyboard.press("Control+k")
    await page.keyboard.type("192.0.2.187")
    await expect(options(page)).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(field(page)).to_have_count(0)
    await expect(page.locator(".ag-cell-focus")).to_contain_text("192.0.2.187")
    await expect(page.locator(".ag-cell-focus")).to_be_focused()


async def test_what_is_typed_before_it_is_open_is_meant_for_it(page: Page) -> None:
    await focus_cell(page.locator('.ag-row[row-index="2"] [col-id="addlicense"]'))
    await page.keyboard.press("Control+k")
    await page.keyboard.type("192.0.2.18")  # digits tick boxes in the grid
    await expect(field(page)).to_have_value("192.0.2.18")
    await expect(options(page)).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_what_is_typed_and_chosen_at_once_opens_what_it_names_with_the_focus_in_it(page: Page) -> None:
    await page.keyboard.press("Control+k")
    await expect(field(page)).to_be_focused()
    await page.keyboard.type("add auth")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Add authkey").get_by_label("IP")).to_be_focused()
    await page.keyboard.press("Control+k")  # over a dialog it waits
    await expect(field(page)).to_have_count(0)
    await page.keyboard.press("Escape")


async def test_on_a_layout_without_latin_letters_it_opens_by_the_same_key(page: Page) -> None:
    russian = "{key: 'л', code: 'KeyK', ctrlKey: true, bubbles: true}"
    await page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {russian}))")
    await expect(field(page)).to_be_focused()
    await page.keyboard.press("Escape")


@pytest.mark.parametrize("path", ["/passphrases", "/denied", "/history"])
async def test_it_leads_from_every_view_to_the_keys(page: Page, server: Program, path: str) -> None:
    await page.goto(server.url + path)
    await expect(page.get_by_role("button", name="Commands")).to_be_visible()
    await page.get_by_role("button", name="Commands").click()
    await expect(field(page)).to_be_focused()
    await page.keyboard.type("authorization")
    await expect(options(page)).to_have_count(1)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{server.url}/")


async def test_files_are_chosen_and_exported_by_it(page: Page) -> None:
    await page.keyboard.press("Control+k")
    await expect(field(page)).to_be_focused()
    async with page.expect_file_chooser():
        await page.keyboard.type("import")
        await page.keyboard.press("Enter")
    await expect(field(page)).to_have_count(0)
    await page.keyboard.press("Control+k")
    await expect(field(page)).to_be_focused()
    async with page.expect_download():
        await page.keyboard.type("export")
        await page.keyboard.press("Enter")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_nothing_in_it_nor_in_an_undo_that_is_offered(server: Program, dark: bool) -> None:
    async with clean_page(server, dark=dark) as page:
        await grant_all(page)
        await expect(page.get_by_text("Staged: grants 200 of 200 boxes")).to_be_visible()
        await axe_finds_nothing(page, "undo offered")
        await page.keyboard.press("Control+k")
        await expect(field(page)).to_be_focused()
        await axe_finds_nothing(page, "palette")
        await page.keyboard.type("192.0.")
        await expect(options(page)).to_have_count(8)
        await axe_finds_nothing(page, "found keys")
        await page.keyboard.type("no such")
        await expect(page.get_by_text("Nothing is found")).to_be_visible()
        await axe_finds_nothing(page, "nothing found")


# -- the undo that is offered ---------------------------------------------------------------------------------------------


async def test_the_offered_undo_is_reached_by_tab_covers_neither_bar_nor_header_and_gives_the_focus_back(
    page: Page,
) -> None:
    await grant_all(page)
    toast = page.get_by_role("alert").filter(has_text="Staged")
    await expect(toast).to_contain_text("Staged: grants 200 of 200 boxes")
    await at_rest(page)
    edges = "element => [element.getBoundingClientRect().top, element.getBoundingClientRect().bottom]"
    header, shown, foot = [
        await each.evaluate(edges) for each in (page.locator(".header"), toast, page.locator(".bar"))
    ]
    assert header[1] <= shown[0] < shown[1] <= foot[0]

    await focus_cell(page.locator('.ag-row[row-index="1"] [col-id="ip"]'))
    undo = toast.get_by_role("button", name="Undo: Staged")
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await undo.evaluate("button => button === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await expect(bar(page)).to_contain_text("No staged changes")
    await expect(toast).to_have_count(0)
    await expect(page.locator(":focus")).not_to_have_count(0)


async def test_an_offered_undo_goes_when_another_step_came(page: Page) -> None:
    await grant_all(page)
    toast = page.get_by_role("alert").filter(has_text="Staged")
    await expect(toast).to_contain_text("Staged: grants 200 of 200 boxes")
    await page.locator('.ag-row[row-index="1"] [col-id="search"] input').click()
    await expect(bar(page)).to_contain_text("201 changes to 200 keys")
    await expect(toast).to_have_count(0)
