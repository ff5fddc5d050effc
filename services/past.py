"""The authkeys as they were: after any entry of the history, or at any time that is on record."""

from datetime import UTC, datetime

from models.authkeys import Authkey
from models.errors import InvalidValue
from models.views import View
from models.wording import minute
from storage import history, past
from storage.past import Moment


class Past:
    """Answers for moments. Raises InvalidValue, with words, for those of which nothing is known."""

    async def moment(self, as_of: int | datetime) -> Moment:
        """The moment after an entry, or at a time."""
        first, newest = await past.first_entry(), (await history.head()).number
        if first is None:
            raise InvalidValue("Nothing is on record yet, so there is no table as it was.")
        if isinstance(as_of, int):
            # Before the very first there was an empty table; before one that follows pruned ones nobody knows what.
            if not first[0] - 1 <= as_of <= newest:
                raise InvalidValue(
                    f"There is no entry #{as_of} on record; those that there are, are #{first[0]} to #{newest}."
                )
            return await past.moment(as_of)
        if as_of > datetime.now(UTC):
            raise InvalidValue(f"{minute(as_of)} has not come yet.")
        if as_of < first[1]:
            raise InvalidValue(f"The record begins at {minute(first[1])}; of {minute(as_of)} nothing is known.")
        return await past.moment(await past.newest_entry_until(as_of))

    async def now(self) -> Moment:
        """The newest moment."""
        return await past.moment((await history.head()).number)

    async def rows(self, view: View, start: int, end: int) -> list[Authkey]:
        """Rows `start` to `end` (exclusive) of a view that is sorted by IP or service, as they were."""
        return await past.rows(view, await self._revision(view), start, end)

    async def count(self, view: View, today: int) -> int:
        """How many a view showed then; `today` is how many the same view shows now."""
        return await past.count(view, await self._revision(view), today)

    async def _revision(self, view: View) -> int:
        assert view.as_of is not None
        return (await self.moment(view.as_of)).revision
