"""The whole life of an authkey, with a real browser open: once through nginx, once through the gateway."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.backend import running_backend
from tests.browser import add_passphrase, bar, box, needs_chromium, open_page, submit_reviewed
from tests.databases import copy_of_tables
from tests.nginx import free_port, needs_nginx, nginx_tls, running_nginx, self_signed
from tests.program import Program, run, running

pytestmark = [needs_chromium, needs_nginx]

IP, SERVICE = "127.0.0.1", "billing"
SITE = "api.example.com"
PASSWORD = "vexing-marble-otter"


@pytest.fixture
def backend() -> Iterator[int]:
    with running_backend() as port:
        yield port


def call(
    url: str, address: str, *, data: dict[str, str] | None = None, auth: tuple[str, str] | None = None
) -> httpx.Response:
    """Call as the server at this loopback address does."""
    transport = httpx.HTTPTransport(local_address=address, verify=False)
    with httpx.Client(transport=transport) as client:
        return client.post(url, data=data, auth=auth) if data is not None else client.get(url, auth=auth)


async def make_passphrase(page: Page, url: str) -> str:
    await page.goto(f"{url}/passphrases")
    return await add_passphrase(page)


def register(url: str, phrase: str) -> str:
    """Register as an administrator does it by hand, with curl; the key."""
    form = {"user": "alice", "service": SERVICE, "pickup": phrase, "output": "json"}
    fields = [part for name, value in form.items() for part in ("--data-urlencode", f"{name}={value}")]
    answer = subprocess.run(
        ["curl", "-ksS", f"{url}/XMLregisterAuth.cgi", *fields], capture_output=True, text=True, check=True
    )
    key: str = httpx.Response(200, text=answer.stdout).json()["key"]
    return key


async def lives(
    browser: Browser, server: Program, front: str, passes: Callable[[str, str], bool], phrase: str, page: Page
) -> None:
    """From the row that appears to the call that is refused at once; `passes` calls with a key from an address."""
    key = register(front, phrase)
    await expect(box(page, IP, SERVICE)).to_be_visible()
    assert not passes(key, IP)
    await box(page, IP, SERVICE).click()
    await page.get_by_role("button", name="Submit authkey modifications").click()
    await expect(bar(page)).to_contain_text("Applied 1 change to 1 key")
    assert passes(key, IP)
    assert not passes(key, "127.0.0.2")
    await box(page, IP, SERVICE, "Remove?").click()
    await submit_reviewed(page)
    await expect(bar(page)).to_contain_text("Applied 1 change to 1 key")
    assert not passes(key, IP)

    await page.goto(f"{server.url}/denied")
    for reason in ("does not have this privilege", "belongs to another IP address", "This authkey was removed"):
        await expect(page.get_by_text(reason).first).to_be_visible()


async def test_through_the_gateway_with_the_key_in_a_post_body(tmp_path: Path, browser: Browser, backend: int) -> None:
    database = copy_of_tables(tmp_path / "authkeys.db").text
    with running("--backend", f"http://127.0.0.1:{backend}", database=database) as server:
        page = await open_page(browser, server)
        phrase = await make_passphrase(page, server.url)
        await page.goto(server.url)

        def passes(key: str, address: str) -> bool:
            data = {"output": "json", "apikey": key, "ip": "192.0.2.10"}
            answer = call(f"{server.url}/XMLlookup.cgi", address, data=data)
            assert answer.status_code == 200
            assert key not in answer.text
            assert (answer.json()["status"] == 1) is (answer.json().get("caller") == SERVICE)
            return bool(answer.json()["status"])

        await lives(browser, server, server.url, passes, phrase, page)


async def test_through_nginx(tmp_path: Path, browser: Browser, backend: int) -> None:
    database, port = copy_of_tables(tmp_path / "authkeys.db").text, free_port()
    certificate, key_file = self_signed(tmp_path, SITE)
    added = run("--database", database, "admin", "add", "alice2", given=f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    with (
        running("--trusted-proxy", "127.0.0.1", database=database) as server,
        running_nginx(
            SITE,
            tmp_path,
            nginx_tls(port, certificate, key_file) | {":8080": f":{server.port}", ":9000": f":{backend}"},
        ),
    ):
        page = await (await browser.new_context()).new_page()
        page.set_default_timeout(20_000)
        await page.goto(server.url)
        await page.get_by_label("Name").fill("alice2")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_text("There are no authorization keys")).to_be_visible()
        phrase = await make_passphrase(page, server.url)
        await page.goto(server.url)
        front, log = f"https://127.0.0.1:{port}", tmp_path / "authkeys.log"

        def passes(key: str, address: str) -> bool:
            answers = [
                call(f"{front}/XMLlookup.cgi?output=json", address, auth=("alice", key)),
                call(f"{front}/XMLlookup.cgi?output=json&apikey={key}", address),
            ]
            passed = {answer.json()["status"] == 1 for answer in answers}
            assert key not in log.read_text()
            assert len(passed) == 1
            return passed.pop()

        await lives(browser, server, front, passes, phrase, page)
        assert "GET /XMLlookup.cgi" in log.read_text()
        assert phrase not in log.read_text()
