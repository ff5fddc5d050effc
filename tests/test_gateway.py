"""The gateway before bad backends: it forwards what the caller sent and nothing else, and gives back what a caller may get."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.gateway import AT_ONCE_FROM_ONE
from tests.other_process import issue_key
from tests.program import Program, running
from tests.raw_backend import RawBackend, running_raw_backend
from tests.test_manage2_clients import CLIENTS

IP = "127.0.0.1"


@pytest.fixture(scope="module")
def raw() -> Iterator[RawBackend]:
    with running_raw_backend() as backend:
        yield backend


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, raw: RawBackend) -> Iterator[Program]:
    database = str(tmp_path_factory.mktemp("gateway") / "authkeys.db")
    with running("--backend", f"http://127.0.0.1:{raw.port}", database=database) as program:
        yield program


@pytest.fixture(scope="module")
def key(server: Program) -> str:
    return issue_key(server.database, IP, "billing", "search", "listlicenses")


def exchange(server: Program, request: str) -> bytes:
    """Send exactly this, and read until the connection ends."""
    with socket.create_connection((IP, server.port), 30) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        return connection.makefile("rb").read()


def ask(server: Program, key: str, what: str = "", function: str = "XMLlookup", **headers: str) -> httpx.Response:
    """Call a function; its backend answers as `what` says."""
    with httpx.Client(headers={"X-Api-Key": key, **headers}, timeout=60) as client:
        if "Accept-Encoding" not in headers:
            del client.headers["accept-encoding"]
        query = {"output": "json"} | ({"do": what} if what else {})
        return client.get(f"{server.url}/{function}.cgi", params=query)


# -- on the way there --------------------------------------------------------------------------------------------------


def test_the_backend_gets_what_the_caller_sent_and_not_a_header_more(
    server: Program, raw: RawBackend, key: str
) -> None:
    raw.requests.clear()
    exchange(
        server,
        f"GET /xmlLOOKUP.cgi?ip=192.0.2.1&apikey={key}&a=b HTTP/1.1\nHost: keys.example\nX-Own: 1\nX-Own: 2\n"
        "Cookie: session=secret\nConnection: X-Hop, close\nX-Hop: 1\nTE: trailers\nX-Authkeys-User: forged\n\n",
    )
    [request] = raw.requests
    line, *headers = request.decode().rstrip().split("\r\n")
    assert line == "GET /XMLlookup.cgi?ip=192.0.2.1&a=b HTTP/1.1"
    told = {"x-authkeys-key": "1", "x-authkeys-ip": IP, "x-authkeys-service": "billing", "x-forwarded-for": IP}
    assert sorted(header.lower() for header in headers) == sorted(
        [f"host: 127.0.0.1:{raw.port}", "x-own: 1", "x-own: 2", *(f"{name}: {value}" for name, value in told.items())]
    )


def test_what_one_caller_was_given_is_not_sent_with_anybodys_next_call(
    server: Program, raw: RawBackend, key: str
) -> None:
    answer = ask(server, key, "cookie")
    assert "set-cookie" not in answer.headers
    assert "set-cookie2" not in answer.headers
    raw.requests.clear()
    ask(server, key)
    assert b"cookie" not in raw.requests[0].lower()


@pytest.mark.parametrize("sent", ["gzip, deflate", ""])
def test_an_answer_is_compressed_for_who_asked_for_that_and_for_nobody_else(
    server: Program, key: str, sent: str
) -> None:
    answer = ask(server, key, **({"Accept-Encoding": sent} if sent else {}))
    assert answer.headers.get("content-encoding") == ("gzip" if sent else None)
    assert answer.json()["status"] == 1


@pytest.mark.parametrize("name", CLIENTS)
def test_every_real_client_reads_its_answer_from_a_backend_that_compresses(
    server: Program, raw: RawBackend, key: str, name: str
) -> None:
    raw.requests.clear()
    try:
        reply = CLIENTS[name].list_licenses(server.port, key)
    except UnicodeDecodeError:  # compressed, as it asked for
        assert b"accept-encoding: gzip" in raw.requests[-1].lower()
        return
    assert b"accept-encoding" not in raw.requests[-1].lower()
    assert '"status": 1' in reply.body


# -- on the way back ---------------------------------------------------------------------------------------------------


def test_what_may_be_kept_and_which_pages_may_read_it_is_ours_to_say(server: Program, key: str) -> None:
    answer = ask(server, key, "cors")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    for name in ("access-control-allow-origin", "access-control-allow-credentials", "strict-transport-security"):
        assert name not in answer.headers
    for name in ("clear-site-data", "refresh", "www-authenticate", "x-authkeys-user"):
        assert name not in answer.headers
    keyed = httpx.get(f"{server.url}/XMLlookup.cgi", params={"apikey": key, "do": "cors"})
    assert keyed.headers.get_list("access-control-allow-origin") == ["*"]


def test_headers_between_two_neighbours_end_there_and_repeated_ones_stay_several(server: Program, key: str) -> None:
    answer = ask(server, key, "hop")
    assert "x-hop" not in answer.headers
    assert "keep-alive" not in answer.headers
    assert answer.headers["x-end"] == "2"
    repeated = ask(server, key, "twice")
    assert repeated.headers.get_list("link") == ["<a>", "<b>"]
    assert repeated.headers.get_list("vary") == ["X", "Y"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("redirect", "another address"),
        ("challenge", "a password of its own"),
        ("proxy challenge", "a password of its own"),
        ("nothing", "none that can be passed on"),
        ("garbage", "none that can be passed on"),
        ("odd status", "none that can be passed on"),
        ("not modified", "none that can be passed on"),
        ("two lengths", "none that can be passed on"),
    ],
)
def test_an_answer_that_no_caller_may_get_becomes_a_clear_502(server: Program, key: str, what: str, words: str) -> None:
    answer = ask(server, key, what)
    assert (answer.status_code, answer.json()["status"]) == (502, 0)
    assert words in answer.json()["reason"]
    assert "10.0.0.5" not in answer.text + str(answer.headers)
    assert "www-authenticate" not in answer.headers
    assert "location" not in answer.headers


def test_of_two_ways_to_say_where_an_answer_ends_the_chunks_count(server: Program, key: str) -> None:
    assert ask(server, key, "both lengths").content == b"{}"
    assert "Traceback" not in server.complaints()


def test_the_backends_own_error_passes_as_it_is(server: Program, key: str) -> None:
    assert ask(server, key, "error").status_code == 500


def test_head_is_answered_like_get_without_a_body(server: Program, key: str) -> None:
    answer = httpx.head(f"{server.url}/XMLlookup.cgi", headers={"X-Api-Key": key})
    assert (answer.status_code, answer.content) == (200, b"")
    assert httpx.head(f"{server.url}/XMLlookup.cgi").status_code == 401


# -- backends that stop ------------------------------------------------------------------------------------------------


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one_and_logged_in_one_line(
    server: Program, key: str
) -> None:
    before = server.complaints().count("\n")
    with pytest.raises(httpx.TransportError):
        ask(server, key, "close")
    assert ask(server, key).status_code == 200
    [line] = server.complaints().splitlines()[before:]
    assert "The backend's answer to XMLlookup broke off" in line


def test_a_caller_that_goes_away_leaves_no_trace(server: Program, raw: RawBackend, key: str) -> None:
    before = server.complaints()
    with socket.create_connection((IP, server.port), 30) as connection:
        connection.sendall(b"POST /XMLlookup.cgi HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\napikey=")
    with socket.create_connection((IP, server.port), 30) as connection:
        connection.sendall(f"GET /XMLlookup.cgi?do=stall HTTP/1.1\r\nHost: x\r\nX-Api-Key: {key}\r\n\r\n".encode())
        assert raw.held.acquire(timeout=30)
    assert ask(server, key).status_code == 200
    raw.release()
    assert server.complaints() == before


def test_callers_that_hang_up_before_the_answer_give_their_places_back(
    server: Program, raw: RawBackend, key: str
) -> None:
    for _ in range(AT_ONCE_FROM_ONE):
        with socket.create_connection((IP, server.port), 30) as connection:
            connection.sendall(f"GET /XMLlookup.cgi?do=hold HTTP/1.1\r\nHost: x\r\nX-Api-Key: {key}\r\n\r\n".encode())
            assert raw.held.acquire(timeout=30)
    answered = [ask(server, key).status_code for _ in range(3)]
    assert answered == [200] * 3
    raw.release()


def test_a_slow_function_keeps_no_other_waiting(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = str(tmp_path_factory.mktemp("slow") / "authkeys.db")
    with (
        running_raw_backend() as raw,
        running("--backend", f"http://127.0.0.1:{raw.port}", database=database) as server,
    ):
        key = issue_key(database, IP, "billing", "search", "listlicenses")
        with ThreadPoolExecutor(2 * AT_ONCE_FROM_ONE) as pool:
            slow = [pool.submit(ask, server, key, "hold") for _ in range(AT_ONCE_FROM_ONE)]
            for _ in slow:
                assert raw.held.acquire(timeout=30)
            refused = ask(server, key, "hold")
            assert (refused.status_code, refused.json()["status"]) == (503, 0)
            assert "Too many calls of XMLlookup are under way" in refused.json()["reason"]
            assert ask(server, key, function="XMLlicenseInfo").json()["status"] == 1
            raw.release()
            assert {call.result().status_code for call in slow} == {200}
            assert ask(server, key).status_code == 200
