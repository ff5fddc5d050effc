"""`/authorize` over HTTP: what proxies and backends ask, and what they are told."""

import pytest

from models.secrets import new_secret
from services.console import Console
from storage.database import DatabaseLocation
from tests.scripts import ELSEWHERE, HERE, add_key_with, calling
from tests.support import SEARCH

CHALLENGE = 'Basic realm="cPanel Licensing System"'


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """HTTP does not know which database it is; one kind is enough."""
    return sqlite_database


# -- /authorize --------------------------------------------------------------------------------------------------------


async def test_a_proxy_asks_with_the_key_wherever_the_caller_put_it(console: Console) -> None:
    secret = await add_key_with(console, SEARCH)
    async with calling(console) as client:
        for headers in (
            {"X-Api-Key": secret.text},
            {"Authorization": f"Bearer {secret.text}"},
            {"X-Original-URI": f"/XMLlookup.cgi?a=b&apikey={secret.text}"},
            {"X-Forwarded-Uri": f"/XMLlookup.cgi?apikey={secret.text}"},
        ):
            answer = await client.get("/authorize/search", headers=headers)
            assert answer.status_code == 204
            assert answer.headers["cache-control"] == "no-store"
        assert (await client.get("/authorize/search", auth=("u", secret.text))).status_code == 204


async def test_the_privilege_is_the_one_of_the_original_function(console: Console) -> None:
    secret = await add_key_with(console, SEARCH)
    async with calling(console, address=HERE) as client:
        client.headers["X-Api-Key"] = secret.text
        for uri, code in (
            ("/XMLlookup.cgi?ip=1", 204),
            ("/XMLpackageInfo.cgi", 204),
            ("/XMLregisterAuth.cgi", 204),
            ("/XMLlicenseAdd.cgi", 403),
            ("/XMLgroupAdd.cgi", 403),
            ("/XMLlookup.cgi/../XMLlicenseAdd.cgi", 403),
            ("/elsewhere", 403),
        ):
            assert (await client.get("/authorize", headers={"X-Original-URI": uri})).status_code == code, uri
        two = {"X-Original-URI": "/XMLlookup.cgi", "X-Forwarded-Uri": "/XMLlicenseAdd.cgi"}
        assert (await client.get("/authorize", headers=two)).status_code == 403
        for query in ("", "?privilege=root", "?privilege=search&privilege=addlicense"):
            assert (await client.get(f"/authorize{query}")).status_code == 403


async def test_a_stolen_key_looks_like_one_that_does_not_exist(console: Console) -> None:
    secret = await add_key_with(console, SEARCH)
    async with calling(console, address=ELSEWHERE) as client:
        stolen = await client.get("/authorize/search", headers={"X-Api-Key": secret.text})
        unknown = await client.get("/authorize/search", headers={"X-Api-Key": new_secret().text})
        none = await client.get("/authorize/search")
    assert stolen.status_code == 401
    assert stolen.headers["www-authenticate"] == CHALLENGE
    assert (stolen.status_code, stolen.headers, stolen.content) == (unknown.status_code, unknown.headers, b"")
    assert none.status_code == 401


async def test_a_backend_asks_one_or_many_questions(console: Console) -> None:
    secret = await add_key_with(console, SEARCH)
    may = {"key": secret.text, "ip": HERE, "privilege": "search"}
    may_not = {"key": secret.text, "ip": HERE, "function": "/XMLlicenseAdd.cgi"}
    async with calling(console) as client:
        assert (await client.post("/authorize", json=may)).json() == {"allowed": True}
        many = await client.post("/authorize", json={"questions": [may, may_not]})
        assert many.json() == {"answers": [{"allowed": True}, {"allowed": False}]}


async def test_only_a_trusted_asker_may_speak_for_other_addresses(console: Console) -> None:
    secret = await add_key_with(console, SEARCH)
    question = {"key": secret.text, "ip": HERE, "privilege": "search"}
    for address, trusted, code in (
        (ELSEWHERE, (), 403),
        (ELSEWHERE, ("10.0.0.0/8",), 403),
        (ELSEWHERE, (ELSEWHERE,), 200),
        (ELSEWHERE, (f"{ELSEWHERE}/32",), 200),
        ("127.0.0.1", (), 200),
    ):
        async with calling(console, address=address, trusted=trusted) as client:
            assert (await client.post("/authorize", json=question)).status_code == code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"key": "x", "ip": "192.0.2.1"}',
        b'{"key": "x", "ip": "192.0.2.1", "privilege": "search", "function": "/XMLlookup.cgi"}',
        b'{"key": "x", "ip": "192.0.2.1", "privilege": "root"}',
        b'{"key": "VERYSECRET", "ip": 7, "privilege": "search"}',
        b'{"questions": []}',
        b'{"key": "x"' + b" " * 70_000 + b"}",
    ],
)
async def test_a_question_that_is_none_is_refused_in_words_without_repeating_the_key(
    console: Console, body: bytes
) -> None:
    async with calling(console) as client:
        answer = await client.post("/authorize", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert "VERYSECRET" not in answer.text


async def test_other_methods_are_not_understood(console: Console) -> None:
    async with calling(console) as client:
        for path in ("/authorize", "/XMLlookup.cgi"):
            for method in ("PUT", "DELETE", "PATCH"):
                assert (await client.request(method, path)).status_code == 405
