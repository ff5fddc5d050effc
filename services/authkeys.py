"""The authkeys that are in force, as pages and other services read them: blocks of a view, counts, single ones."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from models.authkeys import Authkey, parse_name
from models.errors import InvalidValue
from models.privileges import privilege
from models.subjects import Subject
from models.submissions import LastChange
from models.usage import Quiet
from models.views import View
from services.listing import MAX_BLOCK
from services.past import Past
from services.uses import Uses
from storage import authkeys, submissions

_REMEMBERED_COUNTS = 256


class Authkeys:
    """Reads them, and remembers counts. Raises DatabaseUnavailable."""

    def __init__(self, uses: Uses, past: Past) -> None:
        self._uses = uses
        self._past = past
        self._counts: OrderedDict[View, asyncio.Task[int]] = OrderedDict()

    async def block(self, view: View, admin_id: int, start: int, end: int) -> list[Authkey]:
        """Rows `start` to `end` (exclusive) of a view; at most MAX_BLOCK."""
        start = max(0, start)
        return await self.stretch(view, admin_id, start, min(end, start + MAX_BLOCK))

    async def stretch(self, view: View, admin_id: int, start: int, end: int) -> list[Authkey]:
        """Rows `start` to `end` (exclusive) of a view, however many."""
        if view.sort in ("ip", "service"):
            return await self._rows(view, admin_id, start, end)
        first, second = _halves(view)
        boundary = await self.count(first, admin_id)
        rows = await self._rows(first, admin_id, start, min(end, boundary))
        return rows + await self._rows(second, admin_id, max(start - boundary, 0), end - boundary)

    async def place(self, view: View, admin_id: int, authkey_id: int, /) -> int | None:
        """Where an authkey stands in a view, from 0; None if it does not."""
        if view.sort in ("ip", "service"):
            return await authkeys.place(view, admin_id, await self._quiet(view), authkey_id)
        first, second = _halves(view)
        found = await self.place(first, admin_id, authkey_id)
        if found is None and (found := await self.place(second, admin_id, authkey_id)) is not None:
            found += await self.count(first, admin_id)
        return found

    async def _rows(self, view: View, admin_id: int, start: int, end: int) -> list[Authkey]:
        if view.as_of is not None:
            return await self._past.rows(view, start, end)
        return await authkeys.rows(view, admin_id, await self._quiet(view), start, end)

    async def count(self, view: View, admin_id: int) -> int:
        """How many authkeys a view shows. Asked often and by many pages, so remembered until something changes."""
        if view.as_of is not None:
            return await self._past.count(view)
        if view.staged_only or view.unused_days:
            return await authkeys.count(view, admin_id, await self._quiet(view))
        key = replace(view, sort="ip", descending=False)
        task = self._counts.get(key)
        if task is None:
            task = self._counts[key] = asyncio.create_task(self._count(key, admin_id))
            while len(self._counts) > _REMEMBERED_COUNTS:
                self._counts.popitem(last=False)
        return await asyncio.shield(task)

    async def _count(self, view: View, admin_id: int) -> int:
        try:
            return await authkeys.count(view, admin_id, None)
        except BaseException:
            self._counts.pop(view, None)
            raise

    def forget_counts(self) -> None:
        """Authkeys changed: count anew."""
        self._counts.clear()

    async def find(self, authkey_ids: Iterable[int], /) -> dict[int, Authkey]:
        """Those of these authkeys that exist, by id."""
        return await authkeys.find(authkey_ids)

    async def of_ip(self, ip: str) -> list[Authkey]:
        """All authkeys of one canonical IP address."""
        return await authkeys.of_ip(ip)

    async def named(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The ids of the authkeys that have these names (IP and service)."""
        return await authkeys.named(names)

    async def id_of(self, named: str) -> int:
        """The id of the authkey that an address names, by its number or by IP and service; also of one that was removed.

        Raises InvalidValue if there never was one.
        """
        name = parse_name(named)
        if isinstance(name, int):
            return name
        found = (await authkeys.named([name])).get(name) or await authkeys.once_named(*name)
        if found is None:
            raise InvalidValue("There is no key {} ({}), and none is on record as removed.".format(*name))
        return found

    async def matching(self, view: View, admin_id: int) -> list[Authkey]:
        """All authkeys of a view, for staging one step for all of them."""
        return await authkeys.matching(view, admin_id, await self._quiet(view))

    async def staged_ids_in(self, view: View, admin_id: int) -> list[int]:
        """The ids of the authkeys in a view for which this admin has staged changes."""
        return await authkeys.staged_ids(view, admin_id, await self._quiet(view))

    async def staged_in_order(self, admin_id: int, search: str, /) -> list[int]:
        """The numbers of those that match a search, of those for which this admin has staged changes, by IP; such as shall be made,
        and removed ones that can be restored, among them."""
        return await authkeys.staged_in_order(admin_id, search)

    async def last_change(self, authkey_id: int, /) -> LastChange | None:
        """Who last touched an authkey, when and how; also of one that was removed."""
        return await submissions.last_change(Subject.AUTHKEY, authkey_id)

    async def _quiet(self, view: View) -> Quiet | None:
        return await self._uses.quiet_since(view.unused_days) if view.unused_days else None


def _halves(view: View) -> tuple[View, View]:
    """A view sorted by a privilege: those that have it, then those that lack it, each in the order of an index.

    One query would sort all rows of the view for each block.
    """
    mask = privilege(view.sort).mask
    parts = [replace(view, has=view.has | mask, sort="ip"), replace(view, lacks=view.lacks | mask, sort="ip")]
    first, second = (replace(part, descending=False) for part in (reversed(parts) if view.descending else parts))
    return first, second
