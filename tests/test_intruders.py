"""What somebody tries who wants in: odd host headers, foreign pages and cookies, other people's pages, files."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import socketio

from models.access import LAUNCH_PATH
from storage.database import DatabaseLocation
from tests.elsewhere import assign, key, staged_in_database
from tests.other_process import another_process
from tests.program import PASSWORD, Program, add_admin, environment
from tests.waiting import eventually
from ui.shell.frame import STATIC_PATH

ENGINE = "/_nicegui_ws/socket.io"


ACCOUNTS = (("ada", "--role", "auditor"),)


def exchange(server: Program, request: str) -> bytes:
    """Send these bytes; the answer's first line."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        return connection.makefile("rb").readline()


# -- hosts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "LocalHost", "localhost.", "[::1]", "127.0.0.1:1"])
def test_our_own_names_are_answered_however_they_are_written(server: Program, host: str) -> None:
    assert b" 200 " in exchange(server, f"GET /sign-in HTTP/1.1\nHost: {host}\nConnection: close\n\n")


@pytest.mark.parametrize(
    "hosts",
    [
        ["evil.example"],
        ["localhost@evil.example"],
        ["evil.example@localhost"],
        ["localhost.evil.example"],
        ["localhost:80:80"],
        ["127.1"],
        ["0x7f000001"],
        ["[::ffff:127.0.0.1]"],
        ["localhost, evil.example"],
        ["localhost", "evil.example"],
        ["evil.example", "localhost"],
        [""],
        [],
    ],
)
def test_any_other_host_is_refused(server: Program, hosts: list[str]) -> None:
    lines = "".join(f"Host: {host}\n" for host in hosts)
    assert b" 400 " in exchange(server, f"GET /sign-in HTTP/1.1\n{lines}Connection: close\n\n")


def test_a_whole_address_in_the_request_line_does_not_stand_for_the_host(server: Program) -> None:
    whole = "GET http://localhost/sign-in HTTP/1.1\nHost: {}\nConnection: close\n\n"
    assert b" 400 " in exchange(server, whole.format("evil.example"))
    # The other way round it is our own name that counts, for the page's links as well.
    answer = exchange(server, "GET http://evil.example/ HTTP/1.1\nHost: localhost\nConnection: close\n\n")
    assert b" 401 " in answer


# -- other sites and other programs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_can_embed_and_fetch_nothing_but_link_here(server: Program, site: str) -> None:
    with httpx.Client(base_url=server.url, cookies=dict([server.cookie])) as client:
        for path in ("/", "/grid/rows", f"{STATIC_PATH}/main.js", "/sign-in"):
            embedded = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
            assert client.get(path, headers=embedded).status_code == 403
            followed = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
            assert client.get(path, headers=followed).status_code == 200


@pytest.mark.parametrize("other", ['prefs={"a": [1, 2]}', "items[]=1", "=", "x", "a=b=c; a=d", "é=ü", 'q="'])
def test_another_programs_cookie_on_this_host_locks_nobody_out(server: Program, other: str) -> None:
    mine = "=".join(server.cookie)
    for cookies in (f"{other}; {mine}", f"{mine}; {other}"):
        answer = httpx.get(f"{server.url}/grid/rows", headers={b"Cookie": cookies.encode()})
        assert answer.status_code == 200


def test_the_launch_token_is_in_no_answer(server: Program) -> None:
    answer = httpx.get(f"{server.url}{LAUNCH_PATH}?token=not-a-token", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "not-a-token" not in answer.text + str(answer.headers)
    assert answer.headers["cache-control"] == "no-store"
    assert "src=" not in answer.text  # nothing is loaded that could be told where it is loaded from


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", ""],
)
def test_signing_in_leads_to_no_other_site(server: Program, wanted: str) -> None:
    form = {"name": "ada", "password": PASSWORD, "next": wanted}
    answer = httpx.post(f"{server.url}/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


# -- sockets -----------------------------------------------------------------------------------------------------------


class OpenPage:
    """A page as a browser has got it, with what its events are called."""

    def __init__(self, server: Program, cookie: tuple[str, str]) -> None:
        text = httpx.get(server.url, cookies=dict([cookie])).text
        self.id = re.search(r"'client_id': '([0-9a-f-]{36})'", text)[1]
        self._listener = re.search(r'"listener_id":"([0-9a-f-]{36})","type":"tick"', text)[1]

    def tick(self, authkey_id: int) -> dict[str, object]:
        """The message of a tick."""
        claim = {"seq": 1, "id": authkey_id, "column": "search", "value": True}
        return {"client_id": self.id, "id": 0, "listener_id": self._listener, "args": [json.dumps(claim)]}


@asynccontextmanager
async def socket_of(server: Program, cookie: tuple[str, str], page_id: str) -> AsyncIterator[socketio.AsyncClient]:
    """A socket that says by itself for which page it speaks."""
    client = socketio.AsyncClient(reconnection=False)
    query = f"client_id={page_id}&tab_id=t&document_id=d&next_message_id=0&implicit_handshake=true"
    headers = {"Cookie": "=".join(cookie), "Origin": server.url}
    try:
        await client.connect(
            f"{server.url}?{query}", headers=headers, transports=["websocket"], socketio_path=ENGINE, wait_timeout=5
        )
        yield client
    finally:
        await client.disconnect()


def session_of(server: Program, name: str) -> tuple[str, str]:
    answer = httpx.post(f"{server.url}/sign-in", data={"name": name, "password": PASSWORD})
    [(cookie, value)] = answer.cookies.items()
    return cookie, value


async def test_an_auditor_who_knows_the_id_of_an_admins_page_cannot_speak_for_it(server: Program) -> None:
    page, ada = OpenPage(server, server.cookie), session_of(server, "ada")
    hers = OpenPage(server, ada)
    async with another_process(DatabaseLocation(server.database)) as other:
        await other.do(assign, key("192.0.2.1", "billing"))
        with pytest.raises(socketio.exceptions.ConnectionError):
            async with socket_of(server, ada, page.id):
                pass
        async with socket_of(server, server.cookie, page.id) as alices, socket_of(server, ada, hers.id) as adas:
            for message in ("event", "javascript_response", "ack", "log", "handshake"):
                assert await adas.call(message, page.tick(1)) is False
            assert await other.do(staged_in_database) == 0
            await alices.call("event", page.tick(1))

            async def is_staged() -> bool:
                return await other.do(staged_in_database) == 1

            await eventually(is_staged)  # so what was refused to ada was no nonsense


async def test_a_socket_that_outlives_its_session_is_not_listened_to(server: Program) -> None:
    session = session_of(server, "ada")
    page = OpenPage(server, session)
    async with socket_of(server, session, page.id) as hers:
        assert await hers.call("ack", {"client_id": page.id, "next_message_id": 0}) is not False
        async with httpx.AsyncClient(base_url=server.url, cookies=dict([session])) as client:
            assert (await client.post("/sign-out")).status_code == 303
        assert await hers.call("ack", {"client_id": page.id, "next_message_id": 0}) is False


@pytest.mark.parametrize(
    "message", [None, "x", 1, [], {}, {"client_id": None}, {"client_id": ["x"]}, {"client_id": "x"}]
)
async def test_a_malformed_message_is_dropped_without_a_traceback(server: Program, message: object) -> None:
    page = OpenPage(server, server.cookie)
    async with socket_of(server, server.cookie, page.id) as mine:
        assert await mine.call("event", message) is False
    assert "Traceback" not in server.complaints()


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_whatever_the_umask_others_can_read_no_file_of_ours(tmp_path: Path, umask: int) -> None:
    database = tmp_path / "authkeys.db"
    with subprocess.Popen(
        [sys.executable, "main.py", "--no-browser", "--port", "0", "--database", str(database)],
        env=environment(),
        umask=umask,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert "running" in process.stdout.readline()
        modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
        process.terminate()
    assert {"authkeys.db", "authkeys.db-wal", "authkeys.db-shm", "authkeys.db.secret", "authkeys.db.server"} <= set(
        modes
    )
    assert set(modes.values()) == {"0o600"}, modes


def test_a_database_that_others_may_read_on_purpose_stays_so(tmp_path: Path) -> None:
    database = tmp_path / "authkeys.db"
    database.touch()
    os.chmod(database, 0o640)
    add_admin(str(database), "dana")
    assert database.stat().st_mode & 0o777 == 0o640
