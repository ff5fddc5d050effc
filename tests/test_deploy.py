"""The configurations in deploy/, as they are but for addresses and certificates, before the real program."""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, Response, expect

from models.privileges import privilege
from models.submissions import Assignment
from tests.browser import PATIENCE_MS, bar, box, choose, chromium, needs_chromium, sign_in
from tests.nginx import (
    caddy_tls,
    free_port,
    needs_caddy,
    needs_nginx,
    nginx_tls,
    running_caddy,
    running_nginx,
    self_signed,
)
from tests.program import PASSWORD, Program, add_admin, import_csv, running, write_csv

CONSOLE = "keys.example.com"
KEY = ("192.0.2.1", "billing")
DATABASE = "authkeys.db"
CLIENT, FORGED = "127.0.0.9", "203.0.113.9"


class Front:
    """A program behind a proxy: `url` is where the browser finds the console."""

    def __init__(self, server: Program, port: int, path: str = "") -> None:
        self.server = server
        self.url = f"https://{CONSOLE}:{port}{path}"
        self._tls = f"https://127.0.0.1:{port}{path}"

    def client(self, **headers: str) -> httpx.Client:
        """A client of the console at the address CLIENT."""
        headers["Host"] = self.url.split("/")[2]
        transport = httpx.HTTPTransport(local_address=CLIENT, verify=False)
        client = httpx.Client(base_url=self._tls, headers=headers, transport=transport)
        client.event_hooks["request"].append(lambda request: request.extensions.update(sni_hostname=CONSOLE))
        return client

    def recorded(self) -> list[str]:
        """From where somebody was refused, as it is on record."""
        with sqlite3.connect(self.server.database) as file:
            return [row[0] for row in file.execute("SELECT address FROM entry WHERE kind = 'sign-in refused'")]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with an authkey and the admin dana."""
    folder = tmp_path_factory.mktemp("filled")
    database = folder / DATABASE
    import_csv(str(database), write_csv(folder / "keys.csv", [Assignment(*KEY, privilege("listlicenses").mask)]))
    add_admin(str(database), "dana")
    return database


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    """A folder with a copy of that database."""
    with sqlite3.connect(filled) as source, sqlite3.connect(tmp_path / DATABASE) as target:
        source.backup(target)
    return tmp_path


@contextmanager
def behind_nginx(folder: Path, *, path: str = "", keeps_path: bool = False) -> Iterator[Front]:
    port, (certificate, key) = free_port(), self_signed(folder, CONSOLE)
    arguments = ["--trusted-proxy", "127.0.0.1", "--allowed-host", CONSOLE, *(["--root-path", path] if path else [])]
    with running(*arguments, database=str(folder / DATABASE)) as server:
        inner = server.url.removesuffix(path)
        replaced = {
            **nginx_tls(port, certificate, key),
            "http://127.0.0.1:8080;": f"{inner}{'' if keeps_path or not path else '/'};",
            "location / {": f"location {path}/ {{",
        }
        with running_nginx(CONSOLE, folder, replaced):
            yield Front(server, port, path=path)


@contextmanager
def behind_caddy(folder: Path) -> Iterator[Front]:
    port, (certificate, key) = free_port(), self_signed(folder, CONSOLE)
    with running("--trusted-proxy", "127.0.0.1", "--allowed-host", CONSOLE, database=str(folder / DATABASE)) as server:
        replaced = caddy_tls(CONSOLE, port, certificate, key) | {"127.0.0.1:8080": server.url.removeprefix("http://")}
        with running_caddy(CONSOLE, folder, replaced):
            yield Front(server, port)


@pytest.fixture(params=[pytest.param(behind_nginx, marks=needs_nginx), pytest.param(behind_caddy, marks=needs_caddy)])
def front(request: pytest.FixtureRequest, folder: Path) -> Iterator[Front]:
    with request.param(folder) as front:
        yield front


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium(f"--host-resolver-rules=MAP {CONSOLE} 127.0.0.1") as browser:
        yield browser


async def open_page(browser: Browser, front: Front) -> tuple[Page, Response]:
    page = await (await browser.new_context(ignore_https_errors=True)).new_page()
    page.set_default_timeout(PATIENCE_MS)
    answer = await page.goto(front.url)
    assert answer is not None
    return page, answer


# -- the console -------------------------------------------------------------------------------------------------------


@needs_chromium
async def test_an_admin_signs_in_over_tls_and_ticks_over_the_websocket(front: Front, browser: Browser) -> None:
    page, answer = await open_page(browser, front)
    assert await answer.header_value("strict-transport-security") == "max-age=31536000"
    async with page.expect_websocket() as socket:
        await sign_in(page, "dana")
    assert (await socket.value).url.startswith(f"wss://{CONSOLE}:")
    await box(page, *KEY).click()
    await expect(bar(page)).to_contain_text("1 change to 1 key")
    await page.reload()
    await expect(box(page, *KEY, staged=True)).to_be_checked()

    [cookie] = [each for each in await page.context.cookies() if "authkeys-theme" not in each["name"]]
    assert cookie["name"].startswith("__Host-")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")

    await choose(page, "Sign out")
    await expect(page).to_have_url(re.compile(rf"^{re.escape(front.url)}/sign-in(\?ended=1.*)?$"))
    with front.client(Cookie=f"{cookie['name']}={cookie['value']}") as client:
        assert client.get("/grid/rows").status_code == 401


def test_the_address_on_record_is_the_clients_whatever_it_claims(front: Front) -> None:
    forged = {"X-Forwarded-For": FORGED, "X-Real-IP": FORGED, "Forwarded": f"for={FORGED}"}
    with front.client(**forged) as client:
        answer = client.post("/sign-in", data={"name": "dana", "password": "wrong wrong wrong"})
    assert answer.status_code == 401
    assert front.recorded() == [CLIENT]


def test_the_proxy_says_itself_whether_the_connection_is_encrypted(front: Front) -> None:
    with front.client(**{"X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil"}) as client:
        answer = client.post("/sign-in", data={"name": "dana", "password": PASSWORD})
        assert answer.headers["location"] == "/"
        assert "secure" in answer.headers["set-cookie"].lower()
        page = client.get("/")
    assert page.status_code == 200
    assert "/evil" not in page.text


def test_a_name_that_the_server_does_not_have_gets_nothing(front: Front) -> None:
    with front.client() as client:
        client.headers["Host"] = "evil.example"
        # nginx, which has no other server to give it to, passes it on; Caddy answers itself, with nothing.
        answer = client.get("/sign-in")
    assert answer.status_code == 400 or answer.text == ""


def test_a_file_of_two_megabytes_that_is_dropped_on_the_page_arrives(front: Front) -> None:
    with front.client(Origin=front.url) as client:
        assert client.post("/sign-in", data={"name": "dana", "password": PASSWORD}).status_code == 303
        answer = client.post("/uploads", content=b"ip,service\n" + 100_000 * b"192.0.2.1,some-service\n")
    assert answer.json()["token"]


# -- below a path ------------------------------------------------------------------------------------------------------


@needs_nginx
@needs_chromium
@pytest.mark.parametrize("keeps_path", [False, True], ids=["the proxy takes the path away", "the proxy keeps it"])
async def test_below_a_path_everything_works(folder: Path, browser: Browser, keeps_path: bool) -> None:
    with behind_nginx(folder, path="/authkeys", keeps_path=keeps_path) as front:
        page, _ = await open_page(browser, front)
        missing: list[str] = []
        page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
        await expect(page).to_have_url(f"{front.url}/sign-in")
        async with page.expect_websocket() as socket:
            await sign_in(page, "dana")
        assert (await socket.value).url.startswith(front.url.replace("https:", "wss:") + "/_nicegui_ws/")
        await box(page, *KEY).click()
        await expect(bar(page)).to_contain_text("1 change to 1 key")
        await page.get_by_role("searchbox").fill(KEY[0])
        await expect(page).to_have_url(re.compile(rf"^{front.url}/\?"))
        await page.get_by_role("link", name="Pickup passphrases").click()
        await expect(page).to_have_url(f"{front.url}/passphrases")
        await page.get_by_role("link", name="Authorization keys").click()
        await expect(box(page, *KEY, staged=True)).to_be_checked()
        await choose(page, "Sign out")
        await expect(page).to_have_url(re.compile(rf"^{re.escape(front.url)}/sign-in(\?ended=1.*)?$"))
        assert missing == []
