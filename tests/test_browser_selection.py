"""Many rows in one hand: selecting by pointer and keyboard, acting on all of it, and what stays selected when rows come and go."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import at_rest, bar, box, clean_page, focus_cell, needs_chromium
from tests.elsewhere import key
from tests.program import Program, import_csv, write_csv

pytestmark = needs_chromium

LIST = privilege("listlicenses")
KEYS = [key(f"10.0.{n // 200}.{n % 200 + 1}", "billing", LIST) for n in range(400)]


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    """With nothing staged and nothing selected."""
    async with clean_page(server, width=1440, height=900) as page:
        yield page


def cell(page: Page, row: int, column: str) -> Locator:
    return page.locator(f'.ag-row[row-index="{row}"] [col-id="{column}"]')


def selected(page: Page) -> Locator:
    """What the selection's bar says."""
    return page.locator(".selection-text")


async def drag(page: Page, start: Locator, end: Locator) -> None:
    one, other = await start.bounding_box(), await end.bounding_box()
    assert one
    assert other
    await page.mouse.move(one["x"] + 20, one["y"] + 15)
    await page.mouse.down()
    await page.mouse.move(other["x"] + 20, other["y"] + 15, steps=5)
    await page.mouse.up()


async def test_a_drag_selects_ticks_nothing_and_space_ticks_all_of_it(page: Page) -> None:
    await drag(page, cell(page, 1, "addlicense"), cell(page, 6, "explisc"))
    await expect(selected(page)).to_have_text("6 rows, 3 columns selected")
    await expect(page.locator(".ag-cell.cell-selected")).to_have_count(18)
    await expect(page.locator('.ag-cell[aria-selected="true"]')).to_have_count(18)
    await expect(bar(page)).to_contain_text("No staged changes")
    await page.keyboard.press("Space")
    await expect(bar(page)).to_contain_text("18 changes to 6 keys")
    await page.keyboard.press("Space")  # all of it is granted now
    await expect(bar(page)).to_contain_text("No staged changes")
    await page.keyboard.press("Control+z")
    await expect(bar(page)).to_contain_text("18 changes to 6 keys")


async def test_what_a_step_came_to_is_said_above_the_selections_bar(page: Page) -> None:
    await page.set_viewport_size({"width": 1024, "height": 800})
    await drag(page, cell(page, 1, "addlicense"), cell(page, 6, "explisc"))
    await page.keyboard.press("Space")
    toast = page.locator(".q-notification", has_text="grants 18 of 18 boxes")
    await expect(toast).to_be_visible()
    await at_rest(page)
    above, below = await toast.bounding_box(), await page.locator(".selection-bar").bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]


async def test_shift_and_control_clicks_select_and_do_not_tick(page: Page) -> None:
    await cell(page, 2, "ip").click()
    await cell(page, 4, "modlisc").click(modifiers=["Shift"])
    await expect(selected(page)).to_have_text(re.compile("3 rows, 9 columns selected"))
    await cell(page, 9, "search").click(modifiers=["Control"])
    await expect(selected(page)).to_have_text(re.compile("4 rows, 10 columns selected"))
    await expect(bar(page)).to_contain_text("No staged changes")
    await page.keyboard.press("Escape")
    await expect(selected(page)).to_be_hidden()


async def test_the_whole_cell_ticks_its_box(page: Page) -> None:
    shape = await cell(page, 3, "search").bounding_box()
    assert shape
    await page.mouse.click(shape["x"] + 4, shape["y"] + 4)
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await page.mouse.click(shape["x"] + shape["width"] - 4, shape["y"] + shape["height"] - 4)
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_by_keyboard_alone_rows_columns_and_the_whole_view_are_selected(page: Page) -> None:
    await cell(page, 0, "ip").click()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    for _ in range(2):
        await page.keyboard.press("Shift+ArrowRight")
        await page.keyboard.press("Shift+ArrowDown")
    await expect(selected(page)).to_have_text("3 rows, 3 columns selected")
    await page.keyboard.press("Control+Space")
    await expect(selected(page)).to_have_text("400 rows, 3 columns selected")
    await page.keyboard.press("ArrowDown")
    await expect(selected(page)).to_be_hidden()
    await page.keyboard.press("Shift+Space")
    await page.keyboard.press("Shift+ArrowDown")
    await expect(selected(page)).to_have_text("2 rows, 12 columns selected")
    await page.keyboard.press("Delete")
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    await expect(page.locator(".ag-center-cols-container .row-removal")).to_have_count(2)
    await page.keyboard.press("Delete")
    await expect(bar(page)).to_contain_text("No staged changes")
    await page.keyboard.press("Control+a")
    await expect(selected(page)).to_have_text("400 rows, 12 columns selected")
    await page.keyboard.press("Control+Shift+Home")
    await expect(page.locator('.ag-row[row-index="0"] .ag-cell-focus')).to_have_count(1)


async def test_four_hundred_keys_get_a_privilege_in_three_actions_and_lose_it_by_one_undo(page: Page) -> None:
    await cell(page, 0, "modlisc").click(modifiers=["Control"])  # one
    await page.keyboard.press("Control+Space")  # two
    await expect(page.locator(".selection-boxes")).to_have_text("0 of 400 boxes granted")
    await page.keyboard.press("Space")  # three
    await expect(bar(page)).to_contain_text("400 changes to 400 keys")
    await expect(page.get_by_text("Staged: grants 400 of 400 boxes")).to_be_visible()
    await expect(page.get_by_role("button", name="Revoke: revokes 400 of 400 boxes")).to_be_enabled()
    await expect(page.get_by_role("button", name="Grant: grants 0 of 400 boxes; 400 have it")).to_be_disabled()
    await page.keyboard.press("Control+z")
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_a_digit_means_its_privilege_in_every_selected_row_and_control_d_fills(page: Page) -> None:
    await cell(page, 0, "addlicense").click(modifiers=["Control"])
    for _ in range(4):
        await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("9")
    await expect(bar(page)).to_contain_text("5 changes to 5 keys")
    await page.keyboard.press("Escape")
    await box(page, "10.0.0.1", "billing", "Expire a License").click()
    await cell(page, 0, "explisc").click(modifiers=["Control"])
    for _ in range(9):
        await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Control+d")
    await expect(bar(page)).to_contain_text("15 changes to 10 keys")


async def test_a_selection_keeps_its_rows_when_others_come_above_it(page: Page, server: Program) -> None:
    await cell(page, 3, "search").click(modifiers=["Control"])
    await page.keyboard.press("Shift+ArrowDown")
    await expect(selected(page)).to_have_text("2 rows, 1 column selected")
    new = Assignment("9.9.9.9", "billing", 0)
    import_csv(server.database, write_csv(Path(server.database).parent / "one.csv", [new]))
    await expect(page.get_by_text("401 keys", exact=True)).to_be_visible()
    await expect(cell(page, 4, "search")).to_have_class(re.compile("cell-selected"))
    await expect(cell(page, 5, "search")).to_have_class(re.compile("cell-selected"))
    await expect(cell(page, 3, "search")).not_to_have_class(re.compile("cell-selected"))
    await page.get_by_role("button", name="Grant: grants 2 of 2 boxes").click()
    await expect(box(page, "10.0.0.4", "billing", staged=True)).to_be_checked()
    await expect(box(page, "10.0.0.5", "billing", staged=True)).to_be_checked()
    assert "Traceback" not in server.complaints()


async def test_the_menu_of_a_heading_acts_on_its_column_and_does_not_sort(page: Page) -> None:
    address = page.url
    await page.get_by_role("button", name="Actions, List active licenses").click()
    await expect(page.get_by_role("menuitem", name="Revoke all: revokes 40")).to_be_visible()
    await page.get_by_role("menuitem", name="Select this column").click()
    await expect(selected(page)).to_contain_text("rows, 1 column selected")
    assert page.url == address


async def test_on_a_keyboard_whose_a_stands_elsewhere_and_whose_digits_want_shift_it_is_the_same(page: Page) -> None:
    await focus_cell(cell(page, 0, "search"))
    send = """init => document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", {bubbles: true, cancelable: true, ...init}))"""
    await page.evaluate(send, {"key": "a", "code": "KeyQ", "ctrlKey": True})  # AZERTY
    await expect(selected(page)).to_contain_text("12 columns selected")
    await page.evaluate(send, {"key": "q", "code": "KeyA", "ctrlKey": True})
    await page.keyboard.press("Escape")
    await cell(page, 0, "addlicense").click(modifiers=["Control"])
    await page.keyboard.press("Shift+ArrowDown")
    await page.evaluate(send, {"key": "1", "code": "Digit1", "shiftKey": True})
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")


async def test_the_end_of_a_long_table_is_selected_once_its_last_row_has_come(page: Page) -> None:
    await cell(page, 0, "modlisc").click(modifiers=["Control"])
    await page.keyboard.press("Control+Shift+ArrowDown")
    await expect(selected(page)).to_contain_text("rows, 1 column selected")
    await page.wait_for_function(
        "authkeys.selection().stretches.every(({firstId, lastId}) => firstId !== null && lastId !== null)"
    )
    await expect(page.locator(".selection-boxes")).to_contain_text("boxes granted")
    await page.get_by_role("button", name="Grant: grants").click()
    await expect(bar(page)).to_contain_text(re.compile(r"40\d changes to 40\d keys"))
