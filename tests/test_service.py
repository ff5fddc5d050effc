"""As a service: what systemd is told, how it ends, and that the program needs no more than the unit and the container give it."""

import asyncio
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli import serve
from cli.commands import commands
from models.privileges import privilege
from models.views import View
from services.console import Console
from storage.database import DatabaseLocation
from tests.databases import copy_of_tables
from tests.elsewhere import start_over
from tests.forked import processes
from tests.other_process import another_process, issue_key
from tests.program import environment, running
from tests.requirements import INSTALL_HINT
from tests.starting import ROOT
from tests.support import new_keys, stage_all

UNIT = ROOT / "deploy" / "authkeys.service"
KEYS = 20_000


class Manager:
    """What systemd does: it names a datagram socket, and listens there."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._socket.settimeout(30)

    def told(self) -> list[str]:
        """The lines of the next thing that it is told."""
        return self._socket.recv(4_096).decode().split("\n")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    name = str(tmp_path / "notify") if request.param == "file" else f"@authkeys-test-{os.getpid()}"
    with closing(Manager(name)) as manager:
        yield manager


def test_systemd_hears_when_the_program_answers_that_it_lives_and_when_it_ends(
    manager: Manager, tmp_path: Path
) -> None:
    database = copy_of_tables(tmp_path / "authkeys.db").text
    named = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "300000"}
    with running(anew=True, database=database, sign_in=False, **named) as program:
        told = manager.told()
        while told == ["WATCHDOG=1"]:
            told = manager.told()
        assert told == ["READY=1", f"STATUS=Answering at {program.url}"]
        for _ in range(3):
            assert manager.told() == ["WATCHDOG=1"]
        program.end(signal.SIGTERM)
        while told[0] != "STOPPING=1":
            told = manager.told()
        assert program.process.returncode == 0
        assert program.complaints() == ""


def test_a_manager_that_is_not_there_or_watches_another_process_changes_nothing(tmp_path: Path) -> None:
    database = copy_of_tables(tmp_path / "authkeys.db").text
    named = {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "300000", "WATCHDOG_PID": "1"}
    with running(anew=True, database=database, sign_in=False, **named) as program:
        program.end(signal.SIGTERM)
        assert program.process.returncode == 0
        assert "systemd could not be told READY=1: No such file or directory" in program.complaints()


async def stage_for_all(console: Console) -> None:
    await start_over(console, new_keys(KEYS))
    await stage_all(console.staging, console.admin.id, View(), privilege("search"), True)


def counts(database: str) -> tuple[int, int, int]:
    """How many authkeys have a privilege, how many changes are on record, and how many are staged."""
    with closing(sqlite3.connect(database)) as file:
        queries = ("authkey WHERE privileges <> 0", "modification WHERE kind = 'changed'", "staged_change")
        applied, recorded, staged = (file.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in queries)
    return applied, recorded, staged


def test_a_use_of_a_key_in_the_last_moment_is_written(tmp_path: Path) -> None:
    database = copy_of_tables(tmp_path / "authkeys.db").text
    secret = issue_key(database, "127.0.0.1", "billing", "search")
    with running(anew=True, database=database, sign_in=False) as program:
        answer = httpx.get(f"{program.url}/authorize/search", headers={"X-Api-Key": secret})
        assert answer.status_code == 204
        program.end(signal.SIGTERM)
    with closing(sqlite3.connect(database)) as file:
        assert file.execute("SELECT count FROM key_use").fetchall() == [(1,)]


def serve_and_submit(pipe: Connection, database: str) -> None:
    """The program, in which an admin submits as soon as it answers; tells how far that is."""
    answering = asyncio.Event()

    async def submit(console: Console) -> None:
        await answering.wait()
        await console.staging.submit(console.admin, uuid.uuid4(), lambda done, total: pipe.send(done))

    def build(console: Console, *arguments: Any, **more: Any) -> Any:
        pages.append(asyncio.create_task(submit(console)))
        return build_app(console, *arguments, **more)

    pages: list[asyncio.Task[None]] = []
    build_app, serve.build_app = serve.build_app, build
    serve.ServiceManager.ready = lambda self, status: answering.set()  # type: ignore[method-assign]
    os.environ["LOGNAME"] = "alice"
    commands(["--database", database, "--no-browser", "--port", "0"])


async def test_who_is_told_to_end_while_twenty_thousand_keys_are_submitted_loses_none(tmp_path: Path) -> None:
    database = copy_of_tables(tmp_path / "authkeys.db").text
    async with another_process(DatabaseLocation(database), "alice") as preparing:
        await preparing.do(stage_for_all)
    ours, theirs = processes.Pipe()
    server = processes.Process(target=serve_and_submit, args=(theirs, database), daemon=True)
    server.start()
    try:
        assert ours.poll(120)
        assert 0 < ours.recv() < KEYS
        server.terminate()
        server.join(60)
        assert server.exitcode == 0
    finally:
        server.kill()
    assert counts(database) == (KEYS, KEYS, 0), "what was running is finished"


# -- the unit ------------------------------------------------------------------------------------------------------------

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason=INSTALL_HINT)


def analyzed(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_systemd
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "authkeys.service"
    unit.write_text(UNIT.read_text().replace("/opt/authkeys/.venv/bin/python", sys.executable))
    assert "authkeys.service" not in analyzed("verify", str(unit))


@needs_systemd
def test_the_service_may_do_little(tmp_path: Path) -> None:
    last = analyzed("security", "--offline=true", "--no-pager", str(UNIT)).strip().splitlines()[-1]
    assert float(last.split(":")[1].split()[0]) <= 2.0, last


def test_the_service_sees_when_the_machine_was_started_without_which_there_are_no_figures_of_its_process() -> None:
    assert "ProcSubset=pid" not in UNIT.read_text(), "it hides /proc/stat"


REFUSING_WRITABLE_CODE = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0  # PR_SET_MDWE: as MemoryDenyWriteExecute=yes; it passes to who is executed
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
READ_ONLY = 'mount -t tmpfs tmpfs "$1" && mount -o remount,bind,ro / && shift && exec "$@"'


@contextmanager
def confined(folder: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The program where everything but one folder is read-only, memory that can be written is never run, and HOME is nothing."""
    program = [sys.executable, "-c", REFUSING_WRITABLE_CODE, str(ROOT / "main.py"), "--no-browser", "--port", "0"]
    command = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(folder), *program]
    process = subprocess.Popen(
        command,
        env=environment(HOME="/nonexistent", **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a file system read-only")
@pytest.mark.parametrize("keeps_cache", [True, False])
def test_the_program_writes_nowhere_but_where_its_database_is(tmp_path: Path, keeps_cache: bool) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    cache = {"XDG_CACHE_HOME": str(folder)} if keeps_cache else {}
    cache["TMPDIR"] = str(folder)  # SQLite wants one; the unit and the container give it a /tmp of its own
    with confined(
        folder, AUTHKEYS_DATABASE=str(folder / "authkeys.db"), PYTHONDONTWRITEBYTECODE="1", **cache
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert line.startswith("Authkeys is running at http://127.0.0.1:")
