"""Make the README's pictures from the real app: `uv run docs/screenshots.py`.

Starts `main.py --demo`, stages some changes in headless Chromium (Debian's) as a person would, and photographs the page. A
service has a Japanese name: without `apt-get install fonts-noto-cjk` it shows as boxes.
"""

import asyncio
from pathlib import Path

from playwright.async_api import Page, async_playwright
from running import console

HERE = Path(__file__).parent
PASSPHRASE_TICKS = ("0/addlicense", "1/listlicenses", "3/remove")
TICKS = ("0/explisc", "2/secverify", "4/addlicense", "5/manageauthkeys", "7/listlicenses", "9/remove")


async def main() -> None:
    """Start the demo, take one picture in light and one in dark, end the demo."""
    async with async_playwright() as playwright:
        with console("--demo") as link:
            home = link.partition("/launch")[0]
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = await browser.new_page(viewport={"width": 1440, "height": 900})
            await page.goto(link)
            await _stage(page)
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)
                await page.screenshot(path=HERE / f"page-{scheme}.png", animations="disabled")
            await page.emulate_media(color_scheme="light")
            await page.goto(f"{home}/passphrases")
            for tick in PASSPHRASE_TICKS:
                await _tick(page, tick)
            await page.get_by_text("3 changes to 3 passphrases").first.wait_for()
            await page.get_by_role("button", name="Review").click()
            await page.locator(".review-item").first.wait_for()
            await page.mouse.move(0, 0)
            await page.screenshot(path=HERE / "passphrases.png", animations="disabled")
            await page.goto(home)
            await page.get_by_role("button", name="Submit authkey modifications").click()
            await page.locator(".review-foot .q-btn").click()  # there are removals among them
            await page.get_by_text("Applied 6 changes to 6 keys").first.wait_for()
            await page.goto(f"{home}/history")
            await page.locator('.ag-row [col-id="what"]').first.click()
            await page.get_by_role("button", name="Undo…").click()
            await page.get_by_role("button", name="Stage 6 changes").wait_for()
            await page.mouse.move(0, 0)
            await page.screenshot(path=HERE / "history.png", animations="disabled")
            await browser.close()


async def _stage(page: Page) -> None:
    for tick in TICKS:
        await _tick(page, tick)
    await page.get_by_text("6 changes to 6 keys").first.wait_for()
    await page.get_by_role("button", name="Review").click()
    await page.locator(".review-item").first.wait_for()
    await page.mouse.move(0, 0)


async def _tick(page: Page, tick: str) -> None:
    row, column = tick.split("/")
    await page.locator(f'.ag-row[row-index="{row}"] [col-id="{column}"] input').click()


if __name__ == "__main__":
    asyncio.run(main())
