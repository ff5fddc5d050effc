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
    """One start: seconds until the first answer, and until the first page was there; bytes held in between."""

    answer: float
    page: float
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
    report = _report(bare, authkeys)
    print(report)
    raise typer.Exit(report.missed)


def _start(command: list[str]) -> Start:
    """Start, ask at the announced address, measure, then open the page as a browser does; end."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        with httpx.Client() as client:
            answer = client.get(announced_url(process))
            answered = time.perf_counter() - started
            memory = _memory(process.pid)
            if answer.next_request:  # the launch link has signed this client in
                client.send(answer.next_request).raise_for_status()
        return Start(answered, time.perf_counter() - started, *memory)
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
    for index, what in enumerate(("start to first answer", "start to first page", "memory, RSS", "memory, PSS")):
        base, ours = ([start[index] for start in starts] for starts in (bare, authkeys))
        show = _seconds if index < 2 else _mebibytes
        goal = None if what == "start to first page" else _GOAL
        report.add(what, f"{show(ours)} (bare {show(base)})", ratio=paired_ratio(ours, base), goal=goal)
    report.note(
        "Bare: benchmarks/hello.py, a page with one label, by ui.run_with and uvicorn; its first answer is its page."
    )
    report.note("Authkeys: the first answer signs in by the launch link; the page has a grid, a review and dialogs.")
    report.note("Memory: after the first answer.")
    return report


def _seconds(values: list[float]) -> str:
    return milliseconds(median(values) * 1000)


def _mebibytes(values: list[float]) -> str:
    return f"{median(values) / 2**20:.1f} MiB"


if __name__ == "__main__":
    typer.run(main)
