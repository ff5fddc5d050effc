"""Reading authkeys: blocks of a view, counts, single keys. Searching, filtering and sorting happen in SQL."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from tortoise.expressions import Q, RawSQL, Subquery
from tortoise.queryset import QuerySet

from models.addresses import search_range
from models.authkeys import Authkey, service_key
from models.privileges import privilege
from models.submissions import Kind
from models.tables import Authkey as AuthkeyTable
from models.tables import Modification, StagedChange
from models.usage import NO_PRIVILEGE
from models.views import View
from services.uses import Quiet, Uses
from storage.database import database_errors, reader

MAX_BLOCK = 200
"""Rows that one request may ask for."""

_FIELDS = ("id", "ip", "service", "privileges", "revision", "secret_hint")
_INCOMPLETE_IPV4 = re.compile(r"\d{1,3}(\.\d{1,3}){1,2}")
_IDS_AT_ONCE = 10_000
_REMEMBERED_COUNTS = 256


class LastChange(NamedTuple):
    """The newest modification of an authkey."""

    admin_name: str
    kind: Kind
    at: datetime
    ip: str
    service: str


class Authkeys:
    """The authkeys that are in force."""

    def __init__(self, uses: Uses) -> None:
        self._uses = uses
        self._counts: OrderedDict[View, asyncio.Task[int]] = OrderedDict()

    async def block(self, view: View, admin_id: int, start: int, end: int) -> list[Authkey]:
        """Rows `start` to `end` (exclusive) of a view; at most 200."""
        start, end = max(0, start), min(end, start + MAX_BLOCK)
        if view.sort in ("ip", "service"):
            return await self._rows(view, admin_id, start, end)
        # By a privilege: those that have it, then those that lack it, each in the order of an index. One query would
        # sort all rows of the view for each block.
        mask = privilege(view.sort).mask
        parts = [replace(view, has=view.has | mask, sort="ip"), replace(view, lacks=view.lacks | mask, sort="ip")]
        first, second = (replace(part, descending=False) for part in (reversed(parts) if view.descending else parts))
        boundary = await self.count(first, admin_id)
        rows = await self._rows(first, admin_id, start, min(end, boundary))
        return rows + await self._rows(second, admin_id, max(start - boundary, 0), end - boundary)

    async def _rows(self, view: View, admin_id: int, start: int, end: int) -> list[Authkey]:
        if end <= start:
            return []
        sign = "-" if view.descending else ""
        keys = ("service_key", "ip_key") if view.sort == "service" else ("ip_key", "service_key")
        query = (await self._matching(view, admin_id)).order_by(*(f"{sign}{key}" for key in (*keys, "id")))
        with database_errors():
            return [Authkey(*row) for row in await query.offset(start).limit(end - start).values_list(*_FIELDS)]

    async def count(self, view: View, admin_id: int) -> int:
        """How many authkeys a view shows. Asked often and by many pages, so remembered until something changes."""
        if view.staged_only or view.unused_days:
            with database_errors():
                return await (await self._matching(view, admin_id)).count()
        key = replace(view, sort="ip", descending=False)
        task = self._counts.get(key)
        if task is None:
            task = self._counts[key] = asyncio.create_task(self._count(key, admin_id))
            while len(self._counts) > _REMEMBERED_COUNTS:
                self._counts.popitem(last=False)
        return await asyncio.shield(task)

    async def _count(self, view: View, admin_id: int) -> int:
        try:
            with database_errors():
                return await (await self._matching(view, admin_id)).count()
        except BaseException:
            self._counts.pop(view, None)
            raise

    def forget_counts(self) -> None:
        """Authkeys changed: count anew."""
        self._counts.clear()

    async def find(self, authkey_ids: Iterable[int]) -> dict[int, Authkey]:
        """Those of these authkeys that exist, by id."""
        ids = sorted({int(id_) for id_ in authkey_ids})
        found = {}
        for first in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[first : first + _IDS_AT_ONCE]
            with database_errors():
                rows = await _all().filter(id__in=some).values_list(*_FIELDS)
            found.update({row[0]: Authkey(*row) for row in rows})
        return found

    async def of_ip(self, ip: str) -> list[Authkey]:
        """All authkeys of one canonical IP address."""
        with database_errors():
            return [Authkey(*row) for row in await _all().filter(ip=ip).order_by("service_key").values_list(*_FIELDS)]

    async def matching(self, view: View, admin_id: int) -> list[Authkey]:
        """All authkeys of a view, for staging one step for all of them."""
        found: list[Authkey] = []
        more = True
        while more:
            # In portions, because what Tortoise makes of a hundred thousand rows would hold up everybody's pages.
            query = (await self._matching(view, admin_id)).filter(id__gt=found[-1].id if found else 0).order_by("id")
            with database_errors():
                rows = await query.limit(_IDS_AT_ONCE).values_list(*_FIELDS)
            found += [Authkey(*row) for row in rows]
            more = len(rows) == _IDS_AT_ONCE
        return found

    async def staged_ids_in(self, view: View, admin_id: int) -> list[int]:
        """The ids of the authkeys in a view for which this admin has staged changes."""
        with database_errors():
            ids = await (await self._matching(replace(view, staged_only=True), admin_id)).values_list("id")
        return [row[0] for row in ids]

    async def _matching(self, view: View, admin_id: int) -> QuerySet[AuthkeyTable]:
        query = _all()
        if view.search:
            query = query.filter(_search(view.search))
        # The masks come from View, which only takes known privileges: they are small integers, never text.
        if view.has:
            query = query.annotate(has=RawSQL(f"privileges & {int(view.has)}")).filter(has=view.has)
        if view.lacks:
            query = query.annotate(lacks=RawSQL(f"privileges & {int(view.lacks)}")).filter(lacks=0)
        if view.staged_only:
            staged = StagedChange.filter(admin_id=admin_id).using_db(reader()).values("authkey_id")
            query = query.filter(id__in=Subquery(staged))
        if view.unused_days:
            query = _unused(query, await self._uses.quiet_since(view.unused_days))
        return query

    async def last_change(self, authkey_id: int) -> LastChange | None:
        """Who last touched an authkey, when and how; also of one that was removed."""
        with database_errors():
            row = (
                await Modification.filter(authkey_id=authkey_id)
                .using_db(reader())
                .order_by("-submission_id")
                .first()
                .select_related("submission__admin")
            )
        if row is None:
            return None
        return LastChange(row.submission.admin.name, Kind(row.kind), row.submission.at, row.ip, row.service)


def _all() -> QuerySet[AuthkeyTable]:
    return AuthkeyTable.all().using_db(reader())


def _unused(query: QuerySet[AuthkeyTable], quiet: Quiet | None) -> QuerySet[AuthkeyTable]:
    """Those with a granted privilege that was not used since: what `Uses.unused` says of single rows."""
    if quiet is None:
        return query.filter(id=0)
    # A time and a number of our own making: nothing in them comes from outside.
    used = (
        "COALESCE((SELECT SUM(1 << use.privilege) FROM key_use AS use WHERE use.authkey_id = authkey.id "
        f"AND use.privilege <> {NO_PRIVILEGE} AND use.last_at > '{quiet.before.isoformat(' ')}'), 0)"
    )
    mask = RawSQL(f"CAST(authkey.privileges AS BIGINT) & ~CAST({used} AS BIGINT)")
    return query.filter(revision__lte=quiet.revision).annotate(unused=mask).exclude(unused=0)


def _search(text: str) -> Q:
    if addresses := search_range(text):
        return Q(ip_key__gte=addresses[0], ip_key__lte=addresses[1])
    in_service = Q(service_key__contains=service_key(text))
    if (spaced := " ".join(text.split())) != text:  # pasted with other spaces than names are stored with
        in_service |= Q(service_key__contains=service_key(spaced))
    if _INCOMPLETE_IPV4.fullmatch(text):
        return Q(ip__startswith=text) | in_service
    return Q(ip__contains=text.lower()) | in_service
