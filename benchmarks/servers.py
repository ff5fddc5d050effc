"""Databases filled by the product's own import, and the product's own server as a separate process."""

import csv
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from models.privileges import PRIVILEGES
from services.demo import demo_keys
from services.imports import HEADER

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
IMPORT_SECONDS = 300
_DEMO_KEYS = 500


class Server:
    """A running Authkeys."""

    def __init__(self, process: "subprocess.Popen[str]", link: str, database: Path) -> None:
        self._process = process
        self.url, _, _ = link.partition("/launch")
        [(name, value)] = httpx.get(link).cookies.items()
        self.cookie = (name, value)
        """The session of the launch link"""
        self.database = database

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def resident_bytes(self) -> int:
        """The memory of the server process (RSS)."""
        command = ["ps", "-o", "rss=", "-p", str(self._process.pid)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout) * 1024


@contextmanager
def running_server(database: Path, program: tuple[str, ...] = ("main.py",)) -> Iterator[Server]:
    """Serve a database until the block ends."""
    command = [sys.executable, *program, "--database", str(database), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    try:
        yield Server(process, announced_url(process), database)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def announced_url(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if ready else ""
    if not line.startswith("Authkeys is running at "):
        raise RuntimeError(f"The server did not start; it said {line!r}.")
    return line.split()[-1]


def import_keys(count: int, folder: Path, checkout: Path = ROOT) -> tuple[Path, float | None]:
    """A database with so many keys, made by `main.py import` unless it is there, and the seconds that took."""
    database = folder / f"{count}.db"
    if database.exists():
        return database, None
    file = folder / f"{count}.csv"
    _write_csv(file, count)
    started = time.perf_counter()
    command = [sys.executable, "main.py", "--database", str(database), "import", str(file)]
    result = subprocess.run(
        command,
        cwd=checkout,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=IMPORT_SECONDS,
    )
    if result.returncode:
        raise RuntimeError(f"The import failed: {result.stderr[-2000:]}")
    seconds = time.perf_counter() - started
    file.unlink()
    return database, seconds


def clean_environment() -> dict[str, str]:
    """What a shell has, without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AUTHKEYS_", "NICEGUI_"))}


def _write_csv(path: Path, count: int) -> None:
    """Services and privileges like the demo's, spread over as many addresses as so many keys need; always the same."""
    chance = random.Random(count)
    models = demo_keys(_DEMO_KEYS)
    seen: set[tuple[str, str]] = set()
    ip = _address(chance)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        while len(seen) < count:
            model = chance.choice(models)
            if chance.random() < 0.6:
                ip = _address(chance)
            if (ip, model.service) not in seen:
                seen.add((ip, model.service))
                writer.writerow([ip, model.service, *(model.privileges >> each.bit & 1 for each in PRIVILEGES)])


def _address(chance: random.Random) -> str:
    if chance.random() < 0.9:
        return f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
    return f"2001:db8:{chance.randrange(0x10000):x}::{chance.randrange(1, 0x10000):x}"
