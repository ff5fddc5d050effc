"""Every statement that reads authkeys: rows of a view, counts, single ones. Searching, filtering and sorting happen in SQL."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

from tortoise.expressions import Q, RawSQL, Subquery
from tortoise.queryset import QuerySet

from models.addresses import sort_key
from models.authkeys import Authkey
from models.searches import Term, alternatives
from models.subjects import Subject
from models.tables import Authkey as AuthkeyTable
from models.tables import AuthkeyText, FormerAuthkey, RemovedAuthkey, StagedChange
from models.usage import NO_PRIVILEGE, Quiet
from models.views import View
from storage import authkey_texts
from storage.authkey_texts import with_texts
from storage.database import counter, database_errors, reader, slow_reader
from storage.sql import Conditions, escaped, ids

_FIELDS = ("id", "ip", "service", "privileges", "revision", "secret_hint")
_IDS_AT_ONCE = 10_000
_PLACEHOLDERS = 5_000
_MINE = f"admin_id = {{}} AND subject = '{Subject.AUTHKEY.value}'"
_STAGED = f"SELECT row_id FROM staged_change WHERE {_MINE}"


# Where `quiet` is asked for it belongs to a view of unused privileges: what was not used since then is unused.


async def rows(view: View, admin_id: int, quiet: Quiet | None, start: int, end: int) -> list[Authkey]:
    """Rows `start` to `end` (exclusive) of a view that is sorted by IP or service."""
    if end <= start:
        return []
    sign = "-" if view.descending else ""
    keys = ("service_key", "ip_key") if view.sort == "service" else ("ip_key", "service_key")
    query = (await _matching(view, admin_id, quiet)).order_by(*(f"{sign}{key}" for key in (*keys, "id")))
    with database_errors():
        found = [Authkey(*row) for row in await query.offset(start).limit(end - start).values_list(*_FIELDS)]
    return await with_texts(found)


async def place(view: View, admin_id: int, quiet: Quiet | None, authkey_id: int) -> int | None:
    """Where an authkey stands in a view that is sorted by IP or service, from 0; None if it does not."""
    query = await _matching(view, admin_id, quiet)
    first, second = ("service_key", "ip_key") if view.sort == "service" else ("ip_key", "service_key")
    beyond = "lt" if not view.descending else "gt"
    with database_errors():
        row = await query.filter(id=authkey_id).first()
        if row is None:
            return None
        same = Q()
        before = Q()
        for key in (first, second, "id"):
            mine = getattr(row, key)
            before |= same & Q(**{f"{key}__{beyond}": mine})
            same &= Q(**{key: mine})
        return await query.filter(before).count()


async def count(view: View, admin_id: int, quiet: Quiet | None) -> int:
    """How many authkeys a view shows."""
    with database_errors():
        return await (await _matching(view, admin_id, quiet)).using_db(counter()).count()


async def find(authkey_ids: Iterable[int]) -> dict[int, Authkey]:
    """Those of these authkeys that exist, by id."""
    wanted = sorted({int(id_) for id_ in authkey_ids})
    found = {}
    for first in range(0, len(wanted), _IDS_AT_ONCE):
        some = wanted[first : first + _IDS_AT_ONCE]
        # Past the ORM's conversions: a large desk asks for very many.
        with database_errors():
            _, rows_ = await reader().execute_query(
                f"SELECT {', '.join(_FIELDS)} FROM authkey WHERE id IN ({ids(some)})"
            )
        found.update({row.id: row for row in await with_texts([Authkey(*row) for row in rows_])})
    return found


async def of_ip(ip: str) -> list[Authkey]:
    """All authkeys of one canonical IP address."""
    with database_errors():
        return [Authkey(*row) for row in await _all().filter(ip=ip).order_by("service_key").values_list(*_FIELDS)]


async def removed(authkey_ids: Iterable[int]) -> dict[int, Authkey]:
    """Those of these authkeys that were removed and can still be restored, by id."""
    listed = ids(authkey_ids)
    if not listed:
        return {}
    query = f"SELECT id, ip, service, privileges, revision, secret_hint FROM removed_authkey WHERE id IN ({listed})"
    with database_errors():
        _, found = await reader().execute_query(query)
    return {row[0]: Authkey(*row) for row in found}


async def named(names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The ids of the authkeys that have these names (IP and service)."""
    wanted = set(names)
    found: dict[tuple[str, str], int] = {}
    ips = sorted({ip for ip, _ in wanted})
    for first in range(0, len(ips), _PLACEHOLDERS):
        some = ips[first : first + _PLACEHOLDERS]
        with database_errors():
            rows_ = await _all().filter(ip__in=some).values_list("ip", "service", "id")
        found |= {(ip, service): id_ for ip, service, id_ in rows_ if (ip, service) in wanted}
    return found


async def once_named(ip: str, service: str) -> int | None:
    """The id of the newest authkey of this canonical name that was removed; None if there never was one."""
    name = {"ip_key": sort_key(ip), "service": service}
    with database_errors():
        for table in (RemovedAuthkey, FormerAuthkey):
            found = await table.filter(**name).using_db(reader()).order_by("-id").first().values_list("id")
            if found is not None:
                return int(found[0])
    return None


async def matching(view: View, admin_id: int, quiet: Quiet | None) -> list[Authkey]:
    """All authkeys of a view.

    In portions, because what Tortoise makes of a hundred thousand rows would hold up everybody's pages.
    """
    found: list[Authkey] = []
    more = True
    while more:
        query = (await _matching(view, admin_id, quiet)).filter(id__gt=found[-1].id if found else 0).order_by("id")
        with database_errors():
            some = await query.limit(_IDS_AT_ONCE).values_list(*_FIELDS)
        found += [Authkey(*row) for row in some]
        more = len(some) == _IDS_AT_ONCE
    return found


async def staged_ids(view: View, admin_id: int, quiet: Quiet | None) -> list[int]:
    """The ids of the authkeys in a view for which this admin has staged changes."""
    with database_errors():
        ids = await (await _matching(replace(view, staged_only=True), admin_id, quiet)).values_list("id")
    return [row[0] for row in ids]


async def staged_in_order(admin_id: int, search: str) -> list[int]:
    """The numbers of the rows that match a search, of those for which this admin has staged changes, by IP: authkeys in force, such
    as shall be made, and removed ones that can be restored."""
    branches: list[str] = []
    values: list[Any] = []
    for table, number, of_table in (
        ("authkey", "id", f"id IN ({_STAGED})"),
        ("removed_authkey", "id", f"id IN ({_STAGED})"),
        ("staged_change", "row_id", f"{_MINE} AND row_id < 0"),
    ):
        where = Conditions(len(values) + 1)
        where.add(of_table, admin_id)
        add_filters(where, View(search=search), of_keys=table != "staged_change")
        branches.append(f"SELECT {number} AS id, ip_key, service_key FROM {table} {where}")
        values += where.values
    query = f"SELECT id FROM ({' UNION ALL '.join(branches)}) AS named ORDER BY ip_key, service_key, id"
    with database_errors():
        _, found = await slow_reader().execute_query(query, values)
    return [row[0] for row in found]


async def _matching(view: View, admin_id: int, quiet: Quiet | None) -> QuerySet[AuthkeyTable]:
    query = _all()
    if view.search:
        query = query.filter(await _search(view.search))
    # The masks come from View, which only takes known privileges: they are small integers, never text.
    if view.has:
        query = query.annotate(has=RawSQL(f"privileges & {int(view.has)}")).filter(has=view.has)
    if view.lacks:
        query = query.annotate(lacks=RawSQL(f"privileges & {int(view.lacks)}")).filter(lacks=0)
    if view.staged_only:
        staged = StagedChange.filter(admin_id=admin_id, subject=Subject.AUTHKEY).using_db(reader()).values("row_id")
        query = query.filter(id__in=Subquery(staged))
    return _unused(query, quiet) if view.unused_days else query


def _all() -> QuerySet[AuthkeyTable]:
    return AuthkeyTable.all().using_db(reader())


def _unused(query: QuerySet[AuthkeyTable], quiet: Quiet | None) -> QuerySet[AuthkeyTable]:
    """Those with a granted privilege that was not used since: what `services.uses.Uses.unused` says of single rows."""
    if quiet is None:
        return query.filter(id=0)
    # A time and a number of our own making: nothing in them comes from outside.
    used = (
        "COALESCE((SELECT SUM(1 << use.privilege) FROM key_use AS use WHERE use.authkey_id = authkey.id "
        f"AND use.privilege <> {NO_PRIVILEGE} AND use.last_at > '{quiet.before.isoformat(' ')}'), 0)"
    )
    mask = RawSQL(f"CAST(authkey.privileges AS BIGINT) & ~CAST({used} AS BIGINT)")
    return query.filter(revision__lte=quiet.revision).annotate(unused=mask).exclude(unused=0)


def add_filters(where: Conditions, view: View, privileges: str = "privileges", *, of_keys: bool = True) -> None:
    """Search and filters of a view, as `_matching` has them; `privileges` is the column with the set."""
    if view.has:
        where.add(f"{privileges} & {int(view.has)} = {int(view.has)}")
    if view.lacks:
        where.add(f"{privileges} & {int(view.lacks)} = 0")
    if view.search:
        where.add(*search_condition(view.search, of_keys=of_keys))


def search_condition(text: str, *, of_keys: bool = True) -> tuple[Any, ...]:
    """What `_search` says, for statements of our own: a condition as `Conditions.add` takes it, and its values.

    `of_keys`: it is a table of authkeys, which have secrets, owners and notes.
    """
    values: list[Any] = []

    def condition(term: Term) -> str:
        if term.addresses:
            values.extend(term.addresses)
            return "ip_key BETWEEN {} AND {}"
        ip = escaped(term.text)
        values.extend([f"%{ip}%", f"{ip}%" if term.begins_address else f"%{ip}%"])
        hint = of_keys and term.hint
        if hint:
            values.append(hint)
        if of_keys:
            values.append(f"%{escaped(term.text)}%")
        more = [" OR secret_hint = {}"] if hint else []
        more += [f" OR {authkey_texts.FOUND}"] if of_keys else []
        return f"(service_key LIKE {{}} ESCAPE '\\' OR ip LIKE {{}} ESCAPE '\\'{''.join(more)})"

    parts = [" AND ".join(map(condition, terms)) for terms in alternatives(text)]
    return (f"({' OR '.join(f'({part})' for part in parts)})", *values)


async def _search(text: str) -> Q:
    parts = alternatives(text)
    found = {term: await _of_term(term) for term in {term for terms in parts for term in terms}}
    return reduce(or_, (Q(*(found[term] for term in terms)) for terms in parts))


async def _of_term(term: Term) -> Q:
    if term.addresses:
        return Q(ip_key__gte=term.addresses[0], ip_key__lte=term.addresses[1])
    ip = Q(ip__startswith=term.text) if term.begins_address else Q(ip__contains=term.text)
    found = Q(service_key__contains=term.text) | ip
    # What is not in the index that is scanned is asked for before: there are none of it, or few, as a rule.
    noted = await authkey_texts.holding(term.text)
    ended = await _ending_in(term.hint) if term.hint else []
    if noted is None:
        of_text = AuthkeyText.filter(text_key__contains=term.text).using_db(reader()).values("authkey_id")
        found |= Q(id__in=Subquery(of_text))
    if ended is None:
        found |= Q(secret_hint=term.hint)
    ids_ = [*(noted or []), *(ended or [])]
    return found | Q(id__in=ids_) if ids_ else found


async def _ending_in(hint: str) -> Sequence[int] | None:
    """The authkeys whose secrets end so; None if they are too many to name."""
    with database_errors():
        found = await _all().filter(secret_hint=hint).limit(authkey_texts.NAMED + 1).values_list("id")
    return [row[0] for row in found] if len(found) <= authkey_texts.NAMED else None
