"""What a client's user, the backend and the record get behind the real proxies and gateways of deploy/."""

import base64
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
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

CHECKED, GATEWAY = "api.example.com", "gateway.example.com"
CLIENT, ELSEWHERE = "127.0.0.9", "127.0.0.8"


class Site(NamedTuple):
    """A proxy that asks first, or a gateway, with what stands behind it."""

    url: str
    server: Program
    raw: RawBackend
    key: str
    folder: Path

    def call(self, path: str, address: str = CLIENT, **how: Any) -> httpx.Response:
        """Call as a client at this address."""
        transport = httpx.HTTPTransport(local_address=address, verify=False)
        with httpx.Client(transport=transport, base_url=self.url, timeout=30) as client:
            client.event_hooks["request"].append(lambda request: request.extensions.update(sni_hostname=self._name))
            client.headers["Host"] = self._name
            method = "POST" if "data" in how else "GET"
            return client.request(method, path, **how)

    @property
    def _name(self) -> str:
        return GATEWAY if "gateway" in self.folder.name else CHECKED

    def denied(self) -> dict[tuple[str, str], int]:
        """What is on record when the program has ended: by reason and what was asked for, how often."""
        self.server.end()
        with sqlite3.connect(self.server.database) as file:
            rows = file.execute("SELECT reason, what, SUM(count) FROM refusal GROUP BY reason, what").fetchall()
        return {(reason, what): count for reason, what, count in rows}

    def logs(self) -> str:
        """All that the proxy and the program wrote."""
        files = [file for file in self.folder.iterdir() if file.suffix == ".log" or file.name == "stderr"]
        return "".join(file.read_text(errors="replace") for file in files) + self.server.complaints()


@contextmanager
def started(folder: Path, site: str, proxy: Callable[..., AbstractContextManager[None]]) -> Iterator[Site]:
    folder = folder / ("gateway" if site == GATEWAY else "checked")
    folder.mkdir()
    database, port = copy_of_tables(folder / "authkeys.db").text, free_port()
    add_admin(database, "dana")
    with ExitStack() as stack:
        raw = stack.enter_context(running_raw_backend())
        arguments = ["--trusted-proxy", "127.0.0.1", "--backend", f"http://127.0.0.1:{raw.port}"]
        server = stack.enter_context(running(*arguments, database=database))
        certificate, key = self_signed(folder, site)
        tls = nginx_tls(port, certificate, key) if proxy is running_nginx else caddy_tls(site, port, certificate, key)
        replaced = tls | {"127.0.0.1:8080": f"127.0.0.1:{server.port}"}
        if site == CHECKED:
            replaced["127.0.0.1:9000"] = f"127.0.0.1:{raw.port}"
        stack.enter_context(proxy(site, folder, replaced))
        secret = issue_key(database, CLIENT, "billing", "search")
        yield Site(f"https://127.0.0.1:{port}", server, raw, secret, folder)


BOTH_PROXIES = [
    pytest.param(running_nginx, marks=needs_nginx, id="nginx"),
    pytest.param(running_caddy, marks=needs_caddy, id="Caddy"),
]


@pytest.fixture(params=BOTH_PROXIES)
def checked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with started(tmp_path, CHECKED, request.param) as site:
        yield site


@pytest.fixture(scope="module", params=BOTH_PROXIES)
def kept_running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For tests that do not end the program to read its record."""
    with started(tmp_path_factory.mktemp("site"), CHECKED, request.param) as site:
        yield site


@pytest.fixture(params=BOTH_PROXIES)
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with started(tmp_path, GATEWAY, request.param) as site:
        yield site


def basic(secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'u:{secret}'.encode()).decode()}"}


def test_who_is_denied_before_the_backend_reads_why_in_its_format_and_is_counted_once(checked: Site) -> None:
    refused = checked.call("/XMLlicenseAdd.cgi?output=json", headers=basic(checked.key))
    assert (refused.status_code, refused.json()["status"]) == (200, 0)
    assert refused.json()["reason"] == "This key may not do that from this address."
    for function, headers in {"XMLRawlookup": {}, "XMLlookup": basic("wrong password")}.items():
        challenged = checked.call(f"/{function}.cgi?output=yaml", headers=headers)
        assert (challenged.status_code, challenged.text[:14]) == (401, "---\nstatus: 0\n")
        assert challenged.headers["www-authenticate"] == 'Basic realm="cPanel Licensing System"'
    unknown = checked.call("/XMLnothing.cgi?output=json", headers=basic(checked.key))
    assert unknown.json() == {"status": 0, "reason": "There is no such function."}
    assert checked.raw.requests == []
    assert checked.denied() == {
        ("privilege missing", "XMLlicenseAdd"): 1,
        ("no key", "XMLRawlookup"): 1,
        ("unknown key", "XMLlookup"): 1,
        ("unknown privilege", "/XMLnothing.cgi"): 1,
    }


def test_a_key_in_a_post_body_passes_the_proxy_and_leaves_no_denied_request(checked: Site) -> None:
    answer = checked.call("/XMLlookup.cgi", data={"apikey": checked.key, "output": "json"})
    assert answer.json()["status"] == 1
    assert checked.key.encode() not in b"".join(checked.raw.requests)
    assert checked.denied() == {}


def test_a_client_that_waits_for_the_challenge_before_it_sends_its_key_was_never_denied(checked: Site) -> None:
    assert checked.call("/XMLlookup.cgi").status_code == 401
    assert checked.call("/XMLlookup.cgi", headers=basic(checked.key)).json()["status"] == 1
    assert checked.denied() == {}


@pytest.mark.parametrize(
    "query", ["apikey={}", "a=b&apikey={}&c=%20d", "apikey={}&a=b", "%61pikey={}", "APIKEY=x&apikey={}"]
)
def test_the_backend_behind_the_proxy_sees_no_key_wherever_it_stood(kept_running: Site, query: str) -> None:
    kept_running.raw.requests.clear()
    answer = kept_running.call(f"/XMLlookup.cgi?{query.format(kept_running.key)}&output=json")
    assert answer.json()["status"] == 1
    assert kept_running.call("/XMLlookup.cgi?x=1", headers={"X-Api-Key": kept_running.key}).status_code == 200
    assert (
        kept_running.call(
            "/XMLlookup.cgi?x=1", headers=basic(kept_running.key) | {"X-Authkeys-Uri": "/evil"}
        ).status_code
        == 200
    )
    asked = b"".join(kept_running.raw.requests).decode()
    assert kept_running.key not in asked
    assert base64.b64encode(f"u:{kept_running.key}".encode()).decode() not in asked
    assert "pikey" not in asked.lower()
    assert "/evil" not in asked
    assert "output=json" in asked
    if "%20d" in query:
        assert "a=b&c=%20d" in asked


def test_the_gateway_serves_a_client_by_its_own_address_through_tls(gateway: Site) -> None:
    assert gateway.call("/XMLlookup.cgi?output=json", headers=basic(gateway.key)).json()["status"] == 1
    assert gateway.call("/XMLlookup.cgi", data={"apikey": gateway.key, "output": "json"}).json()["status"] == 1
    elsewhere = gateway.call("/XMLlookup.cgi?output=json", ELSEWHERE, headers=basic(gateway.key))
    assert elsewhere.json()["status"] == 0
    assert gateway.call("/sign-in").status_code == 404
    assert gateway.call("/authorize").status_code == 404
    assert gateway.denied() == {("wrong IP", "XMLlookup"): 1}


@pytest.mark.parametrize("site", [CHECKED, GATEWAY])
@pytest.mark.parametrize("proxy", BOTH_PROXIES)
def test_no_log_holds_a_key_or_a_phrase_also_when_the_program_or_the_backend_is_down(
    tmp_path: Path, site: str, proxy: Callable[..., AbstractContextManager[None]]
) -> None:
    phrase = "open-sesame-please"
    with started(tmp_path, site, proxy) as it:

        def call_all() -> None:
            it.call(f"/XMLlookup.cgi?apikey={it.key}")
            it.call("/XMLlookup.cgi", headers=basic(it.key))
            it.call(f"/XMLregisterAuth.cgi?user=u&service=s&pickup={phrase}")
            it.call("/XMLlookup.cgi", data={"apikey": it.key})

        call_all()
        it.raw.stop()
        call_all()
        it.server.kill()
        call_all()
        logs = it.logs()
    assert "/XMLlookup.cgi" in logs
    for secret in (it.key, phrase, base64.b64encode(f"u:{it.key}".encode()).decode()):
        assert secret not in logs
