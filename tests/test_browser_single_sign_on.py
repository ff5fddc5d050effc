"""Single sign-on as a person sees it in Chromium, at two providers: ours of authlib's server side, and oidc-provider-mock."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import oidc_provider_mock
import pytest
from playwright.async_api import Browser, Page, expect

from models.privileges import privilege
from models.submissions import Assignment
from storage.database import DatabaseLocation
from tests.browser import axe_finds_nothing, box, choose, needs_chromium, open_sign_in
from tests.browser import sign_in as sign_in_with_password
from tests.oidc_provider import ADMINS, AUDITORS, OidcProvider
from tests.program import Program, add_admin, import_csv, running, serving, write_csv
from tests.test_single_sign_on_http import CALLBACK, LOGOUT, options

pytestmark = needs_chromium

KEY = Assignment("192.0.2.1", "billing", privilege("listlicenses").mask)
FIRST = ("192.0.2.1", "billing")
AT_SIGN_IN = re.compile(r"/sign-in(\?.*)?$")


@pytest.fixture
def server(provider: OidcProvider, tmp_path: Path) -> Iterator[Program]:
    more = ("--oidc-auditors", AUDITORS)
    with serving(
        tmp_path, *options(provider, tmp_path), *more, keys=[KEY], accounts=[("ben",)], sign_in=False
    ) as program:
        provider.redirect_uris = {f"{program.url}{CALLBACK}"}
        yield program


async def go_there(page: Page) -> None:
    await page.get_by_role("link", name="Sign in with Company & Sons").click()


async def sign_in(page: Page) -> None:
    await go_there(page)
    await page.get_by_role("button", name="Sign in as the person").click()


async def test_a_person_signs_in_at_the_provider_and_is_signed_out_by_it(
    server: Program, provider: OidcProvider, browser: Browser
) -> None:
    page = await open_sign_in(browser, server, "/?search=billing")
    await axe_finds_nothing(page, "the page to sign in with a provider")
    await sign_in(page)
    await expect(page).to_have_url(f"{server.url}/?search=billing")
    await expect(box(page, *FIRST)).to_be_enabled()
    await expect(page.get_by_role("button", name="Account: signed in as dana")).to_be_visible()
    async with httpx.AsyncClient() as back_channel:
        token = provider.logout_token(sub="subject-of-dana")
        assert (await back_channel.post(server.url + LOGOUT, data={"logout_token": token})).status_code == 200
    await expect(page).to_have_url(AT_SIGN_IN)
    await expect(page.get_by_role("status")).to_contain_text("Your session has ended")


async def test_at_the_second_sign_in_the_role_is_what_the_provider_says_then(
    server: Program, provider: OidcProvider, browser: Browser
) -> None:
    page = await open_sign_in(browser, server)
    await sign_in(page)
    await expect(box(page, *FIRST)).to_be_enabled()
    await choose(page, "Sign out")
    provider.person["groups"] = [AUDITORS]
    await sign_in(page)
    await expect(page.get_by_text("auditor").first).to_be_visible()
    await choose(page, "Sign out")
    provider.person["groups"] = []
    await sign_in(page)
    await expect(page.get_by_role("alert")).to_contain_text("has not made you an admin or an auditor")


async def test_who_says_no_there_is_told_and_signs_in_with_a_password_when_the_provider_is_down(
    server: Program, provider: OidcProvider, browser: Browser
) -> None:
    page = await open_sign_in(browser, server)
    provider.denies = "access_denied"
    await sign_in(page)
    await expect(page.get_by_role("alert")).to_contain_text("did not let you in here")
    provider.is_down = True
    await page.goto(f"{server.url}/sign-in")
    await sign_in_with_password(page, "ben")
    await expect(box(page, *FIRST)).to_be_enabled()


async def test_a_sign_in_that_began_at_one_instance_ends_at_another(
    postgres_database: DatabaseLocation, provider: OidcProvider, browser: Browser, tmp_path: Path
) -> None:
    database = postgres_database.text
    import_csv(database, write_csv(tmp_path / "keys.csv", [KEY]))
    add_admin(database, "ben")
    told = [*options(provider, tmp_path), "--host", "0.0.0.0", "--secret-file", str(tmp_path / "secret")]
    with running(*told, database=database) as one, running(*told, database=database) as other:
        provider.redirect_uris = {f"http://127.0.0.1:{one.port}{CALLBACK}"}
        provider.way_back = lambda url: url.replace(f":{one.port}/", f":{other.port}/")
        page = await (await browser.new_context()).new_page()
        await page.goto(f"http://127.0.0.1:{one.port}/sign-in")
        await sign_in(page)
        await expect(page).to_have_url(f"http://127.0.0.1:{other.port}/")
        await expect(box(page, *FIRST)).to_be_enabled()
        async with httpx.AsyncClient() as back_channel:
            token = provider.logout_token(sid="session-of-dana")
            url = f"http://127.0.0.1:{one.port}{LOGOUT}"
            assert (await back_channel.post(url, data={"logout_token": token})).status_code == 200
            await expect(page).to_have_url(AT_SIGN_IN)
            again = await back_channel.post(f"http://127.0.0.1:{other.port}{LOGOUT}", data={"logout_token": token})
            assert "it was used already" in again.json()["error_description"]


async def test_a_provider_that_others_wrote_signs_people_in_too(
    provider: OidcProvider, browser: Browser, tmp_path: Path
) -> None:
    people = [
        oidc_provider_mock.User(
            sub="42", claims={"preferred_username": "erin", "groups": [ADMINS], "email": "erin@example.com"}
        )
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=people, require_nonce=True) as mock:
        provider.issuer = f"http://localhost:{mock.server_port}"
        told = options(provider, tmp_path)  # any secret is right there
        with serving(tmp_path, *told, keys=[KEY], accounts=[("ben",)], sign_in=False) as server:
            page = await open_sign_in(browser, server)
            await go_there(page)
            await page.get_by_role("button", name="42").click()
            await expect(page.get_by_role("button", name="Account: signed in as erin")).to_be_visible()
            await expect(box(page, *FIRST)).to_be_enabled()
