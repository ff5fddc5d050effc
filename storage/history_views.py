"""Every statement that reads the history for people. Searching and filtering happen in SQL, on the slow reader."""

from models.history import Entry, EntryKind
from storage.database import database_errors, slow_reader
from storage.history import ENTRIES, ENTRY_COLUMNS, entry_of

_WITH_NAMES = f"SELECT {ENTRY_COLUMNS}, admin.name FROM {ENTRIES} LEFT JOIN admin ON admin.id = entry.admin_id"


async def newest(limit: int) -> list[Entry]:
    """The newest entries, newest first."""
    with database_errors():
        _, rows = await slow_reader().execute_query(f"{_WITH_NAMES} ORDER BY number DESC LIMIT {int(limit)}")
    return [_named(tuple(row)) for row in rows]


async def newest_accesses(limit: int) -> list[Entry]:
    """The newest entries that are no submissions, newest first."""
    query = f"{_WITH_NAMES} WHERE kind <> '{EntryKind.SUBMITTED}' ORDER BY number DESC LIMIT {int(limit)}"
    with database_errors():
        _, rows = await slow_reader().execute_query(query)
    return [_named(tuple(row)) for row in rows]


def _named(row: tuple[object, ...]) -> Entry:
    *columns, name = row
    entry = entry_of(columns, str(name or ""))
    return entry._replace(kind=EntryKind(entry.kind))
