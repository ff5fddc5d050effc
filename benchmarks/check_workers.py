"""How access checks grow with workers: `uv run benchmarks/check_workers.py [--quick]`.

`main.py check --hold-keys` with 1, 2 and 4 workers on one PostgreSQL, with few and with many keys: questions per second and
p99, as a ratio to one worker and to nginx that answers 204 itself, and the memory of each worker. All programs run at once and
are asked in turns, so that what slows the machine slows all of them. Workers, PostgreSQL and who asks share the machine's cores:
what more workers cost is therefore seen in answers for each second of processor time that they had. `wrk` (apt-get install -y
wrk) asks, if it is there: Python asks too, but takes much of the second core of a small machine, and blurs the figures.
"""

import asyncio
import contextlib
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncpg
import typer

from benchmarks.measure import Report, median, paired_ratio, progress
from benchmarks.servers import ROOT, clean_environment
from storage.database import DatabaseLocation, open_database
from tests.checking import workers_of
from tests.postgres import Cluster, find_programs, running_cluster

CALLERS, CONNECTIONS = 1_000, 16
CORES = len(os.sched_getaffinity(0))
_CLOCK = os.sysconf("SC_CLK_TCK")
_MOST_PSS = 300
_STARTS_SECONDS = 120

# The callers' keys are for this machine; everybody else's only fill the table. Their secrets are "key 1" and so on.
_FILL = """
    INSERT INTO authkey (id, ip, ip_key, service, service_key, privileges, revision, secret_digest, secret_hint)
    SELECT n, CASE WHEN n <= {callers} THEN '127.0.0.1' ELSE '10.' || n / 65536 || '.' || n / 256 % 256 || '.' || n % 256 END,
        decode(lpad(to_hex(n), 8, '0'), 'hex'), 'service ' || n, 'service ' || n, 511, 0,
        encode(sha256(('key-' || n)::bytea), 'hex'), 'xxxx'
    FROM generate_series(1, {count}) AS n
"""
_NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log crit; worker_processes 1;
events {{}}
http {{
    access_log off; keepalive_requests 10000000;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }}
}}
"""
_WRK = """
local n = 0
request = function()
    n = n % {callers} + 1
    return wrk.format("GET", "/authorize/search", {{["X-Api-Key"] = "key-" .. n}})
end
"""


class Figure(NamedTuple):
    """One round with one program."""

    per_second: float
    p99: float
    """Milliseconds"""
    processor_seconds: float


class Program(NamedTuple):
    """A running `check`."""

    process: "subprocess.Popen[str]"
    port: int

    @property
    def workers(self) -> list[int]:
        return workers_of(self.process.pid)

    def processor_seconds(self) -> float:
        """What its workers have had since they began."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.workers]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / _CLOCK

    def megabytes(self) -> float:
        """The memory of its largest worker (PSS)."""
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.workers]
        return max(int(found[1]) for text in texts if (found := re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE))) / 1024


def main(
    quick: Annotated[bool, typer.Option("--quick", help="100,000 keys instead of 1,000,000, 1 and 2 workers.")] = False,
) -> None:
    """Measure, and print the table."""
    many, counts, rounds, seconds = (100_000, (1, 2), 2, 2.0) if quick else (1_000_000, (1, 2, 4), 5, 5.0)
    programs = find_programs()
    if programs is None or not shutil.which("nginx"):
        raise SystemExit("This needs PostgreSQL and nginx; README has the line that installs them.")
    report = Report()
    with tempfile.TemporaryDirectory() as name, running_cluster(programs) as cluster, nginx(Path(name)) as nginx_port:
        for keys in (1_000, many):
            measure(report, cluster, Path(name), keys, counts, nginx_port, rounds, seconds)
    report.note(f"{CORES} cores for workers, PostgreSQL, and who asks ({'wrk' if shutil.which('wrk') else 'Python'}).")
    report.note(
        "The goal for more workers is held against answers for each second of the workers' processor time, up to one for each core."
    )
    print(report)
    raise typer.Exit(report.missed)


def measure(
    report: Report, cluster: Cluster, folder: Path, keys: int, counts: tuple[int, ...], nginx_port: int, rounds: int,
    seconds: float,
) -> None:  # fmt: skip
    """Ask programs with so many workers in turns, and add what came of it."""
    figures: dict[int, list[Figure]] = {count: [] for count in counts}
    nginx_rates = []
    with contextlib.ExitStack() as stack:
        progress(f"making {keys:,} keys")
        database = stack.enter_context(cluster.new_database())
        asyncio.run(fill(database, keys))
        secret = folder / "secret"
        secret.touch(mode=0o600)
        secret.write_text("5e" * 32)
        programs = {count: stack.enter_context(checking(database, secret, count)) for count in counts}
        for number in range(rounds):
            progress(f"round {number + 1} of {rounds}, {keys:,} keys")
            nginx_rates.append(load(nginx_port, seconds, folder).per_second)
            for count, program in programs.items():
                before = program.processor_seconds()
                figure = load(program.port, seconds, folder)
                figures[count].append(figure._replace(processor_seconds=program.processor_seconds() - before))
        memory = {count: program.megabytes() for count, program in programs.items()}
    rates = {count: [figure.per_second for figure in of] for count, of in figures.items()}
    efficiency = {
        count: [figure.per_second / figure.processor_seconds for figure in of] for count, of in figures.items()
    }
    report.add(f"nginx answers 204 itself, {keys:,} keys", f"{median(nginx_rates):,.0f}/s")
    for count in counts:
        name = f"{count} worker{'s' * (count > 1)}, {keys:,} keys"
        p99 = median([figure.p99 for figure in figures[count]])
        report.add(
            f"{name}: to nginx",
            f"{median(rates[count]):,.0f}/s, p99 {p99:.1f} ms",
            ratio=paired_ratio(rates[count], nginx_rates),
        )
        if count > 1:
            each = paired_ratio(efficiency[count], efficiency[1])
            ratio = paired_ratio(rates[count], rates[1])
            # More workers than there are cores take turns on them: nothing more is to be had, and nothing is promised.
            floor = 0.9 if count <= CORES else None
            report.add(
                f"{name}: to 1 worker", f"{each:.2f}× for each processor second", ratio=ratio, floor=floor, value=each
            )
        report.add(
            f"{name}: memory of one (PSS)", f"{memory[count]:.0f} MB", goal=_MOST_PSS, value=memory[count], unit=" MB"
        )


async def fill(database: DatabaseLocation, keys: int) -> None:
    """Make tables, and so many keys."""
    async with open_database(database):
        pass
    connection = await asyncpg.connect(database.text)
    await connection.execute(_FILL.format(callers=CALLERS, count=keys))
    await connection.execute("ANALYZE authkey")
    await connection.close()


@contextmanager
def checking(database: DatabaseLocation, secret: Path, count: int) -> Iterator[Program]:
    """`check` with so many workers that hold all keys."""
    progress(f"starting {count} workers")
    shared = ["--database", database.text, "--secret-file", str(secret)]
    command = [sys.executable, "main.py", *shared, "check", "--hold-keys", "--port", "0", "--workers", str(count)]
    process = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], _STARTS_SECONDS)
        line = process.stdout.readline() if ready else ""
        found = re.search(r":(\d+) with", line)
        if not found:
            raise RuntimeError(f"check did not start; it said {line!r}.")
        yield Program(process, int(found[1]))
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def nginx(folder: Path) -> Iterator[int]:
    """nginx that answers 204 itself; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    file = folder / "nginx.conf"
    file.write_text(_NGINX.format(folder=folder, port=port))
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(file)])
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def load(port: int, seconds: float, folder: Path) -> Figure:
    """Ask as fast as is answered. Raises RuntimeError for any answer but a yes."""
    return _wrk(port, seconds, folder) if shutil.which("wrk") else _python(port, seconds, folder)


def _wrk(port: int, seconds: float, folder: Path) -> Figure:
    script = folder / "wrk.lua"
    script.write_text(_WRK.format(callers=CALLERS))
    command = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds:.0f}s",
        "--latency",
        "-s",
        str(script),
        f"http://127.0.0.1:{port}",
    ]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    if "Non-2xx" in text or rate is None or p99 is None:
        raise RuntimeError(f"Not every answer was a yes:\n{text}")
    return Figure(float(rate[1]), float(p99[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]], 0)


def _python(port: int, seconds: float, folder: Path) -> Figure:
    requests = folder / "requests"
    head = r"GET /authorize/search HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Api-Key: key-{}\r\n\r\n"
    requests.write_text("\n".join(head.format(number) for number in range(1, CALLERS + 1)))
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "access_check_load.py"),
        str(port),
        str(seconds),
        str(CONNECTIONS),
        str(requests),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    figure = json.loads(done.stdout)
    if set(figure["codes"]) != {"204"}:
        raise RuntimeError(f"Not every answer was a yes: {figure['codes']}.")
    return Figure(figure["per_second"], figure["p99"], 0)


if __name__ == "__main__":
    typer.run(main)
