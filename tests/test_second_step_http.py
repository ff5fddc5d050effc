"""Second factors over HTTP: what a half-done sign-in opens, to whom, and what a session opens that is for adding a factor only."""

import re
from collections.abc import Iterator

import httpx
import pyotp
import pytest

from tests.factors import codes_in
from tests.program import PASSWORD, Program, run, serving, stranger

ACCOUNTS = [("dana",), ("ben",)]
BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(
        tmp_path_factory.mktemp("factors"),
        "--require-second-factor",
        "--backend",
        "http://127.0.0.1:9",
        accounts=ACCOUNTS,
    ) as program:
        yield program


@pytest.fixture(scope="module")
def app(server: Program) -> pyotp.TOTP:
    """Of dana, who has set it up."""
    with stranger(server, **BROWSER) as dana:
        assert give_password(dana, "dana").headers["location"] == "/second-factor"
        return set_up(dana)


def give_password(client: httpx.Client, name: str, to: str = "/") -> httpx.Response:
    return client.post("/sign-in", data={"name": name, "password": PASSWORD, "next": to})


def set_up(client: httpx.Client) -> pyotp.TOTP:
    page = client.get("/second-factor/codes").text
    (draft,) = re.findall(r'name="draft" value="([^"]+)"', page)
    (secret,) = re.findall(r'id="secret">([^<]+)<', page)
    app = pyotp.TOTP(secret.replace(" ", ""))
    answer = client.post("/second-factor/codes", data={"draft": draft, "code": app.now()})
    assert len(codes_in(answer.text)) == 10
    assert "no-store" in answer.headers["cache-control"]
    return app


def test_the_right_password_alone_opens_nothing(server: Program, app: pyotp.TOTP) -> None:
    with stranger(server, **BROWSER) as dana:
        answer = give_password(dana, "dana", "/history")
        assert answer.headers["location"] == "/sign-in/second-factor?next=%2Fhistory"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Max-Age=300" in cookie
        assert dana.get("/").headers["location"] == "/sign-in"
        assert dana.get("/second-factor").headers["location"].startswith("/sign-in?next=")
        assert "Code of your app" in dana.get("/sign-in/second-factor").text


def test_a_second_step_is_of_the_browser_that_gave_the_password(server: Program, app: pyotp.TOTP) -> None:
    with stranger(server, **BROWSER) as dana, stranger(server, **BROWSER) as another:
        give_password(dana, "dana")
        answer = another.post("/sign-in/second-factor", data={"code": app.now()})
        assert answer.status_code == 401
        assert "Sign in again" in answer.text
        assert another.post("/sign-in/second-factor/passkey").status_code == 401


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_it_leads_nowhere_else(server: Program, app: pyotp.TOTP, to: str) -> None:
    with stranger(server, **BROWSER) as dana:
        assert give_password(dana, "dana", to).headers["location"] == "/sign-in/second-factor?next=%2F"
        assert "evil" not in dana.get("/sign-in/second-factor", params={"next": to}).text


def test_another_site_cannot_send_these_forms(server: Program, app: pyotp.TOTP) -> None:
    with stranger(server, accept="text/html", origin="https://evil.example") as dana:
        for path in ("/sign-in/second-factor", "/sign-in/passkey", "/sign-in/passkey/asked", "/second-factor/recovery"):
            assert dana.post(path, data={"code": "123456"}).status_code == 403


def test_who_must_add_a_factor_can_do_nothing_else_before(server: Program) -> None:
    with stranger(server, **BROWSER) as ben:
        give_password(ben, "ben")
        assert ben.get("/").headers["location"] == "/second-factor"
        assert ben.get("/history").headers["location"] == "/second-factor"
        for path in ("/grid/rows", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"):
            assert ben.get(path, headers={"accept": "*/*"}).status_code == 403
        assert ben.post("/uploads", content=b"x").status_code == 403
        before = dict(ben.cookies)
        set_up(ben)
        assert dict(ben.cookies) != before, "another session, which opens everything"
        assert ben.get("/").status_code == 200
    with stranger(server, **BROWSER) as old:
        old.cookies.update(before)
        assert old.get("/second-factor").headers["location"].startswith("/sign-in"), "the one before has ended"


def test_a_script_with_the_password_alone_is_refused_in_words(server: Program, app: pyotp.TOTP) -> None:
    answer = httpx.get(f"{server.url}/XMLlicenseInfo.cgi", auth=("dana", PASSWORD))
    assert "needs a second factor" in answer.text
    assert "Use a key instead" in answer.text


def test_what_is_no_form_of_these_pages_is_refused_in_words(server: Program, app: pyotp.TOTP) -> None:
    with stranger(server, **BROWSER) as dana:
        give_password(dana, "dana")
        for fields in (
            {},
            {"code": ""},
            {"code": "x" * 500},
            {"answer": "x"},
            {"recovery": "\x00"},
            {"answer": "[" * 9_000},
        ):
            answer = dana.post("/sign-in/second-factor", data=fields)
            assert answer.status_code in (400, 401, 429), fields
            assert 'role="alert"' in answer.text


def test_the_demonstration_has_no_such_policy() -> None:
    done = run("--demo", "--require-second-factor")
    assert done.returncode == 1
    assert "--demo has no accounts to protect" in done.stderr


def test_a_form_that_is_none_of_ours_is_refused_in_words(server: Program) -> None:
    with stranger(server, **BROWSER) as client:
        answer = client.post("/sign-in/passkey", data={f"field{number}": "x" for number in range(11)})
    assert answer.status_code == 400
    assert "too many fields" in answer.text
    assert "Traceback" not in server.complaints()
