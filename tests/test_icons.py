"""The pages' icons: `ui/static/icons.css` has those that they show, and no other font of icons is loaded."""

import ast
from collections.abc import Iterator
from pathlib import Path

from playwright.async_api import Browser

from models.submissions import Assignment
from tests.browser import needs_chromium, open_page
from tests.program import Program

UI = Path(__file__).parents[1] / "ui"
KEYS = [Assignment("192.0.2.1", "billing", 0)]
VIEWS = ("/", "/passphrases", "/denied", "/history")
_IS_ONE_SIGN = "icon => icon.getBoundingClientRect().width <= parseFloat(getComputedStyle(icon).fontSize) + 1"


def named_icons() -> Iterator[str]:
    """Those that the code names: as `icon=`, and what `ui.icon` is given."""
    for path in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            given = [each.value for each in node.keywords if each.arg == "icon"]
            if isinstance(node.func, ast.Attribute) and node.func.attr == "icon":
                given += node.args[:1]
            yield from (str(each.value) for each in given if isinstance(each, ast.Constant))


def test_every_icon_that_the_code_names_is_in_the_style_sheet() -> None:
    heading = (UI / "static" / "icons.css").read_text().splitlines()[0]
    missing = set(named_icons()) - set(heading.split())
    assert not missing, 'Run: uv run --with "fonttools[woff]" docs/icons.py'


@needs_chromium
async def test_icons_are_drawn_without_the_whole_font(browser: Browser, server: Program) -> None:
    for path in VIEWS:
        page = await open_page(browser, server)
        await page.goto(server.url + path)
        await page.locator(".q-icon:visible").first.wait_for()
        await page.evaluate("document.fonts.ready")
        shown = await page.locator(".q-icon:visible").all()
        assert [await icon.inner_text() for icon in shown if not await icon.evaluate(_IS_ONE_SIGN)] == [], path
        loaded = "performance.getEntriesByType('resource').map(each => each.name)"
        fonts = [url for url in await page.evaluate(loaded) if url.endswith(".woff2")]
        assert len(fonts) <= 1, f"{path}: {fonts}"  # the letters of Roboto
