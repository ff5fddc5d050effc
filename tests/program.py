"""The program as a person starts it: `main.py`, in a process of its own."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from models.authkeys import Authkey
from models.exports import TABLE_COLUMNS, csv_text, key_cells
from models.submissions import Assignment
from services.imports import HEADER
from tests.databases import copy_of_tables
from tests.forked import Done, run_forked
from tests.starting import command, start

_ANNOUNCEMENT = re.compile(r"Authkeys is running at ((https?://\S+?)(/launch\?token=\S+)?)\n")
_SECONDS = 60

PASSWORD = "vexing-marble-otter"
"""Of every account that a test makes"""


class Program:
    """A running server; `admin` is the operating-system user who started it.

    `url` is its address, `link` what it printed, `cookie` a session that was begun with the link.
    """

    cookie: tuple[str, str] | None = None

    def __init__(
        self,
        *arguments: str,
        database: str,
        port: int = 0,
        admin: str = "alice",
        sign_in: bool = True,
        anew: bool = False,
        **variables: str,
    ) -> None:
        self._variables = variables
        self._anew = anew
        self.database = database
        self._sign_in = sign_in
        self._arguments = arguments
        self._admin = admin
        self.start(port)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def start(self, port: int | None = None) -> None:
        """Start it, or start it again on the same port; returns when it says that it answers."""
        self.errors = tempfile.TemporaryFile("a+")  # what it writes is added, wherever we read
        self.process = start(
            ["--no-browser", "--port", str(self.port if port is None else port), *self._arguments],
            environment(LOGNAME=self._admin, AUTHKEYS_DATABASE=self.database, **self._variables),
            self.errors,
            anew=self._anew,
        )
        assert self.process.stdout
        first_line = self.process.stdout.readline()
        announced = _ANNOUNCEMENT.fullmatch(first_line)
        assert announced, f"{first_line!r} instead of the address; {self.complaints()}"
        self.link, self.url = announced[1], announced[2]
        if announced[3] and self._sign_in:
            self.cookie = launch(self.link)

    def complaints(self) -> str:
        """What it wrote to standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self._reap()

    def end(self, how: signal.Signals = signal.SIGTERM) -> str:
        """Ask it to end, and wait; returns what it wrote to standard output after its first line."""
        self.process.send_signal(how)
        return self._reap()

    def _reap(self) -> str:
        try:
            return self.process.communicate(timeout=_SECONDS)[0]
        finally:
            self.process.kill()


@contextmanager
def running(*arguments: str, database: str, **more: Any) -> Iterator[Program]:
    """A server that is ended after the block, whatever happens; `more` as Program takes it."""
    program = Program(*arguments, database=database, **more)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.end()


@contextmanager
def serving(
    folder: Path, *options: str, keys: Sequence[Assignment] = (), accounts: Sequence[tuple[str, ...]] = (), **more: Any
) -> Iterator[Program]:
    """A server on a database in this folder with these authkeys and accounts, each as `admin add` takes it."""
    database = copy_of_tables(folder / "authkeys.db").text
    if keys:
        import_csv(database, write_csv(folder / "keys.csv", keys))
    for account in accounts:
        add_admin(database, *account)
    with running(*options, database=database, **more) as program:
        yield program


def run(
    *arguments: str, admin: str = "alice", given: str = "", before: Sequence[str] = (), anew: bool = False, **more: str
) -> Done:
    """Run `main.py` to its end; `given` is its standard input, `before` a command that runs it."""
    variables = environment(LOGNAME=admin, **more)
    if not (before or anew):
        return run_forked(arguments, variables, given)
    done = subprocess.run(
        [*before, *command(*arguments)],
        input=given,
        env=variables,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stderr, done.stdout)


def launch(link: str) -> tuple[str, str]:
    """Use a launch link, as a browser does; the name and the value of the session's cookie."""
    answer = httpx.get(link)
    assert answer.status_code == 303, answer.text
    [(name, value)] = answer.cookies.items()
    return name, value


def add_admin(database: str, name: str, *more: str) -> None:
    """Run `main.py admin add`, with `PASSWORD`."""
    admin(database, "add", name, *more, given=f"{PASSWORD}\n")


def admin(database: str, *arguments: str, given: str = "") -> None:
    """Run one of `main.py admin`'s commands: another process on the same database."""
    done = run_forked(["--database", database, "admin", *arguments], environment(LOGNAME="alice"), given)
    assert done.returncode == 0, done.stderr


def import_csv(database: str, file: Path, *options: str, admin: str = "alice") -> None:
    """Run `main.py import`: another process on the same database."""
    done = run_forked([*options, "--database", database, "import", str(file)], environment(LOGNAME=admin))
    assert done.returncode == 0, done.stderr


def write_csv(file: Path, keys: Sequence[Assignment]) -> Path:
    """A file as `main.py import` reads it."""
    columns = TABLE_COLUMNS if any(key.texts for key in keys) else HEADER
    rows = [key_cells(as_stored(key))[: len(columns)] for key in keys]
    file.write_text(csv_text([columns, *rows]), newline="")
    return file


def as_stored(key: Assignment) -> Authkey:
    """The authkey that comes of it."""
    texts = {name.value: text for name, text in key.texts}
    return Authkey(0, key.ip, key.service, key.privileges, 0, **texts)


def environment(**more: str) -> dict[str, str]:
    """The environment of a person's shell: without what pytest and NiceGUI's test tools put there."""
    foreign = ("PYTEST", "NICEGUI", "AUTHKEYS")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | more


def new_link(server: Program) -> str:
    """A launch link of a running program."""
    done = run("--database", server.database, "open", "--no-browser")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def stranger(server: Program, **headers: str) -> httpx.Client:
    """A client without a session."""
    return httpx.Client(base_url=server.url, headers=headers)


def signed_in(server: Program, **headers: str) -> httpx.Client:
    """A client with the session of who started the program."""
    assert server.cookie
    return httpx.Client(base_url=server.url, headers=headers, cookies=dict([server.cookie]))
