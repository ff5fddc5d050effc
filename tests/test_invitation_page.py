"""Where an invitation leads, over HTTP as browsers and whatever looks at links ask for it; and the commands that print one."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.databases import copy_of_tables
from tests.forked import Done, run_forked
from tests.program import PASSWORD, Program, add_admin, admin, environment, running, stranger

ROOT_PATH = "/authkeys"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A server behind a root path, with an admin who can come in."""
    database = str(tmp_path_factory.mktemp("invitations") / "authkeys.db")
    add_admin(database, "dana")
    with running("--host", "127.0.0.1", "--root-path", ROOT_PATH, database=database, sign_in=False) as program:
        yield program


def command(database: str, *arguments: str) -> Done:
    """Run one of `main.py admin`'s commands to its end, however that is."""
    return run_forked(["--database", database, "admin", *arguments], environment(LOGNAME="alice"))


def invite(server: Program, name: str, *more: str) -> str:
    """The link that the command prints."""
    done = command(server.database, "invite", name, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def form(token: str, password: str = PASSWORD, again: str | None = None) -> dict[str, str]:
    return {"token": token, "password": password, "again": password if again is None else again}


def post(server: Program, link: str, fields: dict[str, str], **headers: str) -> httpx.Response:
    with stranger(server, Accept="text/html", **headers) as client:
        return client.post(link.partition("?")[0], data=fields)


def test_looking_at_a_link_uses_nothing_and_the_form_uses_it_once(server: Program) -> None:
    link = invite(server, "ines", "--role", "auditor")
    assert link.startswith(f"{server.url}/invitation?token=")
    token = link.partition("token=")[2]
    for _ in range(3):
        assert httpx.head(link).status_code == 200
        looked = httpx.get(link)
        assert looked.status_code == 200
        assert "<strong>ines</strong> (auditor: sees everything, changes nothing)" in looked.text
        assert "set-cookie" not in looked.headers
    weak = post(server, link, form(token, "short"))
    assert (weak.status_code, "at least 12" in weak.text, "short" in weak.text) == (400, True, False)
    assert "are not the same" in post(server, link, form(token, again="another one")).text
    done = post(server, link, form(token))
    assert (done.status_code, done.headers["location"]) == (303, f"{ROOT_PATH}/")
    with stranger(server, Accept="text/html") as client:
        client.cookies.update(done.cookies)
        assert client.get("/settings/account").status_code == 200
    used = httpx.get(link)
    assert (used.status_code, "This link cannot be used" in used.text) == (410, True)
    assert post(server, link, form(token)).status_code == 410


def test_the_link_is_told_to_nobody_by_the_page_and_to_no_log(server: Program) -> None:
    link = invite(server, "lee")
    answer = httpx.get(link)
    assert answer.headers["referrer-policy"] == "strict-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert link.partition("token=")[2] not in server.complaints()


def test_another_sites_form_is_refused_and_uses_nothing(server: Program) -> None:
    link = invite(server, "mo")
    token = link.partition("token=")[2]
    assert post(server, link, form(token), Origin="https://evil.example").status_code == 403
    assert post(server, link, form(token), Origin="null").status_code == 403
    assert httpx.get(link).status_code == 200


def test_who_tries_many_links_is_told_to_wait(server: Program) -> None:
    statuses = [httpx.get(f"{server.url}/invitation?token={n}").status_code for n in range(6)]
    assert set(statuses) <= {410, 429}  # those of the other tests count too
    answer = httpx.get(f"{server.url}/invitation?token=x")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert httpx.get(invite(server, "pat")).status_code == 200


def test_a_reset_prints_a_link_and_the_old_password_holds_no_longer(server: Program) -> None:
    add_admin(server.database, "eve")
    done = command(server.database, "invite", "eve")
    assert (done.returncode, done.stdout) == (1, "")
    assert "has a password already" in done.stderr
    done = command(server.database, "reset", "eve", "--url", "https://keys.example.com/a/")
    assert re.fullmatch(r"https://keys\.example\.com/a/invitation\?token=\S{43}\n", done.stdout)
    assert "until 20" in done.stderr
    with stranger(server) as client:
        answer = client.post("/sign-in", data={"name": "eve", "password": PASSWORD})
        assert answer.status_code == 401
    assert re.search(r"^eve +admin +invited ", command(server.database, "list").stdout, re.MULTILINE)


def test_sessions_are_listed_and_ended_on_the_command_line(server: Program) -> None:
    with stranger(server, **{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}) as client:
        assert client.post("/sign-in", data={"name": "dana", "password": PASSWORD}).status_code == 303
        listed = command(server.database, "sessions", "dana").stdout
        assert re.match(r"Firefox on Linux +127\.0\.0\.1 +since 20.* UTC, last used 20.* UTC\n", listed)
        admin(server.database, "end-sessions", "dana")
        assert command(server.database, "sessions", "dana").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("invite", "x"), "No server runs on"),
        (("invite", "x", "--url", "keys.example.com"), "--url takes the address"),
        (("invite", "x", "--url", "https://keys.example.com/?a=1"), "without ?"),
        (("invite", "x y", "--url", "https://keys.example.com"), "letters, digits"),
        (("reset", "nobody", "--url", "https://keys.example.com"), "no account 'nobody'"),
        (("sessions", "nobody"), "no account 'nobody'"),
        (("end-sessions", "nobody"), "no account 'nobody'"),
        (("disable", "dana"), "is the last admin who can sign in"),
        (("role", "dana", "auditor"), "is the last admin who can sign in"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    database = copy_of_tables(tmp_path / "a.db").text
    add_admin(database, "dana")
    before = command(database, "list").stdout
    done = command(database, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert command(database, "list").stdout == before
