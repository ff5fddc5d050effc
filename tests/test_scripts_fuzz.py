"""Ten thousand malformed requests: no error of ours, nothing changed, no secret in any answer or log."""

import asyncio
import logging

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.authorize import AUTHORIZE_PATH
from api.gateway import Backend
from api.scripts import is_for_scripts, scripts_app
from api.stub_backend import stub_backend
from models.manage2_functions import FUNCTIONS
from models.proxies import TrustedProxies
from models.secrets import new_secret
from services.console import open_console
from storage.database import DatabaseLocation
from tests.scripts import ELSEWHERE, add_key_with
from tests.support import SEARCH, all_keys, kept_passphrases, submissions

PHRASE = "open sesame please"
SECRET = new_secret()

paths = st.one_of(
    st.sampled_from(["/authorize", *(function.path for function in FUNCTIONS)]),
    st.builds(lambda function, text: f"/{function.name}{text}", st.sampled_from(FUNCTIONS), st.text(max_size=8)),
    st.text(max_size=30).map(lambda text: f"/{text}"),
)
names = st.sampled_from(["user", "pickup", "service", "apikey", "output", "privilege", "x", "apikey[]", ""])
values = st.one_of(
    st.sampled_from(
        [PHRASE, SECRET.text, "json", "yaml", "XML", "search", "%00", "a\x00b", "'\"<&>", "../..", "=" * 50]
    ),
    st.text(max_size=40),
)
forms = st.lists(st.tuples(names, values), max_size=6).map(
    lambda pairs: "&".join(f"{n}={v}" for n, v in pairs).encode("utf-8", "replace")
)
bodies = st.one_of(forms, st.binary(max_size=200), st.just(b"&" * 300), st.just(b"x" * 70_000))
headers = st.dictionaries(
    st.sampled_from(
        ["authorization", "x-api-key", "x-original-uri", "x-forwarded-uri", "content-type", "cookie", "te"]
    ),
    st.one_of(
        st.sampled_from(
            [f"Bearer {SECRET.text}", "Basic Og==", "Basic x", "application/json", "/XMLlookup.cgi?apikey="]
        ),
        st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b"").decode("latin-1")),
    ),
    max_size=4,
)


async def send(
    client: httpx.AsyncClient, method: str, path: str, query: bytes, body: bytes, told: dict[str, str]
) -> httpx.Response | None:
    try:
        url = httpx.URL("http://keys.example").copy_with(
            raw_path=path.encode("utf-8", "replace").replace(b"?", b"%3f") + b"?" + query
        )
        request = client.build_request(
            method, url, content=body, headers=[(n.encode(), v.encode("latin-1")) for n, v in told.items()]
        )
    except (httpx.InvalidURL, UnicodeError):
        return None  # no client can send it
    return await client.send(request)


@pytest.mark.fuzz
def test_ten_thousand_malformed_requests_do_no_harm(
    sqlite_database: DatabaseLocation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")  # this test's own client writes down what it asks for
    with asyncio.Runner() as runner:
        console_context = open_console(sqlite_database)
        console = runner.run(console_context.__aenter__())
        backend = Backend("http://stub", httpx.ASGITransport(stub_backend()))
        # A caller whose address is nobody's: whatever it finds, it may do nothing. Errors are raised, not answered with 500.
        transport = httpx.ASGITransport(scripts_app(console, TrustedProxies(), backend), client=(ELSEWHERE, 1))
        client = httpx.AsyncClient(transport=transport)

        async def prepare() -> object:
            await add_key_with(console, SEARCH)
            await console.passphrases.add(console.admin, PHRASE, 0, networks=("198.51.100.0/24",))
            return await state()

        async def state() -> object:
            return await all_keys(), await submissions(), await kept_passphrases()

        @settings(max_examples=settings().max_examples * 100, database=None, suppress_health_check=list(HealthCheck))
        @given(
            st.sampled_from(["GET", "POST", "HEAD", "PUT", "get"]),
            paths,
            st.one_of(forms, st.binary(max_size=30)),
            bodies,
            headers,
        )
        def attempt(method: str, path: str, query: bytes, body: bytes, told: dict[str, str]) -> None:
            answer = runner.run(send(client, method, path, query, body, told))
            if answer is not None:
                assert answer.status_code < 500
                assert SECRET.text not in answer.text
                assert PHRASE not in answer.text

        before = runner.run(prepare())
        attempt()
        assert runner.run(state()) == before
        runner.run(client.aclose())
        runner.run(console_context.__aexit__(None, None, None))
    assert SECRET.text not in caplog.text
    assert PHRASE not in caplog.text


@pytest.mark.fuzz
def test_the_gate_leaves_to_scripts_exactly_the_paths_at_which_they_are_answered(
    sqlite_database: DatabaseLocation,
) -> None:
    with asyncio.Runner() as runner:
        console_context = open_console(sqlite_database)
        console = runner.run(console_context.__aenter__())
        transport = httpx.ASGITransport(scripts_app(console, TrustedProxies(), None), client=(ELSEWHERE, 1))
        client = httpx.AsyncClient(transport=transport)

        @settings(max_examples=settings().max_examples * 5, suppress_health_check=list(HealthCheck))
        @given(paths | st.sampled_from([f"{AUTHORIZE_PATH}/", f"{AUTHORIZE_PATH}/openapi.json", f"{AUTHORIZE_PATH}x"]))
        def attempt(path: str) -> None:
            answer = runner.run(send(client, "GET", path, b"", b"", {}))
            if answer is not None and answer.status_code != 404:
                assert is_for_scripts(answer.request.url.raw_path.partition(b"?")[0].decode("latin-1"))

        attempt()
        for function in FUNCTIONS:
            assert runner.run(send(client, "GET", function.path, b"", b"", {})).status_code != 404
        runner.run(client.aclose())
        runner.run(console_context.__aexit__(None, None, None))


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/launch", "/sign-out", "/grid/rows", "/_nicegui_ws/", "/authorized", ""]
)
def test_the_pages_of_persons_are_not_for_scripts(path: str) -> None:
    assert not is_for_scripts(path)
