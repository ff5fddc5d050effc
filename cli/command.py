"""How a command runs, and how it ends: with an exit status, and with words on standard error if it could not."""

import asyncio
import getpass
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TextIO

import uvicorn

from models.errors import ArchiveRefused, AuthkeysError, ImportRefused

BAD_LINES, REFUSED, INTERRUPTED = 2, 1, 130
"""Exit statuses, beside 0."""


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's work to its end; an error that has words for its user ends the process with them."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(work)
    except ImportRefused as error:
        refuse(error, *error.problems, status=BAD_LINES)
    except AuthkeysError as error:
        refuse(error)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def user_name() -> str:
    """Who uses the command line, as what is on record names it."""
    try:
        return f"{getpass.getuser()} on the command line"
    except (KeyError, OSError):  # no user name, as in some containers
        return "the command line"


def refuse(*lines: object, status: int = REFUSED) -> NoReturn:
    """End the process with these lines on standard error."""
    for line in lines:
        print(line, file=sys.stderr)
    sys.exit(status)


@contextmanager
def opened(to: Path | None) -> Iterator[TextIO]:
    """A new file for what a command writes, or (None) standard output. Raises ArchiveRefused; what is not whole does not stay."""
    if to is None:
        yield sys.stdout
        return
    try:
        file = to.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise ArchiveRefused(f"{to} exists already. Nothing was written; give another file.") from None
    except OSError as error:
        raise ArchiveRefused(f"{to} cannot be written: {error.strerror}.") from None
    try:
        with file:
            yield file
    except OSError as error:
        to.unlink(missing_ok=True)
        raise ArchiveRefused(f"{to} cannot be written: {error.strerror}.") from None
    except BaseException:  # half an export would pass for a whole one
        to.unlink(missing_ok=True)
        raise


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    # Without `log_config` it would give uvicorn's loggers handlers of their own, past `cli.logs`.
    return uvicorn.Config("", log_config=None).get_loop_factory()
