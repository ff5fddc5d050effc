"""Second factors in a real browser: added, used to sign in, used alone, asked again; and what is not let through."""

import re
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pyotp
import pytest
from playwright.async_api import Browser, CDPSession, Page, expect

from models.submissions import Assignment
from tests.browser import (
    PATIENCE_MS,
    axe_finds_nothing,
    bar,
    box,
    choose,
    needs_chromium,
    sign_in,
    submit_reviewed,
)
from tests.program import PASSWORD, Program, admin

pytestmark = needs_chromium

KEYS = [Assignment("192.0.2.1", "billing", 0)]
KEY = ("192.0.2.1", "billing")
ACCOUNTS = [("dana",), ("ben",), ("cara",), ("eve",)]
OPTIONS = ("--require-second-factor", "--fresh-second-factor")
MANAGE = "Manage Authkeys"


@pytest.fixture
async def page(browser: Browser, server: Program) -> AsyncIterator[Page]:
    """A window that wanted to see the keys and was asked to sign in, at a name under which passkeys work."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(at_localhost(server))
    yield page
    await context.close()


def at_localhost(server: Program) -> str:
    return server.url.replace("127.0.0.1", "localhost")


async def device(page: Page, *, is_unlocked: bool = True) -> CDPSession:
    """Give this browser a passkey's device, as a laptop has one."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": is_unlocked,
        "automaticPresenceSimulation": True,
    }
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


async def add_passkey(page: Page, name: str = "My laptop") -> list[str]:
    """Add one where the page is for that; the recovery codes that are shown."""
    await page.get_by_label("Name of the new passkey").fill(name)
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    return await page.locator(".codes li").all_inner_texts()


async def add_app(page: Page) -> tuple[pyotp.TOTP, list[str]]:
    """The same with an app, whose secret is typed."""
    await page.get_by_role("button", name="Add an app").click()
    await page.get_by_text("No camera?").click()
    app = pyotp.TOTP((await page.locator("#secret").inner_text()).replace(" ", ""))
    await page.get_by_label("Code that the app shows").fill(app.now())
    await page.get_by_role("button", name="Add the app").click()
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    return app, await page.locator(".codes li").all_inner_texts()


async def is_in(page: Page) -> None:
    await expect(box(page, *KEY)).to_be_visible()


def record(server: Program) -> list[tuple[str, str]]:
    """What is on record, as the database has it: kinds and details, newest first."""
    with closing(sqlite3.connect(server.database)) as file:
        return file.execute("SELECT kind, detail FROM entry ORDER BY number DESC LIMIT 40").fetchall()


def devices(server: Program, name: str) -> set[str]:
    """With what all sessions of this admin that last were begun."""
    query = "SELECT device FROM session WHERE admin_id = (SELECT id FROM admin WHERE name = ?)"
    with closing(sqlite3.connect(server.database)) as file:
        return {row[0] for row in file.execute(query, [name])}


def make_stale(server: Program, name: str) -> None:
    """Let more than five minutes pass since this admin proved anything."""
    with closing(sqlite3.connect(server.database)) as file, file:
        file.execute(
            "UPDATE session SET factor_at = '2026-01-01 00:00:00+00:00', proved_at = '2026-01-01 00:00:00+00:00' "
            "WHERE admin_id = (SELECT id FROM admin WHERE name = ?)",
            [name],
        )


async def test_who_has_none_is_led_to_add_a_passkey_and_then_signs_in_with_it(page: Page, server: Program) -> None:
    await device(page)
    await sign_in(page, "dana")
    await expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    await expect(page.get_by_text("This server asks for a second factor")).to_be_visible()
    await axe_finds_nothing(page, "the page that asks for a second factor")
    await page.goto(f"{at_localhost(server)}/history")
    await expect(page).to_have_url(re.compile("/second-factor$"))  # nothing else opens before
    codes = await add_passkey(page)
    assert len(codes) == 10
    await axe_finds_nothing(page, "recovery codes")
    await page.get_by_role("button", name="I have kept them").click()
    await is_in(page)

    await choose(page, "Sign out")
    await sign_in(page, "dana")
    await expect(page.get_by_text("Signing in as dana")).to_be_visible()
    await axe_finds_nothing(page, "the second step")
    await page.get_by_role("button", name="Use a passkey").click()
    await is_in(page)
    assert devices(server, "dana") == {"Chrome on Linux"}

    await choose(page, "Sign out")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await is_in(page)
    assert record(server)[0] == ("signed in", "by the passkey My laptop")


async def test_a_passkey_that_was_not_unlocked_does_not_sign_in_alone(page: Page, server: Program) -> None:
    await device(page, is_unlocked=False)
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()


async def test_an_app_with_codes_and_recovery_codes_each_used_once(page: Page, server: Program) -> None:
    await sign_in(page, "ben")
    await page.get_by_role("button", name="Add an app").click()
    await axe_finds_nothing(page, "the app's secret")
    await page.get_by_label("Code that the app shows").fill("000000")
    await page.get_by_role("button", name="Add the app").click()
    await expect(page.get_by_role("alert")).to_contain_text("not the code that this app shows now")
    await page.go_back()
    await page.goto(f"{at_localhost(server)}/second-factor")
    app, codes = await add_app(page)
    async with page.expect_download() as saving:
        await page.get_by_role("link", name="Save them as a file").click()
    assert codes[0] in (await (await saving.value).path()).read_text()
    await page.get_by_role("button", name="I have kept them").click()
    await is_in(page)

    await choose(page, "Sign out")
    await sign_in(page, "ben")
    following = app.at(int(time.time()) + 30)  # today's was used to set it up, and the next one is taken too
    await page.get_by_label("Code of your app").fill(following)
    await page.get_by_role("button", name="Continue").click()
    await is_in(page)

    await choose(page, "Sign out")
    await sign_in(page, "ben")
    await page.get_by_label("Code of your app").fill(following)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("alert")).to_contain_text("wrong, or was used already")
    await axe_finds_nothing(page, "a refused code")
    await page.get_by_text("Use a recovery code").click()
    await page.get_by_label("Recovery code").fill(codes[0])
    await page.get_by_role("button", name="Use this code").click()
    await is_in(page)

    await choose(page, "Sign out")
    await sign_in(page, "ben")
    await page.get_by_text("Use a recovery code").click()
    await page.get_by_label("Recovery code").fill(codes[0])
    await page.get_by_role("button", name="Use this code").click()
    await expect(page.get_by_role("alert")).to_contain_text("was used already: each works once")
    kinds = [kind for kind, _ in record(server)]
    assert "recovery code used" in kinds
    assert kinds.count("factor refused") == 2


async def test_a_grant_of_manage_authkeys_asks_anew_and_keeps_what_is_staged(page: Page, server: Program) -> None:
    await device(page)
    await sign_in(page, "cara")
    await add_passkey(page)
    await page.get_by_role("button", name="I have kept them").click()
    await box(page, *KEY, MANAGE).click()
    await expect(bar(page)).to_contain_text("1 change")
    make_stale(server, "cara")
    await submit_reviewed(page)
    await expect(page.get_by_text("To hand out Manage Authkeys, confirm")).to_be_visible()
    await axe_finds_nothing(page, "the offer to confirm")
    await page.get_by_role("button", name="Confirm that it is you").click()
    await expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    await axe_finds_nothing(page, "confirming")
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(bar(page)).to_contain_text("1 change")
    await page.locator(".review-foot").get_by_role("button", name="Submit").click()
    await expect(bar(page)).to_contain_text("Applied 1 change to 1 key")
    assert "submission" in [kind for kind, _ in record(server)]


async def test_factors_are_managed_after_a_proof_and_reset_by_an_operator(page: Page, server: Program) -> None:
    await device(page)
    await sign_in(page, "eve")
    await add_passkey(page, "First")
    await page.get_by_role("button", name="I have kept them").click()
    await is_in(page)
    await choose(page, "Second factor")
    await expect(page.get_by_text("10 of 10 are left")).to_be_visible()
    await page.get_by_role("button", name="Remove the passkey First").click()
    await expect(page.get_by_role("alert")).to_contain_text("Add another one before you remove the last")
    make_stale(server, "eve")
    await page.get_by_role("button", name="Make new ones").click()
    await expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    await axe_finds_nothing(page, "one's own factors")
    await page.get_by_role("button", name="Make new ones").click()
    await expect(page.locator(".codes li")).to_have_count(10)
    await page.get_by_role("button", name="I have kept them").click()
    await page.get_by_role("link", name="Back to Authkeys").click()
    await is_in(page)
    admin(server.database, "reset-factor", "eve")
    await expect(page).to_have_url(re.compile("/sign-in"))  # at once
    assert record(server)[0][0] == "factors reset"


async def test_where_there_can_be_no_passkeys_the_page_says_why(page: Page, server: Program) -> None:
    await page.goto(server.url)
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    await page.get_by_label("Name").fill("dana")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_text("opened Authkeys by the IP address 127.0.0.1")).to_be_visible()


async def test_the_pages_let_no_script_run_but_their_own(page: Page, server: Program) -> None:
    answer = await page.goto(f"{at_localhost(server)}/sign-in")
    assert answer
    policy = (await answer.all_headers())["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-inline'; script" not in policy
    assert "unsafe-eval" not in policy
