"""How soon Authkeys answers, and what it then holds: `uv run benchmarks/start.py [--rounds N]`.

As a ratio to a bare NiceGUI page that is served the same way. Rounds alternate, so that what slows the machine slows both.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
import typer

from benchmarks.measure import Report, median, milliseconds, paired_ratio, progress
from benchmarks.servers import ROOT, announced_url, clean_environment

_GOAL = 1.3


class Start(NamedTuple):
    """One start: seconds until the first page was there, and bytes then held."""

    seconds: float
    resident: int
    proportional: int


def main(rounds: Annotated[int, typer.Option(min=1)] = 9) -> None:
    """Measure, and print the table."""
    bare, authkeys = [], []
    with tempfile.TemporaryDirectory() as folder:
        serve = ["main.py", "--no-browser", "--port", "0", "--database", f"{folder}/authkeys.db"]
        for command in (["benchmarks/hello.py"], serve):
            _start(command)  # compiles, and makes the database
        for number in range(rounds):
            progress(f"round {number + 1} of {rounds}")
            bare.append(_start(["benchmarks/hello.py"]))
            authkeys.append(_start(serve))
    print(_report(bare, authkeys))


def _start(command: list[str]) -> Start:
    """Start, open the page as a browser would by the announced address, measure, end."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        answer = httpx.get(announced_url(process), follow_redirects=True)
        seconds = time.perf_counter() - started
        answer.raise_for_status()
        return Start(seconds, *_memory(process.pid))
    finally:
        process.terminate()
        process.wait(30)


def _memory(pid: int) -> tuple[int, int]:
    """RSS, and PSS: the same with what is shared with other processes divided among them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines[1:])}
    return sizes["Rss"], sizes["Pss"]


def _report(bare: list[Start], authkeys: list[Start]) -> Report:
    report = Report()
    for index, what in enumerate(("start to first page", "memory after it, RSS", "memory after it, PSS")):
        base, ours = ([start[index] for start in starts] for starts in (bare, authkeys))
        figure = milliseconds(median(ours) * 1000) if index == 0 else f"{median(ours) / 2**20:.1f} MiB"
        bare_figure = milliseconds(median(base) * 1000) if index == 0 else f"{median(base) / 2**20:.1f} MiB"
        report.add(what, f"{figure} (bare {bare_figure})", ratio=paired_ratio(ours, base), goal=_GOAL)
    report.note(
        "Bare: benchmarks/hello.py, one label, by ui.run_with and uvicorn. Authkeys: its page, after signing in."
    )
    return report


if __name__ == "__main__":
    typer.run(main)
