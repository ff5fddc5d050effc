"""The history, as everybody writes to it and reads it. Its chain is checked in `services.chain`."""

from models.history import Entry, EntryKind
from services.attempts import Limiter
from storage import history, history_views
from storage.transactions import run_transaction


class History:
    """Writes and reads entries. Submissions write theirs themselves, in their transaction."""

    _A_MINUTE = 1

    def __init__(self) -> None:
        self._limiter = Limiter()

    async def put(self, kind: EntryKind, admin: int | str, address: str = "", detail: str = "") -> None:
        """Record what happened; `admin` is an account, or a name as it was given. Raises DatabaseUnavailable."""
        await run_transaction(lambda db: history.append(db, kind, admin, address, detail), in_order=True)

    async def put_flood(self, kind: EntryKind, admin: str, address: str, detail: str = "") -> None:
        """Record what anybody can cause any number of times: once a minute from each address."""
        if await self._limiter.hit(self._A_MINUTE, kind, address, detail):
            await self.put(kind, admin, address, detail)

    async def newest(self, limit: int) -> list[Entry]:
        """The newest entries, newest first."""
        return await history_views.newest(limit)

    async def accesses(self, limit: int = 50) -> list[Entry]:
        """The newest entries that are no submissions, newest first."""
        return await history_views.newest_accesses(limit)
