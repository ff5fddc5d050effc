"""The record of what happened at the door: who came in, who was refused, which account was changed, and by whom."""

from datetime import UTC, datetime
from typing import NamedTuple

from tortoise.backends.base.client import BaseDBAsyncClient

from models.access import AccessKind
from models.addresses import MAX_CALLER_LENGTH
from models.tables import AccessRecord
from models.texts import storable
from services.attempts import Limiter
from storage.database import database_errors, reader
from storage.transactions import run_transaction


class Entry(NamedTuple):
    """One line of the record."""

    at: datetime
    kind: AccessKind
    admin_name: str
    address: str
    detail: str


class AccessRecords:
    """Writes and reads the record."""

    _A_MINUTE = 1

    def __init__(self) -> None:
        self._limiter = Limiter()

    async def put(self, kind: AccessKind, admin_name: str, address: str, detail: str = "") -> None:
        """Record what happened. Raises DatabaseUnavailable."""
        await run_transaction(lambda db: add_entry(db, kind, admin_name, address, detail))

    async def put_flood(self, kind: AccessKind, admin_name: str, address: str, detail: str = "") -> None:
        """Record what anybody can cause any number of times: once a minute from each address."""
        if await self._limiter.hit(self._A_MINUTE, kind, address, detail):
            await self.put(kind, admin_name, address, detail)

    async def newest(self, limit: int = 50) -> list[Entry]:
        """The newest lines, newest first."""
        with database_errors():
            rows = await AccessRecord.all().using_db(reader()).order_by("-id").limit(limit)
        return [Entry(row.at, AccessKind(row.kind), row.admin_name, row.address, row.detail) for row in rows]


async def add_entry(db: BaseDBAsyncClient, kind: AccessKind, admin_name: str, address: str, detail: str = "") -> None:
    """Record what happened, in the transaction that does it."""
    await AccessRecord.create(
        at=datetime.now(UTC),
        kind=kind,
        admin_name=storable(admin_name, 100),
        address=storable(address, MAX_CALLER_LENGTH),
        detail=storable(detail, 200),
        using_db=db,
    )
