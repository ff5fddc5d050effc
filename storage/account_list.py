"""Every statement that lists accounts, and that asks who of them can come in."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from tortoise.functions import Max

from models.access import ABSOLUTE, IDLE
from models.account_states import Account
from models.accounts import Role
from models.errors import NotAllowed
from models.history import EntryKind
from models.tables import Admin, Entry, ExternalIdentity, Invitation, Session
from storage import second_factors
from storage.database import database_errors, reader
from storage.history import time_of
from storage.transactions import Connection


async def listed() -> list[Account]:
    """All accounts, by name, with when each was last in use."""
    with database_errors():
        db = reader()
        rows = await Admin.all().using_db(db).annotate(used=Max("sessions__used_at"))
        sessions = await _sessions(db)
        links = {each.admin_id: each for each in await Invitation.all().using_db(db)}  # type: ignore[attr-defined]
        launched = await _launched(db, [row.id for row in rows if row.password_hash is None])
        factors, identities = await second_factors.holders(db), await _known_by_provider(db)
    accounts = [
        _account(row, links.get(row.id), row.id in launched, sessions[row.id])._replace(
            has_factor=row.id in factors, by_provider=row.id in identities
        )
        for row in rows
    ]
    return sorted(accounts, key=lambda account: account.name.casefold())


async def _known_by_provider(db: Connection) -> set[int]:
    return {int(str(each)) for each in await ExternalIdentity.all().using_db(db).values_list("admin_id", flat=True)}


async def _sessions(db: Connection) -> Counter[int]:
    """How many sessions of each account last; those that were not used for too long are not deleted yet."""
    now = datetime.now(UTC)
    lasting = Session.filter(used_at__gt=now - IDLE, created_at__gt=now - ABSOLUTE).using_db(db)
    return Counter(int(str(each)) for each in await lasting.values_list("admin_id", flat=True))


def _account(row: Any, link: Invitation | None, launched: bool, sessions: int) -> Account:
    return Account(
        row.id,
        row.name,
        Role(row.role),
        row.disabled,
        row.password_hash is not None,
        launched,
        link.created_at if link else None,
        bool(link and link.is_reset),
        sessions,
        time_of(row.used) if row.used else None,  # of a maximum SQLite gives the text
    )


async def require_another_admin(db: Connection, admin_id: int) -> None:
    """Raise NotAllowed if without this account no admin could come in any more, and with it one can.

    One can with a password; or by launch links, if one did: that the program's user has an account says nothing, for on a
    server nobody may ever see its terminal. Call it when nobody else changes accounts (`take_turn_in_accounts`).
    """
    admins = await Admin.filter(role=Role.ADMIN, disabled=False).using_db(db)
    launched = await _launched(db, [row.id for row in admins if row.password_hash is None])
    able = {row.id: row.name for row in admins if row.password_hash is not None or row.id in launched}
    if list(able) == [admin_id]:
        raise NotAllowed(
            f"{able[admin_id]!r} is the last admin who can sign in. Nothing was changed. First let another admin in: add or "
            "enable one who has chosen a password."
        )


async def _launched(db: Connection, admin_ids: list[int]) -> set[int]:
    """Which of these accounts a launch link ever signed in, as far as the history goes back."""
    if not admin_ids:
        return set()
    found = Entry.filter(admin_id__in=admin_ids, kind=EntryKind.LAUNCHED).using_db(db)
    return {int(str(each)) for each in await found.distinct().values_list("admin_id", flat=True)}
