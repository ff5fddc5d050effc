"""`check` serves as the server does: over TLS, before a backend; and a worker that hangs is replaced."""

import os
import shutil
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.console import open_console
from storage.database import DatabaseLocation
from tests.backend import running_backend
from tests.checking import CheckProgram, a_secret_file, checking, is_running
from tests.nginx import self_signed
from tests.requirements import INSTALL_HINT
from tests.test_check_workers import a_key
from tests.waiting import comes_true

NAME = "localhost"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    return a_secret_file(tmp_path)


@pytest.fixture
async def key(sqlite_database: DatabaseLocation, secret_file: Path) -> str:
    """The secret of an authkey for this machine that may search."""
    async with open_console(sqlite_database, secret_file) as console:
        return (await a_key(console, "billing", "search"))[1]


@pytest.mark.skipif(not shutil.which("openssl"), reason=INSTALL_HINT)
async def test_over_tls_it_answers_who_trusts_its_certificate_and_nobody_in_plain_text(
    sqlite_database: DatabaseLocation, secret_file: Path, key: str, tmp_path: Path
) -> None:
    certificate, private = self_signed(tmp_path, NAME)
    tls = ("--ssl-certfile", str(certificate), "--ssl-keyfile", str(private))
    async with checking(sqlite_database.text, secret_file, "--workers", "2", *tls) as program:
        assert program.url.startswith("https://")
        url = program.url.replace("127.0.0.1", NAME)
        trusting = httpx.AsyncClient(
            verify=ssl.create_default_context(cafile=certificate), headers={"X-Api-Key": key}, timeout=60
        )
        async with trusting as client:
            assert (await client.get(f"{url}/authorize/search")).status_code == 204
            assert (await client.get(f"{url}/authorize/addlicense")).status_code == 403
            with pytest.raises(httpx.HTTPError):
                await client.get(f"{url.replace('https', 'http')}/authorize/search")


@pytest.fixture
async def before_a_backend(sqlite_database: DatabaseLocation, secret_file: Path) -> AsyncIterator[CheckProgram]:
    with running_backend() as port:
        backend = ("--backend", f"http://127.0.0.1:{port}")
        async with checking(sqlite_database.text, secret_file, "--workers", "2", *backend) as program:
            yield program


async def test_what_is_allowed_goes_on_to_the_backend_and_nothing_else(
    before_a_backend: CheckProgram, key: str
) -> None:
    allowed = await before_a_backend.get("/XMLlookup.cgi?output=json", {"X-Api-Key": key})
    assert allowed.status_code == 200
    assert (allowed.json()["licenseid"], allowed.json()["caller"]) == ("L1001", "billing")
    denied = await before_a_backend.get("/XMLlicenseAdd.cgi?output=json", {"X-Api-Key": key})
    assert (denied.json()["status"], denied.json()["reason"]) == (0, "This key may not do that from this address.")


async def test_a_worker_that_hangs_is_ended_and_another_takes_its_place(
    sqlite_database: DatabaseLocation, secret_file: Path, key: str
) -> None:
    async with checking(sqlite_database.text, secret_file, "--workers", "1") as program:
        [hung] = program.workers
        os.kill(hung, signal.SIGSTOP)
        assert await comes_true(lambda: not is_running(hung)), program.complaints()  # after 30 s
        assert await program.all_listen(), program.complaints()
        assert await program.ask(key) == 204
        assert "says nothing any more and is ended" in program.complaints()
