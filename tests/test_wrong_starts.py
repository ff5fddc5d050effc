"""What the command line refuses, and addresses at which there is nothing."""

import re
import socket
from pathlib import Path

import httpx
import pytest

from models.access import SIGN_IN_PATH
from tests.databases import copy_of_tables
from tests.program import PASSWORD, Program, add_admin, launch, new_link, run, signed_in, stranger

ACCOUNTS = (("dana",), ("ada", "--role", "auditor"))


# -- what the command line refuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "0.0.0.0"), "admin add NAME"),
        (("--trusted-proxy", "127.0.0.1"), "admin add NAME"),
        (("--ssl-certfile", "missing.pem", "--ssl-keyfile", "missing.pem"), "cannot be used"),
        (("--ssl-certfile", "missing.pem"), "needs both"),
        (("--root-path", "keys"), "--root-path begins with a slash"),
        (("--trusted-proxy", "*"), "--trusted-proxy takes the address of a proxy"),
        (("--trusted-proxy", "proxy.example"), "--trusted-proxy takes the address of a proxy"),
        (("--trusted-proxy", "0.0.0.0/0"), "is everybody"),
        (("--native", "--host", "0.0.0.0"), "--native is for one's own machine"),
    ],
)
def test_a_start_that_would_not_be_safe_is_refused_in_words(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run("--database", str(tmp_path / "a.db"), "--no-browser", "--port", "0", *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        (("add", "x y"), PASSWORD, "letters, digits"),
        (("add", "dana"), "short", "at least 12"),
        (("add", "dana", "--role", "root"), PASSWORD, "admin"),
        (("passwd", "nobody"), PASSWORD, "no account 'nobody'"),
        (("disable", "nobody"), "", "no account 'nobody'"),
    ],
)
def test_a_mistake_at_the_accounts_is_told_and_changes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], given: str, words: str
) -> None:
    done = run("--database", copy_of_tables(tmp_path / "a.db").text, "admin", *arguments, given=f"{given}\n")
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert given == "" or given not in done.stderr
    assert "Traceback" not in done.stderr


def test_the_accounts_and_the_record_can_be_listed(tmp_path: Path) -> None:
    database = copy_of_tables(tmp_path / "a.db").text
    add_admin(database, "ada", "--role", "auditor")
    listed = run("--database", database, "admin", "list").stdout
    assert re.search(r"^ada +auditor +password ", listed, re.MULTILINE)
    assert "account added" in run("--database", database, "admin", "record").stdout


# -- addresses at which there is nothing -------------------------------------------------------------------------------


def test_where_there_is_no_page_a_browser_is_told_so_and_shown_the_way_back(server: Program) -> None:
    with signed_in(server, Accept="text/html,*/*") as client:
        answer = client.get("/nowhere/<b>")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert "Authkeys has nothing at <code>/nowhere/&lt;b&gt;</code>" in answer.text
    assert '<a href="/">Go to the authorization keys</a>' in answer.text
    assert "nicegui" not in answer.text.lower()
    assert "<script" not in answer.text
    with signed_in(server, Accept="application/json") as client:
        assert client.get("/nowhere").json() == {"detail": "Not Found"}


def test_a_link_that_is_only_looked_at_is_not_used_up(server: Program) -> None:
    link = new_link(server)
    for _ in range(2):
        assert httpx.head(link).status_code == 200
    name, value = launch(link)
    assert name
    assert value


def test_signing_in_marks_what_was_wrong_and_puts_the_cursor_where_to_go_on(server: Program) -> None:
    with stranger(server) as client:
        fresh = client.get(SIGN_IN_PATH).text
        wrong = client.post(SIGN_IN_PATH, data={"name": "dana", "password": "wrong wrong"}).text
    assert re.findall(r'<input id="(\w+)".* autofocus', fresh) == ["name"]
    assert "aria-invalid" not in fresh
    assert re.findall(r'<input id="(\w+)".* autofocus', wrong) == ["password"]
    assert len(re.findall(r'aria-invalid="true" aria-describedby="problem"', wrong)) == 2
    assert 'id="problem" role="alert"' in wrong


def test_a_form_with_too_many_fields_is_refused_in_words(server: Program) -> None:
    with stranger(server) as client:
        answer = client.post(SIGN_IN_PATH, data={f"field{n}": "x" for n in range(11)})
    assert answer.status_code == 401
    assert "it has too many fields" in answer.text


def test_a_client_that_leaves_while_it_sends_leaves_no_traceback(server: Program) -> None:
    before = server.complaints()
    for path in (SIGN_IN_PATH, "/authorize", "/XMLregisterAuth.cgi"):
        with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode())
            connection.sendall(b"Content-Length: 100\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nname=")
    with stranger(server) as client:
        assert client.get(SIGN_IN_PATH).status_code == 200
    assert server.complaints() == before


EDGES = [
    "-1",
    "9" * 30,
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    "1e9",
    "NaN",
    "1.5",
    "\u0661",  # a digit, in Arabic
    "",
    "%00",
    "\U0001f600",
    "x" * 5_000,
    "'",
    "[]",
]
TAKERS = [
    "/grid/rows?start={}&end=100",
    "/grid/rows?start=0&end={}",
    *(f"/grid/rows?start=0&end=100&{name}={{}}" for name in ("unused", "search", "sort", "has", "lacks", "staged")),
    *(f"/grid/rows/review?{name}={{}}" for name in ("start", "end", "search", "open", "closed")),
    *(f"/?{name}={{}}" for name in ("unused", "search", "sort", "has", "lacks", "staged")),
    "/sign-in?ended={}&next={}",
    "/launch?token={}",
    "/authorize/{}",
    "/authorize/search?ip={}",
    "/XMLlookup.cgi?ip={}&output={}",
    "/XMLregisterAuth.cgi?user={}&service={}&pickup={}",
]


@pytest.mark.parametrize("taker", TAKERS)
def test_values_at_the_edge_of_what_a_type_holds_are_answered_in_words(server: Program, taker: str) -> None:
    with signed_in(server, Accept="text/html") as client:
        for value in EDGES:
            answer = client.get(taker.replace("{}", value))
            assert answer.status_code < 500, value
            assert "went wrong" not in answer.text, value
    assert "Traceback" not in server.complaints()
