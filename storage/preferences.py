"""Every statement about how admins have arranged their grids."""

from models.subjects import Subject
from models.tables import Preference
from storage.database import database_errors, reader
from storage.sql import statement
from storage.transactions import Connection, run_transaction


async def arrangement(admin_id: int, subject: Subject) -> str | None:
    """The text of it; None for who has arranged nothing."""
    with database_errors():
        row = await Preference.filter(admin_id=admin_id, subject=subject).using_db(reader()).first()
    return row.arrangement if row else None


async def keep_arrangement(admin_id: int, subject: Subject, text: str) -> None:
    """Store it instead of the one before."""
    query, values = statement(
        "INSERT INTO preference (admin_id, subject, arrangement) VALUES ({}, {}, {}) "
        "ON CONFLICT (admin_id, subject) DO UPDATE SET arrangement = excluded.arrangement",
        admin_id,
        subject.value,
        text,
    )

    async def write(db: Connection) -> None:
        await db.execute_query(query, values)

    await run_transaction(write)


async def forget(db: Connection, admin_id: int) -> None:
    """Forget what an admin has arranged."""
    await Preference.filter(admin_id=admin_id).using_db(db).delete()
