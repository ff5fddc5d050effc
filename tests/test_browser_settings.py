"""What only browsers can show of Settings: an invitation from link to page, and pages that close when an account changes."""

import re

from playwright.async_api import Browser, Page, expect

from models.submissions import Assignment
from tests.browser import axe_finds_nothing, choose, needs_chromium, open_sign_in, sign_in
from tests.program import PASSWORD, Program

pytestmark = needs_chromium

KEYS = [Assignment("192.0.2.1", "billing", 0)]
ACCOUNTS = (("dana",), ("ada", "--role", "auditor"))
SIGN_IN = re.compile(r"/sign-in\?ended=1")


async def settings_of(
    name: str, browser: Browser, server: Program, section: str, *, width: int = 1280, **how: bool
) -> Page:
    """A window of this account that shows a section of Settings."""
    page = await open_sign_in(browser, server, f"/settings/{section}", **how)
    await page.set_viewport_size({"width": width, "height": 800})
    await sign_in(page, name)
    await expect(page.locator(".settings-heading")).to_be_visible()
    return page


async def press(page: Page, account: str, button: str) -> None:
    """Do something with an account."""
    await page.get_by_role("button", name=f"Manage: {account}", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()


async def accept(page: Page) -> None:
    """Choose a password in the page of an invitation."""
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_label("The same again").fill(PASSWORD)
    await page.get_by_role("button", name="Set password and sign in").click()


async def test_from_an_invitation_to_a_page_that_closes_when_the_account_is_disabled(
    browser: Browser, server: Program
) -> None:
    admin = await settings_of("dana", browser, server, "accounts")
    await axe_finds_nothing(admin, "accounts")
    await admin.get_by_role("button", name="Add account").click()
    dialog = admin.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("ines")
    await axe_finds_nothing(admin, "adding an account")
    await dialog.get_by_role("button", name="Add and make the link").click()
    link = await admin.locator(".secret-text").inner_text()
    await axe_finds_nothing(admin, "a link")
    await admin.get_by_role("button", name="Done").click()
    line = admin.get_by_role("row").filter(has=admin.get_by_role("rowheader", name="ines"))
    await expect(line).to_contain_text("Invited")

    invited = await (await browser.new_context()).new_page()
    await invited.goto(link)
    await expect(invited.get_by_text("ines", exact=True)).to_be_visible()
    await axe_finds_nothing(invited, "an invitation")
    await accept(invited)
    await expect(invited.locator(".views")).to_be_visible()
    await expect(line).to_contain_text("Password")
    await invited.goto(link)
    await expect(invited.get_by_role("alert")).to_contain_text("used already")
    await invited.goto(f"{server.url}/settings/accounts")
    await expect(invited.get_by_role("button", name="Manage: dana")).to_be_visible()

    await press(admin, "ines", "Make auditor")
    await expect(invited).to_have_url(SIGN_IN)
    await sign_in(invited, "ines")
    await expect(invited.locator(".settings-heading")).to_be_visible()
    await expect(invited.get_by_role("button", name="Manage: dana")).to_have_count(0)
    await press(admin, "ines", "Disable")
    await expect(invited).to_have_url(SIGN_IN)
    await expect(line).to_contain_text("Disabled")
    await sign_in(invited, "ines")
    await expect(invited.get_by_role("alert")).to_contain_text("disabled")


async def test_a_session_is_ended_from_another_browser(browser: Browser, server: Program) -> None:
    here = await settings_of("dana", browser, server, "account")
    there = await settings_of("dana", browser, server, "sessions", dark=True)
    await axe_finds_nothing(there, "sessions, dark")
    await expect(there.get_by_role("row").filter(has_text="This one")).to_contain_text("Chrome on Linux")
    await there.get_by_role("button", name="Sign out all others").click()
    await expect(here).to_have_url(SIGN_IN)
    await expect(there.locator(".settings-said")).to_have_text("You are signed in here only.")


async def test_a_phone_shows_a_card_for_each_account_and_nothing_beside_the_screen(
    browser: Browser, server: Program
) -> None:
    page = await settings_of("dana", browser, server, "accounts", width=390)
    for section in ("account", "sessions", "accounts", "access"):
        await page.goto(f"{server.url}/settings/{section}")
        await expect(page.locator(".settings-link.current")).to_be_visible()
        assert await page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0, section
        await axe_finds_nothing(page, f"{section} on a phone")
    await page.goto(f"{server.url}/settings/accounts")
    await press(page, "ada", "Reset password")
    await expect(page.locator(".secret-text")).to_contain_text("/invitation?token=")


async def test_settings_are_reached_from_the_account_menu_and_the_palette(browser: Browser, server: Program) -> None:
    page = await settings_of("dana", browser, server, "access")
    await page.get_by_role("link", name="Changes of accounts").click()
    await expect(page.locator(".ag-row").filter(has_text="account added").first).to_be_visible()
    await choose(page, "Settings")
    await expect(page).to_have_url(f"{server.url}/settings/account")
    await page.keyboard.press("Control+k")
    await page.locator(".palette-field input").fill("devices")
    await page.get_by_role("option", name="Settings: Sessions").click()
    await expect(page).to_have_url(f"{server.url}/settings/sessions")
