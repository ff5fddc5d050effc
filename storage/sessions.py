"""Every statement about sessions and launch links. Of their tokens only digests are stored."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from models.accounts import AdminIdentity, Role
from models.tables import LaunchLink, PendingSignIn, Session
from storage.database import database_errors, reader
from storage.transactions import Connection, notify, run_transaction


class StoredSession(NamedTuple):
    """A session as it stands in its table."""

    id: int
    admin: AdminIdentity
    address: str
    created_at: datetime
    used_at: datetime
    device: str
    """`devices.device_in_words`, of when it was begun"""
    is_enrolling: bool
    """Good for nothing but getting a second factor"""


async def add(
    db: Connection,
    digest: str,
    admin_id: int,
    address: str,
    now: datetime,
    device: str = "",
    *,
    by_factor: bool = False,
    is_enrolling: bool = False,
) -> None:
    """Begin a session; `by_factor`: a second factor was proven for it."""
    await Session.create(
        digest=digest,
        admin_id=admin_id,
        address=address,
        created_at=now,
        used_at=now,
        device=device,
        proved_at=now,
        factor_at=now if by_factor else None,
        is_enrolling=is_enrolling,
        using_db=db,
    )


async def find(digest: str) -> StoredSession | None:
    """The session with this digest, unless its admin is disabled."""
    with database_errors():
        row = await Session.filter(digest=digest).using_db(reader()).select_related("admin").first()
    return None if row is None or row.admin.disabled else _stored(row)


async def of(admin_id: int) -> list[StoredSession]:
    """All sessions of an admin, also those that were not used for too long; the one that was used last first."""
    with database_errors():
        rows = await Session.filter(admin_id=admin_id).using_db(reader()).select_related("admin").order_by("-used_at")
    return [_stored(row) for row in rows]


def _stored(row: Session) -> StoredSession:
    admin = AdminIdentity(row.admin.id, row.admin.name, Role(row.admin.role))
    return StoredSession(row.id, admin, row.address, row.created_at, row.used_at, row.device, row.is_enrolling)


async def is_known(admin_id: int, address: str) -> bool:
    """Whether this admin has a session that was begun at this address."""
    with database_errors():
        return await Session.filter(admin_id=admin_id, address=address).using_db(reader()).exists()


async def last_uses(session_ids: Iterable[int]) -> dict[int, datetime]:
    """When those of these sessions that exist were last used."""
    with database_errors():
        return dict(await Session.filter(id__in=list(session_ids)).using_db(reader()).values_list("id", "used_at"))


async def note_use(session_id: int, at: datetime) -> None:
    """Write when a session was last used."""
    await run_transaction(lambda db: Session.filter(id=session_id).using_db(db).update(used_at=at))


async def delete(db: Connection, session_id: int) -> None:
    """End a session."""
    await Session.filter(id=session_id).using_db(db).delete()
    await notify(db)


async def delete_one_of(db: Connection, admin_id: int, session_id: int) -> StoredSession | None:
    """End a session of this admin; returns it, or None if the admin has no such one."""
    row = await Session.filter(id=session_id, admin_id=admin_id).using_db(db).select_related("admin").first()
    if row is None or not await Session.filter(id=row.id).using_db(db).delete():
        return None
    await notify(db)
    return _stored(row)


async def delete_all_of(db: Connection, admin_id: int, *, but: int | None = None) -> int:
    """End all sessions of an admin, except one, also those that are half begun; returns how many there were."""
    ended = await Session.filter(admin_id=admin_id).exclude(id=but or 0).using_db(db).delete()
    await PendingSignIn.filter(admin_id=admin_id).using_db(db).delete()
    await notify(db)
    return ended


async def purge(sessions_before: datetime, links_before: datetime) -> None:
    """Delete sessions and launch links that were made before."""

    async def delete_old(db: Connection) -> None:
        await Session.filter(created_at__lt=sessions_before).using_db(db).delete()
        await LaunchLink.filter(created_at__lt=links_before).using_db(db).delete()

    await run_transaction(delete_old)


# -- launch links --------------------------------------------------------------------------------------------------------


class TakenLink(NamedTuple):
    """A launch link that was used just now."""

    admin: AdminIdentity
    is_disabled: bool
    created_at: datetime


async def add_link(digest: str, admin_id: int, now: datetime) -> None:
    """Make a launch link."""

    async def insert(db: Connection) -> None:
        await LaunchLink.create(digest=digest, admin_id=admin_id, created_at=now, using_db=db)

    await run_transaction(insert)


async def is_link(digest: str) -> bool:
    """Whether there is such a launch link that was not used."""
    with database_errors():
        return await LaunchLink.filter(digest=digest).using_db(reader()).exists()


async def take_link(digest: str) -> TakenLink | None:
    """Use a launch link. The deletion decides: of two that come at once only one gets it."""

    async def take(db: Connection) -> TakenLink | None:
        row = await LaunchLink.filter(digest=digest).using_db(db).select_related("admin").first()
        if row is None or not await LaunchLink.filter(digest=digest).using_db(db).delete():
            return None
        admin = AdminIdentity(row.admin.id, row.admin.name, Role(row.admin.role))
        return TakenLink(admin, row.admin.disabled, row.created_at)

    return await run_transaction(take)
