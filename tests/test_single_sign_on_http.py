"""Single sign-on over HTTP, on the real program: what the gate lets pass, cookies, origins, and a provider that is away."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.oidc_provider import ADMINS, CLIENT_ID, CLIENT_SECRET, OidcProvider, oidc_provider
from tests.program import PASSWORD, Program, run, serving, stranger
from tests.waiting import soon

START, CALLBACK, LOGOUT = "/sign-in/provider", "/sign-in/provider/callback", "/sign-in/provider/logout"


def options(provider: OidcProvider, folder: Path) -> list[str]:
    """The options of a server that knows this provider."""
    secret = folder / "client-secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{CLIENT_SECRET}\n")
    told = {
        "issuer": provider.issuer,
        "client-id": CLIENT_ID,
        "secret-file": str(secret),
        "name": "Company & Sons",
        "admins": ADMINS,
    }
    return [word for name, value in told.items() for word in (f"--oidc-{name}", value)]


@pytest.fixture(scope="module")
def at() -> Iterator[OidcProvider]:
    with oidc_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def server(at: OidcProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, *options(at, folder), "--trusted-proxy", "127.0.0.1", accounts=[("ben",)]) as program:
        yield program


def go_there(client: httpx.Client, at: OidcProvider, path: str = START) -> str:
    """Start a sign-in, and sign in at the provider; returns where it sends the browser back to."""
    started = client.get(path)
    assert started.status_code == 303, started.text
    asked = parse_qs(urlsplit(started.headers["location"]).query)
    at.redirect_uris = set(asked["redirect_uri"])
    return httpx.post(started.headers["location"]).headers["location"]


def record(server: Program) -> str:
    return run("--database", server.database, "admin", "record", "--lines", "1").stdout


def test_a_browser_goes_there_and_comes_back_signed_in_to_the_page_that_it_wanted(
    server: Program, at: OidcProvider
) -> None:
    with stranger(
        server, **{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}
    ) as client:
        back = go_there(client, at, f"{START}?next=/history%3Fwhat%3Dkeys")
        assert back.startswith(f"{server.url}{CALLBACK}?code=")
        [attempt] = client.cookies.jar
        assert attempt.name.endswith("-sso")
        assert "HttpOnly" in attempt._rest  # type: ignore[attr-defined]
        arrived = client.get(back, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
        assert (arrived.status_code, arrived.headers["location"]) == (303, "/history?what=keys")
        assert [each.name for each in client.cookies.jar] == [attempt.name.removesuffix("-sso")]
        assert client.get("/history", headers={"Accept": "text/html"}).status_code == 200
        again = client.get(back)
        assert again.status_code == 403
        assert "not started in this browser" in again.text
    assert "signed in by SSO" in run("--database", server.database, "admin", "record").stdout
    assert "Firefox on Linux" in run("--database", server.database, "admin", "sessions", "dana").stdout


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_on_to_another_site(server: Program, at: OidcProvider, wanted: str) -> None:
    with stranger(server) as client:
        started = client.get(START, params={"next": wanted})
        at.redirect_uris = set(parse_qs(urlsplit(started.headers["location"]).query)["redirect_uri"])
        back = httpx.post(started.headers["location"]).headers["location"]
        assert client.get(back).headers["location"] == "/"


def test_the_page_to_sign_in_has_a_button_for_it(server: Program) -> None:
    with stranger(server) as client:
        page = client.get("/sign-in", params={"next": '/history?a="b'})
    assert 'href="/sign-in/provider?next=/history%3Fa%3D%22b">Sign in with Company &amp; Sons</a>' in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]


def test_the_address_for_the_provider_is_the_one_that_the_browser_sees(server: Program) -> None:
    def redirect_uri(**headers: str) -> str:
        with stranger(server, **headers) as client:
            return parse_qs(urlsplit(client.get(START).headers["location"]).query)["redirect_uri"][0]

    assert redirect_uri() == f"{server.url}{CALLBACK}"
    assert redirect_uri(**{"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}).startswith(
        "https://127.0.0.1:"
    )
    with stranger(server, Host="evil.example") as client:
        assert client.get(START).status_code == 400


def test_over_tls_the_cookie_of_an_attempt_can_be_planted_by_nobody(server: Program) -> None:
    with stranger(server, **{"X-Forwarded-Proto": "https"}) as client:
        cookie = client.get(START).headers["set-cookie"]
    assert cookie.startswith("__Host-authkeys-")
    for part in ("HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax", "Secure"):
        assert part in cookie


def test_pages_of_other_sites_cannot_ask_for_it_and_that_they_tried_is_on_record(server: Program) -> None:
    for method, path, headers in (
        ("GET", CALLBACK, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
        ("POST", LOGOUT, {"Origin": "https://evil.example"}),
        ("POST", "/sign-in", {"Origin": "https://evil.example"}),
    ):
        with stranger(server, **headers) as client:
            assert client.request(method, path).status_code == 403
    assert "asked for by another site" in record(server)


@pytest.mark.parametrize(("method", "path"), [("POST", START), ("HEAD", START), ("POST", CALLBACK), ("GET", LOGOUT)])
def test_only_what_is_needed_is_answered_without_a_session(server: Program, method: str, path: str) -> None:
    with stranger(server) as client:
        for other in (path, f"{path}/more", f"{path}/"):
            assert client.request(method, other).status_code == 401


def test_the_provider_signs_somebody_out_and_the_session_is_over(server: Program, at: OidcProvider) -> None:
    with stranger(server) as client, stranger(server) as provider:
        assert client.get(go_there(client, at)).status_code == 303
        assert client.get("/history", headers={"Accept": "text/html"}).status_code == 200
        refused = provider.post(LOGOUT, data={"logout_token": "made.up.token"})
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_request"
        done = provider.post(LOGOUT, data={"logout_token": at.logout_token(sub="subject-of-dana")})
        assert (done.status_code, done.headers["cache-control"]) == (200, "no-store")
        assert client.get("/history", headers={"Accept": "text/html"}).status_code == 303


def test_a_server_without_a_provider_says_so(tmp_path: Path) -> None:
    with serving(tmp_path) as program, stranger(program) as client:
        for method, path in (("GET", START), ("GET", CALLBACK), ("POST", LOGOUT)):
            answer = client.request(method, path)
            assert answer.status_code == 404
            assert "--oidc-issuer" in answer.text
        assert "Sign in with" not in client.get("/sign-in").text


def test_while_the_provider_is_away_the_server_starts_and_local_accounts_sign_in(tmp_path: Path) -> None:
    with oidc_provider() as gone:
        told = options(gone, tmp_path)
    with serving(tmp_path, *told, accounts=[("ben",)]) as program, stranger(program) as client:
        assert soon(lambda: "Single sign-on:" in program.complaints())
        assert "does not answer" in program.complaints()
        assert CLIENT_SECRET not in program.complaints()
        answer = client.get(START)
        assert answer.status_code == 503
        assert "cannot be used to sign in at the moment" in answer.text
        assert client.post("/sign-in", data={"name": "ben", "password": PASSWORD}).status_code == 303


def test_below_a_root_path_all_addresses_are_below_it(at: OidcProvider, tmp_path: Path) -> None:
    below = ("--root-path", "/authkeys")
    with serving(tmp_path, *options(at, tmp_path), *below, accounts=[("ben",)]) as program, stranger(program) as client:
        client.base_url = httpx.URL(program.url.removesuffix("/authkeys"))
        assert 'href="/authkeys/sign-in/provider?next=/"' in client.get("/authkeys/sign-in").text
        back = go_there(client, at, f"/authkeys{START}")
        assert back.startswith(f"{program.url}{CALLBACK}?")
        assert client.get(back).headers["location"] == "/authkeys/"
