"""What only a browser can show of staging: ticks, other windows, a killed server, conflicts, undo."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from models.privileges import ALL_PRIVILEGES, PRIVILEGES, privilege
from models.submissions import Assignment
from tests.browser import at_rest, bar, box, needs_chromium, open_page, submit_reviewed
from tests.program import Program, import_csv, serving, write_csv

pytestmark = needs_chromium

LIST = privilege("listlicenses").mask
KEYS = [Assignment(f"192.0.2.{n}", "billing", LIST) for n in range(1, 61)]
FIRST, SECOND, THIRD = (("192.0.2.1", "billing"), ("192.0.2.2", "billing"), ("192.0.2.3", "billing"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Program]:
    """Anew for each test."""
    with serving(tmp_path, keys=KEYS) as program:
        yield program


async def test_a_tick_is_found_staged_submitted_and_seen_by_others_at_once(server: Program, browser: Browser) -> None:
    mine, other = await open_page(browser, server), await open_page(browser, server, dark=True)

    await mine.get_by_role("searchbox").fill("192.0.2.2")
    await expect(mine.get_by_text("1 of 60 keys")).to_be_visible()
    await box(mine, *SECOND).click()
    await expect(box(mine, *SECOND, staged=True)).to_be_checked()
    await expect(bar(mine)).to_contain_text("1 change to 1 key")
    await expect(box(other, *SECOND, staged=True)).to_be_checked()

    await mine.get_by_role("searchbox").fill("192.0.2.3")
    await expect(bar(mine)).to_contain_text("1 not in view")
    await mine.get_by_role("button", name="Submit authkey modifications").click()
    await expect(bar(mine)).to_contain_text("Applied 1 change to 1 key")
    await expect(other.locator('.cell-flash[data-by="alice"]')).to_be_visible()
    await expect(box(other, *SECOND)).to_be_checked()
    await expect(bar(other)).to_contain_text("No staged changes")


async def test_the_keyboard_alone_moves_stages_undoes_and_redoes(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server)
    await page.locator('.ag-row[row-index="0"] [col-id="ip"]').click()
    for key in ("ArrowRight", "ArrowRight", "Space", "ArrowDown", "Space"):
        await page.keyboard.press(key)
    await expect(box(page, *FIRST, "Add a New License", staged=True)).to_be_checked()
    await expect(box(page, *SECOND, "Add a New License", staged=True)).to_be_checked()
    await page.keyboard.press("Control+z")
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await page.keyboard.press("Control+y")
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    await page.get_by_role("button", name="Discard").click()
    await expect(bar(page)).to_contain_text("No staged changes")
    await page.keyboard.press("Control+z")
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")


async def test_nine_keys_tick_the_nine_privileges_and_delete_marks_for_removal(
    server: Program, browser: Browser
) -> None:
    page = await open_page(browser, server)
    await page.locator('.ag-row[row-index="0"] [col-id="ip"]').click()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    for number, each in enumerate(PRIVILEGES, 1):
        shown = box(page, *FIRST, each.label)
        before = await shown.is_checked()
        await page.keyboard.press(str(number))
        await expect(box(page, *FIRST, each.label, staged=True)).to_be_checked(checked=not before)
    await expect(bar(page)).to_contain_text("9 changes to 1 key")
    await page.keyboard.press("Delete")
    await expect(box(page, *FIRST, "Remove?", staged=True)).to_be_checked()
    await page.keyboard.press("Delete")
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_staged_changes_survive_a_reload_and_a_killed_server_even_ticks_that_it_never_got(
    server: Program, browser: Browser
) -> None:
    page = await open_page(browser, server)
    await box(page, *FIRST).click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await page.reload()
    await expect(box(page, *FIRST, staged=True)).to_be_checked()

    server.kill()
    await expect(page.locator("#popup")).to_have_attribute("aria-hidden", "false")
    await box(page, *SECOND).click()
    server.start()
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    await expect(box(page, *SECOND, staged=True)).to_be_checked()

    elsewhere = await open_page(browser, server)
    await expect(bar(elsewhere)).to_contain_text("2 changes to 2 keys")


async def test_a_removal_of_a_key_that_somebody_changed_is_refused_until_it_is_decided(
    server: Program, browser: Browser, tmp_path: Path
) -> None:
    page = await open_page(browser, server)
    await box(page, *FIRST, "Remove?").click()
    await box(page, *SECOND).click()
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    changed = write_csv(tmp_path / "changed.csv", [Assignment(*FIRST, ALL_PRIVILEGES)])
    import_csv(server.database, changed, admin="dana")
    await expect(bar(page)).to_contain_text("1 change to decide")

    await submit_reviewed(page)
    await expect(page.get_by_text("Nothing was submitted")).to_be_visible()
    conflict = page.locator(".review-conflict")
    await expect(conflict).to_contain_text("Changed by dana just now, after you staged its removal:")
    await conflict.locator("time").hover()
    await expect(conflict.locator("time")).to_have_attribute("title", re.compile(r"UTC\n.* here"))
    await expect(conflict.get_by_text("Granted Add a New License")).to_be_hidden()
    await conflict.get_by_text("8 privileges granted").click()
    await expect(conflict.get_by_text("Granted Add a New License")).to_be_visible()
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")

    await page.get_by_role("button", name="Remove it anyway").click()
    await expect(bar(page)).not_to_contain_text("to decide")
    await page.get_by_role("button", name="Submit authkey modifications").click()
    await expect(bar(page)).to_contain_text("Applied 2 changes to 2 keys")
    await expect(page.get_by_text("59 keys", exact=True)).to_be_visible()

    await page.get_by_role("button", name="Undo: Applied 2 changes to 2 keys").click()
    await expect(bar(page)).to_contain_text("Undone: 2 changes to 2 keys")
    await expect(page.get_by_text("60 keys", exact=True)).to_be_visible()


async def test_the_review_says_in_words_what_will_happen_and_takes_lines_back(
    server: Program, browser: Browser
) -> None:
    page = await open_page(browser, server)
    await box(page, *FIRST).click()
    await box(page, *SECOND, "List active licenses").click()
    await box(page, *THIRD, "Remove?").click()
    await page.get_by_role("button", name="Review").click()
    review = page.get_by_role("region", name="Review of staged changes")
    await expect(review).to_contain_text("Grant Search for a License")
    await expect(review).to_contain_text("Revoke List active licenses")
    await expect(review.locator(".review-item").first).to_contain_text("the key stops working")
    await review.get_by_role("button", name="Take back: Grant Search for a License, 192.0.2.1, billing").click()
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    await expect(box(page, *FIRST)).not_to_be_checked()


async def test_a_new_key_is_staged_as_a_row_shown_once_when_it_is_submitted_and_appears_in_other_windows(
    server: Program, browser: Browser
) -> None:
    mine, other = await open_page(browser, server), await open_page(browser, server)
    await mine.get_by_role("button", name="Add authkey").click()
    dialog = mine.get_by_role("dialog")
    await dialog.get_by_label("IP").fill("192.0.2.016")
    await dialog.get_by_label("Service").fill("<img src=x onerror=alert(1)>")
    await dialog.get_by_role("button", name="Add authkey").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Leading zeros are not permitted")
    await dialog.get_by_label("IP").fill("192.0.2.0")
    await dialog.get_by_role("button", name="Add authkey").click()
    await expect(mine.locator(".row-new .new-mark")).to_be_visible()
    await box(mine, "192.0.2.0", "<img src=x onerror=alert(1)>").click()
    await expect(bar(mine)).to_contain_text("1 change to 1 key")
    await mine.reload()
    await expect(box(mine, "192.0.2.0", "<img src=x onerror=alert(1)>", staged=True)).to_be_checked()
    await expect(box(other, "192.0.2.0", "<img src=x onerror=alert(1)>")).to_have_count(0)
    await mine.get_by_role("button", name="Submit authkey modifications").click()
    await expect(mine.locator(".secret-text")).to_have_text(re.compile("^[A-Za-z0-9]{20}$"))
    await mine.get_by_role("button", name="Done").click()
    await expect(mine.locator(".secret-text")).to_have_count(0)
    await expect(other.get_by_text("61 keys", exact=True)).to_be_visible()
    await expect(box(other, "192.0.2.0", "<img src=x onerror=alert(1)>")).to_be_checked()


async def test_of_a_double_click_on_submit_the_first_opens_the_review_and_the_second_does_nothing(
    server: Program, browser: Browser
) -> None:
    page = await open_page(browser, server)
    await box(page, *FIRST, "Remove?").click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await page.get_by_role("button", name="Submit authkey modifications").dblclick()
    submit = page.get_by_role("button", name="Submit 1 change", exact=True)
    await expect(submit).to_be_visible()
    await at_rest(page)
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await submit.dblclick()
    await expect(bar(page)).to_contain_text("Applied 1 change to 1 key")
