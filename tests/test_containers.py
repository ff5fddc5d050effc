"""The container's recipe and its neighbours. There is no Docker here: they are linted and read, and nginx's part is run."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import yaml

from cli.settings import Settings, variable
from storage.postgres_url import asyncpg_dsn
from tests.nginx import free_port, needs_nginx, self_signed
from tests.starting import ROOT
from tests.waiting import soon

DEPLOY = ROOT / "deploy"
RECIPE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
INSTANCES = ("authkeys1", "authkeys2", "authkeys3")


# -- the image -----------------------------------------------------------------------------------------------------------


def test_the_linter_finds_nothing_in_the_recipe() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_image_holds_all_parts_of_the_program_and_nothing_else() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", RECIPE, re.MULTILINE))
    parts = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "docs"}
    assert copied == parts
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert ignored[0] == "*"
    assert parts <= {line.removeprefix("!") for line in ignored}


def test_the_program_is_no_root_and_is_started_without_a_shell() -> None:
    last = RECIPE.rpartition("\nFROM ")[2]
    assert "USER 10001:10001" in last
    assert 'ENTRYPOINT ["python", "main.py"]' in last
    assert 'CMD ["python", "main.py", "healthcheck"]' in last
    assert "RUN" not in last, "nothing in it needs a shell"


def test_the_image_gives_only_variables_that_the_program_reads() -> None:
    known = {variable(name) for name in Settings.model_fields}
    named = set(re.findall(r"AUTHKEYS_\w+", RECIPE)) | set(COMPOSE["x-authkeys"]["environment"])
    assert named <= known


# -- the composition -----------------------------------------------------------------------------------------------------


def test_every_service_is_watched_confined_and_comes_up_in_order() -> None:
    services = COMPOSE["services"]
    assert set(services) == {*INSTANCES, "postgres", "nginx"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["restart"] == "unless-stopped", name
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"]), name
        assert set(service["networks"]) <= set(COMPOSE["networks"]), name
    assert set(services["nginx"]["depends_on"]) == set(INSTANCES)
    assert all(services[name]["depends_on"] == {"postgres": {"condition": "service_healthy"}} for name in INSTANCES)
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"], "nothing else is reached"
    assert services["postgres"]["volumes"] == ["database:/var/lib/postgresql/data"]
    assert "database" in COMPOSE["volumes"]


def test_the_instances_are_alike_and_believe_nginx_alone() -> None:
    services = COMPOSE["services"]
    assert services["authkeys1"] == services["authkeys2"] == services["authkeys3"]
    settings = services["authkeys1"]["environment"]
    address = services["nginx"]["networks"]["front"]["ipv4_address"]
    assert settings["AUTHKEYS_TRUSTED_PROXY"] == address
    [pool] = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert ip_address(address) in ip_network(pool["subnet"])
    assert ip_address(address) not in ip_network(pool["ip_range"]), "else an instance, which starts before, may get it"
    assert "passfile" in asyncpg_dsn(settings["AUTHKEYS_DATABASE"])
    assert settings["AUTHKEYS_SECRET_FILE"] == "/run/secrets/authkeys"
    given = {name: value for name, value in settings.items() if "${" not in value}
    Settings(**{name.removeprefix("AUTHKEYS_").lower(): value for name, value in given.items()})


# -- nginx before the instances ------------------------------------------------------------------------------------------


@contextmanager
def stub(name: str) -> Iterator[int]:
    """An instance that says its name."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{name} {self.headers['X-Forwarded-For']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class Front:
    """nginx of the composition, with stubs for its instances."""

    def __init__(self, port: int, stubs: dict[str, ExitStack]) -> None:
        self.port = port
        self.stubs = stubs

    def ask(self, path: str, address: str = "127.0.0.9") -> httpx.Response:
        transport = httpx.HTTPTransport(local_address=address, verify=False)
        with httpx.Client(transport=transport) as client:
            return client.get(f"https://127.0.0.1:{self.port}{path}", headers={"X-Forwarded-For": "203.0.113.9"})

    def who(self, path: str, address: str = "127.0.0.9") -> str:
        name, _, told = self.ask(path, address).text.partition(" ")
        assert told == address
        return name


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    port, (certificate, key) = free_port(), self_signed(tmp_path, "keys.example.com")
    text = (DEPLOY / "compose-nginx.conf").read_text()
    stubs = {name: ExitStack() for name in INSTANCES}
    with ExitStack() as ending:
        replaced = {
            name + ":8080": f"127.0.0.1:{ending.enter_context(stack).enter_context(stub(name))}"
            for name, stack in stubs.items()
        }
        replaced |= {"/etc/ssl/authkeys.pem": str(certificate), "/etc/ssl/authkeys.key": str(key)}
        replaced |= {"listen 443": f"listen 127.0.0.1:{port}", "/run/nginx.pid": f"{tmp_path}/pid"}
        replaced |= {"/dev/stdout": f"{tmp_path}/access.log", "worker_processes auto": "worker_processes 1"}
        for old, new in replaced.items():
            assert old in text, old
            text = text.replace(old, new)
        (tmp_path / "nginx.conf").write_text(text)
        command = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-g", "daemon off;"]
        process = ending.enter_context(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        ending.callback(process.terminate)
        assert soon(lambda: process.poll() is not None or (tmp_path / "pid").exists())
        assert process.poll() is None, process.stderr and process.stderr.read()
        yield Front(port, stubs)


@needs_nginx
def test_a_page_stays_with_its_instance_and_moves_on_when_that_is_gone(front: Front) -> None:
    [mine] = {front.who(path) for path in ("/", "/_nicegui_ws/socket.io/", "/history", "/rows") for _ in range(3)}
    assert len({front.who("/", f"127.0.0.{number}") for number in range(1, 60)}) == 3, "others are elsewhere"
    front.stubs[mine].close()
    [moved] = {front.who("/") for _ in range(3)}
    assert moved != mine


@needs_nginx
def test_access_checks_and_scripts_are_shared_out_and_none_of_them_fails_with_an_instance(front: Front) -> None:
    for path in ("/authorize", "/authorize/search", "/XMLlicenseInfo.cgi", "//XMLlicenseInfo.cgi"):
        assert Counter(front.who(path) for _ in range(6)) == dict.fromkeys(INSTANCES, 2), path
    front.stubs["authkeys2"].close()
    assert {front.who("/authorize") for _ in range(12)} == {"authkeys1", "authkeys3"}


@needs_nginx
def test_health_and_figures_are_not_for_everybody(front: Front) -> None:
    assert [front.ask(path).status_code for path in ("/health/ready", "/metrics", "//metrics")] == [404, 404, 404]
    assert front.ask("/nginx-lives").status_code == 204
