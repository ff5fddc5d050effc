"""Every statement about people at the provider of single sign-on: whose account they have here, and what may be used once."""

from datetime import datetime

from models.tables import Admin, ExternalIdentity, ProviderSession, SpentToken
from storage.accounts import StoredAccount, stored
from storage.database import database_errors, reader
from storage.sql import statement
from storage.transactions import Connection


async def account_of(db: Connection, issuer: str, *subjects: str) -> StoredAccount | None:
    """The account of the person that the issuer knows by one of these subjects."""
    row = (
        await ExternalIdentity.filter(issuer=issuer, subject__in=subjects).using_db(db).select_related("admin").first()
    )
    return stored(row.admin) if row else None


async def signs_in_there_only(admin_id: int) -> bool:
    """Whether an account belongs to a person at the provider, and has no password here."""
    with database_errors():
        rows = ExternalIdentity.filter(admin_id=admin_id, admin__password_hash__isnull=True).using_db(reader())
        return await rows.exists()


async def add(db: Connection, issuer: str, subject: str, admin_id: int) -> None:
    """From now on this person has this account."""
    await ExternalIdentity.create(issuer=issuer, subject=subject, admin_id=admin_id, using_db=db)


async def of_account(db: Connection, admin_id: int) -> list[tuple[int, str, str]]:
    """The people whose account this is: id, issuer and subject of each."""
    rows = await ExternalIdentity.filter(admin_id=admin_id).using_db(db)
    return [(row.id, row.issuer, row.subject) for row in rows]


async def rename(db: Connection, identity_id: int, subject: str) -> None:
    """Keep this instead of a subject."""
    await ExternalIdentity.filter(id=identity_id).using_db(db).update(subject=subject)


async def others_with_password(db: Connection, admin_id: int) -> bool:
    """Whether another account than this one can be used while the provider does not answer."""
    rows = Admin.filter(password_hash__isnull=False, disabled=False).exclude(id=admin_id)
    return await rows.using_db(db).exists()


# -- sessions at the provider --------------------------------------------------------------------------------------------


async def remember_session(db: Connection, digest: str, admin_id: int, now: datetime) -> None:
    """By this session at the provider the account is signed in."""
    await ProviderSession.filter(digest=digest).using_db(db).delete()
    await ProviderSession.create(digest=digest, admin_id=admin_id, at=now, using_db=db)


async def account_of_session(db: Connection, digest: str) -> StoredAccount | None:
    """The account that was signed in by this session at the provider."""
    row = await ProviderSession.filter(digest=digest).using_db(db).select_related("admin").first()
    return stored(row.admin) if row else None


# -- what may be used once -----------------------------------------------------------------------------------------------


async def spend(db: Connection, digest: str, until: datetime) -> bool:
    """Use something up; whether it was not used before. Of two that come at once, to whichever instance, one gets it."""
    text, values = statement(
        "INSERT INTO spent_token (digest, until) VALUES ({}, {}) ON CONFLICT DO NOTHING RETURNING digest", digest, until
    )
    return bool(await db.execute_query_dict(text, values))


async def purge(db: Connection, spent_before: datetime, sessions_before: datetime) -> None:
    """Forget what nobody can use any more."""
    await SpentToken.filter(until__lt=spent_before).using_db(db).delete()
    await ProviderSession.filter(at__lt=sessions_before).using_db(db).delete()
