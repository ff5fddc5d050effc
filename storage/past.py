"""Every statement about the authkeys as they were: today's, but for those that were changed since, which are as the first of
these changes found them. So it costs what changed since, and not what there is.
"""

from datetime import datetime
from typing import NamedTuple

from models.authkeys import Authkey
from models.history import Moment
from models.submissions import Kind, Modification
from models.tables import Entry
from models.views import View
from storage.authkeys import add_filters
from storage.database import database_errors, slow_reader
from storage.history import time_of
from storage.sql import Conditions, statement

_NEW = ", ".join(f"'{kind.value}'" for kind in (Kind.ADDED, Kind.REGISTERED, Kind.RESTORED))
# The plus keeps SQLite from walking through the changes of all time in the order of their rows.
_CHANGED = (
    "SELECT +done.row_id AS id, MIN(done.id) AS first_id, MAX(done.id) AS last_id FROM modification AS done "
    "JOIN submission ON submission.id = done.submission_id AND submission.subject = 'authkey' "
    "WHERE done.submission_id > {after} {until} GROUP BY +done.row_id"
)
_COLUMNS = ("ip", "ip_key", "service", "service_key")


class Known(NamedTuple):
    """Of which entries something is known."""

    first: int
    newest: int
    """0 if there is none at all"""


async def newest_entry_until(at: datetime) -> int:
    """The number of the newest entry that is not newer than this; 0 if there is none."""
    with database_errors():
        row = await Entry.filter(at__lte=at).using_db(slow_reader()).order_by("-number").first()
    return row.number if row else 0


async def moment(number: int | None) -> tuple[Moment, Known]:
    """The moment right after an entry (None: the newest one), and which entries there are."""
    wanted = "(SELECT MAX(number) FROM entry)" if number is None else str(int(number))
    query = (
        f"SELECT COALESCE({wanted}, 0), COALESCE((SELECT MAX(submission_id) FROM entry WHERE number <= {wanted}), "
        f"(SELECT MIN(id) - 1 FROM submission), 0), (SELECT at FROM entry WHERE number = {wanted}), "
        "COALESCE((SELECT MIN(number) FROM entry), 0), COALESCE((SELECT MAX(number) FROM entry), 0)"
    )
    with database_errors():
        _, found = await slow_reader().execute_query(query)
    there, revision, at, first, newest = tuple(found[0])
    return Moment(there, revision, time_of(at) if at else None), Known(first, newest)


async def time_of_first() -> datetime | None:
    """When the oldest entry was."""
    with database_errors():
        row = await Entry.all().using_db(slow_reader()).order_by("number").first()
    return row.at if row else None


async def rows(view: View, revision: int, start: int, end: int) -> list[Authkey]:
    """Rows `start` to `end` (exclusive) of a view, sorted by IP or service, as they were after this submission."""
    if end <= start:
        return []
    keys = ("service_key", "ip_key", "id") if view.sort == "service" else ("ip_key", "service_key", "id")
    order = ", ".join(f"{key} DESC" if view.descending else key for key in keys)
    today, past, values = _branches(view)
    # The keys stand in the result, so that two sorted streams are merged instead of all of it sorted.
    shown = "id, ip, service, privileges, revision, secret_hint, ip_key, service_key"
    query = (
        f"{_with(revision)} SELECT {shown} FROM authkey {today} UNION ALL SELECT {shown} FROM past {past} "
        f"ORDER BY {order} LIMIT {int(end - start)} OFFSET {int(start)}"
    )
    with database_errors():
        _, found = await slow_reader().execute_query(query, values)
    return [Authkey(*tuple(row)[:6]) for row in found]


class KeyPlace(NamedTuple):
    """Where a row stands in the order by IP."""

    ip_key: bytes
    service_key: str
    id: int


class PlacedKey(NamedTuple):
    """An authkey, and where it stands."""

    key: Authkey
    place: KeyPlace


async def portion(view: View, revision: int, after: KeyPlace | None, limit: int) -> list[PlacedKey]:
    """The authkeys of a view as they were, by IP, from those after this place on."""
    today, past, values = _branches(view, after)
    shown = "id, ip, service, privileges, revision, secret_hint, ip_key, service_key"
    query = (
        f"{_with(revision)} SELECT {shown} FROM authkey {today} UNION ALL SELECT {shown} FROM past {past} "
        f"ORDER BY ip_key, service_key, id LIMIT {int(limit)}"
    )
    with database_errors():
        _, found = await slow_reader().execute_query(query, values)
    rows_ = [tuple(row) for row in found]
    return [PlacedKey(Authkey(*row[:6]), KeyPlace(bytes(row[6]), row[7], row[0])) for row in rows_]


async def count(view: View, revision: int) -> int:
    """How many a view showed then. In one statement, so that what is committed meanwhile is in all of it or in none."""
    today, past, values = _branches(view)
    query = f"{_with(revision)} SELECT (SELECT count(*) FROM authkey {today}) + (SELECT count(*) FROM past {past})"
    with database_errors():
        _, found = await slow_reader().execute_query(query, values)
    return int(found[0][0])


async def differences(earlier: int, later: int) -> list[Modification]:
    """What became of each authkey between two submissions, all in all; those that are as they were are left out."""
    changed = _CHANGED.format(after=int(earlier), until=f"AND done.submission_id <= {int(later)}")
    query = (
        f"WITH changed AS ({changed}) SELECT one.row_id, one.ip, one.service, one.kind, one.before, other.kind, other.after "
        "FROM changed JOIN modification AS one ON one.id = changed.first_id "
        "JOIN modification AS other ON other.id = changed.last_id ORDER BY one.row_id"
    )
    with database_errors():
        _, found = await slow_reader().execute_query(query)
    net = (_net(*tuple(row)) for row in found)
    return [each for each in net if each is not None]


async def state_at(row_id: int, revision: int) -> int | None:
    """The privileges that an authkey had after this submission; None if it was not there."""
    changed, values = statement(
        "SELECT done.kind, done.before FROM modification AS done JOIN submission ON submission.id = done.submission_id "
        "WHERE done.row_id = {} AND done.submission_id > {} AND submission.subject = 'authkey' ORDER BY done.id LIMIT 1",
        row_id,
        revision,
    )
    with database_errors():
        _, found = await slow_reader().execute_query(changed, values)
        if not found:
            _, found = await slow_reader().execute_query(f"SELECT '', privileges FROM authkey WHERE id = {int(row_id)}")
    return None if not found or f"'{found[0][0]}'" in _NEW else int(found[0][1])


def _net(row_id: int, ip: str, service: str, first: str, before: int, last: str, after: int) -> Modification | None:
    was, is_ = f"'{first}'" not in _NEW, last != Kind.REMOVED
    if not was and not is_:
        return None
    if was and is_:
        return Modification(row_id, Kind.CHANGED, ip, service, before, after) if before != after else None
    return Modification(row_id, Kind.REMOVED if was else Kind.ADDED, ip, service, before, after if is_ else 0)


def _with(revision: int) -> str:
    """`changed`: what was changed since. `past`: those of it that were there, as they were, by their names."""
    names = ", ".join(f"COALESCE(k.{column}, r.{column}, f.{column}) AS {column}" for column in _COLUMNS)
    return (
        f"WITH changed AS ({_CHANGED.format(after=int(revision), until='')}), "
        f"past AS (SELECT one.row_id AS id, {names}, one.before AS privileges, {int(revision)} AS revision, "
        "COALESCE(k.secret_hint, r.secret_hint) AS secret_hint "
        "FROM changed JOIN modification AS one ON one.id = changed.first_id "
        "LEFT JOIN authkey AS k ON k.id = one.row_id LEFT JOIN removed_authkey AS r ON r.id = one.row_id "
        f"LEFT JOIN former_authkey AS f ON f.id = one.row_id WHERE one.kind NOT IN ({_NEW}))"
    )


def _branches(view: View, after: KeyPlace | None = None) -> tuple[Conditions, Conditions, list[object]]:
    today = _conditions(view)
    today.add("id NOT IN (SELECT id FROM changed)")
    _from(today, after)
    past = _conditions(view, first=len(today.values) + 1)
    _from(past, after)
    return today, past, [*today.values, *past.values]


def _from(where: Conditions, after: KeyPlace | None) -> None:
    if after:
        where.add("(ip_key, service_key, id) > ({}, {}, {})", *after)


def _conditions(view: View, first: int = 1) -> Conditions:
    where = Conditions(first)
    add_filters(where, view)
    return where
