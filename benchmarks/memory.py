"""Whether the memory of closed pages is given back: `uv run benchmarks/memory.py`.

Real socket.io clients open pages and close them, a hundred at a time, thousands in all; the server's memory afterwards,
with no page open, must not grow with their number.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, Python looks for modules beside it only

from benchmarks.live_pages import live_pages
from benchmarks.measure import Report, progress
from benchmarks.servers import Server, import_keys, running_server

KEYS = 1_000
FEW = 500
GOAL = 1.3
_AT_ONCE = 100
# A page that was left is kept for a reconnect; here for a second, or the benchmark would take hours.
_PROGRAM = ("-c", "import main; from cli import application; application.RECONNECT_SECONDS = 1; main.commands()")
_GONE_SECONDS = 3


def main(
    pages: Annotated[int, typer.Option(min=2 * FEW, help="How many pages are opened and closed.")] = 5_000,
) -> None:
    """Measure, and print the table."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="authkeys-benchmark-") as folder:
        database, _ = import_keys(KEYS, Path(folder))
        with running_server(database, _PROGRAM) as server:
            few = asyncio.run(_open_and_close(server, FEW))
            many = asyncio.run(_open_and_close(server, pages - FEW))
    report.add(f"server memory after {FEW:,} closed pages", f"{few / 2**20:.0f} MiB")
    report.add(f"server memory after {pages:,} closed pages", f"{many / 2**20:.0f} MiB", ratio=many / few, goal=GOAL)
    report.note(f"server memory: RSS with no page open; {_AT_ONCE} pages at once were open before.")
    print(report)
    raise typer.Exit(report.missed)


async def _open_and_close(server: Server, pages: int) -> int:
    """The server's memory after so many more pages."""
    for opened in range(0, pages, _AT_ONCE):
        async with live_pages(server, _AT_ONCE):
            pass
        await asyncio.sleep(_GONE_SECONDS)
        progress(f"{opened + _AT_ONCE:,} pages: {server.resident_bytes() / 2**20:.0f} MiB")
    return server.resident_bytes()


if __name__ == "__main__":
    typer.run(main)
