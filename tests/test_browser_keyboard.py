"""The keyboard and the screen reader: the keys of a grid, a focus that is never lost, and what is read out."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import at_rest, bar, clean_page, focus_cell, needs_chromium
from tests.program import Program

pytestmark = needs_chromium

KEYS = [Assignment(f"10.0.{n >> 8}.{n & 255}", "billing", privilege("listlicenses").mask) for n in range(1_000)]


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    """With nothing staged, and the keyboard in the first row."""
    async with clean_page(server) as page:
        await page.locator('.ag-row[row-index="0"] [col-id="ip"]').click()
        yield page


def cell(page: Page, row: int, column: str) -> Locator:
    return page.locator(f'.ag-row[row-index="{row}"] [col-id="{column}"]')


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def test_home_end_and_pages_move_as_in_other_grids(page: Page) -> None:
    for keys, row, column in (
        ("End", 0, "menu"),
        ("Home", 0, "ip"),
        ("ArrowDown ArrowRight", 1, "service"),
        ("Control+End", 999, "menu"),
        ("Home", 999, "ip"),
        ("Control+Home", 0, "ip"),
    ):
        await press(page, *keys.split())
        await expect(cell(page, row, column)).to_be_focused()
    await press(page, "PageDown")
    await expect(page.locator('.ag-row[row-index="0"] .ag-cell-focus')).to_have_count(0)
    await press(page, "PageUp")
    await expect(cell(page, 0, "ip")).to_be_focused()


async def test_undo_and_redo_work_from_the_grid_but_not_while_one_types(page: Page) -> None:
    await press(page, "End", "ArrowLeft", "Space")
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await press(page, "/")
    search = page.get_by_role("searchbox")
    await expect(search).to_be_focused()
    await search.press_sequentially("x?")
    await press(page, "Control+z")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await search.fill("")
    await expect(page.get_by_text("1,000 keys", exact=True)).to_be_visible()
    await search.blur()
    await press(page, "Control+z")
    await expect(bar(page)).to_contain_text("No staged changes")
    await press(page, "Control+Shift+z")
    await expect(bar(page)).to_contain_text("1 change to 1 key")


async def test_what_is_staged_and_what_failed_is_read_out_politely(page: Page) -> None:
    await expect(bar(page)).to_have_attribute("role", "status")
    await expect(bar(page)).to_have_attribute("aria-live", "polite")
    assert await bar(page).evaluate("element => element.checkVisibility()"), "announced only if it was there before"
    await press(page, "ArrowRight", "ArrowRight", "Space")
    await expect(page.get_by_role("status").filter(has_text="1 change to 1 key")).to_have_count(1)
    await expect(page.get_by_role("status").filter(has_text="1,000 keys")).to_have_count(1)
    await press(page, "Control+y")
    await expect(page.get_by_role("alert").filter(has_text="There is no staging step to redo.")).to_be_visible()


async def test_every_dialog_gives_the_keyboard_back_to_where_it_was(page: Page) -> None:
    dialog = page.get_by_role("dialog")
    await press(page, "ArrowDown", "ArrowRight", "?")
    await expect(dialog.get_by_text("This list")).to_be_visible()
    await press(page, "Escape")
    await expect(cell(page, 1, "service")).to_be_focused()
    await expect(dialog).to_have_count(0)
    await press(page, "?")
    await dialog.get_by_role("button", name="Close").focus()
    await press(page, "Enter")
    await expect(cell(page, 1, "service")).to_be_focused()

    await press(page, "End", "Enter")
    await expect(page.get_by_role("menuitem", name="Issue new key")).to_be_visible()
    items = page.get_by_role("menuitem")
    await press(page, "ArrowDown")
    await expect(items.first).to_be_focused()
    await press(page, "ArrowUp")
    await expect(items.last).to_be_focused()
    await page.get_by_role("menuitem", name="Issue new key").focus()
    await press(page, "Enter")
    await expect(dialog.get_by_text("This authkey has no key yet")).to_be_visible()
    await press(page, "Escape")
    await expect(cell(page, 1, "menu")).to_be_focused()
    await expect(dialog).to_have_count(0)
    await expect(items).to_have_count(0)  # also not the menu from before, still fading
    await press(page, "Enter")
    await expect(page.get_by_role("menuitem", name="Issue new key")).to_be_visible()
    await at_rest(page)
    await press(page, "Escape")
    await expect(cell(page, 1, "menu")).to_be_focused()

    add = page.locator(".toolbar .add")
    await add.focus()
    await press(page, "Enter")
    await expect(dialog.get_by_label("IP")).to_be_focused()
    await press(page, "Escape")
    await expect(add).to_be_focused()


async def test_in_the_review_the_keyboard_goes_from_line_to_line_and_back_to_the_grid(page: Page) -> None:
    await press(page, "ArrowRight", "ArrowRight", "Space", "ArrowRight", "Space", "ArrowDown", "Space")
    await expect(bar(page)).to_contain_text("3 changes to 2 keys")
    await press(page, "Control+s")
    review = page.get_by_role("region", name="Review of staged changes")
    lines = review.get_by_role("button", name="Take back")
    await expect(lines).to_have_count(3)
    await expect(cell(page, 1, "secverify")).to_be_focused()
    await lines.first.focus()
    await press(page, "Enter")
    await expect(lines).to_have_count(2)
    await expect(lines.first).to_be_focused()
    await press(page, "ArrowDown", "ArrowRight", "Enter")  # over the name of the next key, which leads to its row
    await expect(lines).to_have_count(1)
    await expect(lines.first).to_be_focused()
    await press(page, "Enter")
    await expect(lines).to_have_count(0)
    await expect(review.get_by_role("group", name="Staged changes")).to_be_focused()
    await press(page, "Escape")
    await expect(review).to_be_hidden()
    await expect(cell(page, 1, "secverify")).to_be_focused()


async def test_after_discard_and_submit_the_keyboard_is_in_the_grid_again(page: Page) -> None:
    await press(page, "ArrowRight", "ArrowRight", "Space")
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await page.get_by_role("button", name="Discard").focus()
    await press(page, "Enter")
    await expect(cell(page, 0, "addlicense")).to_be_focused()
    await press(page, "Space")
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await page.get_by_role("button", name="Submit authkey modifications").focus()
    await press(page, "Enter")
    await expect(bar(page)).to_contain_text("Applied 1 change to 1 key")
    await expect(cell(page, 0, "addlicense")).to_be_focused()


# -- one stop ------------------------------------------------------------------------------------------------------------


async def test_one_tab_leaves_the_grid_and_one_comes_back_to_the_same_cell(page: Page) -> None:
    await press(page, "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "Space")
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await press(page, "Tab")
    await expect(page.locator(".bar").get_by_role("button", name="Undo granting")).to_be_focused()
    await press(page, "Shift+Tab")
    await expect(cell(page, 2, "addlicense")).to_be_focused()
    await press(page, "Shift+Tab")
    assert not await page.evaluate("Boolean(document.activeElement.closest('.grid'))")
    await press(page, "Tab")
    await expect(cell(page, 2, "addlicense")).to_be_focused()
    # Also from a heading, from the menu's column, and far below.
    await page.locator(".ag-header-cell").first.focus()
    await press(page, "Tab")
    await expect(page.locator(".bar").get_by_role("button", name="Undo granting")).to_be_focused()
    await press(page, "Shift+Tab", "Control+End", "Tab")
    await expect(page.locator(".bar").get_by_role("button", name="Undo granting")).to_be_focused()
    await press(page, "Shift+Tab")
    await expect(cell(page, 999, "menu")).to_be_focused()
    for _ in range(4):  # Undo, Review, Discard, Submit
        await press(page, "Tab")
    await expect(page.get_by_role("button", name="Submit authkey modifications")).to_be_focused()


# -- keys of other layouts, and what a key does not do -------------------------------------------------------------------


async def key(page: Page, key: str, code: str, **how: object) -> None:
    """A key as a keyboard of another layout sends it."""
    await page.evaluate(
        """(init) => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init }))""",
        {"key": key, "code": code, **how},
    )


async def test_digits_tick_in_privilege_cells_only_and_are_searched_for_elsewhere(page: Page) -> None:
    await page.keyboard.type("10.0.1.7")
    search = page.get_by_role("searchbox")
    await expect(search).to_be_focused()
    await expect(search).to_have_value("10.0.1.7")
    await expect(page.get_by_text("1 of 1,000 keys", exact=True)).to_be_visible()
    await expect(bar(page)).to_contain_text("No staged changes")
    await search.fill("")
    await expect(page.get_by_text("1,000 keys", exact=True)).to_be_visible()
    await focus_cell(cell(page, 0, "search"))
    await press(page, "9")
    await expect(bar(page)).to_contain_text("1 change to 1 key")


async def test_a_key_that_is_held_down_ticks_once(page: Page) -> None:
    await press(page, "End", "ArrowLeft", "ArrowLeft")
    await page.keyboard.down("Space")
    for _ in range(3):
        await page.keyboard.down("Space")
    await page.keyboard.up("Space")
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await press(page, "Control+z")
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_shortcuts_work_on_keyboards_without_latin_letters_and_with_digits_above(page: Page) -> None:
    await press(page, "End", "ArrowLeft", "ArrowLeft")
    await key(page, "&", "Digit1")  # AZERTY
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await key(page, "я", "KeyZ", ctrlKey=True)
    await expect(bar(page)).to_contain_text("No staged changes")
    await key(page, "н", "KeyY", ctrlKey=True)
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await key(page, "ы", "KeyS", ctrlKey=True)
    await expect(page.get_by_role("region", name="Review of staged changes")).to_be_visible()
    # QWERTZ: the key at the place of Z is Y.
    await key(page, "z", "KeyY", ctrlKey=True)
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_what_a_key_changes_is_brought_into_view_first(page: Page) -> None:
    await press(page, "ArrowRight", "ArrowRight")
    await page.locator(".ag-body-viewport").evaluate("element => element.scrollTo(0, 76)")
    await press(page, "Space")
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await expect(cell(page, 0, "addlicense")).to_be_in_viewport()
