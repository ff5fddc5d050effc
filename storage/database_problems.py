"""What a driver's error means: a state of the database that is told to people, or a mistake of ours that is a bug.

By the codes of the databases, not by their words: postgresql.org/docs/current/errcodes-appendix.html and
sqlite.org/rescode.html.
"""

import sqlite3
from collections.abc import Mapping

from models.errors import DatabaseUnavailable

_FULL = "The disk of the database is full, so nothing can be stored."
_READ_ONLY = "The database can only be read now, so nothing can be stored."
_BUSY = "Another program holds the database for long, so nothing can be stored."
_FILE = "The file of the database cannot be read or written now."
_CONFLICT = "Another change to the same rows was stored first, several times in a row."

_POSTGRES: Mapping[str, str] = {
    "25006": f"{_READ_ONLY} Give the address of the primary server with --database.",
    "40": _CONFLICT,
    "42501": "The database's account has not the right to do this. Let it own the tables.",
    "53100": _FULL,
    "53300": "PostgreSQL takes no more connections. Raise max_connections, or end other programs.",
    "53": "PostgreSQL lacks memory or another resource.",
    "55P03": _BUSY,
    "57014": "PostgreSQL gave up because it took too long (statement_timeout).",
    "08": "The connection to the database was lost.",
    "57P": "PostgreSQL is being stopped or started.",
    "58": _FILE,
}
"""SQLSTATEs, and their beginnings for whole classes, and how they are told. All others are mistakes of ours."""

_SQLITE: Mapping[int, str] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_IOERR: _FILE,
    sqlite3.SQLITE_CANTOPEN: _FILE,
    sqlite3.SQLITE_PERM: _FILE,
}
"""Primary result codes that have words of their own"""
_MISTAKES = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_MISMATCH)
"""Bad SQL, unknown columns, wrong parameters"""


def driver_error(error: BaseException) -> BaseException:
    """What the driver raised, from within what Tortoise made of it."""
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, Exception) else error


def sql_state(error: BaseException) -> str:
    """PostgreSQL's code of this error; empty if it is not one of PostgreSQL's."""
    return str(getattr(driver_error(error), "sqlstate", None) or "")


def is_rolled_back_for_another(error: BaseException) -> bool:
    """Whether PostgreSQL undid the transaction because of another one (deadlock, serialization): it may be run again."""
    return sql_state(error).startswith("40")


def is_mistake(error: BaseException) -> bool:
    """Whether the error says that our own statement is wrong, which no waiting and no administrator can mend."""
    raised = driver_error(error)
    if state := sql_state(error):
        return _postgres_words(state) is None
    if isinstance(raised, sqlite3.ProgrammingError):
        return "closed" not in str(raised)
    code = getattr(raised, "sqlite_errorcode", None)
    return isinstance(raised, sqlite3.Error) and code is not None and code & 0xFF in _MISTAKES


def unavailable(error: BaseException) -> DatabaseUnavailable:
    """The error in words, for people who use the page or a script."""
    raised = driver_error(error)
    code = getattr(raised, "sqlite_errorcode", None)
    words = _postgres_words(sql_state(error)) or (_SQLITE.get(code & 0xFF) if code is not None else None)
    if words is None:
        problem = (str(raised).splitlines() or [type(raised).__name__])[0].rstrip(".")
        words = f"The database does not answer ({problem})."
    return DatabaseUnavailable(f"{words} Nothing that you staged is lost; try again.")


def _postgres_words(state: str) -> str | None:
    beginnings = (state[:length] for length in range(len(state), 1, -1))
    return next((_POSTGRES[beginning] for beginning in beginnings if beginning in _POSTGRES), None)
