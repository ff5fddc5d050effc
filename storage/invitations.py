"""Every statement about the links with which owners of accounts choose a password. Only digests of them are stored."""

from datetime import datetime
from typing import NamedTuple

from models.accounts import AdminIdentity, Role
from models.tables import Invitation
from storage.database import database_errors, reader
from storage.transactions import Connection


class StoredInvitation(NamedTuple):
    """A link that was not used yet, and whose account it is for."""

    admin: AdminIdentity
    is_disabled: bool
    created_at: datetime
    is_reset: bool


async def put(db: Connection, digest: str, admin_id: int, now: datetime, *, is_reset: bool) -> None:
    """Make a link; the one that the account had before ends."""
    await withdraw(db, admin_id)
    await Invitation.create(digest=digest, admin_id=admin_id, created_at=now, is_reset=is_reset, using_db=db)


async def find(digest: str, db: Connection | None = None) -> StoredInvitation | None:
    """The link with this digest, also one that is too old; within a transaction, `db` is its connection."""
    with database_errors():
        row = await Invitation.filter(digest=digest).using_db(db or reader()).select_related("admin").first()
    if row is None:
        return None
    admin = AdminIdentity(row.admin.id, row.admin.name, Role(row.admin.role))
    return StoredInvitation(admin, row.admin.disabled, row.created_at, row.is_reset)


async def take(db: Connection, digest: str) -> bool:
    """Use a link up. The deletion decides: of two that come at once only one gets it."""
    return bool(await Invitation.filter(digest=digest).using_db(db).delete())


async def withdraw(db: Connection, admin_id: int) -> None:
    """End the link of an account, if it has one."""
    await Invitation.filter(admin_id=admin_id).using_db(db).delete()


async def is_reset(db: Connection, admin_id: int) -> bool:
    """Whether the link that this account has stands in for a password that it had."""
    return await Invitation.filter(admin_id=admin_id, is_reset=True).using_db(db).exists()
