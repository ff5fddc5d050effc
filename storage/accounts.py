"""Every statement about accounts of admins."""

from typing import NamedTuple

from models import accounts
from models.accounts import MAX_NAME_LENGTH, AdminIdentity, Role
from models.errors import NotAllowed
from models.tables import Admin
from storage.database import database_errors, reader, writer
from storage.transactions import Connection


class StoredAccount(NamedTuple):
    """An account as it stands in its table."""

    id: int
    name: str
    role: Role
    password_hash: str | None
    disabled: bool

    @property
    def identity(self) -> AdminIdentity:
        """Whose it is."""
        return AdminIdentity(self.id, self.name, self.role)


async def make_local(name: str) -> AdminIdentity:
    """The admin with this name; made at first use."""
    with database_errors():
        row, _ = await Admin.get_or_create(name=name, using_db=writer())
    return stored(row).identity


async def find(name: str, db: Connection | None = None) -> StoredAccount | None:
    """The account with exactly this name; within a transaction, `db` is its connection."""
    if len(name) > MAX_NAME_LENGTH or not name.isprintable():
        return None  # no account's; PostgreSQL takes no NUL in a text, and Tortoise none that is too long for its field
    with database_errors():
        row = await Admin.filter(name=name).using_db(db or reader()).first()
    return stored(row) if row else None


async def find_alike(db: Connection, name: str) -> StoredAccount | None:
    """The account with this name in whatever case: there are never two."""
    rows = await Admin.all().using_db(db)
    return next((stored(row) for row in rows if row.name.casefold() == name.casefold()), None)


async def require_change(db: Connection, admin_id: int) -> None:
    """Raise NotAllowed unless this admin may change something, as the account is now and not when a page was opened."""
    row = await Admin.filter(id=admin_id).using_db(db).get()
    if row.disabled:
        raise NotAllowed(f"The account {row.name!r} is disabled. Nothing was changed.")
    accounts.require_change(Role(row.role))


async def anybody_has_password() -> bool:
    """Whether anybody can sign in with a password."""
    with database_errors():
        return await Admin.filter(password_hash__isnull=False, disabled=False).using_db(reader()).exists()


async def has_password(admin_id: int) -> bool:
    """Whether this admin has a password."""
    with database_errors():
        return await Admin.filter(id=admin_id, password_hash__isnull=False).using_db(reader()).exists()


async def add(db: Connection, name: str, role: Role, password_hash: str | None) -> int:
    """Add an account; returns its number."""
    row = await Admin.create(name=name, role=role, password_hash=password_hash, using_db=db)
    return row.id


async def by_id(db: Connection, admin_id: int) -> StoredAccount | None:
    """The account with this number."""
    row = await Admin.filter(id=admin_id).using_db(db).first()
    return stored(row) if row else None


async def update(db: Connection, admin_id: int, **values: object) -> None:
    """Give an account another role or password hash, or disable it."""
    await Admin.filter(id=admin_id).using_db(db).update(**values)


def stored(row: Admin) -> StoredAccount:
    """What a row of the table says."""
    return StoredAccount(row.id, row.name, Role(row.role), row.password_hash, row.disabled)
