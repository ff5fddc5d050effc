"""Several instances on one PostgreSQL behind nginx, as deploy/nginx-instances.conf has them, without containers.

Run by itself it serves until it is told to end: `uv run tests/topology.py [INSTANCES]`.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx

from storage.database import DatabaseLocation
from tests.nginx import free_port, nginx_tls, running_nginx, self_signed
from tests.postgres import find_programs, running_cluster
from tests.program import PASSWORD, Program, run, running

SITE = "keys.example.com"
STICKY = 'hash "$remote_addr $http_user_agent" consistent;'
_INSTANCE = "X-Instance"
"""In which answers say here where they come from"""
_PORTS = ("8081", "8082", "8083")


class Topology:
    """`instances` behind nginx, which a browser finds at `url`."""

    def __init__(self, database: DatabaseLocation, folder: Path, port: int) -> None:
        self.database = database
        self.folder = folder
        self.instances: list[Program] = []
        self.port = port
        self.url = f"https://{SITE}:{port}"

    @property
    def secret_file(self) -> Path:
        """The secret that the instances share."""
        return self.database.companion("secret")

    def client(self, user_agent: str = "a script", **headers: str) -> httpx.Client:
        """A client that says that it is this program."""
        return httpx.Client(headers={"User-Agent": user_agent, **self._host, **headers}, **self._address)

    def async_client(self) -> httpx.AsyncClient:
        """A client for several questions at once."""
        return httpx.AsyncClient(headers=self._host, **self._address)

    def user_agent_of(self, program: Program) -> str:
        """What a browser calls itself whose pages come from this instance."""
        found = (f"Browser {number}" for number in range(1_000))
        return next(each for each in found if self.serves(each) is program)

    def serves(self, user_agent: str) -> Program | None:
        """The instance that pages of a browser come from; None if nginx asked more than one."""
        with self.client(user_agent) as client:
            return self.instance_of(client.get("/sign-in"))

    def instance_of(self, answer: httpx.Response) -> Program | None:
        """The instance that an answer came from; None if nginx asked more than one."""
        address = answer.headers[_INSTANCE]
        return next((each for each in self.instances if address == f"127.0.0.1:{each.port}"), None)

    @property
    def _host(self) -> dict[str, str]:
        return {"Host": f"{SITE}:{self.port}"}

    @property
    def _address(self) -> dict[str, Any]:
        return {"base_url": f"https://127.0.0.1:{self.port}", "verify": False, "timeout": 30}


@contextmanager
def topology(
    database: DatabaseLocation,
    folder: Path,
    *options: str,
    count: int = 3,
    accounts: Sequence[str] = ("dana", "lee"),
    is_sticky: bool = True,
    anew: bool = False,
) -> Iterator[Topology]:
    """So many instances on this PostgreSQL database, with these admins, behind nginx; all end with the block."""
    found = Topology(database, folder, free_port())
    shared = ("--database", database.text, "--secret-file", str(found.secret_file))
    for name in accounts:
        done = run(*shared, "admin", "add", name, given=f"{PASSWORD}\n")
        assert done.returncode == 0, done.stderr
    serving = (*shared, "--trusted-proxy", "127.0.0.1", "--allowed-host", SITE, *options)
    with ExitStack() as stack:
        for _ in range(count):
            found.instances.append(stack.enter_context(running(*serving, database=database.text, anew=anew)))
        stack.enter_context(running_nginx(SITE, folder, _replaced(found, is_sticky), "nginx-instances.conf"))
        yield found


def _replaced(found: Topology, is_sticky: bool) -> dict[str, str]:
    certificate, key = self_signed(found.folder, SITE)
    replaced = nginx_tls(found.port, certificate, key)
    replaced[f"server_name {SITE};"] = f"server_name {SITE}; add_header {_INSTANCE} $upstream_addr always;"
    for taken, instance in zip(_PORTS, found.instances, strict=False):
        replaced[f"127.0.0.1:{taken}"] = f"127.0.0.1:{instance.port}"
    for spare in _PORTS[len(found.instances) :]:
        replaced[f"    server 127.0.0.1:{spare}"] = f"    #server 127.0.0.1:{spare}"
    return replaced if is_sticky else {**replaced, STICKY: ""}


def _serve(count: int) -> None:
    programs = find_programs()
    if programs is None:
        sys.exit("This needs Debian's PostgreSQL and nginx: apt-get install -y postgresql nginx openssl")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        cluster = stack.enter_context(running_cluster(programs))
        database = stack.enter_context(cluster.new_database())
        found = stack.enter_context(topology(database, folder, count=count))
        print(f"{found.url} (put {SITE} into /etc/hosts as 127.0.0.1); sign in as dana, {PASSWORD}", flush=True)
        print("\n".join(each.url for each in found.instances), flush=True)
        input()


if __name__ == "__main__":
    _serve(int(sys.argv[1]) if sys.argv[1:] else 3)
