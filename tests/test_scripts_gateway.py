"""What the gateway passes on to a backend and back, as scripts see it."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from api import gateway
from api.gateway import Backend, BackendUnavailable
from models.accounts import Role
from services.console import Console
from storage.database import DatabaseLocation
from tests.program import PASSWORD
from tests.scripts import HERE, READERS, Recorder, add_key_with, calling
from tests.support import SEARCH


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """HTTP does not know which database it is; one kind is enough."""
    return sqlite_database


def status(answer: httpx.Response) -> int:
    return int(answer.json()["status"])


# -- the gateway -------------------------------------------------------------------------------------------------------


async def test_the_backend_gets_the_call_without_the_key_and_with_our_word_for_the_caller(console: Console) -> None:
    secret, recorder = await add_key_with(console, SEARCH), Recorder()
    async with calling(console, backend=Backend("http://stub/base", httpx.ASGITransport(recorder))) as client:
        answer = await client.post(
            f"/xmlLookup.cgi?apikey={secret.text}&x=1",
            content=f"ip=192.0.2.1;apikey={secret.text}&apikey=second&name=%E9",
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Authorization": "Basic eDp5",
                "X-Authkeys-User": "forged",
                "X-Own": "2",
            },
        )
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (207, "as it is", "1")
    assert recorder.scope["path"] == "/base/XMLlookup.cgi"
    assert recorder.scope["query_string"] == b"x=1"
    assert recorder.body == b"ip=192.0.2.1;name=%E9"
    sent = recorder.headers
    assert sent["x-authkeys-service"] == "billing"
    assert sent["x-authkeys-ip"] == HERE
    assert sent["x-own"] == "2"
    assert "x-authkeys-user" not in sent
    assert "authorization" not in sent
    assert secret.text not in str(recorder.scope)


@pytest.mark.parametrize(
    "name", ["X-Authkeys-User", "x_authkeys_user", "X_Authkeys-Key", "X-AUTHKEYS-IP", "X-Authkeys-"]
)
async def test_the_backend_gets_no_word_about_the_caller_from_the_caller(console: Console, name: str) -> None:
    secret, recorder = await add_key_with(console, SEARCH), Recorder()
    about_caller = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    async with calling(console, backend=Backend("http://stub", httpx.ASGITransport(recorder))) as client:
        await client.get(
            "/XMLlookup.cgi", auth=("forged", secret.text), headers={name: "forged", "Connection": name, **about_caller}
        )
    assert "forged" not in str(recorder.scope)
    assert "203.0.113.9" not in str(recorder.scope)
    assert recorder.headers["x-authkeys-ip"] == recorder.headers["x-forwarded-for"] == HERE
    assert "x-authkeys-user" not in recorder.headers


async def test_the_backend_is_told_the_account_whose_password_was_right(console: Console) -> None:
    await console.admins.add("u@example.com", PASSWORD, Role.ADMIN, "a test")
    recorder = Recorder()
    async with calling(console, backend=Backend("http://stub", httpx.ASGITransport(recorder))) as client:
        await client.get("/XMLlookup.cgi", auth=("u@example.com", PASSWORD))
    assert recorder.headers["x-authkeys-user"] == "u@example.com"
    assert "x-authkeys-key" not in recorder.headers
    assert PASSWORD not in str(recorder.scope)


async def test_the_key_reaches_the_backend_in_no_spelling(console: Console) -> None:
    secret, recorder = await add_key_with(console, SEARCH), Recorder()
    key = secret.text
    encoded = "".join(f"%{ord(character):02x}" for character in key)
    forms = f"a=1&APIKEY={key};ApiKey={key}&api%6bey={encoded}&+apikey={key}&apikey[]={key}&note=x{encoded}&{key}=1&b=2"
    told = {
        "Referer": f"http://keys.example/?apikey={encoded}",
        "X-Original-URI": f"/XMLlookup.cgi?apikey={key}",
        "X_Api_Key": key,
        "X-Api-Key": key,
        "Cookie": f"k={key}",
    }
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    async with calling(console, backend=Backend("http://stub", httpx.ASGITransport(recorder))) as client:
        for call in (
            client.build_request("GET", f"http://k/XMLlookup.cgi?{forms}", headers=told),
            client.build_request("POST", f"http://k/XMLlookup.cgi?{forms}", content=forms, headers=told | form_type),
            client.build_request("GET", f"http://k/XMLlookup.cgi?{forms}", content=forms, headers=told | form_type),
        ):
            assert (await client.send(call)).status_code == 207
            got = f"{recorder.scope} {recorder.body!r}"
            assert key not in got
            assert encoded not in got
            assert recorder.scope["query_string"] == b"a=1&b=2"
            assert recorder.body == (b"a=1&b=2" if call.method == "POST" else b"")


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Encoding": "gzip"}, {"Content-Type": "text/x"}],
)
async def test_a_body_that_could_hide_a_key_is_not_passed_on(console: Console, headers: dict[str, str]) -> None:
    secret = await add_key_with(console, SEARCH)
    async with calling(console, backend=Backend("http://stub", httpx.ASGITransport(Recorder()))) as client:
        answer = await client.post("/XMLlookup.cgi?output=xml", content=b"x", headers=headers, auth=("u", secret.text))
    assert answer.status_code == 200
    assert 'status="-1"' in answer.text


@pytest.mark.parametrize("output", READERS)
@pytest.mark.parametrize(("problem", "code"), [(httpx.ConnectError("x"), 502), (httpx.ReadTimeout("x"), 504)])
async def test_a_backend_that_is_down_or_slow_is_told_in_the_callers_format(
    console: Console, output: str, problem: Exception, code: int
) -> None:
    secret = await add_key_with(console, SEARCH)

    def fail(_: httpx.Request) -> httpx.Response:
        raise problem

    async with calling(console, backend=Backend("http://stub", httpx.MockTransport(fail))) as client:
        answer = await client.get("/XMLlookup.cgi", params={"apikey": secret.text, "output": output})
    assert answer.status_code == code
    assert int(READERS[output](answer.text)["status"]) == 0
    assert "licensing backend" in READERS[output](answer.text)["reason"]


async def test_a_backend_that_sends_a_byte_now_and_then_is_given_up(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await add_key_with(console, SEARCH)
    monkeypatch.setattr(gateway, "TOTAL_SECONDS", 0.1)
    sent: list[bytes] = []

    async def trickle() -> AsyncIterator[bytes]:
        while True:
            sent.append(b"x")
            yield b"x"
            await asyncio.sleep(0.01)

    backend = Backend("http://stub", httpx.MockTransport(lambda _: httpx.Response(200, content=trickle())))
    async with calling(console, backend=backend) as client:
        with pytest.raises(BackendUnavailable, match="broke off"):
            await client.get("/XMLlookup.cgi", params={"apikey": secret.text})
    given_up_after = len(sent)
    assert given_up_after > 0
    await asyncio.sleep(0)
    assert len(sent) == given_up_after
