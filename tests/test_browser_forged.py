"""A browser that sends whatever it likes: it is refused, and the windows of others go on as if nothing was."""

from playwright.async_api import Browser, Page, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import bar, box, needs_chromium, open_page, open_sign_in, sign_in
from tests.program import Program

pytestmark = needs_chromium

KEYS = [Assignment(f"192.0.2.{n}", "billing", privilege("listlicenses").mask) for n in range(1, 41)]
FIRST = ("192.0.2.1", "billing")

HUGE = "Array.from({length: 100_000}, (_, n) => n)"
DEEP = "JSON.parse('['.repeat(20_000) + ']'.repeat(20_000))"
LONG = "'x'.repeat(900_000)"
TOO_LONG = "'x'.repeat(3_000_000)"
CLAIMS = [
    *(f"{{seq: 1, id: 1, column: 'search', value: {each}}}" for each in (HUGE, DEEP, LONG, "1", "'true'", "null")),
    *(f"{{seq: 1, id: {each}, column: 'search', value: true}}" for each in (HUGE, DEEP, LONG, "'1'", "1.5", "1e300")),
    *(f"{{seq: 1, id: 1, column: {each}, value: true}}" for each in (HUGE, DEEP, LONG, "{a: {b: 1}}", "null")),
    *(f"{{seq: {each}, id: 1, column: 'search', value: true}}" for each in (HUGE, DEEP, "'1'", "-1", "1e300")),
    *(HUGE, DEEP, LONG, TOO_LONG, "null", "undefined", "true", "[]", "{}"),
]


ACCOUNTS = (("mallory",),)


async def mallorys_page(browser: Browser, server: Program) -> Page:
    page = await open_sign_in(browser, server)
    await sign_in(page, "mallory")
    await page.locator('.ag-row [col-id="ip"]:not(:empty)').first.wait_for()
    return page


async def ticks(page: Page, number: int) -> None:
    """A tick is stored and counted."""
    await box(page, f"192.0.2.{number}", "billing").click()
    await expect(bar(page)).to_contain_text(f"{number} change{'s' * (number > 1)} to")


async def test_forged_events_of_any_size_shape_and_number_are_refused_and_others_go_on(
    server: Program, browser: Browser
) -> None:
    honest, forging = await open_page(browser, server), await mallorys_page(browser, server)
    await ticks(honest, 1)

    for event in ("tick", "sorted", "menu", "shortcut"):
        for claim in CLAIMS:
            await forging.evaluate(f"emitEvent('{event}', {claim})")
    await ticks(honest, 2)

    # A thousand at once: of existing keys, of invented ones, and of nothing at all.
    await forging.evaluate(
        """() => {
            for (let n = 1; n <= 1000; n++) {
                emitEvent("tick", {seq: n, id: n % 3 ? 10**9 + n : "no", column: n % 2 ? "search" : "drop", value: true});
                emitEvent("shortcut", {name: "undo"});
            }
        }"""
    )
    await ticks(honest, 3)
    await ticks(honest, 4)

    # The socket's own messages, forged too.
    await forging.evaluate(
        """() => {
            for (let n = 0; n < 300; n++) {
                window.socket.emit("event", {client_id: "nobody", id: n});
                window.socket.emit("event", {client_id: window.clientId, id: n, listener_id: "none", args: "{"});
                window.socket.emit("javascript_response", {client_id: window.clientId, request_id: n});
                window.socket.emit("log", {client_id: window.clientId, level: "error", message: "forged\\nline"});
                window.socket.emit("ack", {client_id: window.clientId, next_message_id: "x"});
            }
        }"""
    )
    await ticks(honest, 5)
    await expect(box(honest, *FIRST, staged=True)).to_be_checked()
    again = await mallorys_page(browser, server)
    await expect(bar(again)).to_contain_text("No staged changes")
    await box(again, *FIRST).click()
    await expect(bar(again)).to_contain_text("1 change to 1 key")
    assert server.process.poll() is None
