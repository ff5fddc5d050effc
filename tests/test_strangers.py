"""What strangers find: raw HTTP and raw sockets against the real program."""

import re
import sqlite3
from pathlib import Path

import httpx
import pytest
import socketio

from models.access import (
    INVITATION_PATH,
    LAUNCH_PATH,
    PROVIDER_CALLBACK_PATH,
    PROVIDER_LOGOUT_PATH,
    PROVIDER_PATH,
    SIGN_IN_PATH,
)
from storage.database import DatabaseLocation
from tests.databases import copy_of_tables
from tests.other_process import another_process
from tests.program import PASSWORD, Program, add_admin, launch, new_link, run, running, signed_in, stranger
from tests.routes import registered_routes
from tests.waiting import soon
from ui.shell.frame import STATIC_PATH

ACCOUNTS = (("dana",), ("ada", "--role", "auditor"))


async def connects(server: Program, client_id: str, **headers: str) -> bool:
    socket = socketio.AsyncClient(reconnection=False)
    query = f"client_id={client_id}&tab_id=t&document_id=d&next_message_id=0&implicit_handshake=false"
    try:
        await socket.connect(
            f"{server.url}?{query}",
            headers=headers,
            transports=["websocket"],
            socketio_path="/_nicegui_ws/socket.io",
            wait_timeout=5,
        )
    except socketio.exceptions.ConnectionError:
        await socket.eio.http.close()  # it leaves this open
        return False
    await socket.disconnect()
    return True


# -- without a session -------------------------------------------------------------------------------------------------


REAL_FILES = [
    f"{STATIC_PATH}/main.js",
    "/_nicegui/3.18.0/static/nicegui.js",
    "/_nicegui_ws/socket.io/?EIO=4",
    "/nowhere",
]
SECOND_STEP = [
    "/sign-in/passkey",
    "/sign-in/passkey/asked",
    "/sign-in/scripts/{name}.js",
    "/sign-in/second-factor",
    "/sign-in/second-factor/passkey",
]
WAYS_IN = (SIGN_IN_PATH, LAUNCH_PATH, INVITATION_PATH, PROVIDER_PATH, PROVIDER_CALLBACK_PATH)
WAYS_IN_BELOW = tuple(f"{SIGN_IN_PATH}/{each}" for each in ("second-factor", "passkey", "scripts"))
METHODS = ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]


async def test_every_registered_route_answers_a_stranger_with_nothing_but_the_way_in(server: Program) -> None:
    async with another_process(DatabaseLocation(server.database)) as other:
        routes = await other.do(registered_routes)
    assert {"/", "/passphrases", "/grid/rows", "/sign-out", "/sign-in", "/_nicegui_ws/"} <= set(routes["pages"])
    below = [each for each in routes["pages"] if each.startswith(f"{SIGN_IN_PATH}/")]
    assert [each for each in below if not each.startswith(PROVIDER_PATH)] == SECOND_STEP
    with stranger(server) as client:
        for path in [re.sub(r"\{\w+(:\w+)?\}", "x", route) for route in routes["pages"]] + REAL_FILES:
            if path in WAYS_IN or path.startswith(WAYS_IN_BELOW):
                continue  # the way in
            assert client.get(path).status_code == 401, path
            answer = client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in")
            for method in METHODS:
                if (method, path) == ("POST", PROVIDER_LOGOUT_PATH):
                    continue  # a token that the provider signed decides
                answer = client.request(method, path)
                assert answer.status_code == 401, f"{method} {path}"
                assert answer.text.startswith("Sign in first. Browsers do at /sign-in") or not answer.text
    # These are let in by something else: a key, or a phrase.
    assert routes["scripts"] == [
        "/authorize",
        "/authorize/openapi.json",
        "/authorize/{privilege_id:path}",
        "/{path:path}",
    ]


async def test_a_socket_is_refused_without_a_session_even_with_a_real_pages_id(server: Program) -> None:
    with signed_in(server) as client:
        page = client.get("/")
        client_id = re.search(r"client_id[\"']: [\"']([0-9a-f-]{36})", page.text)
    assert client_id, page.text[:2000]
    cookie = "=".join(server.cookie or ())
    assert not await connects(server, client_id[1], Origin=server.url)
    assert not await connects(server, client_id[1], Origin=server.url, Cookie="authkeys-00000000=invented.x")
    assert not await connects(server, client_id[1], Origin="http://evil.example", Cookie=cookie)
    assert not await connects(server, client_id[1], Origin=server.url, Cookie=cookie, Host="evil.example")
    assert await connects(server, client_id[1], Origin=server.url, Cookie=cookie)


def test_the_way_in_gives_no_file_and_no_version_away(server: Program) -> None:
    with stranger(server) as client:
        answer = client.get("/sign-in")
        assert "server" not in answer.headers
        assert "nicegui" not in answer.text.lower()
        assert "'none'" in answer.headers["content-security-policy"]
        assert "unsafe-eval" not in answer.headers["content-security-policy"]
        assert "script" not in answer.text


@pytest.mark.parametrize("path", ["/", "/grid/rows", "/sign-in", "/launch"])
def test_every_answer_has_the_security_headers(server: Program, path: str) -> None:
    with signed_in(server) as client:
        headers = client.get(path).headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"


# -- other sites -------------------------------------------------------------------------------------------------------


def test_a_foreign_host_is_refused_and_told_how_to_be_allowed(server: Program) -> None:
    with signed_in(server, Host="evil.example") as client:
        for path in ("/", "/grid/rows", "/sign-in", "/launch?token=x"):
            answer = client.get(path)
            assert answer.status_code == 400
            assert "--allowed-host evil.example" in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
def test_another_site_can_change_nothing(server: Program, origin: str) -> None:
    with signed_in(server, Origin=origin) as client:
        for path in ("/sign-out", "/sign-out-everywhere", "/sign-in"):
            assert client.post(path).status_code == 403
        assert client.get("/_nicegui_ws/socket.io/?EIO=4&transport=polling").status_code == 403
    with signed_in(server) as client:
        assert client.get("/grid/rows").status_code == 200


def test_another_site_cannot_read_either(server: Program) -> None:
    with signed_in(server, Origin="http://evil.example", **{"Sec-Fetch-Site": "cross-site"}) as client:
        answer = client.get("/grid/rows")
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


# -- launch links ------------------------------------------------------------------------------------------------------


def test_a_launch_link_works_once_and_its_token_is_nowhere_else(server: Program) -> None:
    link = new_link(server)
    with stranger(server) as client:
        first = client.get(link)
        assert first.status_code == 303
        assert first.headers["location"] == "/"
        assert "token" not in str(first.headers)
        cookie = first.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert client.get("/grid/rows").status_code == 200
        assert client.get(link).status_code == 303  # who is in already is just let through
    with stranger(server) as client:
        again = client.get(link)
        assert again.status_code == 401
        assert "used already, or is too old" in again.text
        assert client.get("/launch?token=invented").status_code == 401
    assert link.partition("token=")[2] not in server.complaints()


def test_a_second_start_opens_the_running_one(server: Program) -> None:
    done = run("--no-browser", "--port", "0", "--database", server.database)
    assert done.returncode == 0
    assert done.stdout.startswith(f"Authkeys is running at {server.url}/launch?token=")
    launch(done.stdout.split()[-1])


def test_open_without_a_server_says_what_to_do(tmp_path: Path) -> None:
    done = run("--database", str(tmp_path / "authkeys.db"), "open", "--no-browser")
    assert done.returncode == 1
    assert "No server runs" in done.stderr


# -- passwords ---------------------------------------------------------------------------------------------------------


def sign_in(client: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    return client.post("/sign-in", data={"name": name, "password": password, **more})


def test_signing_in_goes_where_one_wanted_to_and_out_again(server: Program) -> None:
    with stranger(server) as client:
        answer = sign_in(client, "dana", PASSWORD, next="/?q=192.0.2.1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?q=192.0.2.1")
        assert client.get("/grid/rows").status_code == 200
        assert client.post("/sign-out").status_code == 303
        assert client.get("/grid/rows").status_code == 401


def test_a_session_that_was_there_before_signing_in_ends(server: Program) -> None:
    with stranger(server) as client:
        sign_in(client, "dana", PASSWORD)
        before = dict(client.cookies)
        sign_in(client, "dana", PASSWORD)
        assert dict(client.cookies) != before
    assert httpx.get(f"{server.url}/grid/rows", cookies=before).status_code == 401


@pytest.mark.parametrize(
    ("name", "password"), [("dana", "wrong wrong wrong"), ("nobody", PASSWORD), ("", ""), ("ʼ;--", "\x00")]
)
def test_every_wrong_pair_is_refused_in_the_same_words(server: Program, name: str, password: str) -> None:
    with stranger(server) as client:
        answer = sign_in(client, name, password)
    assert answer.status_code == 401
    assert "The name or the password is wrong, or the account is disabled." in answer.text
    assert "set-cookie" not in answer.headers


def test_what_was_typed_as_a_name_is_shown_as_text(server: Program) -> None:
    with stranger(server) as client:
        answer = sign_in(client, '"><script>alert(1)</script>', "x")
    assert "<script>" not in answer.text


def test_a_form_that_is_too_large_is_refused(server: Program) -> None:
    with stranger(server) as client:
        assert sign_in(client, "dana", "x" * 20_000).status_code == 401


def test_disabling_an_account_on_the_command_line_ends_its_session_in_the_running_server(server: Program) -> None:
    add_admin(server.database, "eve")
    with stranger(server) as client:
        assert sign_in(client, "eve", PASSWORD).status_code == 303
        assert run("--database", server.database, "admin", "disable", "eve").returncode == 0
        transport = httpx.HTTPTransport(retries=3)
        with httpx.Client(base_url=server.url, cookies=client.cookies, transport=transport) as eve:
            assert soon(lambda: eve.get("/grid/rows").status_code == 401)
        assert sign_in(client, "eve", PASSWORD).status_code == 401


# -- an account without the right --------------------------------------------------------------------------------------


def test_who_may_only_read_can_send_no_file(server: Program) -> None:
    with stranger(server) as client:
        sign_in(client, "ada", PASSWORD)
        answer = client.post("/uploads", content=b"ip,service\n")
        assert answer.status_code == 403
        assert "auditor" in answer.json()["error"]
        sign_in(client, "dana", PASSWORD)
        assert client.post("/uploads", content=b"ip,service\n").json()["token"]


# -- proxies -----------------------------------------------------------------------------------------------------------


def recorded_addresses(database: str) -> list[str]:
    with sqlite3.connect(database) as file:
        return [row[0] for row in file.execute("SELECT address FROM entry WHERE kind = 'sign-in refused'")]


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(tmp_path: Path) -> None:
    database = copy_of_tables(tmp_path / "authkeys.db").text
    add_admin(database, "dana")
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    with running(database=database) as server, stranger(server, **forwarded) as client:
        sign_in(client, "dana", "wrong wrong wrong")
        assert recorded_addresses(database) == ["127.0.0.1"]
    with running("--trusted-proxy", "127.0.0.1", database=database) as server, stranger(server, **forwarded) as client:
        sign_in(client, "dana", "wrong wrong wrong")
        assert recorded_addresses(database) == ["127.0.0.1", "203.0.113.9"]
        answer = sign_in(client, "dana", PASSWORD)
        assert "secure" in answer.headers["set-cookie"].lower()
        assert answer.headers["set-cookie"].startswith("__Host-")
        assert "strict-transport-security" in answer.headers
