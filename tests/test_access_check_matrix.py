"""No caller writes the proxy's question: real proxies with our files and with careless ones, before a backend that notes all.

Traefik is in no registry that this project installs from. Its requests are made here as its source makes them
(pkg/middlewares/auth/forward.go and pkg/middlewares/forwardedheaders/forwarded_header.go, v3), and sent to the authorizer.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.databases import copy_of_tables
from tests.nginx import (
    caddy_tls,
    free_port,
    needs_caddy,
    needs_nginx,
    nginx_tls,
    running_caddy,
    running_nginx,
    self_signed,
)
from tests.other_process import issue_key
from tests.program import Program, add_admin, running
from tests.raw_backend import RawBackend, running_raw_backend

SITE = "api.example.com"
CLIENT, ELSEWHERE = "127.0.0.9", "127.0.0.8"


class World(NamedTuple):
    """The program, the backend behind it, and keys that belong to CLIENT."""

    server: Program
    raw: RawBackend
    right: str
    """May search"""
    other: str
    """May list licenses only"""
    folder: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("matrix")
    database = copy_of_tables(folder / "authkeys.db").text
    add_admin(database, "dana")
    with (
        running_raw_backend() as raw,
        running(
            "--trusted-proxy", "127.0.0.1", "--backend", f"http://127.0.0.1:{raw.port}", database=database
        ) as server,
    ):
        right = issue_key(database, CLIENT, "right", "search")
        other = issue_key(database, CLIENT, "other", "listlicenses")
        yield World(server, raw, right, other, folder)


Sends = Callable[[str, str, dict[str, str], str], bool]
"""Sends a request (method, target, headers) from an address; whether it reached the backend or was allowed to."""


# -- proxies -------------------------------------------------------------------------------------------------------------


@contextmanager
def nginx(world: World, folder: Path, *, careless: bool) -> Iterator[Sends]:
    port, (certificate, key) = free_port(), self_signed(folder, SITE)
    replaced = nginx_tls(port, certificate, key) | {
        ":8080": f":{world.server.port}",
        ":9000": f":{world.raw.port}",
    }
    if careless:
        replaced |= {
            "auth_request /authorize;": "set $of_client $args; auth_request /authorize;",
            f":{world.server.port}/authorize;": f":{world.server.port}/authorize?$of_client;",
            'proxy_set_header X-Forwarded-Uri "";': "",
            "X-Forwarded-For $remote_addr": "X-Forwarded-For $proxy_add_x_forwarded_for",
        }
    with running_nginx(SITE, folder, replaced):
        yield through(world, port)


@contextmanager
def caddy(world: World, folder: Path, *, careless: bool, uri: str = "/authorize") -> Iterator[Sends]:
    port, (certificate, key) = free_port(), self_signed(folder, SITE)
    replaced = caddy_tls(SITE, port, certificate, key) | {
        "127.0.0.1:8080": f"127.0.0.1:{world.server.port}",
        "127.0.0.1:9000": f"127.0.0.1:{world.raw.port}",
    }
    if careless:
        replaced |= {"rewrite /authorize?": f"rewrite {uri}", "request_header -X-Original-Uri": ""}
    with running_caddy(SITE, folder, replaced):
        yield through(world, port)


def through(world: World, port: int) -> Sends:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def send(method: str, target: str, headers: dict[str, str], address: str) -> bool:
        before = len(world.raw.requests)
        with (
            socket.create_connection(("127.0.0.1", port), 30, source_address=(address, 0)) as plain,
            context.wrap_socket(plain, server_hostname=SITE) as connection,
        ):
            lines = [f"{method} {target} HTTP/1.1", f"Host: {SITE}:{port}", "Connection: close", "Content-Length: 0"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            answer = http.client.HTTPResponse(connection, method=method)
            answer.begin()
            answer.read()
        return len(world.raw.requests) > before

    return send


@contextmanager
def traefik(world: World, folder: Path, *, careless: bool) -> Iterator[Sends]:
    """The question that ForwardAuth asks; careless: `trustForwardHeader: true`, and all headers handed on."""

    def send(method: str, target: str, headers: dict[str, str], address: str) -> bool:
        # The entry point strips these from whoever is not named as trusted.
        kept = {name: value for name, value in headers.items() if not name.lower().startswith("x-forwarded-")}
        if not careless:
            kept = {name: value for name, value in kept.items() if name in ("Authorization", "X-Api-Key")}
        path = target.removeprefix(f"http://{SITE}")
        told = {
            **kept,
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": SITE,
            "X-Forwarded-Uri": path,
            "X-Forwarded-For": address,
        }
        connection = http.client.HTTPConnection("127.0.0.1", world.server.port, timeout=30)
        connection.request("GET", "/authorize", headers=told)
        status = connection.getresponse().status
        connection.close()
        return status == 204

    yield send


PROXIES = {
    "nginx, ours": lambda world, folder: nginx(world, folder, careless=False),
    "nginx, careless": lambda world, folder: nginx(world, folder, careless=True),
    "Caddy, ours": lambda world, folder: caddy(world, folder, careless=False),
    "Caddy, careless": lambda world, folder: caddy(world, folder, careless=True),
    "Caddy, careless with ?": lambda world, folder: caddy(world, folder, careless=True, uri="/authorize?"),
    "Traefik, ours": lambda world, folder: traefik(world, folder, careless=False),
    "Traefik, careless": lambda world, folder: traefik(world, folder, careless=True),
}


def _needs(name: str) -> list[pytest.MarkDecorator]:
    return [needs_nginx] if "nginx" in name else [needs_caddy] if "Caddy" in name else []


@pytest.fixture(scope="module", params=[pytest.param(name, marks=_needs(name)) for name in PROXIES])
def send(request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sends]:
    with PROXIES[request.param](world, tmp_path_factory.mktemp("proxy")) as send:
        yield send


# -- requests ------------------------------------------------------------------------------------------------------------

SEARCHES = [
    "/XMLlookup.cgi",
    "/XMLlookup.cgi?ip=192.0.2.1",
    "/xmlLOOKUP.cgi",
    "/XMLlookup.cgi?privilege=whatever",
    "/XMLlookup.cgi?privilege=search",
    "/XMLlookup.cgi?privilege=search&privilege=whatever",
]
"""What the right key may do, from its address."""
FORBIDDEN = [
    "/XMLlicenseAdd.cgi",
    "/XMLlicenseAdd.cgi?ip=192.0.2.1&privilege=search",
    "/XMLlicenseAdd.cgi?privilege=search",
    "/XMLlicenseAdd.cgi?;privilege=search",
    "/XMLlicenseAdd.cgi?%70rivilege=search",
    "/XMLlicenseAdd.cgi?a=b%26privilege=search",
    "/XMLgroupAdd.cgi?privilege=search",
    "/admin/anything?privilege=search",
    "/?privilege=search",
    "/search",
    "/XMLlookup.cgi/../XMLlicenseAdd.cgi",
    "/XMLlookup.cgi/..%2fXMLlicenseAdd.cgi",
    "/XMLlicenseAdd.cgi/XMLlookup.cgi",
    "/XMLlicenseAdd.cgi%3Fprivilege=search",
    "/XMLlicenseAdd.cgi;/XMLlookup.cgi",
    "//XMLlicenseAdd.cgi?privilege=search",
    f"http://{SITE}/XMLlicenseAdd.cgi?privilege=search",
]
"""What it may not do, however it is written."""
FORGED = {
    "X-Original-URI": "/XMLlookup.cgi",
    "X-Forwarded-Uri": "/XMLlookup.cgi",
    "X-Forwarded-For": CLIENT,
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Method": "HEAD",
    "X-Real-IP": CLIENT,
    "Forwarded": f"for={CLIENT}",
}


def keyed(secret: str) -> dict[str, str]:
    return {"X-Api-Key": secret}


@pytest.mark.parametrize("target", SEARCHES)
def test_the_right_key_from_its_address_passes_and_nothing_else_does(world: World, send: Sends, target: str) -> None:
    for method in ("GET", "POST"):
        assert send(method, target, keyed(world.right), CLIENT)
        assert not send(method, target, {}, CLIENT)
        assert not send(method, target, keyed(world.other), CLIENT)
        assert not send(method, target, keyed(world.right), ELSEWHERE)


@pytest.mark.parametrize("target", FORBIDDEN)
def test_a_key_reaches_nothing_beyond_its_privilege(world: World, send: Sends, target: str) -> None:
    for method in ("GET", "POST"):
        for secret in (world.right, world.other):
            assert not send(method, target, keyed(secret), CLIENT), f"{method} {target}"


@pytest.mark.parametrize("name", [*FORGED, "all"])
def test_no_header_of_the_caller_counts_for_the_proxys(world: World, send: Sends, name: str) -> None:
    forged = FORGED if name == "all" else {name: FORGED[name]}
    assert not send("GET", "/XMLlicenseAdd.cgi", keyed(world.right) | forged, CLIENT)
    assert not send("GET", "/XMLlookup.cgi", keyed(world.right) | forged, ELSEWHERE)
    assert not send("GET", "/XMLlookup.cgi", forged, CLIENT)
    if name not in ("X-Original-URI", "X-Forwarded-Uri", "all"):  # these may contradict the proxy, which is refused
        assert send("GET", "/XMLlookup.cgi", keyed(world.right) | forged, CLIENT)


def test_a_whole_url_in_the_request_line_is_read_as_its_path_or_refused(world: World, send: Sends) -> None:
    send("GET", f"http://{SITE}/XMLlookup.cgi", keyed(world.right), CLIENT)
    assert not send("GET", f"http://{SITE}/XMLlookup.cgi", keyed(world.other), CLIENT)
    assert not send("GET", f"http://{SITE}/XMLlicenseAdd.cgi", keyed(world.right), CLIENT)
