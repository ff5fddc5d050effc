"""What `check` refuses before it starts anything, in words."""

import socket
from pathlib import Path

import pytest

from cli import check
from cli.settings import Settings, read_settings
from models import options
from models.errors import InvalidValue
from storage.database import DatabaseLocation
from tests.checking import a_secret_file
from tests.forked import run_forked
from tests.program import environment
from web.shared_port import require_shared_ports

POSTGRES = "postgres://nobody@127.0.0.1:1/none"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "--workers", "0"), "--workers takes a number from 1 to 64"),
        (("check", "--workers", "65"), "--workers takes a number from 1 to 64"),
        (("check", "--workers", "many"), "--workers takes a number from 1 to 64"),
        (("check", "--fresh-within", "0.4"), "--fresh-within takes seconds from 0.5 to 600"),
        (("check", "--fresh-within", "601"), "--fresh-within takes seconds from 0.5 to 600"),
        (("check", "--fresh-within", "nan"), "--fresh-within takes seconds from 0.5 to 600"),
        (("check", "--hold-keys"), "--hold-keys follows a PostgreSQL database"),
        (("check", "--port", "80a"), "--port takes a number"),
        (("check", "--ssl-certfile", "missing.pem"), "needs both"),
        (("check", "--ssl-certfile", "missing.pem", "--ssl-keyfile", "missing.pem"), "cannot be used"),
        (("--native", "check"), "--native is for serving; 'check' does not use it"),
        (("--allowed-host", "a.example", "check"), "--allowed-host is for serving; 'check' does not use it"),
        (("--port", "1", "admin", "list"), "--port is for serving; 'admin' does not use it"),
        (("--database", POSTGRES, "check", "--hold-keys"), "cannot be used"),
    ],
)
def test_what_can_never_work_is_told_at_once(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    secret_file = a_secret_file(tmp_path)
    shared = {"AUTHKEYS_DATABASE": str(tmp_path / "a.db"), "AUTHKEYS_SECRET_FILE": str(secret_file)}
    done = run_forked(list(arguments), environment(LOGNAME="alice", **shared))
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_no_secret_is_made_where_another_one_than_the_servers_would_be_of_no_use(tmp_path: Path) -> None:
    done = run_forked(["--database", str(tmp_path / "a.db"), "check"], environment(LOGNAME="alice"))
    assert done.returncode == 1
    assert "copy its secret file to this machine" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_another_program_has_is_not_shared_with_it(
    sqlite_database: DatabaseLocation, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as another `check` of the same user has it
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        shared = ["--database", sqlite_database.text, "--secret-file", str(a_secret_file(tmp_path))]
        done = run_forked([*shared, "check", "--port", port], environment(LOGNAME="alice"))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr


def test_where_ports_cannot_be_shared_it_says_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with pytest.raises(InvalidValue, match="Run the server itself here"):
        require_shared_ports()


def test_its_options_may_stand_before_it_after_it_and_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Settings] = []
    monkeypatch.setattr(check, "answer_checks", told.append)
    monkeypatch.setattr(check, "run", lambda _: None)
    monkeypatch.setenv("AUTHKEYS_FRESH_WITHIN", "2.5")
    from cli.commands import commands  # noqa: PLC0415 - what it imports takes its time

    commands(["--host", "::1", "check", "--workers", "3", "--port", "8081", "--hold-keys"], standalone_mode=False)
    [settings] = told
    assert (settings.host, settings.port, settings.workers) == ("::1", 8081, 3)
    assert (settings.hold_keys, settings.fresh_within) == (True, 2.5)


def test_by_default_each_core_answers() -> None:
    assert 1 <= read_settings().worker_count <= options.MOST_WORKERS
