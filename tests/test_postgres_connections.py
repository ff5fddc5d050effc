"""PostgreSQL as operators have it: over TLS, behind PgBouncer, with any address that PostgreSQL's own tools take."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.access_checks import Reason
from models.errors import DatabaseUnusable
from models.secrets import new_secret
from models.submissions import CellChange, NewAuthkey
from services.authorizer import FRESH_SECONDS, Question
from services.console import open_console
from storage.database import DatabaseLocation, open_database, reader, writer
from storage.postgres_engine import connect
from storage.postgres_url import asyncpg_dsn
from tests.other_process import another_process
from tests.postgres import Cluster, running_cluster
from tests.requirements import INSTALL_HINT
from tests.support import SEARCH, add_key, add_keys, all_keys, submit
from tests.waiting import eventually, soon

needs_pgbouncer = pytest.mark.skipif(not shutil.which("pgbouncer"), reason=INSTALL_HINT)


# -- addresses -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "read_as"),
    [
        ("postgres://u:p%40ss@host/name", "postgres://u:p%40ss@host/name"),
        ("postgres://u@host/name?ssl=true", "postgres://u@host/name?sslmode=require"),
        ("postgres://u@host/name?ssl=0", "postgres://u@host/name?sslmode=disable"),
        ("postgres://u@host/name?sslmode=verify-full", "postgres://u@host/name?sslmode=verify-full"),
        ("postgresql://a:1,b:2/name", "postgresql://a:1,b:2/name"),
        ("postgres:///name?host=/run/postgresql", "postgres:///name?host=%2Frun%2Fpostgresql"),
    ],
)
def test_an_address_is_handed_on_as_asyncpg_reads_it(address: str, read_as: str) -> None:
    assert asyncpg_dsn(address) == read_as


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("postgres://u:secret@host/name?sslmod=require", "the parameter 'sslmod' is not known; known are ssl, host"),
        ("postgres://u:secret@host/name?sslmode=always", "sslmode is one of disable, allow, prefer, require"),
        ("postgres://u:secret@host/name?ssl=maybe", "ssl is one of disable, allow, prefer, require"),
        ("postgres://u:se@cret@host/name", "must be written with a percent sign"),
        ("postgres://u:se/secret@host/name", "must be written with a percent sign"),
        ("postgres://u:se#secret@host/name", "must be written with a percent sign"),
        ("postgres://u:secret@[::1/name", "an IPv6 address stands in brackets"),
    ],
)
async def test_an_address_that_would_be_misread_is_refused_at_start_without_its_password(
    address: str, why: str
) -> None:
    with pytest.raises(DatabaseUnusable) as refusal:
        async with open_database(DatabaseLocation(address)):
            pass
    assert why in str(refusal.value)
    assert "secret" not in str(refusal.value)


# -- TLS -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls_only(postgres_programs: Path) -> Iterator[Cluster]:
    """A server that takes no connection without TLS."""
    with running_cluster(postgres_programs, tls_only=True) as cluster:
        yield cluster


@pytest.mark.parametrize("how", ["", "?sslmode=require", "?ssl=true", "?sslmode=verify-full&sslrootcert={certificate}"])
async def test_over_tls_everything_works_by_the_address_alone(tls_only: Cluster, how: str) -> None:
    with tls_only.new_database() as database:
        location = DatabaseLocation(database.text + how.format(certificate=tls_only.certificate))
        async with open_console(location) as console:
            await add_key(console)

            async def is_heard() -> bool:
                return console.feed.heard_within(1)

            await eventually(is_heard)  # the feed's own connection, too
            _, rows = await writer().execute_query(
                "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = current_database()"
            )
            assert rows[0][0] is True


async def test_a_server_that_wants_tls_is_not_reached_without(tls_only: Cluster) -> None:
    with tls_only.new_database() as database, pytest.raises(Exception, match="no encryption"):
        async with open_database(DatabaseLocation(f"{database.text}?sslmode=disable")):
            pass


# -- what LISTEN misses --------------------------------------------------------------------------------------------------


async def test_a_key_revoked_elsewhere_is_refused_within_a_second_though_no_signal_is_heard(
    postgres_database: DatabaseLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.signals.CHANNEL", "where_nobody_speaks")
    secret = new_secret()
    async with open_console(postgres_database) as console, another_process(postgres_database) as other:
        new = NewAuthkey("192.0.2.50", "billing", SEARCH.mask, secret.kept)
        [key] = await add_keys(console, new)

        async def reason() -> Reason | None:
            return (await console.authorizer.ask(Question(secret.text, key.ip, SEARCH, "search"))).reason

        async def is_up_to_date() -> bool:
            return console.feed.revision == key.revision and console.feed.heard_within(FRESH_SECONDS)

        await eventually(is_up_to_date)
        assert await reason() is None  # and from now on it is remembered
        await other.do(submit, CellChange(key.id, 0, SEARCH.mask))
        await asyncio.sleep(FRESH_SECONDS)  # not to wait for something: this is the second that is promised
        assert await reason() is Reason.PRIVILEGE_MISSING


# -- PgBouncer -----------------------------------------------------------------------------------------------------------


@contextmanager
def pgbouncer(cluster: Cluster, database: DatabaseLocation, mode: str, folder: Path) -> Iterator[DatabaseLocation]:
    """The database as it is reached through PgBouncer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file, log = folder / "pgbouncer.ini", folder / "pgbouncer.log"
    file.write_text(
        f"[databases]\n* = host=127.0.0.1 port={cluster.port} user=authkeys\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\ndefault_pool_size = 40\nuser = postgres\n"
    )
    with log.open("w") as output, subprocess.Popen(["pgbouncer", file], stderr=output, stdout=output) as process:
        try:
            wait_until_open(port, process, log)
            yield DatabaseLocation(database.text.replace(f":{cluster.port}/", f":{port}/"))
        finally:
            process.terminate()


def wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    def is_open() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    assert soon(lambda: process.poll() is not None or is_open())
    assert process.poll() is None, log.read_text()


@needs_pgbouncer
async def test_behind_pgbouncer_in_session_mode_everything_works(
    postgres: Cluster, postgres_database: DatabaseLocation, tmp_path: Path
) -> None:
    with pgbouncer(postgres, postgres_database, "session", tmp_path) as pooled:
        async with open_console(pooled) as console, another_process(pooled) as other:
            key = await add_key(console)
            done = await other.do(submit, CellChange(key.id, SEARCH.mask, 0))

            async def is_told() -> bool:
                return console.feed.revision == done.revision

            await eventually(is_told)
            assert (await all_keys())[key.id].privileges == SEARCH.mask


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_pgbouncer_in_another_mode_is_refused_at_start_and_told_what_to_set(
    postgres: Cluster, postgres_database: DatabaseLocation, tmp_path: Path, mode: str
) -> None:
    with (
        pgbouncer(postgres, postgres_database, mode, tmp_path) as pooled,
        pytest.raises(DatabaseUnusable, match="Set PgBouncer's pool_mode to session for this database"),
    ):
        async with open_database(pooled):
            pass


async def test_a_connection_on_which_nothing_arrives_any_more_is_given_up_in_seconds(
    postgres_database: DatabaseLocation,
) -> None:
    async with open_database(postgres_database), reader().acquire_connection() as pooled:
        alone = await connect(postgres_database.text)
        try:
            for each in (alone, pooled):
                found = each._transport.get_extra_info("socket")
                assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
        finally:
            await alone.close()
