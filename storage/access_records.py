"""Every statement about the record of who came in, who was refused, and which account was changed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from models.access import AccessKind
from models.addresses import MAX_CALLER_LENGTH
from models.tables import AccessRecord
from models.texts import storable
from storage.database import database_errors, reader
from storage.transactions import Connection


class Entry(NamedTuple):
    """One line of the record."""

    at: datetime
    kind: AccessKind
    admin_name: str
    address: str
    detail: str


async def add(db: Connection, kind: AccessKind, admin_name: str, address: str, detail: str = "") -> None:
    """Record what happened, in the transaction that does it; texts of callers are cut to what the table holds."""
    await AccessRecord.create(
        at=datetime.now(UTC),
        kind=kind,
        admin_name=storable(admin_name, 100),
        address=storable(address, MAX_CALLER_LENGTH),
        detail=storable(detail, 200),
        using_db=db,
    )


async def add_many(db: Connection, admin_name: str, done: Iterable[tuple[AccessKind, str]]) -> None:
    """Record what an admin did to many things at once: of what kind, and to what."""
    at, name = datetime.now(UTC), storable(admin_name, 100)
    rows = [
        AccessRecord(at=at, kind=kind, admin_name=name, address="", detail=storable(detail, 200))
        for kind, detail in done
    ]
    if rows:
        await AccessRecord.bulk_create(rows, using_db=db)


async def newest(limit: int) -> list[Entry]:
    """The newest lines, newest first."""
    with database_errors():
        rows = await AccessRecord.all().using_db(reader()).order_by("-id").limit(limit)
    return [Entry(row.at, AccessKind(row.kind), row.admin_name, row.address, row.detail) for row in rows]
