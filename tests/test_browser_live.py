"""What others submit arrives in the middle of one's own work, and nothing of that work moves."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import ALL_PRIVILEGES, privilege
from models.submissions import Assignment
from tests.browser import bar, box, focus_cell, needs_chromium, open_page, open_sign_in, sign_in, submit_reviewed
from tests.databases import copy_of_tables
from tests.program import Program, add_admin, import_csv, running, write_csv
from tests.waiting import eventually

pytestmark = needs_chromium

LIST = privilege("listlicenses").mask
KEYS = [Assignment(f"10.0.{n // 200}.{n % 200 + 20}", "billing", LIST) for n in range(5_000)]
MIDDLE = 2_500
MODIFY = privilege("modlisc").label
REVIEW = "Review of staged changes"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """With 5,000 keys, on either database; each test here takes other ones of them."""
    folder = tmp_path_factory.mktemp("live")
    with ExitStack() as stack:
        database = copy_of_tables(folder / "authkeys.db").text
        if request.param == "postgres":
            database = stack.enter_context(request.getfixturevalue("postgres").new_database()).text
        import_csv(database, write_csv(folder / "keys.csv", KEYS))
        add_admin(database, "dana")
        yield stack.enter_context(running("--secret-file", str(folder / "secret"), database=database))


async def danas_page(browser: Browser, server: Program, search: str) -> Page:
    """Another admin's browser."""
    page = await open_sign_in(browser, server, f"/?search={search}")
    await sign_in(page, "dana")
    await page.locator('.ag-row [col-id="ip"]:not(:empty)').first.wait_for()
    return page


def imports(server: Program, file: Path, *keys: Assignment) -> None:
    """Another process, of another admin: adds keys, or gives them other privileges."""
    import_csv(server.database, write_csv(file, list(keys)), admin="erin")


async def scrolled_to(page: Page, row: int) -> list[str]:
    """The addresses of the rows that show, from the top, after scrolling."""
    await page.locator(".ag-body-viewport").evaluate(f"view => view.scrollTop = {row} * 38 + 11")
    await eventually(lambda: has_rows(page))
    return list(await places(page))


async def has_rows(page: Page) -> bool:
    return len(await places(page)) > 10


async def places(page: Page) -> dict[str, float]:
    """Where each whole row is on the screen, by its address."""
    return dict(
        await page.evaluate(
            """() => {
                const view = document.querySelector('.ag-body-viewport').getBoundingClientRect();
                return [...document.querySelectorAll('.ag-pinned-left-cols-container .ag-row')]
                    .map(row => [row.querySelector('[col-id=ip]')?.innerText.trim(), row.getBoundingClientRect()])
                    .filter(([ip, at]) => ip && at.top >= view.top && at.bottom <= view.bottom)
                    .sort(([, one], [, other]) => one.top - other.top)
                    .map(([ip, at]) => [ip, Math.round(at.top)]);
            }"""
        )
    )


async def focused(page: Page) -> tuple[str, str]:
    """The address and the column of the cell that has the keyboard."""
    ip, column = await page.evaluate(
        """() => {
            const cell = document.activeElement.closest('.ag-cell');
            const index = cell?.closest('.ag-row').getAttribute('row-index');
            const row = document.querySelector(`.ag-pinned-left-cols-container .ag-row[row-index="${index}"]`);
            return [row?.querySelector('[col-id=ip]').innerText.trim(), cell?.getAttribute('col-id')];
        }"""
    )
    return ip, column


async def has_keys(page: Page, count: int) -> None:
    await expect(page.get_by_text(f"{count:,} keys", exact=True)).to_be_visible()


async def test_at_the_very_top_new_keys_show_above_the_others(
    server: Program, browser: Browser, tmp_path: Path
) -> None:
    page = await open_page(browser, server)
    imports(server, tmp_path / "more.csv", Assignment("1.1.1.1", "first of all", 0))
    await expect(page.locator('.row-flash [col-id="ip"]')).to_have_text("1.1.1.1")
    await has_keys(page, 5_001)
    assert next(iter(await places(page))) == "1.1.1.1"
    imports(server, tmp_path / "more.csv", Assignment("1.1.1.1", "first of all", LIST))
    await expect(box(page, "1.1.1.1", "first of all", "List active licenses")).to_be_checked()


async def test_the_work_in_the_middle_of_5000_keys_stays_where_it_is_while_others_submit(
    server: Program, browser: Browser, tmp_path: Path
) -> None:
    page = await open_page(browser, server, width=1600)  # the review stands beside the grid, not over it
    granted, removed, above, in_focus, changed, gone, *_ = shown = await scrolled_to(page, MIDDLE)
    await box(page, granted, "billing").click()
    await box(page, removed, "billing", "Remove?").click()
    await page.get_by_role("button", name="Review").click()
    review = page.get_by_role("region", name=REVIEW)
    await expect(review.locator(".review-item")).to_have_count(2)
    await focus_cell(box(page, in_focus, "billing", MODIFY).locator("xpath=ancestor::*[@role='gridcell']"))
    before = await places(page)
    assert await focused(page) == (in_focus, "modlisc")

    # Another admin, in another browser, changes a cell and removes a key.
    dana = await danas_page(browser, server, changed)
    await box(dana, changed, "billing", MODIFY).click()
    await dana.get_by_role("searchbox").fill(gone)
    await box(dana, gone, "billing", "Remove?").click()
    await expect(bar(dana)).to_contain_text("2 changes to 2 keys")
    await submit_reviewed(dana)
    await expect(page.locator('.cell-flash[data-by="dana"]').first).to_be_visible()
    await expect(box(page, changed, "billing", MODIFY)).to_be_checked()
    await expect(box(page, gone, "billing")).to_have_count(0)
    await has_keys(page, 5_000)
    after = await places(page)
    assert {ip: after[ip] for ip in shown[:5]} == {ip: before[ip] for ip in shown[:5]}, "what is above stays"
    assert after[shown[6]] == before[gone], "what is below moves up"

    # Another process changes a cell here and adds keys: one in sight, twenty far above.
    imports(
        server,
        tmp_path / "more.csv",
        Assignment(changed, "billing", ALL_PRIVILEGES),
        Assignment(above, "a new service", 0),
        *(Assignment(f"9.0.0.{n}", "above", 0) for n in range(20)),
    )
    await has_keys(page, 5_021)
    await expect(page.locator('.cell-flash[data-by="erin"]').first).to_be_visible()
    await expect(page.locator(".row-flash [col-id=service]")).to_have_text("a new service")
    await expect(box(page, changed, "billing", "Add a New License")).to_be_checked()
    assert (await places(page))[in_focus] == before[in_focus], "the row that one works at has not moved"
    assert await focused(page) == (in_focus, "modlisc")

    await expect(box(page, granted, "billing", staged=True)).to_be_checked()
    await expect(box(page, removed, "billing", "Remove?", staged=True)).to_be_checked()
    await expect(review.locator(".review-item")).to_have_count(2)
    await expect(bar(page)).to_contain_text("2 changes to 2 keys")
    await page.keyboard.press("Space")
    await expect(box(page, in_focus, "billing", MODIFY, staged=True)).to_be_checked()
    await page.get_by_role("button", name="Discard").click()
    await expect(bar(page)).to_contain_text("No staged changes")


async def test_when_somebody_removes_the_very_row_that_has_the_keyboard_the_next_one_gets_it(
    server: Program, browser: Browser
) -> None:
    page = await open_page(browser, server)
    shown = await scrolled_to(page, 3_000)
    await focus_cell(box(page, shown[4], "billing", MODIFY).locator("xpath=ancestor::*[@role='gridcell']"))
    before = await places(page)

    dana = await danas_page(browser, server, shown[4])
    await box(dana, shown[4], "billing", "Remove?").click()
    await submit_reviewed(dana)
    await has_keys(page, 5_020)
    await expect(box(page, shown[4], "billing")).to_have_count(0)
    assert await focused(page) == (shown[5], "modlisc")
    after = await places(page)
    assert {ip: after[ip] for ip in shown[:4]} == {ip: before[ip] for ip in shown[:4]}
    await page.keyboard.press("Space")
    await expect(box(page, shown[5], "billing", MODIFY, staged=True)).to_be_checked()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
