"""The authkeys as they were: after any submission, or at any time that is on record."""

from datetime import UTC, datetime

from models.authkeys import Authkey
from models.errors import InvalidValue
from models.views import View
from models.wording import minute
from storage import past, submissions


class Past:
    """Answers for moments. Raises InvalidValue, with words, for those of which nothing is known."""

    async def revision_of(self, as_of: int | datetime) -> int:
        """The submission that was the newest one then."""
        first, newest = await past.first_known(), await past.newest_known()
        if first is None or newest is None:
            raise InvalidValue("Nothing is on record yet, so there is no table as it was.")
        if isinstance(as_of, int):
            # Before the very first there was an empty table; before one that follows pruned ones nobody knows what.
            if not first[0] - 1 <= as_of <= newest[0]:
                known = f"#{first[0]} to #{newest[0]}"
                raise InvalidValue(f"There is no submission #{as_of} on record; those that there are, are {known}.")
            return as_of
        if as_of > datetime.now(UTC):
            raise InvalidValue(f"{minute(as_of)} has not come yet.")
        if as_of < first[1]:
            raise InvalidValue(f"The record begins at {minute(first[1])}; of {minute(as_of)} nothing is known.")
        return await submissions.newest_until(as_of)

    async def time_of(self, revision: int) -> datetime | None:
        """When a submission was; None for the time before the first one."""
        return await past.time_of_revision(revision)

    async def rows(self, view: View, start: int, end: int) -> list[Authkey]:
        """Rows `start` to `end` (exclusive) of a view that is sorted by IP or service, as they were."""
        return await past.rows(view, await self._revision(view), start, end)

    async def count(self, view: View, today: int) -> int:
        """How many a view showed then; `today` is how many the same view shows now."""
        return await past.count(view, await self._revision(view), today)

    async def _revision(self, view: View) -> int:
        assert view.as_of is not None
        return await self.revision_of(view.as_of)
