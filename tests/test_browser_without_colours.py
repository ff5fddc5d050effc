"""Where no colours and backgrounds are drawn, on paper and in forced colours, each state of a box still looks different."""

from itertools import combinations

import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import at_rest, bar, box, needs_chromium, open_page
from tests.program import Program

pytestmark = needs_chromium

SEARCH = privilege("search")
KEYS = [Assignment(f"192.0.2.{n}", "billing", SEARCH.mask if n % 2 else 0) for n in range(1, 6)]


async def pictures(page: Page) -> dict[str, bytes]:
    """How the same box looks in five rows: granted, not granted, and each kind of staged change."""
    rows = {"granted": 0, "not granted": 1, "revocation": 2, "grant": 3, "removal": 4}
    column = {"removal": "remove"}
    return {
        state: await page.locator(f'.ag-row[row-index="{row}"] [col-id="{column.get(state, SEARCH.id)}"]').screenshot(
            animations="disabled"
        )
        for state, row in rows.items()
    }


@pytest.mark.parametrize("colours", ["forced", "print", "print, dark"])
async def test_every_state_of_a_box_looks_different(server: Program, browser: Browser, colours: str) -> None:
    page = await open_page(browser, server, dark="dark" in colours)
    if "No staged" in await bar(page).inner_text():
        await box(page, "192.0.2.3", "billing").click()
        await box(page, "192.0.2.4", "billing").click()
        await box(page, "192.0.2.5", "billing", "Remove?").click()
    await expect(bar(page)).to_contain_text("3 changes to 3 keys")
    if colours == "forced":
        await page.emulate_media(forced_colors="active")
    else:
        await page.emulate_media(media="print")
    await page.mouse.move(0, 0)
    shown = await pictures(page)
    alike = [(one, other) for one, other in combinations(shown, 2) if shown[one] == shown[other]]
    assert alike == []
    # The box itself, without the mark beside it, tells granted from not granted.
    ticks = [await page.locator(f'.ag-row[row-index="{row}"] [col-id="search"] input').screenshot() for row in (0, 1)]
    assert ticks[0] != ticks[1]


async def test_what_is_selected_or_chosen_looks_different_in_forced_colours(server: Program, browser: Browser) -> None:
    page = await open_page(browser, server)
    await page.emulate_media(forced_colors="active")
    await page.locator('.ag-row[row-index="0"] [col-id="ip"]').click()
    await page.keyboard.press("Shift+Space")
    await expect(page.get_by_text("1 row, 12 columns selected")).to_be_visible()
    await page.mouse.move(0, 0)
    selected, other = [
        await page.locator(f'.ag-row[row-index="{row}"] [col-id="addlicense"]').screenshot() for row in (0, 1)
    ]
    assert selected != other

    await page.get_by_role("button", name="Filter").click()
    has = page.get_by_role("group", name="Add a New License").get_by_role("button", name="Has")
    await at_rest(page)
    before = await has.screenshot()
    await has.click()
    await expect(has).to_have_attribute("aria-pressed", "true")
    await page.mouse.move(0, 0)
    await has.blur()
    await at_rest(page)
    assert await has.screenshot() != before
