"""`main.py` started in a process of its own, to live beside the test: forked from one that has imported everything, or anew.

What it does is the same either way. Forked it answers seconds earlier, which hundreds of tests would wait for; anew it is where
memory is measured, or where what stands in the environment counts before Python does.
"""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, Protocol

from tests.forked import processes

ROOT = Path(__file__).parents[1]


class Process(Protocol):
    """What tests do with a running program, as subprocess.Popen names it."""

    pid: int
    stdout: IO[str] | None

    @property
    def returncode(self) -> Any:
        """With which status it ended, if it was seen to."""

    def poll(self) -> int | None:
        """With which status it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""

    def communicate(self, *, timeout: float | None = None) -> tuple[str, Any]:
        """Wait for its end; what it wrote to standard output since."""

    def send_signal(self, sig: int) -> None:
        """Send it one, if it lives."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""


def start(arguments: Sequence[str], environment: Mapping[str, str], errors: IO[str], *, anew: bool = False) -> Process:
    """Start `main.py` with these arguments; what it writes to standard error comes into this file."""
    # What is loaded before Python is loaded into new processes only.
    if anew or any(name.startswith("LD_") for name in environment):
        return subprocess.Popen(command(*arguments), env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    return ForkedProcess(arguments, environment, errors)


def command(*arguments: str) -> list[str]:
    """How a shell starts it."""
    return [sys.executable, str(ROOT / "main.py"), *arguments]


class ForkedProcess:
    """A process that runs `main.py`, with what of subprocess.Popen is used of one."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], errors: IO[str]) -> None:
        ours, theirs = os.pipe()
        self.stdout: IO[str] | None = os.fdopen(ours)
        # As connections, because those can be sent to another process.
        with Connection(theirs, readable=False) as output, Connection(os.dup(errors.fileno())) as to_errors:
            about = (list(arguments), dict(environment), output, to_errors)
            self._process = processes.Process(target=_run, args=about, daemon=True)
            self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self._process.exitcode

    def communicate(self, *, timeout: float | None = None) -> tuple[str, None]:
        self.wait(timeout)
        assert self.stdout
        with self.stdout:
            return self.stdout.read(), None

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run(arguments: list[str], environment: dict[str, str], output: Connection, errors: Connection) -> None:
    import main  # noqa: PLC0415 - preloaded, and not to be imported by the tests' own process

    os.environ.clear()
    os.environ.update(environment)
    for given, standard in ((output, 1), (errors, 2)):
        os.dup2(given.fileno(), standard)
        given.close()
    sys.stdin = io.StringIO()
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False, errors="backslashreplace")
    sys.argv = [str(ROOT / "main.py"), *arguments]
    main.commands(arguments, prog_name="main.py")
