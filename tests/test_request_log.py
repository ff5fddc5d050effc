"""The log: each request by its id, as text or as JSON, and never a secret."""

import asyncio
import json
import logging
import re
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from cli.application import build_app
from cli.command import run
from cli.logs import set_up_logs
from models.proxies import TrustedProxies
from services.console import Console
from storage.database import DatabaseLocation
from tests.other_process import another_process
from tests.program import PASSWORD, Program, add_admin, running
from web.request_log import REQUEST_ID, RequestLog, shown_path
from web.route_words import words_of
from web.server import Serving

KEY = "Qm7RtW2xYb9KcD4fGh1J"
PHRASE = "correct-horse-battery-staple"
TOKEN = "ZYXWVUTSRQPONMLKJIHGFEDCBA987654"
SECRETS = (KEY, PHRASE, PASSWORD, TOKEN, "cookie-of-a-session", "query-of-somebody")


def records(server: Program) -> list[dict]:
    """What it logged so far, each line an object; but for where its metrics are."""
    return [json.loads(line) for line in server.complaints().splitlines() if not line.startswith("Metrics are at")]


def send_secrets_everywhere(server: Program) -> None:
    """As callers do: at the right places, and at every wrong one."""
    cookies = {"authkeys-12345678": "cookie-of-a-session", **dict([server.cookie])}
    headers = {"Referer": f"{server.url}/?q=query-of-somebody", "User-Agent": f"curl {KEY}", "X-Forwarded-For": KEY}
    with httpx.Client(base_url=server.url, headers=headers, cookies=cookies, trust_env=False) as client:
        for secret in SECRETS:
            for path in (
                "/authorize/search",
                "/XMLlicenseInfo.cgi",
                "/grid/rows",
                "/launch",
                "/health/ready",
                "/metrics",
            ):
                client.get(path, params={"apikey": secret, "token": secret, "q": secret})
                client.get(f"{path}/{secret}")
                client.get(f"{path};{secret}")
                client.get(path, headers={"Authorization": f"Bearer {secret}", "X-Request-Id": secret})
                client.get(path, headers={"X-Original-URI": f"/{secret}?apikey={secret}", "X-Api-Key": secret})
                client.post(path, data={"pickup": secret, "password": secret, "apikey": secret})
            client.post("/sign-in", data={"name": "dana", "password": secret}, headers={"Origin": server.url})
            client.post("/authorize", json={"key": secret, "ip": "192.0.2.7", "privilege": "search", "more": secret})
            client.post("/authorize", content=f'{{"key": "{secret}", ')
            client.get("/XMLregisterAuth.cgi", params={"user": "a", "service": "b", "pickup": secret})
            client.get("/authorize", headers={"Authorization": f"Basic {secret}"})
            client.request("PROPFIND", f"/x?{secret}")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_ever_logged_wherever_it_was_sent(
    sqlite_database: DatabaseLocation, tmp_path: Path, log_format: str
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    add_admin(sqlite_database.text, "dana")
    options = ("--access-log", "--log-format", log_format, "--metrics-token-file", str(token))
    with running(*options, database=sqlite_database.text) as server:
        send_secrets_everywhere(server)
        server.end()
        log = server.complaints()
    assert log.count("GET /authorize/search 401") >= len(SECRETS), log
    assert len(log.splitlines()) > 200
    for secret in (*SECRETS, server.link.partition("token=")[2], *(server.cookie or ())):
        assert secret not in log


def test_each_request_is_one_line_with_its_id_which_its_answer_has_too(sqlite_database: DatabaseLocation) -> None:
    with running("--access-log", "--log-format", "json", database=sqlite_database.text) as server:
        own = httpx.get(f"{server.url}/authorize/search?apikey=x", headers={"X-Request-Id": "of-a-stranger"})
        unclear = httpx.get(f"{server.url}/authorize?privilege=search")
        server.end()  # the line of a request is written after its answer
        found = records(server)
    [line] = [each for each in found if each.get("request_id") == own.headers["x-request-id"]]
    assert own.headers["x-request-id"] != "of-a-stranger"
    named = {name: line[name] for name in ("level", "logger", "method", "path", "status", "address")}
    assert named == {
        "level": "INFO",
        "logger": "authkeys.access",
        "method": "GET",
        "path": "/authorize/search",
        "status": own.status_code,
        "address": "127.0.0.1",
    }
    assert line["ms"] > 0
    # What else is logged while it is answered has the id too.
    by_logger = {each["logger"] for each in found if each.get("request_id") == unclear.headers["x-request-id"]}
    assert {"authkeys.access", "api.authorize"} == by_logger


def test_behind_a_trusted_proxy_its_id_and_its_word_about_the_caller_are_logged(
    sqlite_database: DatabaseLocation,
) -> None:
    add_admin(sqlite_database.text, "dana")
    options = ("--trusted-proxy", "127.0.0.1", "--access-log")
    with running(*options, database=sqlite_database.text) as server:
        url, proxy = f"{server.url}/authorize/search", {"X-Forwarded-For": "192.0.2.7"}
        told = httpx.get(url, headers={**proxy, "X-Request-Id": "0a1b2c3d4e5f-nginx"})
        assert told.headers["x-request-id"] == "0a1b2c3d4e5f-nginx"
        for odd in ("short", "x" * 65, "a b c d e f", "evil\u00e9vil-id-123", "forged;line=1"):
            assert (
                httpx.get(url, headers={b"X-Forwarded-For": b"192.0.2.7", b"X-Request-Id": odd.encode()}).headers[
                    "x-request-id"
                ]
                != odd
            )
        server.end()
        log = server.complaints()
    assert re.search(
        r"INFO authkeys.access \[0a1b2c3d4e5f-nginx\]: GET /authorize/search 401 [\d.]+ ms 192.0.2.7\n", log
    )


def test_without_the_option_no_request_is_logged(sqlite_database: DatabaseLocation) -> None:
    with running(database=sqlite_database.text) as server:
        assert "x-request-id" in httpx.get(f"{server.url}/authorize/search").headers
        server.end()
        assert server.complaints() == ""


# -- the parts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "/"),
        ("/authorize/search", "/authorize/search"),
        (f"/authorize/{PASSWORD}", "/authorize/…"),
        (f"/{KEY}", "/…"),
        (f"/{KEY}/{PHRASE}/search", "/…/search"),
        ("/search\nforged", "/…"),
        ("authorize", "/authorize"),
        ("/" + "authorize/" * 5_000, "/authorize/"),
    ],
)
def test_of_a_path_only_our_own_words_are_logged(path: str, shown: str) -> None:
    assert shown_path(path, {"", "authorize", "search"}) == shown


async def test_what_our_paths_are_made_of_may_be_logged(sqlite_database: DatabaseLocation) -> None:
    async with another_process(sqlite_database) as other:
        words = await other.do(words_of_the_program)
    paths = (
        "/passphrases",
        "/grid/rows",
        "/sign-in",
        "/authorize/partner_onetimeext",
        "/XMLlicenseInfo.cgi",
        "/metrics",
    )
    assert [path for path in paths if shown_path(path, words) != path] == []


async def words_of_the_program(console: Console) -> frozenset[str]:
    """Run in another process: an app is built once only."""
    return words_of(build_app(console, Serving(), closing=AsyncExitStack()).routes)  # type: ignore[attr-defined]


async def test_whoever_goes_before_the_answer_and_whatever_fails_is_logged_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    async def nothing(*_: object) -> None:
        """Not even an answer."""

    scope = {"type": "http", "method": "GET", "path": "/x", "headers": [], "client": ("192.0.2.1", 1)}
    with caplog.at_level(logging.INFO, "authkeys.access"):
        with pytest.raises(ZeroDivisionError):
            await RequestLog(fail, TrustedProxies(), log_requests=True)(scope, nothing, nothing)
        await RequestLog(nothing, TrustedProxies(), log_requests=True)(scope, nothing, nothing)
    assert [record.status for record in caplog.records] == [500, 499]  # type: ignore[attr-defined]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nobody_can_forge_a_line_and_uvicorns_records_look_like_ours(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    REQUEST_ID.set("")
    try:
        run(asyncio.sleep(0))  # its event loop is one that uvicorn chooses, and it must choose no more than that
        set_up_logs(log_format, access_log=False)
        logging.getLogger("uvicorn.error").warning("Odd: %s", 'a"\n2026-01-01T00:00:00Z INFO forged\r\x1b[2J\u2028')
        try:
            raise ValueError("of ours")
        except ValueError:
            logging.getLogger("services.feed").exception("It failed.")
    finally:
        root.handlers[:] = kept
        root.setLevel(level)
    first, *rest = capsys.readouterr().err.splitlines()
    assert "forged" in first
    assert not {"\r", "\x1b", "\u2028"} & set(first)
    if log_format == "json":
        odd, failed = json.loads(first), json.loads(rest[0])
        assert (odd["level"], odd["logger"]) == ("WARNING", "uvicorn.error")
        assert list(failed)[:3] == ["time", "level", "logger"]
        assert "ValueError: of ours" in failed["exc_info"]
    else:
        assert re.match(r"[\d-]{10}T[\d:.]{12}Z WARNING uvicorn.error: Odd: a\"\\n2026", first)
        assert rest[-1] == "ValueError: of ours"
