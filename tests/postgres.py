"""A throw-away PostgreSQL server for the tests, made with Debian's programs."""

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path

from storage.database import DatabaseLocation
from tests.databases import make_tables

USER = "authkeys"
_OPTIONS = "-F -h 127.0.0.1 -c unix_socket_directories='' -c max_connections=200 -c shared_buffers=32MB"


def find_programs() -> Path | None:
    """The folder of the newest installed server's programs, or None."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


class Cluster:
    """One server on a free port of the loopback interface."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._numbers = count(1)
        self.port = _free_port()

    def create(self, *more: str) -> None:
        """Make its files; `more` are options of initdb."""
        # Its own locale does not sort by bytes: the product must not depend on it.
        locale = ("--locale-provider=icu", "--icu-locale=en")
        self._run("initdb", "-A", "trust", "-U", USER, "-N", "-E", "UTF8", *locale, *more)

    @property
    def certificate(self) -> Path:
        """What a server with TLS shows; signed by itself."""
        return self._folder / "certificate.pem"

    def want_tls(self) -> None:
        """Before the start: take connections only over TLS."""
        key = self._folder / "key.pem"
        subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
        files = ("-keyout", str(key), "-out", str(self.certificate))
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
        subprocess.run(command, check=True, capture_output=True)
        if os.getuid() == 0:
            shutil.chown(key, "postgres")
        key.chmod(0o600)
        data = self._folder / "data"
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(f"ssl = on\nssl_cert_file = '{self.certificate}'\nssl_key_file = '{key}'\n")

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-o", f"{_OPTIONS} -p {self.port}", "-l", str(self._folder / "log"), "start")

    def start_again(self) -> None:
        """What an operator does when it is down, or may be: without space for its log it ends itself."""
        if not self.is_running:
            self.start()

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        try:
            pid = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return False
        return Path(f"/proc/{pid}").exists()

    def stop(self) -> None:
        """Stop at once and drop all connections, as a machine that goes down does."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    @contextmanager
    def new_database(self, template: str = "template1") -> Iterator[DatabaseLocation]:
        """A copy of the template, dropped at the end."""
        name = f"test{next(self._numbers)}"
        self._client("createdb", "--template", template, name)
        try:
            yield self._location(name)
        finally:
            self._client("dropdb", "--force", name)

    @cached_property
    def with_tables(self) -> str:
        """The template with today's tables."""
        self._client("createdb", "tables")
        make_tables(self._location("tables"))
        return "tables"

    def _location(self, name: str) -> DatabaseLocation:
        return DatabaseLocation(f"postgres://{USER}@127.0.0.1:{self.port}/{name}")

    def _client(self, program: str, *arguments: str) -> None:
        address = ("-h", "127.0.0.1", "-p", str(self.port), "-U", USER)
        subprocess.run([self._programs / program, *address, *arguments], check=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        if os.getuid() == 0:  # the server refuses to be run by root
            command = ["su", "postgres", "-c", shlex.join(command)]
        # Into a file: a pipe would be held open by the server, and its end awaited for ever.
        with (self._folder / "output").open("w+") as output:
            done = subprocess.run(command, check=False, cwd="/", stdout=output, stderr=subprocess.STDOUT)
            output.seek(0)
            assert done.returncode == 0, output.read()


@contextmanager
def running_cluster(programs: Path, *, tls_only: bool = False) -> Iterator[Cluster]:
    """A server that is stopped and deleted at the end."""
    with cluster_folder() as folder, started(cluster := Cluster(programs, folder), tls_only=tls_only):
        yield cluster


@contextmanager
def started(cluster: Cluster, *options: str, tls_only: bool = False) -> Iterator[None]:
    """Make a server's files, with these options of initdb, and start it; it is stopped at the end."""
    cluster.create(*options)
    if tls_only:
        cluster.want_tls()
    cluster.start()
    try:
        yield
    finally:
        if cluster.is_running:
            cluster.stop()


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """A folder that a server may write to; deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="authkeys-postgres-"))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        yield folder
    finally:
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
