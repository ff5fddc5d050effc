"""Whether a server is ready, and which part is not: as a load balancer asks, while the truth of it is changed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from models.access import METRICS_PATH, READY_PATH
from models.errors import DatabaseUnavailable
from services.console import Console
from services.health import Health, HealthPart
from services.supervisor import Loop, Supervisor
from storage.database import DatabaseLocation
from tests.forked import run_forked
from tests.postgres import Cluster
from tests.program import Program, environment, run, running
from tests.prometheus import metrics_url, scraped
from tests.test_database_loss import stopped
from tests.waiting import eventually, soon
from web.operations import Operations


class Feed:
    lag = 0.2


async def well(_: float) -> None:
    """The database answers."""


async def away(_: float) -> None:
    raise DatabaseUnavailable("postgres://authkeys:hidden-password@db.example does not answer")


def ended(name: str) -> Loop:
    return Loop(name, restarts=3, failed_at=datetime.now(UTC) - timedelta(minutes=2), error="KeyError: 'hidden'")


# -- which part, and since when ------------------------------------------------------------------------------------------


async def test_what_is_well_is_ready_and_says_no_more() -> None:
    report = await Health(Supervisor({"uses": Loop("uses", is_running=True)}), Feed(), well).check()
    assert report.ready
    assert report.to_json() == {
        "ready": True,
        "parts": {part.value: {"ready": True} for part in HealthPart},
    }


async def test_each_part_that_is_not_well_is_named_with_the_time_since_when_and_nothing_secret() -> None:
    feed = Feed()
    feed.lag = 90.0
    report = await Health(
        Supervisor({"uses": ended("uses"), "purge": Loop("purge", is_running=True)}), feed, away
    ).check()
    told = report.to_json()
    assert told["ready"] is False
    assert [part for part, state in told["parts"].items() if not state["ready"]] == list(HealthPart)
    assert "uses" in told["parts"]["loops"]["problem"]
    assert "purge" not in told["parts"]["loops"]["problem"]
    for part, seconds in (("change feed", 90), ("loops", 120)):
        since = datetime.fromisoformat(told["parts"][part]["since"])
        assert abs(datetime.now(UTC) - since - timedelta(seconds=seconds)) < timedelta(seconds=30), part
    assert "hidden" not in str(told)
    assert "db.example" not in str(told)


async def test_however_often_it_is_asked_the_database_is_asked_seldom() -> None:
    asked = []

    async def count(seconds: float) -> None:
        asked.append(seconds)

    health = Health(Supervisor(), Feed(), count)
    for _ in range(50):
        await health.check()
    assert len(asked) <= 2


async def test_while_the_feed_hangs_the_process_is_not_ready_and_the_metrics_say_how_far_behind_it_is(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = Health(console.supervisor, console.feed)

    async def is_ready() -> bool:
        return (await health.check()).ready

    await eventually(is_ready)
    with monkeypatch.context() as hanging:
        hanging.setattr(console.feed, "_heard", lambda _: None)

        async def is_behind() -> bool:
            parts = (await health.check()).parts
            return not parts[HealthPart.FEED].ready and parts[HealthPart.DATABASE].ready

        await eventually(is_behind)
        assert console.feed.lag >= 1
    await eventually(is_ready)


# -- the application for operators, without pages ------------------------------------------------------------------------


@contextmanager
def operations(token: bytes | None = None, *, ping=well, root: str = "") -> Iterator[httpx.AsyncClient]:
    async def metrics() -> bytes:
        return b"authkeys_build_info 1\n"

    app = Operations(Health(Supervisor(), Feed(), ping), metrics, token)
    yield httpx.AsyncClient(transport=httpx.ASGITransport(app, root_path=root), base_url="http://192.0.2.1")


@pytest.mark.parametrize(("ping", "status"), [(well, 200), (away, 503)])
async def test_readiness_has_the_status_that_load_balancers_look_at(ping, status: int) -> None:
    with operations(ping=ping) as client:
        assert (await client.get(READY_PATH)).status_code == (await client.head(READY_PATH)).status_code == status
        assert (await client.get("/health/live")).json() == {"alive": True}
        assert (await client.post(READY_PATH)).status_code == 405
        assert (await client.get("/")).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer wrong-token-1234")],
        [("Authorization", "Basic right-token-1234")],
        [("Authorization", "right-token-1234")],
        [("Authorization", "Bearer right-token-123")],
        [("Authorization", "Bearer right-token-1234"), ("Authorization", "Bearer right-token-1234")],
        [("Authorization", "Bearer ri\xffght-token-1234".encode("latin-1"))],
    ],
)
async def test_without_the_right_token_there_are_no_metrics(headers) -> None:
    with operations(b"right-token-1234") as client:
        answer = await client.get(METRICS_PATH, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "authkeys_build_info" not in answer.text
        right = await client.get(METRICS_PATH, headers={"Authorization": "bearer right-token-1234"})
        assert right.text == "authkeys_build_info 1\n"


async def test_behind_a_root_path_it_is_found_below_it() -> None:
    with operations(root="/authkeys") as client:
        for path in ("/authkeys/health/live", "/authkeys/authkeys/health/live"):
            assert (await client.get(path)).status_code == 200
        assert (await client.get("/authkeysx/health/live")).status_code == 404


# -- the real program ----------------------------------------------------------------------------------------------------


def readiness(server: Program) -> tuple[int, list[str]]:
    """The status, and the parts that are not well."""
    answer = httpx.get(f"{server.url}{READY_PATH}", headers={"Host": "10.1.2.3"}, trust_env=False)
    return answer.status_code, [name for name, part in answer.json()["parts"].items() if not part["ready"]]


def healthcheck(*url: str, of: Program | None = None) -> tuple[int, str]:
    """Ask as a container does, or (`of`) as a person on the same machine; the status and the words of a refusal."""
    if of:
        told = run_forked(["--database", of.database, "healthcheck"], environment(LOGNAME="alice"))
        return told.returncode, told.stderr
    done = run("healthcheck", "--url", *url, anew=True)
    return done.returncode, done.stderr


def test_while_the_feed_or_postgres_is_away_the_running_server_says_so_and_afterwards_is_ready(
    postgres: Cluster, postgres_database: DatabaseLocation, tmp_path: Path
) -> None:
    secret = ("--secret-file", str(tmp_path / "secret"))
    with running(*secret, "--metrics-port", "0", database=postgres_database.text) as server:
        assert soon(lambda: readiness(server) == (200, []))
        with stalled(feeds_backend(postgres_database)):
            assert soon(lambda: readiness(server) == (503, ["change feed"]))
        assert soon(lambda: readiness(server) == (200, []))
        with stopped(postgres):
            assert soon(lambda: "database" in readiness(server)[1])
            assert readiness(server)[0] == 503
            found = scraped(server)
            assert found["authkeys_database_up",] == found["authkeys_ready", "database"] == 0
            assert ("authkeys_sessions",) not in found
            assert soon(lambda: scraped(server)["authkeys_feed_lag_seconds",] > 1)
            status, words = healthcheck(server.url)
            assert status == 1
            assert "database: The database does not answer" in words
            assert httpx.get(f"{server.url}/health/live").status_code == 200
        assert soon(lambda: readiness(server) == (200, []))
        assert scraped(server)["authkeys_database_up",] == 1
        assert healthcheck(server.url)[0] == 0
        assert "Traceback" not in server.complaints()


def feeds_backend(database: DatabaseLocation) -> int:
    """The process of PostgreSQL that serves the feed's connection."""
    import asyncio  # noqa: PLC0415

    from storage.postgres_engine import connect  # noqa: PLC0415

    async def find() -> int:
        connection = await connect(database.text)
        try:
            query = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT txid_current_snapshot%' AND datname = $1"
            return int(await connection.fetchval(query, database.text.rpartition("/")[2]))
        finally:
            await connection.close()

    return asyncio.run(find())


@contextmanager
def stalled(process: int) -> Iterator[None]:
    """A process neither runs nor ends, as one whose network was cut silently."""
    if os.getuid():
        pytest.skip("only root can stop another user's process")
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_the_main_port_has_metrics_only_with_a_token_and_the_port_of_its_own_asks_for_it_too(
    sqlite_database: DatabaseLocation, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123\n")
    token.chmod(0o600)
    right = {"Authorization": "Bearer 0123456789abcdef0123"}
    with running("--metrics-port", "0", database=sqlite_database.text) as server:
        assert httpx.get(f"{server.url}/metrics").status_code == 401
        assert "Sign in first" in httpx.get(f"{server.url}/metrics").text
        assert httpx.get(metrics_url(server)).status_code == 200
        assert httpx.get(metrics_url(server).replace("/metrics", READY_PATH)).status_code == 200
    with running("--metrics-port", "0", "--metrics-token-file", str(token), database=sqlite_database.text) as server:
        for url in (f"{server.url}/metrics", metrics_url(server)):
            assert httpx.get(url).status_code == 401
            assert "authkeys_build_info" in httpx.get(url, headers=right).text


def test_the_health_check_finds_the_server_by_itself_and_says_what_it_finds(
    sqlite_database: DatabaseLocation,
) -> None:
    with running(database=sqlite_database.text) as server:
        assert healthcheck(of=server) == healthcheck(server.url) == (0, "")
        status, words = healthcheck(f"{server.url}/sign-in")
        assert (status, "is no server of Authkeys" in words) == (1, True)
    status, words = healthcheck(of=server)
    assert (status, "No server runs on" in words) == (1, True)
    status, words = healthcheck(server.url)
    assert (status, "does not answer" in words) == (1, True)
    status, words = healthcheck("http://me:hidden@localhost")
    assert (status, "hidden" in words) == (1, False)
