"""Every statement about who has which view open: each process says it of its windows, and says it again while they are open."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from models.tables import OpenView
from storage.database import database_errors, reader
from storage.transactions import Connection, run_transaction


class Visit(NamedTuple):
    """An admin who has a view open."""

    admin_id: int
    name: str
    path: str
    """Of the view"""


async def store(process: str, views: Collection[tuple[int, str]], now: datetime, forget_before: datetime) -> None:
    """What is open in a process, by admin and path, is this and no more; what nobody has said since `forget_before` goes."""

    async def replace(db: Connection) -> None:
        await OpenView.filter(seen_at__lt=forget_before).using_db(db).delete()
        await OpenView.filter(process=process).using_db(db).delete()
        rows = [OpenView(process=process, admin_id=admin_id, path=path, seen_at=now) for admin_id, path in views]
        await OpenView.bulk_create(rows, using_db=db)

    await run_transaction(replace)


async def visits(since: datetime) -> list[Visit]:
    """Who is here, in whichever process, as far as it was said since then."""
    with database_errors():
        rows = (
            await OpenView.filter(seen_at__gte=since)
            .using_db(reader())
            .order_by("admin__name", "path")
            .distinct()
            .values_list("admin_id", "admin__name", "path")
        )
    return [Visit(*row) for row in rows]
