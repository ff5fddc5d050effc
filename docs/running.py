"""The program, started for pictures as a person starts it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def console(*options: str) -> Iterator[str]:
    """A console on a free port, which ends with the block; the link that signs in to it."""
    program = subprocess.Popen(
        [sys.executable, "main.py", *options, "--no-browser", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        yield program.stdout.readline().split()[-1]
    finally:
        program.terminate()
        program.wait(10)
