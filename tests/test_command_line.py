"""`main.py` as a person starts it, with what can go wrong, each in clear words."""

import signal
import socket
import sqlite3
from pathlib import Path

import httpx
import pytest

from models.submissions import Assignment
from services.imports import HEADER
from tests.databases import copy_of_tables
from tests.forked import run_forked
from tests.program import add_admin, environment, import_csv, run, running, write_csv

BAD_LINES = (
    ("300.1.2.3,octet", "Octet 300 (> 255) not permitted"),
    ("192.0.2.0/24,a network", "is a network"),
    ("example.com,a name", "looks like a name"),
    ("192.0.2.11,", "A service name is needed"),
    (f"192.0.2.12,{'x' * 101}", "has 101 characters"),
    ("::ffff:192.0.2.10,good", "is the same authkey as in line 2"),
    ("fe80::1%eth0,zone", "has a zone id"),
    ("192.0.2.016,leading zero", "Leading zeros are not permitted"),
    ("192.0.2.15,bell\a", "control character U+0007"),
)


def test_it_says_one_line_and_ends_when_asked(tmp_path: Path) -> None:
    with running(anew=True, database=str(tmp_path / "authkeys.db")) as program:
        assert program.end(signal.SIGTERM) == ""
        assert program.complaints() == ""


def test_the_demo_leaves_no_file_behind(tmp_path: Path) -> None:
    with running("--demo", anew=True, database=str(tmp_path / "unused.db")) as program:
        program.end(signal.SIGINT)
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_moves_to_the_next_free_one_and_says_so(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        running(anew=True, database=str(tmp_path / "authkeys.db"), port=taken.getsockname()[1]) as program,
    ):
        assert program.port != taken.getsockname()[1]
        assert program.complaints() == f"Port {taken.getsockname()[1]} is taken; using {program.port} instead.\n"


@pytest.mark.parametrize(
    ("database", "words"),
    [
        ("README.txt", "is not a SQLite database"),
        (".", "cannot be opened for writing"),
        ("missing/authkeys.db", "cannot be opened for writing"),
        ("newer.db", "was made by a newer version of Authkeys"),
        ("postgres://u:hidden-password@127.0.0.1:1/x", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_and_left_alone(tmp_path: Path, database: str, words: str) -> None:
    (tmp_path / "README.txt").write_text("not a database, but long enough to be looked at\n" * 50)
    import_csv(str(tmp_path / "newer.db"), write_csv(tmp_path / "keys.csv", [Assignment("192.0.2.1", "a", 1)]))
    with sqlite3.connect(tmp_path / "newer.db") as file:
        file.execute(
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', '9999_x', '2030-01-01')"
        )
    where = database if "://" in database else str(tmp_path / database)
    done = run("--no-browser", "--port", "0", "--database", where, anew=True)
    assert done.returncode == 1
    assert words in done.stderr
    assert "hidden-password" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_bad_import_changes_nothing_and_explains_every_line(tmp_path: Path) -> None:
    file, database = tmp_path / "bad.csv", tmp_path / "authkeys.db"
    zeros = ",0" * 9
    lines = [",".join(HEADER), f"192.0.2.10,good{zeros}", *(line + zeros for line, _ in BAD_LINES)]
    file.write_text("\n".join([*lines, "192.0.2.14,short,1", f"192.0.2.13,maybe,maybe{',0' * 8}"]) + "\n")
    done = run("--database", str(database), "import", str(file))
    assert done.returncode == 2
    for number, (_, reason) in enumerate(BAD_LINES, 3):
        assert any(line.startswith(f"line {number}: ") and reason in line for line in done.stderr.splitlines()), reason
    assert "has 3 values instead of 11" in done.stderr
    assert "'maybe' for addlicense is neither 0 nor 1" in done.stderr
    with sqlite3.connect(database) as stored:
        assert stored.execute("SELECT count(*) FROM authkey").fetchone() == (0,)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"ip,service\n", "must begin with the line"), (b"\xff\xfe\x00", "it is UTF-16 text")],
)
def test_a_file_that_is_no_import_is_told(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "keys.csv"
    if content is not None:
        file.write_bytes(content)
    done = run("--database", str(tmp_path / "authkeys.db"), "import", str(file))
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ((), {"AUTHKEYS_TRUSTED_PROXIES": "127.0.0.1"}, "Did you mean AUTHKEYS_TRUSTED_PROXY?"),
        ((), {"AUTHKEYS_SECRET_FILE": ""}, "AUTHKEYS_SECRET_FILE is set but empty"),
        ((), {"AUTHKEYS_TRUSTED_PROXY": "127.0.0.1,proxy.example"}, "'proxy.example' is not a network"),
        (("--trusted-proxy", "::/0"), {}, "is everybody"),
        (("--allowed-host", "https://keys.example.com/"), {}, "--allowed-host takes one name"),
        (("--root-path", "authkeys"), {}, "--root-path begins with a slash"),
        (("--host", "127.0.0.1:8080"), {}, "--host 127.0.0.1 --port 8080"),
        (("--backend", "http://me:hidden@127.0.0.1"), {}, "without a name and a password"),
        (("--backend", "http://127.0.0.1:99999"), {}, "out of range"),
        (("--backend", ""), {}, "--backend takes the URL"),
        (("--database", ""), {}, "--database takes a SQLite file"),
        (("--database", "mysql://me:hidden@127.0.0.1/x"), {}, "not one that begins with mysql://"),
        (("--demo", "--database", "x.db"), {}, "leave out --database"),
        (("--database", "x.db"), {"AUTHKEYS_DEMO": "1"}, "leave out --database"),
        ((), {"AUTHKEYS_PORT": "http"}, "--port takes a number"),
        (("--port", "8080", "admin", "list"), {}, "--port is for serving"),
        (("import", "x.csv", "--database", ""), {}, "--database takes a SQLite file"),
    ],
)
def test_what_can_never_work_is_refused_at_start_in_words(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], words: str
) -> None:
    serving = () if {"admin", "import"} & set(arguments) else ("--no-browser",)
    done = run_forked([*serving, *arguments], environment(AUTHKEYS_DATABASE=str(tmp_path / "a.db"), **variables))
    assert done.returncode == 1
    assert words in done.stderr
    assert "hidden" not in done.stderr
    assert done.stderr.count("\n") == 1, "more than one line"
    assert list(tmp_path.iterdir()) == []


def test_a_variable_holds_several_values_and_a_root_path_may_end_in_a_slash(tmp_path: Path) -> None:
    database = copy_of_tables(tmp_path / "a.db").text
    add_admin(database, "dana")
    with running(
        "--root-path", "/keys/", database=database, AUTHKEYS_ALLOWED_HOST="one.example, two.example three.example",
        AUTHKEYS_TRUSTED_PROXY="192.0.2.0/24,::ffff:127.0.0.1",
    ) as program:  # fmt: skip
        assert program.url.endswith("/keys")
        url = f"http://127.0.0.1:{program.url.split(':')[2].partition('/')[0]}/sign-in"
        hosts = ["one.example", "two.example", "three.example", "four.example"]
        assert [httpx.get(url, headers={"Host": host}).status_code for host in hosts] == [200, 200, 200, 400]
