"""Files of the page: compressed as well as the browser takes it, and kept by it for ever."""

import gzip
from pathlib import Path

import brotli
import httpx
import pytest
from playwright.async_api import Browser
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from models.submissions import Assignment
from tests.browser import needs_chromium
from tests.program import Program
from tests.waiting import eventually
from ui.shell.frame import STATIC_PATH
from web.lasting_files import LastingFiles, accepted

KEYS = [Assignment(f"10.0.{n >> 8}.{n & 255}", "billing", n % 512) for n in range(1_000)]
MOST_BYTES = 700_000
"""That a first visit may transfer"""
SCRIPT = b"export const answer = 42;\n" * 400


class Application:
    """Answers every path; `asked` is how often."""

    def __init__(self, cache_control: str = "public, max-age=31536000", status: int = 200) -> None:
        self.asked = 0
        self._headers = {"Cache-Control": cache_control}
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        answer = Response(SCRIPT, self._status, media_type="text/javascript", headers=self._headers)
        await answer(scope, receive, send)


def browser_of(files: LastingFiles) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(files), base_url="http://authkeys")


async def raw(client: httpx.AsyncClient, path: str, accept_encoding: str) -> tuple[str, bytes]:
    """The content coding of an answer, and its body as it came."""
    async with client.stream("GET", path, headers={"Accept-Encoding": accept_encoding}) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])
    return answer.headers.get("content-encoding", "identity"), body


@pytest.mark.parametrize(
    ("accept_encoding", "best"),
    [
        ("gzip, deflate, br, zstd", {"identity", "gzip", "br"}),
        ("gzip", {"identity", "gzip"}),
        ("", {"identity"}),
        ("BR;Q=0.5, gzip; q=0", {"identity", "br"}),
        ("br;q=0.000, *", {"identity", "gzip"}),
        ("*;q=0, br;q=1", {"identity", "br"}),
    ],
)
def test_only_what_a_browser_takes_is_sent(accept_encoding: str, best: set[str]) -> None:
    assert set(accepted(accept_encoding, ["identity", "gzip", "br"])) == best


async def test_a_file_is_asked_of_the_application_once_and_sent_in_the_smallest_form(tmp_path: Path) -> None:
    application = Application()
    files = LastingFiles(application, lambda _: True, tmp_path)
    async with browser_of(files) as client:
        for accept_encoding, coding, decode in (
            ("gzip, br", "br", brotli.decompress),
            ("gzip", "gzip", gzip.decompress),
        ):
            assert (await raw(client, "/a.js", accept_encoding))[0] == coding
            assert decode((await raw(client, "/a.js", accept_encoding))[1]) == SCRIPT
        assert await raw(client, "/a.js", "") == ("identity", SCRIPT)
        # Ranges and conditions of one browser must not become the answer for all.
        whole = await client.get("/b.js", headers={"Range": "bytes=0-3", "If-None-Match": "*"})
    assert (whole.status_code, whole.content, application.asked) == (200, SCRIPT, 2)
    assert whole.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert whole.headers["vary"] == "Accept-Encoding"


async def test_the_best_is_made_meanwhile_and_found_again_by_the_next_process(tmp_path: Path) -> None:
    best = brotli.compress(SCRIPT, quality=11)
    async with browser_of(LastingFiles(Application(), lambda _: True, tmp_path)) as client:
        await client.get("/a.js")
        await eventually(lambda: [each.read_bytes() for each in tmp_path.glob("*.br")] == [best])
        assert await raw(client, "/a.js", "br") == ("br", best)
    async with browser_of(LastingFiles(Application(), lambda _: True, tmp_path)) as client:
        assert await raw(client, "/a.js", "br") == ("br", best)


@pytest.mark.parametrize("planted", [b"no brotli at all", brotli.compress(b"alert('mine')")])
async def test_what_was_planted_among_the_stored_files_is_never_sent(tmp_path: Path, planted: bytes) -> None:
    async with browser_of(LastingFiles(Application(), lambda _: True, tmp_path)) as client:
        await client.get("/a.js")
        await eventually(lambda: list(tmp_path.glob("*.br")) != [])
    [stored] = tmp_path.glob("*.br")
    stored.write_bytes(planted)
    async with browser_of(LastingFiles(Application(), lambda _: True, tmp_path)) as client:
        assert brotli.decompress((await raw(client, "/a.js", "br"))[1]) == SCRIPT


async def test_without_a_place_to_store_them_files_are_sent_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with browser_of(LastingFiles(Application(), lambda _: True, tmp_path / "file" / "cache")) as client:
        assert brotli.decompress((await raw(client, "/a.js", "br"))[1]) == SCRIPT


@pytest.mark.parametrize("application", [Application(status=404), Application("no-store"), Application("max-age=60")])
async def test_what_may_change_is_asked_each_time(tmp_path: Path, application: Application) -> None:
    async with browser_of(LastingFiles(application, lambda _: True, tmp_path)) as client:
        for _ in range(2):
            await client.get("/a.js")
    assert application.asked == 2


def test_every_script_and_style_sheet_of_ours_comes_compressed_and_to_be_kept(server: Program) -> None:
    static = Path(__file__).parents[1] / "ui" / "static"
    with httpx.Client(base_url=server.url, cookies=dict([server.cookie])) as client:
        for file in sorted(static.iterdir()):
            answer = client.get(f"{STATIC_PATH}/{file.name}", headers={"Accept-Encoding": "gzip, br"})
            assert answer.headers["cache-control"].endswith("immutable"), file
            assert answer.headers["content-security-policy"], file
            assert answer.content == file.read_bytes()
            assert answer.headers["content-encoding"] == "br" or file.stat().st_size < 200, file


def test_files_are_for_who_is_signed_in(server: Program) -> None:
    with httpx.Client(base_url=server.url, cookies=dict([server.cookie])) as client:
        assert client.get(f"{STATIC_PATH}/main.js").status_code == 200
    assert httpx.get(f"{server.url}{STATIC_PATH}/main.js").status_code == 401


@needs_chromium
async def test_a_first_visit_transfers_no_more_than_it_must(browser: Browser, server: Program) -> None:
    name, value = server.cookie
    context = await browser.new_context()
    await context.add_cookies([{"name": name, "value": value, "url": server.url}])
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    async with page.expect_websocket():
        await page.goto(server.url)
    await page.locator('.ag-row[row-index="0"] input[type=checkbox]').first.wait_for()
    await page.evaluate("document.fonts.ready")
    assert len(sizes) > 30
    assert sum(sizes) <= MOST_BYTES
