"""Photograph every view and state in five sizes and all colours: `uv run docs/every_view.py FOLDER [NAME…]`.

Starts `main.py --demo` and an empty console, brings the page into each state as a person would, in headless Chromium
(Debian's), and says where a page scrolls sideways. What is wrong with the rest is for eyes to find.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import approvals
from playwright.async_api import Browser, Locator, Page, StorageState, async_playwright
from running import console

SIZES = {"1440": (1440, 900), "1280": (1280, 800), "1920": (1920, 1080), "768": (768, 1024), "390": (390, 844)}
COLOURS = {
    "light": {"color_scheme": "light", "forced_colors": "none", "media": "screen"},
    "dark": {"color_scheme": "dark", "forced_colors": "none", "media": "screen"},
    "forced": {"color_scheme": "dark", "forced_colors": "active", "media": "screen"},
    "print": {"color_scheme": "light", "forced_colors": "none", "media": "print"},
}
PHONE = "390"
PASTED = "192.0.2.7\tbilling\t1\t0\t1\tx\t\t\n198.51.100.300\tbilling\t1\n203.0.113.9\tnew one\t1\t1\t1"
SIDEWAYS = "document.scrollingElement.scrollWidth - innerWidth"

_NUMBERS = count(1)
"""Of invited accounts: a name is taken once"""

State = Callable[[Page], Awaitable[object]]


def cell(page: Page, row: int, column: str) -> Locator:
    """A cell of the grid."""
    return page.locator(f'.ag-row[row-index="{row}"] [col-id="{column}"]')


def press(name: str) -> State:
    """A button that opens something."""

    async def bring(page: Page) -> None:
        await page.get_by_role("button", name=name).first.click()
        await page.locator(".q-menu, .q-dialog, .review:not(.hidden)").first.wait_for()

    return bring


async def select(page: Page) -> None:
    """Five rows, three columns."""
    await cell(page, 1, "addlicense").click(modifiers=["Control"])
    await cell(page, 5, "explisc").click(modifiers=["Shift"])
    await page.locator(".selection-bar").wait_for()


async def stage(page: Page) -> None:
    """What of all kinds there is."""
    if await page.locator(".bar").get_by_text("changes to").count():
        return
    for row, column in ((0, "explisc"), (1, "secverify"), (3, "addlicense"), (5, "manageauthkeys"), (8, "remove")):
        await cell(page, row, column).locator("input").click()
    await page.get_by_text("5 changes to 5").first.wait_for()


async def review(page: Page) -> None:
    """With what is staged."""
    await stage(page)
    await press("Review")(page)
    await page.locator(".review-item").first.wait_for()


async def details(page: Page) -> None:
    """Of the third row."""
    await cell(page, 2, "menu").locator("button").click()
    await page.get_by_role("menuitem", name="Details").click()
    await page.get_by_role("region", name="Details").wait_for()


async def row_menu(page: Page) -> None:
    """Of the third row."""
    await cell(page, 2, "menu").locator("button").click()
    await page.get_by_role("menuitem").first.wait_for()


async def heading_menu(page: Page) -> None:
    """Of one privilege."""
    await press("Actions, Search for a License")(page)
    await page.get_by_role("menuitem").first.wait_for()


async def plan(page: Page) -> None:
    """Of pasted rows, one of them bad."""
    await cell(page, 0, "ip").click()
    await page.evaluate(
        """text => { const data = new DataTransfer(); data.setData("text/plain", text);
        document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true })) }""",
        PASTED,
    )
    await page.get_by_role("dialog").wait_for()


async def palette(page: Page) -> None:
    """With something typed."""
    await page.keyboard.press("Control+k")
    await page.locator(".palette-field input").wait_for()
    await page.keyboard.type("192")
    await page.get_by_role("option").nth(3).wait_for()


async def presence(page: Page) -> None:
    """The demo's colleague."""
    others = page.get_by_role("button", name="other here")
    await others.wait_for()
    await others.click()


async def issue(page: Page) -> None:
    """For two selected rows."""
    await cell(page, 1, "ip").click(modifiers=["Control"])
    await cell(page, 2, "service").click(modifiers=["Shift"])
    await press("Issue keys")(page)
    await page.get_by_role("dialog").wait_for()


async def sheet(page: Page) -> None:
    """On a phone."""
    await page.locator(".card").nth(3).click()
    await page.get_by_role("dialog").wait_for()


async def history_panel(page: Page) -> None:
    """Of the newest entry."""
    await cell(page, 0, "what").click()
    await page.locator(".side").wait_for()


async def manage(page: Page) -> None:
    """The demo's colleague."""
    await page.get_by_role("button", name="Manage: maya").click()
    await (
        page.get_by_role("button", name="Reset password").or_(page.get_by_role("button", name="link")).first.wait_for()
    )


async def invite(page: Page) -> None:
    """Somebody new, up to the link."""
    await page.get_by_role("button", name="Add account").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill(f"ines{next(_NUMBERS)}")
    await dialog.get_by_role("radio", name="Auditor").click()
    await dialog.get_by_role("button", name="Add and make the link").click()
    await page.locator(".secret-text").wait_for()


async def invitation(page: Page) -> None:
    """As who was invited sees it, after a first try."""
    await invite(page)
    await page.goto(await page.locator(".secret-text").inner_text())
    await page.get_by_label("New password").fill("abcabcabcabc")
    await page.get_by_label("The same again").fill("abcabcabcabc")
    await page.get_by_role("button", name="Set password").click()
    await page.get_by_role("alert").wait_for()


async def nothing(_: Page) -> None:
    """As it opens."""


WIDE: dict[str, tuple[str, State]] = {
    "keys": ("/", nothing),
    "keys-staged": ("/", stage),
    "keys-review": ("/", review),
    "keys-selected": ("/", select),
    "keys-details": ("/", details),
    "keys-row-menu": ("/", row_menu),
    "keys-heading-menu": ("/", heading_menu),
    "keys-filter-menu": ("/?has=addlicense&lacks=search&staged=1", press("Filter")),
    "keys-columns-menu": ("/", press("Columns")),
    "keys-views-menu": ("/", press("Views")),
    "keys-palette": ("/", palette),
    "keys-presence": ("/", presence),
    "keys-help": ("/", lambda page: page.keyboard.press("?")),
    "keys-add": ("/", press("Add authkey")),
    "keys-issue": ("/", issue),
    "keys-plan": ("/", plan),
    "keys-none-found": ("/?search=nothing-has-this-name", nothing),
    "keys-as-it-was": ("/?as_of=1", nothing),
    "passphrases": ("/passphrases", nothing),
    "passphrases-details": ("/passphrases", details),
    "passphrases-add": ("/passphrases", press("Add passphrase")),
    "denied": ("/denied", nothing),
    "denied-tester": ("/denied", press("Try an access check")),
    "denied-none-found": ("/denied?search=nothing-has-this-name", nothing),
    "history": ("/history", nothing),
    "history-panel": ("/history", history_panel),
    "settings-account": ("/settings/account", nothing),
    "settings-sessions": ("/settings/sessions", nothing),
    "settings-accounts": ("/settings/accounts", nothing),
    "settings-add": ("/settings/accounts", press("Add account")),
    "settings-link": ("/settings/accounts", invite),
    "settings-manage": ("/settings/accounts", manage),
    "settings-access": ("/settings/access", nothing),
    "invitation": ("/settings/accounts", invitation),
    "invitation-refused": ("/invitation?token=none", nothing),
    "second-factor": ("/second-factor", nothing),
    "second-factor-confirm": ("/second-factor/confirm", nothing),
    "second-factor-codes": ("/second-factor/codes", nothing),
    "account-menu": ("/", press("Account: signed in as")),
    "no-page": ("/no-such-page", nothing),
}
# A phone has neither these columns nor these keys; its row is a card, and what is staged there was staged before.
_WIDE_ONLY = {
    "staged",
    "selected",
    "details",
    "row-menu",
    "heading-menu",
    "columns-menu",
    "palette",
    "help",
    "issue",
    "plan",
}
NARROW: dict[str, tuple[str, State]] = {
    **{name: state for name, state in WIDE.items() if name.partition("-")[2] not in _WIDE_ONLY},
    "keys-review": ("/", press("Review")),
    "keys-sheet": ("/", sheet),
}
EMPTY: dict[str, tuple[str, State]] = {
    "empty-keys": ("/", nothing),
    "empty-passphrases": ("/passphrases", nothing),
    "empty-denied": ("/denied", nothing),
}
APPROVALS: dict[str, tuple[str, State]] = {
    "approvals": ("/approvals", nothing),
    "approvals-to-decide": ("/approvals/1", nothing),
    "approvals-many": ("/approvals/2", nothing),
    "approvals-own": ("/approvals/3", nothing),
    "approvals-rejecting": ("/approvals/1", press("Reject")),
    "approvals-rejected": ("/approvals/4", nothing),
    "approvals-approved": ("/approvals/5", nothing),
    "approvals-asking": ("/?review=1", nothing),
}
STRANGER: dict[str, tuple[str, State]] = {"sign-in": ("/", nothing)}


async def session_of(browser: Browser, link: str) -> StorageState:
    """What a link that signs in leaves in a browser; it can be used once."""
    context = await browser.new_context()
    await (await context.new_page()).goto(link)
    return await context.storage_state()


async def photograph(
    browser: Browser,
    link: str,
    session: StorageState | None,
    folder: Path,
    states: dict[str, dict[str, tuple[str, State]]],
) -> int:
    """Every state at every size; how many could not be brought about, or scroll sideways."""
    found = 0
    home = link.partition("/launch")[0]
    for size, (width, height) in SIZES.items():
        is_phone = size == PHONE
        context = await browser.new_context(
            storage_state=session,
            viewport={"width": width, "height": height},
            has_touch=is_phone,
        )
        context.set_default_timeout(10_000)
        for name, (path, bring) in states["narrow" if is_phone else "wide"].items():
            page = await context.new_page()
            await page.goto(f"{home}{path}")
            await page.locator(".title, h1").first.wait_for()
            await page.wait_for_load_state("networkidle")
            try:
                await bring(page)
            except Exception as error:  # the next state shall be seen all the same
                found += 1
                print(f"{size} {name}: {str(error).splitlines()[0]}")
            await page.mouse.move(0, 0)
            for colours, media in COLOURS.items():
                await page.emulate_media(**media)  # type: ignore[arg-type]
                await page.screenshot(path=folder / f"{name}-{size}-{colours}.png", animations="disabled")
                if colours != "print" and (beside := await page.evaluate(SIDEWAYS)) > 0:
                    found += 1
                    print(f"{size} {name}, {colours}: {beside} px scroll sideways")
            await page.close()
        await context.close()
    return found


def chosen(states: dict[str, tuple[str, State]], names: list[str]) -> dict[str, tuple[str, State]]:
    """Those with one of these names, or all."""
    return {name: state for name, state in states.items() if not names or name in names}


async def main(folder: Path, names: list[str]) -> int:
    """Both consoles; how many states are not as they should be."""
    found = 0
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        with console("--demo") as link:
            session = await session_of(browser, link)
            for some, wide, narrow in ((session, WIDE, NARROW), (None, STRANGER, STRANGER)):
                states = {"wide": chosen(wide, names), "narrow": chosen(narrow, names)}
                found += await photograph(browser, link, some, folder, states)
        with tempfile.TemporaryDirectory() as place, console("--database", f"{place}/authkeys.db") as link:
            states = dict.fromkeys(("wide", "narrow"), chosen(EMPTY, names))
            found += await photograph(browser, link, await session_of(browser, link), folder, states)
        with tempfile.TemporaryDirectory() as place:
            database = f"{place}/authkeys.db"
            await approvals.fill(database)
            options = ("--database", database, "--four-eyes", "--four-eyes-removals", str(approvals.REMOVALS))
            with console(*options) as link:
                states = dict.fromkeys(("wide", "narrow"), chosen(APPROVALS, names))
                found += await photograph(browser, link, await session_of(browser, link), folder, states)
        await browser.close()
    return found


if __name__ == "__main__":
    into = Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    sys.exit(asyncio.run(main(into, sys.argv[2:])) > 0)
