"""Every statement that reads the history for people. Searching and filtering happen in SQL, on the slow reader."""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar, cast

from models.actors import actor_in, with_names
from models.addresses import canonical_ip, search_range, sort_key
from models.amendments import texts_from_text
from models.chain import Record
from models.errors import InvalidValue
from models.history import Change, Entry, EntryKind
from models.history_views import ENTRIES_OF, KINDS_OF, HistoryView, What
from models.privileges import privilege
from models.subjects import Subject
from models.submissions import Kind, Modification, Source
from models.tables import Admin
from models.texts import search_key
from storage.authkeys import search_condition
from storage.database import database_errors, slow_reader
from storage.history import ENTRIES, ENTRY_COLUMNS, entry_of, time_of
from storage.sql import Conditions, escaped, ids, statement

_NAMED = f"{ENTRIES} LEFT JOIN admin ON admin.id = entry.admin_id LEFT JOIN admin AS approver ON approver.id = submission.approver_id"
_WITH_NAMES = f"SELECT {ENTRY_COLUMNS}, admin.name, approver.name FROM {_NAMED}"
_NAMES = ("authkey", "removed_authkey", "former_authkey")
"""The tables that know the names of all authkeys that there ever were"""
T = TypeVar("T", bound=StrEnum)

_FEW = 1_000
"""So many keys are looked up by their numbers; of more the newest entries are looked through."""


# -- entries -------------------------------------------------------------------------------------------------------------


async def entries(view: HistoryView, start: int, count: int) -> list[Entry]:
    """Entries of a view, newest first, from the `start`th on."""
    where = await _conditions(view)
    if view.is_filtered:
        page = f"LIMIT {int(count)} OFFSET {int(start)}"
    else:  # numbers have no gaps, so no entry is skipped one by one
        where.add(f"entry.number <= (SELECT MAX(number) FROM entry) - {int(start)}")
        page = f"LIMIT {int(count)}"
    return await _read(f"{where} ORDER BY entry.number DESC {page}", where.values)


async def count(view: HistoryView, limit: int) -> int:
    """How many entries a view shows, counted up to a limit."""
    where = await _conditions(view)
    if not view.is_filtered:
        query = "SELECT COALESCE(MAX(number) - MIN(number) + 1, 0) FROM entry"
    else:
        query = f"SELECT count(*) FROM (SELECT 1 FROM {ENTRIES} {where} LIMIT {int(limit)}) AS found"
    with database_errors():
        _, rows = await slow_reader().execute_query(query, where.values)
    return min(int(rows[0][0]), limit)


class ExportedLink(NamedTuple):
    """An entry as an export has it."""

    record: Record
    previous: str
    """The digest of the entry before; empty for the first one"""
    digest: str
    who: str
    revision: int | None
    """Of its submission"""
    approved_by: str = ""


async def links(view: HistoryView, after: int, until: int, limit: int) -> list[ExportedLink]:
    """The entries of a view between two numbers, oldest first."""
    where = await _conditions(view)
    where.add(f"entry.number > {int(after)} AND entry.number <= {int(until)}")
    query = (
        f"SELECT {ENTRY_COLUMNS}, previous.digest, admin.name, approver.name FROM {_NAMED} "
        "LEFT JOIN entry AS previous ON previous.number = entry.number - 1 "
        f"{where} ORDER BY entry.number LIMIT {int(limit)}"
    )
    with database_errors():
        _, rows = await slow_reader().execute_query(query, where.values)
    found = []
    for *columns, previous, name, approver in map(tuple, rows):
        each = entry_of(columns)
        revision = each.submission.revision if each.submission else None
        who = (name or each.name, revision, approver or "")
        found.append(ExportedLink(each.to_record(), previous or "", each.digest, *who))
    return found


async def entry(number: int) -> Entry | None:
    """One entry."""
    found = await _read(f"WHERE entry.number = {int(number)}")
    return found[0] if found else None


async def entry_of_submission(revision: int) -> Entry | None:
    """The entry of a submission."""
    found = await _read(f"WHERE entry.submission_id = {int(revision)}")
    return found[0] if found else None


async def newest(limit: int) -> list[Entry]:
    """The newest entries, newest first."""
    return await _read(f"ORDER BY entry.number DESC LIMIT {int(limit)}")


async def newest_accesses(limit: int) -> list[Entry]:
    """The newest entries that are no submissions, newest first."""
    return await _read(f"WHERE entry.kind <> '{EntryKind.SUBMITTED}' ORDER BY entry.number DESC LIMIT {int(limit)}")


async def admin_names() -> list[str]:
    """Of all accounts."""
    with database_errors():
        rows = await Admin.all().using_db(slow_reader()).order_by("name").values_list("name", flat=True)
    return [str(name) for name in rows]


async def _read(rest: str, values: Sequence[Any] = ()) -> list[Entry]:
    with database_errors():
        _, rows = await slow_reader().execute_query(f"{_WITH_NAMES} {rest}", list(values))
    found = [_named(tuple(row)) for row in rows]
    actors = {actor for each in found if (actor := actor_in(each.detail)) is not None}
    names = await _names_of(actors) if actors else {}
    return [each._replace(detail=with_names(each.detail, names)) if names else each for each in found]


async def _names_of(admin_ids: Collection[int]) -> dict[int, str]:
    with database_errors():
        return dict(await Admin.filter(id__in=admin_ids).using_db(slow_reader()).values_list("id", "name"))


def _named(row: tuple[Any, ...]) -> Entry:
    *columns, name, approver = row
    entry = entry_of(columns, str(name or ""))._replace(approved_by=str(approver or ""))
    part = entry.submission
    if part is not None:
        part = part._replace(source=_known(Source, part.source), subject=_known(Subject, part.subject))
    return entry._replace(kind=_known(EntryKind, entry.kind), submission=part)


def _known(words: type[T], text: str) -> T:
    """The word; or the text as it is, if somebody wrote it into the table: the page still shows it, and the chain tells."""
    return words(text) if text in set(words) else cast(T, text)


async def _conditions(view: HistoryView) -> Conditions:
    where = Conditions()
    if view.admin:
        where.add("entry.admin_id IN (SELECT id FROM admin WHERE name = {})", view.admin)
    if view.privilege:
        where.add(f"(submission.granted | submission.revoked) & {privilege(view.privilege).mask} <> 0")
    if view.source:
        where.add("submission.source = {}", view.source.value)
    if view.since:
        where.add("entry.at >= {}", view.since)
    if view.until:
        where.add("entry.at <= {}", view.until)
    if view.what in ENTRIES_OF:
        approved = " OR submission.approver_id IS NOT NULL" if view.what is What.APPROVALS else ""
        where.add(f"(entry.kind IN ({', '.join(repr(kind.value) for kind in ENTRIES_OF[view.what])}){approved})")
    elif view.what in KINDS_OF:
        where.add(f"({' OR '.join(f'submission.kinds LIKE {_held(kind)}' for kind in KINDS_OF[view.what])})")
    elif view.what:
        where.add(f"submission.{'granted' if view.what is What.GRANTS else 'revoked'} <> 0")
        where.add(f"submission.kinds LIKE {_held(Kind.CHANGED)}")
    if view.search:
        await _search(where, view.search)
    return where


def _held(kind: Kind) -> str:
    return f"'%{kind.value}:%'"


async def _search(where: Conditions, text: str) -> None:
    """Entries about the keys that a text means; or, if it is an address, of who came from there."""
    named, *values = search_condition(text, of_keys=False)
    found = [id_ for table in _NAMES for id_ in await _ids(f"{table} WHERE {named}", *values)]
    addresses = await _addresses_in(text)
    other = [f"entry.address IN ({', '.join(['{}'] * len(addresses))})"]
    if phrases := await _ids("pickup_passphrase WHERE note_key LIKE {} ESCAPE '\\'", _pattern(text)):
        other.append(_done_to(Subject.PASSPHRASE, phrases))
    if len(found) <= _FEW:
        where.add(f"({' OR '.join([_done_to(Subject.AUTHKEY, found), *other])})", *addresses)
        return
    each = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {table}.id = done.row_id AND {named})" for table in _NAMES)
    keys = (
        "submission.subject = 'authkey' AND EXISTS (SELECT 1 FROM modification AS done "
        f"WHERE done.submission_id = submission.id AND ({each}))"
    )
    where.add(f"({' OR '.join([keys, *other])})", *values * len(_NAMES), *addresses)


# Each address once, however many entries there are of it: one step in the index to the next address.
_ADDRESSES = (
    "WITH RECURSIVE known(address) AS (SELECT MIN(address) FROM entry UNION ALL "
    "SELECT (SELECT MIN(entry.address) FROM entry WHERE entry.address > known.address) FROM known "
    "WHERE known.address IS NOT NULL) SELECT address FROM known WHERE address IS NOT NULL"
)


async def _addresses_in(text: str) -> list[str]:
    """The addresses on record that a search means: an address, a network, or the beginning of one. At least the text itself."""
    span = search_range(text)
    if span is None or span[0] == span[1]:
        return [text if span is None else _canonical(text)]
    with database_errors():
        _, rows = await slow_reader().execute_query(_ADDRESSES)
    found = [each for (each,) in map(tuple, rows) if _is_address(each) and span[0] <= sort_key(each) <= span[1]]
    if len(found) > _FEW:
        raise InvalidValue(
            f"There are entries from more than {_FEW:,} addresses of {text}. Search for a smaller network."
        )
    return found or [text]


def _is_address(text: str) -> bool:
    try:
        return _canonical(text) == text
    except InvalidValue:
        return False


def _canonical(text: str) -> str:
    return canonical_ip(text.strip().partition("/")[0])


def _done_to(subject: Subject, row_ids: Iterable[int]) -> str:
    return (
        f"(submission.subject = '{subject.value}' AND submission.id IN "
        f"(SELECT submission_id FROM modification WHERE row_id IN ({ids(row_ids) or 'NULL'})))"
    )


def _pattern(text: str) -> str:
    return f"%{escaped(search_key(text))}%"


async def _ids(which: str, *values: Any) -> list[int]:
    query, plain = statement(f"SELECT id FROM {which} LIMIT {_FEW + 1}", *values)
    with database_errors():
        _, rows = await slow_reader().execute_query(query, plain)
    return [row[0] for row in rows]


# -- what they did -------------------------------------------------------------------------------------------------------

_CHANGES = (
    "SELECT entry.number, submission.id, submission.at, admin.name, submission.source, submission.subject, "
    "done.row_id, done.kind, done.ip, done.service, done.before, done.after, done.texts FROM modification AS done "
    "JOIN submission ON submission.id = done.submission_id JOIN entry ON entry.submission_id = submission.id "
    "JOIN admin ON admin.id = submission.admin_id"
)


async def done_in(revision: int, start: int, count: int) -> list[Modification]:
    """What a submission did, in the order of its doing, from the `start`th on."""
    rest = f"WHERE done.submission_id = {int(revision)} ORDER BY done.id LIMIT {int(count)} OFFSET {int(start)}"
    return [change.done for change in await _changes(rest)]


async def only_ones(revisions: Iterable[int]) -> dict[int, Modification]:
    """What submissions did that did one thing."""
    if not (listed := ids(revisions)):
        return {}
    return {change.revision: change.done for change in await _changes(f"WHERE submission.id IN ({listed})")}


async def changes_of(subject: Subject, row_id: int, privilege_mask: int, before: int, count: int) -> list[Change]:
    """What happened to one row, newest first, before this revision; with a privilege, only what made a difference to it."""
    differs = f"AND (done.before | done.after) - (done.before & done.after) & {int(privilege_mask)} <> 0"
    return await _changes(
        f"WHERE done.row_id = {int(row_id)} AND submission.subject = '{subject.value}' AND submission.id < {int(before)} "
        f"{differs if privilege_mask else ''} ORDER BY submission.id DESC LIMIT {int(count)}"
    )


async def changes_after(subject: Subject, revision: int, row_ids: Sequence[int]) -> dict[int, list[Change]]:
    """What happened to these rows since a submission, oldest first, by row."""
    later: dict[int, list[Change]] = {}
    for first in range(0, len(row_ids), 10_000):
        for change in await _changes(
            f"WHERE done.row_id IN ({ids(row_ids[first : first + 10_000])}) AND submission.id > {int(revision)} "
            f"AND submission.subject = '{subject.value}' ORDER BY submission.id"
        ):
            later.setdefault(change.done.row_id, []).append(change)
    return later


async def _changes(rest: str) -> list[Change]:
    with database_errors():
        _, rows = await slow_reader().execute_query(f"{_CHANGES} {rest}")
    return [
        Change(
            number, revision, time_of(at), name, source,
            Modification(row_id, Kind(kind), ip, service, before, after, Subject(subject), texts_from_text(texts)),
        )
        for number, revision, at, name, source, subject, row_id, kind, ip, service, before, after, texts in map(tuple, rows)
    ]  # fmt: skip


async def name_of(subject: Subject, row_id: int) -> tuple[str, str] | None:
    """IP and service of a row that there is or ever was."""
    found = await changes_of(subject, row_id, 0, 2**62, 1)
    return (found[0].done.ip, found[0].done.service) if found else None
