"""Two admins in two browsers, at two instances on one PostgreSQL: one asks, the other sees the same plan and approves it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import MANAGE_AUTHKEYS, privilege
from models.submissions import Assignment
from tests.browser import axe_finds_nothing, bar, box, needs_chromium, open_sign_in, sign_in
from tests.postgres import Cluster
from tests.program import Program, add_admin, import_csv, running, write_csv

pytestmark = needs_chromium

LIST, SEARCH = privilege("listlicenses"), privilege("search")
KEYS = [Assignment(f"192.0.2.{n}", "billing", LIST.mask) for n in range(1, 9)]
FIRST, SECOND = ("192.0.2.1", "billing"), ("192.0.2.2", "billing")
MANAGE = MANAGE_AUTHKEYS.label


@pytest.fixture
def servers(postgres: Cluster, tmp_path: Path) -> Iterator[tuple[Program, Program]]:
    """Two instances with four eyes; the admins lee and dana."""
    with ExitStack() as stack:
        database = stack.enter_context(postgres.new_database()).text
        import_csv(database, write_csv(tmp_path / "keys.csv", KEYS))
        add_admin(database, "lee")
        add_admin(database, "dana")
        options = ("--four-eyes", "--secret-file", str(tmp_path / "secret"))
        yield (
            stack.enter_context(running(*options, database=database, sign_in=False)),
            stack.enter_context(running(*options, database=database, sign_in=False)),
        )


async def page_of(name: str, browser: Browser, server: Program, path: str = "/") -> Page:
    """A window of this admin, in a browser profile of its own."""
    page = await open_sign_in(browser, server, path)
    await sign_in(page, name)
    await expect(page.get_by_role("link", name="Approvals:")).to_be_visible()
    return page


async def axe_in_light_and_dark(page: Page, state: str) -> None:
    """Both, as the page is now."""
    for colours in ("dark", "light"):
        await page.emulate_media(color_scheme=colours)
        await axe_finds_nothing(page, f"{state}, {colours}")


async def test_one_asks_and_another_approves_at_another_instance(
    servers: tuple[Program, Program], browser: Browser, tmp_path: Path
) -> None:
    one, other = servers
    lees, danas = await page_of("lee", browser, one), await page_of("dana", browser, other)

    await box(lees, *FIRST, MANAGE).click()
    await box(lees, *SECOND).click()
    await lees.get_by_role("button", name="Submit authkey modifications").click()
    await expect(lees.get_by_text("Another admin must approve this")).to_be_visible()
    await axe_in_light_and_dark(lees, "review that asks")
    await lees.get_by_role("button", name="Ask for approval of 2 changes").click()
    await expect(bar(lees)).to_contain_text("2 changes wait for approval")
    await expect(box(lees, *FIRST, MANAGE)).not_to_be_checked()

    mark = danas.get_by_role("link", name="Approvals: 1 approval waits for you")
    await expect(mark).to_be_visible()
    await mark.click()
    await axe_in_light_and_dark(danas, "list")
    await danas.get_by_role("link", name="lee").click()
    await expect(danas.get_by_role("row", name="Grant Manage Authkeys")).to_be_visible()
    await expect(danas.get_by_role("button", name="Take back")).to_have_count(0)

    import_csv(
        one.database, write_csv(tmp_path / "more.csv", [Assignment(*SECOND, LIST.mask | SEARCH.mask)]), admin="kim"
    )
    await expect(danas.get_by_text("kim granted Search for a License meanwhile")).to_be_visible()
    await axe_in_light_and_dark(danas, "detail")
    await danas.get_by_role("button", name="Approve 1 change").click()
    await expect(danas.get_by_text("Approved by dana.")).to_be_visible()
    await axe_in_light_and_dark(danas, "decided")

    await expect(lees.get_by_text("Your 2 changes to 2 keys: Approved by dana.")).to_be_visible()
    await expect(box(lees, *FIRST, MANAGE)).to_be_checked()
    await expect(bar(lees)).not_to_contain_text("approval")
    await danas.get_by_role("link", name="What it did, in the history").click()
    await expect(danas.get_by_text("approved by dana").first).to_be_visible()
