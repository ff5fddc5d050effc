"""The authkeys as they were: after any entry of the history, or at any time that is on record."""

from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime

from models.authkeys import Authkey
from models.errors import InvalidValue
from models.history import Moment
from models.views import View
from models.wording import minute
from storage import past

_REMEMBERED_COUNTS = 256


class Past:
    """Answers for moments. Raises InvalidValue, with words, for those of which nothing is known."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[View, int], int] = OrderedDict()

    async def moment(self, as_of: int | datetime) -> Moment:
        """The moment after an entry, or at a time."""
        if isinstance(as_of, datetime):
            return await self._moment_at(as_of)
        found, known = await past.moment(as_of)
        if not known.newest:
            raise InvalidValue("Nothing is on record yet, so there is no table as it was.")
        # Before the very first there was an empty table; before one that follows pruned ones nobody knows what.
        if not known.first - 1 <= as_of <= known.newest:
            raise InvalidValue(
                f"There is no entry #{as_of} on record; those that there are, are #{known.first} to #{known.newest}."
            )
        return found

    async def _moment_at(self, at: datetime) -> Moment:
        if at > datetime.now(UTC):
            raise InvalidValue(f"{minute(at)} has not come yet.")
        first = await past.time_of_first()
        if first is None:
            raise InvalidValue("Nothing is on record yet, so there is no table as it was.")
        if at < first:
            raise InvalidValue(f"The record begins at {minute(first)}; of {minute(at)} nothing is known.")
        return (await past.moment(await past.newest_entry_until(at)))[0]

    async def now(self) -> Moment:
        """The newest moment."""
        return (await past.moment(None))[0]

    async def rows(self, view: View, start: int, end: int) -> list[Authkey]:
        """Rows `start` to `end` (exclusive) of a view that is sorted by IP or service, as they were."""
        return await past.rows(view, await self._revision(view), start, end)

    async def count(self, view: View) -> int:
        """How many a view showed then. Remembered: the past stays as it is."""
        revision = await self._revision(view)
        key = replace(view, sort="ip", descending=False, as_of=None), revision
        if key not in self._counts:
            self._counts[key] = await past.count(view, revision)
            while len(self._counts) > _REMEMBERED_COUNTS:
                self._counts.popitem(last=False)
        return self._counts[key]

    async def _revision(self, view: View) -> int:
        assert view.as_of is not None
        return (await self.moment(view.as_of)).revision
