"""Every statement about what is known of the installation itself, and of what an older moment of it must not bring back."""

from models.tables import Installation
from storage.database import database_errors, reader
from storage.transactions import Connection, run_transaction

SECRET_FINGERPRINT = "secret fingerprint"
"""Which secret the sessions, passphrases and signatures of this database are made with; never the secret itself"""
_OF_THE_MOMENT = (
    "session", "launch_link", "open_view", "attempt", "spent_token", "provider_session", "pending_sign_in", "passkey_challenge"
)  # fmt: skip
"""Tables of who is here now. A backup has none of it: a session that was ended since must not come back to life."""


async def fact(name: str) -> str | None:
    """What is known under this name."""
    with database_errors():
        row = await Installation.filter(name=name).using_db(reader()).first()
    return row.value if row else None


async def note(name: str, value: str) -> str:
    """Note a fact, unless something else was noted before; returns what then holds."""

    async def insert(db: Connection) -> str:
        await Installation.bulk_create([Installation(name=name, value=value)], ignore_conflicts=True, using_db=db)
        row = await Installation.filter(name=name).using_db(db).first()
        assert row is not None
        return row.value

    return await run_transaction(insert)


async def replace(db: Connection, name: str, value: str) -> None:
    """Note a fact in the place of what was noted before."""
    row = Installation(name=name, value=value)
    await Installation.bulk_create([row], on_conflict=["name"], update_fields=["value"], using_db=db)


async def forget_the_moment(db: Connection) -> None:
    """Delete who is here now: everybody signs in anew."""
    for table in _OF_THE_MOMENT:
        await db.execute_query(f"DELETE FROM {table}")
