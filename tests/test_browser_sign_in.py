"""What only a browser can show of signing in: the form, pages of ended sessions, roles, two admins, quitting."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import (
    axe_finds_nothing,
    bar,
    box,
    choose,
    needs_chromium,
    open_sign_in,
    sign_in,
)
from tests.databases import copy_of_tables
from tests.program import PASSWORD, Program, add_admin, admin, import_csv, running, write_csv

pytestmark = needs_chromium

KEYS = [Assignment(f"192.0.2.{n}", "billing", privilege("listlicenses").mask) for n in range(1, 11)]
FIRST, SECOND, THIRD = (("192.0.2.1", "billing"), ("192.0.2.2", "billing"), ("192.0.2.3", "billing"))
NEW_PASSWORD = "harbour-lantern-quilt"
SIGN_IN = re.compile(r"/sign-in(\?ended=1&next=%2F.*)?$")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with ten authkeys, the admins dana and ben, and the auditor ada."""
    folder = tmp_path_factory.mktemp("accounts")
    database = copy_of_tables(folder / "authkeys.db").path
    import_csv(str(database), write_csv(folder / "keys.csv", KEYS))
    for account in (("dana",), ("ben",), ("ada", "--role", "auditor")):
        add_admin(str(database), *account)
    return database


@pytest.fixture
def server(filled: Path, tmp_path: Path) -> Iterator[Program]:
    copy = tmp_path / "authkeys.db"
    with sqlite3.connect(filled) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    with running(database=str(copy), sign_in=False) as program:
        yield program


async def window_of(name: str, browser: Browser, server: Program) -> Page:
    """A window of this admin, signed in by the form in a browser profile of its own."""
    page = await open_sign_in(browser, server)
    await sign_in(page, name)
    await expect(box(page, *FIRST)).to_be_visible()
    return page


async def another_window(page: Page) -> Page:
    """A second window of the same browser profile."""
    other = await page.context.new_page()
    await other.goto(page.url)
    await expect(box(other, *FIRST)).to_be_visible()
    return other


async def stay_open(page: Page) -> None:
    """Do not go where the server sends this page, as a browser does that somebody has tampered with."""

    async def answer(route: Route) -> None:
        await (route.abort("aborted") if route.request.is_navigation_request() else route.continue_())

    await page.route("**/*", answer)


def staged(server: Program) -> list[tuple[str, str]]:
    """Who has staged something for which address, as the database has it."""
    with sqlite3.connect(server.database) as file:
        return file.execute(
            "SELECT admin.name, authkey.ip FROM staged_change JOIN admin ON admin.id = staged_change.admin_id "
            "JOIN authkey ON authkey.id = staged_change.row_id ORDER BY 1, 2"
        ).fetchall()


# -- the form ----------------------------------------------------------------------------------------------------------


async def test_signing_in_leads_to_the_page_that_was_wanted(server: Program, browser: Browser) -> None:
    page = await open_sign_in(browser, server, "/?search=192.0.2.2")
    await expect(page).to_have_title("Sign in · API Authorization Keys")
    await sign_in(page, "dana")
    await expect(page.get_by_text("1 of 10 keys")).to_be_visible()
    await expect(box(page, *SECOND)).to_be_visible()
    await expect(page.get_by_role("button", name="Account: signed in as dana")).to_be_visible()


async def test_a_wrong_password_is_said_in_words_and_the_name_is_kept(server: Program, browser: Browser) -> None:
    page = await open_sign_in(browser, server)
    await sign_in(page, "dana", "wrong wrong wrong")
    await expect(page.get_by_role("alert")).to_have_text(
        "The name or the password is wrong, or the account is disabled."
    )
    await expect(page.get_by_label("Name")).to_have_value("dana")
    await expect(page.get_by_label("Password")).to_have_value("")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(box(page, *FIRST)).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_no_violation_from_the_form_to_the_account_menu(
    server: Program, browser: Browser, dark: bool
) -> None:
    page = await open_sign_in(browser, server, dark=dark)
    await axe_finds_nothing(page, "form")
    await sign_in(page, "dana", "wrong wrong wrong")
    await expect(page.get_by_role("alert")).to_be_visible()
    await axe_finds_nothing(page, "problem")
    await sign_in(page, "dana")
    await expect(box(page, *FIRST)).to_be_visible()
    await page.get_by_role("button", name="Account: signed in as dana").click()
    await expect(page.get_by_role("menuitem", name="Sign out", exact=True)).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Quit Authkeys")).to_have_count(0)
    await axe_finds_nothing(page, "account menu")


# -- sessions that end -------------------------------------------------------------------------------------------------


async def test_signing_out_sends_the_other_windows_of_that_browser_away(server: Program, browser: Browser) -> None:
    page, elsewhere = await window_of("dana", browser, server), await window_of("dana", browser, server)
    other = await another_window(page)
    await choose(page, "Sign out")
    await expect(page).to_have_url(SIGN_IN)
    await expect(other).to_have_url(SIGN_IN)
    await box(elsewhere, *FIRST).click()
    await expect(bar(elsewhere)).to_contain_text("1 change to 1 key")


async def test_signing_out_everywhere_sends_every_window_of_that_admin_away(server: Program, browser: Browser) -> None:
    mine, elsewhere = await window_of("dana", browser, server), await window_of("dana", browser, server)
    ben = await window_of("ben", browser, server)
    await choose(mine, "Sign out everywhere")
    await expect(mine).to_have_url(SIGN_IN)
    await expect(elsewhere).to_have_url(SIGN_IN)
    await box(ben, *FIRST).click()
    await expect(bar(ben)).to_contain_text("1 change to 1 key")


async def test_who_is_sent_away_is_told_why_and_comes_back_to_the_same_view(server: Program, browser: Browser) -> None:
    page, other = await window_of("dana", browser, server), await window_of("dana", browser, server)
    await box(page, *SECOND).click()
    await page.get_by_role("searchbox").fill("192.0.2.2")
    await expect(page.get_by_text("1 of 10 keys")).to_be_visible()
    await choose(other, "Sign out everywhere")
    note = page.get_by_role("status")
    await expect(note).to_contain_text("Your session has ended")
    await expect(note).to_contain_text("What you staged is kept")
    await axe_finds_nothing(page, "ended")
    await sign_in(page, "dana")
    await expect(page.get_by_text("1 of 10 keys")).to_be_visible()
    await expect(page.get_by_role("searchbox")).to_have_value("192.0.2.2")
    await expect(box(page, *SECOND, staged=True)).to_be_checked()


async def test_disabling_an_admin_sends_the_open_pages_away_and_lets_nobody_in_again(
    server: Program, browser: Browser
) -> None:
    page = await window_of("dana", browser, server)
    admin(server.database, "disable", "dana")
    await expect(page).to_have_url(SIGN_IN)
    await sign_in(page, "dana")
    await expect(page.get_by_role("alert")).to_contain_text("or the account is disabled")


async def press_what_is_left(page: Page, ip: str, service: str) -> None:
    """Tick and submit, as far as the page still shows anything: it tries to leave all the time."""
    await page.evaluate(
        "parts => parts.forEach((part) => document.querySelector(part)?.click())",
        [f'input[aria-label="Search for a License, {ip}, {service}"]', ".bar .primary"],
    )


@pytest.mark.parametrize("how", ["Sign out", "Sign out everywhere", "disable"])
async def test_a_page_that_does_not_leave_can_do_nothing(server: Program, browser: Browser, how: str) -> None:
    page, ben = await window_of("dana", browser, server), await window_of("ben", browser, server)
    await box(page, *SECOND).click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await stay_open(page)
    other = await another_window(page)
    async with page.expect_event("requestfailed", lambda request: "/sign-in" in request.url):
        if how == "disable":
            await asyncio.to_thread(admin, server.database, "disable", "dana")
        else:
            await choose(other, how)

    await press_what_is_left(page, *FIRST)
    await box(ben, *THIRD).click()
    await expect(bar(ben)).to_contain_text("1 change to 1 key")
    assert staged(server) == [("ben", THIRD[0]), ("dana", SECOND[0])]
    await page.unroute("**/*")
    await page.reload()
    await expect(page.get_by_role("checkbox")).to_have_count(0)
    assert staged(server) == [("ben", THIRD[0]), ("dana", SECOND[0])]


# -- roles and names ---------------------------------------------------------------------------------------------------


async def test_an_auditor_sees_everything_and_is_offered_nothing_that_changes(
    server: Program, browser: Browser
) -> None:
    page = await window_of("ada", browser, server)
    for column in ("List active licenses", "Search for a License", "Remove?"):
        await expect(box(page, *FIRST, column)).to_be_disabled()
    await expect(page.locator(".ag-row input[type=checkbox]:enabled")).to_have_count(0)
    await expect(bar(page)).to_contain_text("You are an auditor: you see everything and change nothing")
    for button in ("Submit authkey modifications", "Add authkey", "Grant", "Revoke", "Review", "Discard"):
        await expect(page.get_by_role("button", name=button)).to_have_count(0)
    await page.locator('.ag-row[row-index="0"] [col-id="ip"]').click()
    for key in ("ArrowRight", "ArrowRight", "Space"):
        await page.keyboard.press(key)
    await page.get_by_role("button", name="Account: signed in as ada").click()
    await expect(page.get_by_text("Auditor: sees everything, changes nothing")).to_be_visible()
    assert staged(server) == []


async def test_two_admins_see_who_has_staged_something_and_who_changed_it(server: Program, browser: Browser) -> None:
    dana, ben = await window_of("dana", browser, server), await window_of("ben", browser, server)
    await box(dana, *FIRST).click()
    mark = ben.get_by_role("row").locator(".others")
    await expect(mark).to_have_accessible_name("dana: staged changes, not yet submitted")
    await expect(box(ben, *FIRST)).not_to_be_checked()
    await expect(bar(ben)).to_contain_text("No staged changes")
    await expect(dana.locator(".others")).to_have_count(0)

    late = await window_of("ada", browser, server)
    await expect(late.locator(".others")).to_have_text("DA")

    await dana.get_by_role("button", name="Submit authkey modifications").click()
    await expect(ben.locator('.cell-flash[data-by="dana"]')).to_be_visible()
    await expect(box(ben, *FIRST)).to_be_checked()
    await expect(mark).to_have_count(0)


async def test_the_mark_goes_with_what_was_taken_back(server: Program, browser: Browser) -> None:
    dana, ben = await window_of("dana", browser, server), await window_of("ben", browser, server)
    await box(dana, *FIRST).click()
    await expect(ben.locator(".others")).to_have_count(1)
    await dana.get_by_role("button", name="Discard").click()
    await expect(ben.locator(".others")).to_have_count(0)


# -- the account menu --------------------------------------------------------------------------------------------------


async def fill_in(page: Page, present: str, new: str, again: str) -> None:
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Present password").fill(present)
    await dialog.get_by_label("New password", exact=True).fill(new)
    await dialog.get_by_label("New password again").fill(again)
    await dialog.get_by_role("button", name="Change password").click()


async def test_a_changed_password_keeps_this_window_and_ends_the_others(server: Program, browser: Browser) -> None:
    page, other = await window_of("dana", browser, server), await window_of("dana", browser, server)
    await choose(page, "Change password")
    problem = page.get_by_role("dialog").get_by_role("alert")
    await fill_in(page, PASSWORD, NEW_PASSWORD, "something-else")
    await expect(problem).to_have_text("The two new passwords are not the same.")
    await fill_in(page, "wrong wrong wrong", NEW_PASSWORD, NEW_PASSWORD)
    await expect(problem).to_have_text("The present password is wrong. Nothing was changed.")
    await fill_in(page, PASSWORD, "short", "short")
    await expect(problem).to_contain_text("at least 12 are needed")
    await expect(box(other, *FIRST)).to_be_visible()

    await fill_in(page, PASSWORD, NEW_PASSWORD, NEW_PASSWORD)
    await expect(page.get_by_text("Your password is changed; your other sessions are signed out.")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(other).to_have_url(SIGN_IN)
    await box(page, *FIRST).click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")

    await sign_in(other, "dana")
    await expect(other.get_by_role("alert")).to_contain_text("The name or the password is wrong")
    await sign_in(other, "dana", NEW_PASSWORD)
    await expect(box(other, *FIRST, staged=True)).to_be_checked()


async def test_only_who_started_it_here_quits_and_is_told_who_else_is_there(server: Program, browser: Browser) -> None:
    dana = await window_of("dana", browser, server)
    await box(dana, *FIRST).click()
    await expect(bar(dana)).to_contain_text("1 change to 1 key")
    page = await (await browser.new_context()).new_page()
    await page.goto(server.link)
    await expect(box(page, *FIRST)).to_be_visible()
    await choose(page, "Quit Authkeys")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Also here now: dana")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_have_count(0)
    assert server.process.poll() is None
    await choose(page, "Quit Authkeys")
    await dialog.get_by_role("button", name="Quit").click()
    await expect(page.get_by_role("heading", name="Authkeys has stopped")).to_be_visible()
    assert server.process.wait(timeout=20) == 0
    assert staged(server) == [("dana", "192.0.2.1")]
    assert "Traceback" not in server.complaints()
