"""Dialogs, errors and focus in a browser: what was typed is kept, what is wrong is marked, and where the keyboard is stays."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from models.privileges import PRIVILEGES, privilege
from models.submissions import Assignment
from tests.browser import (
    at_rest,
    axe_finds_nothing,
    bar,
    box,
    clean_page,
    grant_all,
    needs_chromium,
    open_page,
)
from tests.program import Program

pytestmark = needs_chromium

KEYS = [Assignment(f"192.0.2.{n}", "billing", privilege("listlicenses").mask) for n in range(1, 61)]
FIRST = ("192.0.2.1", "billing")


@pytest.fixture
async def page(server: Program) -> AsyncIterator[Page]:
    """With nothing staged."""
    async with clean_page(server) as page:
        yield page


async def adding(page: Page) -> Locator:
    """The open dialog that adds an authkey."""
    await page.get_by_role("button", name="Add authkey").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("IP")).to_be_focused()
    return dialog


# -- what was typed, and what is wrong with it ---------------------------------------------------------------------------


async def test_a_click_beside_a_dialog_keeps_it_open_and_escape_closes_it(page: Page) -> None:
    dialog = await adding(page)
    await dialog.get_by_label("IP").fill("203.0.113.9")
    await page.mouse.click(5, 300)
    await at_rest(page)
    await expect(dialog.get_by_label("IP")).to_have_value("203.0.113.9")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_the_first_field_that_is_wrong_is_marked_focused_and_described(page: Page) -> None:
    dialog = await adding(page)
    ip, service = dialog.get_by_label("IP"), dialog.get_by_label("Service")
    problem = dialog.get_by_role("alert")
    await ip.fill("300.1.1.1")
    await page.keyboard.press("Enter")
    await expect(problem).to_contain_text("Octet 300 (> 255) not permitted")
    await expect(ip).to_have_attribute("aria-invalid", "true")
    await expect(ip).to_have_accessible_description(await problem.inner_text())
    await expect(ip).to_be_focused()
    await ip.fill("203.0.113.9")
    await page.keyboard.press("Enter")
    await expect(problem).to_contain_text("A service name is needed")
    await expect(service).to_be_focused()
    await expect(service).to_have_attribute("aria-invalid", "true")
    assert await ip.get_attribute("aria-invalid") is None
    await axe_finds_nothing(page, "the second field is wrong")


async def test_enter_on_a_privilege_submits_the_form_and_ticks_nothing(page: Page) -> None:
    dialog = await adding(page)
    await dialog.get_by_label("IP").fill("203.0.113.10")
    await dialog.get_by_label("Service").fill("enter")
    search = dialog.get_by_role("checkbox", name="Search for a License")
    await search.focus()
    await page.keyboard.press("Space")
    await expect(search).to_be_checked()
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(box(page, "203.0.113.10", "enter", staged=True)).to_be_checked()


# -- errors --------------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance of a colour as the browser says it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_an_error_stays_until_it_is_closed_is_legible_and_covers_nothing_that_works(
    server: Program, browser: Browser, dark: bool
) -> None:
    page = await open_page(browser, server, "/?has=nonsense", dark=dark)
    error = page.locator(".q-notification")
    close = error.get_by_role("button", name="Close")
    await expect(close).to_be_visible()
    await at_rest(page)
    texts = "element => getComputedStyle(element).color"
    ground = await error.evaluate("element => getComputedStyle(element).backgroundColor")
    assert contrast(await close.evaluate(texts), ground) >= 4.5
    assert contrast(await error.locator(".q-notification__message").evaluate(texts), ground) >= 4.5
    covered = await error.bounding_box()
    assert covered
    for part in (".header", ".toolbar", ".bar"):
        other = await page.locator(part).bounding_box()
        assert other
        assert covered["y"] + covered["height"] <= other["y"] or covered["y"] >= other["y"] + other["height"], part
    # By the page's own clock it may wait as long as it likes: nothing is set to take the error away.
    await page.clock.install()
    await page.clock.fast_forward("10:00")
    await expect(error).to_be_visible()
    await close.click()
    await expect(error).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_keyboards_focus_is_seen_on_every_button(server: Program, browser: Browser, dark: bool) -> None:
    page = await open_page(browser, server, dark=dark)
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    surface = await page.locator(".header").evaluate("element => getComputedStyle(element).backgroundColor")
    seen = set()
    for _ in range(8):
        await page.keyboard.press("Tab")
        outline = await page.evaluate(
            "(({ outlineStyle, outlineWidth, outlineColor }) => [outlineStyle, parseFloat(outlineWidth), outlineColor])"
            "(getComputedStyle(document.activeElement))"
        )
        kind = await page.evaluate("document.activeElement.className")
        if "q-btn" not in kind and "view" not in kind.split():
            continue
        seen.add(kind)
        style, width, colour = outline
        assert style == "solid", kind
        assert width >= 2, kind
        assert min(contrast(colour, ground), contrast(colour, surface)) >= 3, kind
    assert len(seen) >= 3


# -- the review, and where the keyboard is -------------------------------------------------------------------------------


async def test_the_review_opens_with_its_riskiest_lines(page: Page) -> None:
    await grant_all(page)
    await expect(bar(page)).to_contain_text(re.compile(r"6\d changes to 6\d keys"))
    await page.get_by_role("button", name="Review").click()
    lines = page.locator(".review-list")
    await lines.evaluate("element => element.scrollTo(0, 600)")
    await page.get_by_role("button", name="Close the review").click()
    await box(page, "192.0.2.9", "billing", "Remove?").click()
    await page.get_by_role("button", name="Review").click()
    await expect(lines).to_have_js_property("scrollTop", 0)
    await expect(lines.locator(".review-item").first).to_contain_text("192.0.2.9")
    await expect(lines.get_by_text("Remove: it loses every privilege")).to_be_in_viewport()


async def test_after_a_dialog_the_keyboard_is_where_it_was_time_after_time(page: Page) -> None:
    cell = page.locator('.ag-row[row-index="2"] [col-id="service"]')
    await cell.click()
    for _ in range(5):
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog").get_by_role("button", name="Close")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(cell).to_be_focused()


# -- where pages are read otherwise than on a large screen by English eyes -----------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(640, 400), (844, 390)], ids=["zoom of 200 %", "phone that lies"])
async def test_at_least_four_rows_are_seen_on_a_low_screen(
    server: Program, browser: Browser, width: int, height: int
) -> None:
    page = await open_page(browser, server, width=width, height=height)
    await at_rest(page)
    rows = await page.locator(".ag-center-cols-container .ag-row").evaluate_all(
        "rows => rows.filter((row) => { const { top, bottom } = row.getBoundingClientRect();"
        "return top >= 0 && bottom <= document.querySelector('.bar').getBoundingClientRect().top; }).length"
    )
    assert rows >= 4
    await box(page, *FIRST, "Add a New License").or_(box(page, *FIRST, "Add a New License", staged=True)).click()
    await expect(page.get_by_role("button", name="Submit authkey modifications")).to_be_in_viewport()
    await axe_finds_nothing(page, "low")


async def test_a_browser_is_told_not_to_translate_what_changes_by_itself(page: Page) -> None:
    assert await page.evaluate("document.documentElement.translate") is False
    assert await page.locator('meta[name="google"][content="notranslate"]').count() == 1


async def test_the_grid_has_a_name_and_a_staged_box_says_what_of(page: Page) -> None:
    await expect(page.locator(".grid [role=grid], .grid [role=treegrid]")).to_have_accessible_name("Authorization keys")
    for column, was, kind in (
        ("Add a New License", False, "a grant"),
        ("List active licenses", True, "a revocation"),
    ):
        cell = box(page, "192.0.2.5", "billing", column)
        await expect(cell).to_be_checked(checked=was)
        await cell.click()
        await expect(box(page, "192.0.2.5", "billing", column, staged=True)).to_have_accessible_description(
            f"Not submitted yet: {kind}"
        )


async def test_axe_finds_nothing_while_the_filters_and_a_list_of_choices_are_open(page: Page) -> None:
    await page.get_by_role("button", name="Filter").click()
    assert await page.locator(".filter-line").count() == len(PRIVILEGES)
    await axe_finds_nothing(page, "filters open")
    await page.get_by_role("combobox", name="Unused").click()
    await expect(page.get_by_role("listbox")).to_be_visible()
    assert await page.get_by_role("option").count() == 2
    await axe_finds_nothing(page, "choices open")
