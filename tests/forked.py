"""Commands of `main.py` in processes of their own that are forked from one which has imported everything already.

What a command does is the same as when a person types it, without the seconds in which Python starts and imports.
"""

import io
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import NamedTuple

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["main", "tests.other_process"])

_SECONDS = 60


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stderr: str
    stdout: str


def run_forked(arguments: Sequence[str], environment: Mapping[str, str], given: str = "") -> Done:
    """Run `main.py` with these arguments to its end; `given` is its standard input."""
    ours, theirs = processes.Pipe()
    process = processes.Process(target=_run, args=(theirs, list(arguments), dict(environment), given), daemon=True)
    process.start()
    theirs.close()
    try:
        assert ours.poll(_SECONDS), f"{arguments} does not end"
        return Done(*ours.recv())
    finally:
        process.kill()
        process.join()


def _run(pipe: Connection, arguments: list[str], environment: dict[str, str], given: str) -> None:
    import main  # noqa: PLC0415 - preloaded, and not to be imported by the tests' own process

    os.environ.clear()
    os.environ.update(environment)
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(given), io.StringIO(), io.StringIO()
    try:
        main.commands(arguments, prog_name="main.py")
        code: object = 0
    except SystemExit as end:
        code = end.code
    pipe.send((code or 0, sys.stderr.getvalue(), sys.stdout.getvalue()))
