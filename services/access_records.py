"""The access record: who came in, who was refused, which account was changed, and by whom."""

from models.access import AccessKind
from services.attempts import Limiter
from storage import access_records
from storage.access_records import Entry
from storage.transactions import run_transaction


class AccessRecords:
    """Writes and reads the record."""

    _A_MINUTE = 1

    def __init__(self) -> None:
        self._limiter = Limiter()

    async def put(self, kind: AccessKind, admin_name: str, address: str, detail: str = "") -> None:
        """Record what happened. Raises DatabaseUnavailable."""
        await run_transaction(lambda db: access_records.add(db, kind, admin_name, address, detail))

    async def put_flood(self, kind: AccessKind, admin_name: str, address: str, detail: str = "") -> None:
        """Record what anybody can cause any number of times: once a minute from each address."""
        if await self._limiter.hit(self._A_MINUTE, kind, address, detail):
            await self.put(kind, admin_name, address, detail)

    async def newest(self, limit: int = 50) -> list[Entry]:
        """The newest lines, newest first."""
        return await access_records.newest(limit)
