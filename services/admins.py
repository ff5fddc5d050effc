"""Admins: their accounts, passwords and roles. What an account owns lives elsewhere, under its id."""

import asyncio
import getpass
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.functions import Max

from models.access import AccessKind
from models.accounts import AdminIdentity, Role, account_name, check_password, normalized
from models.database import database_errors, reader, writer
from models.errors import InvalidValue, TooManyAttempts
from models.tables import Admin, Session
from services.access_records import AccessRecords, add_entry
from services.attempts import Attempts
from services.sessions import SignedIn
from services.transactions import run_transaction

T = TypeVar("T")

_HASHERS = 2
"""Passwords checked at the same time: each takes 64 MiB and a core for some 50 ms (argon2-cffi's default, RFC 9106)."""


class Account(NamedTuple):
    """An account as it is listed."""

    name: str
    role: Role
    has_password: bool
    disabled: bool
    last_used: datetime | None


async def local_admin() -> AdminIdentity:
    """The admin named after the operating-system user; made at first use."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no user name, as in some containers
        name = "admin"
    with database_errors():
        row, _ = await Admin.get_or_create(name=name, using_db=writer())
    return _identity(row)


class Admins:
    """Checks passwords, slowly, and keeps accounts. Every refusal and every change is on record."""

    def __init__(self, records: AccessRecords) -> None:
        self._records = records
        self._hasher = PasswordHasher()
        self._hashing = asyncio.Semaphore(_HASHERS)
        self._attempts = Attempts()
        self._nobody: str | None = None

    async def authenticate(self, name: str, password: str, address: str) -> AdminIdentity | None:
        """The admin with this name and password, or None; takes as long whether or not there is such an account.

        Raises TooManyAttempts, before anything is checked, and DatabaseUnavailable.
        """
        name = normalized(name)[:200]
        with database_errors():
            row = await Admin.filter(name=name).using_db(reader()).first()
            # Asked also about nobody: that takes as long.
            sessions = Session.filter(admin_id=row.id if row else 0, address=address)
            known = await sessions.using_db(reader()).exists()
        try:
            await self._attempts.count(name, address, known=known)
        except TooManyAttempts:
            await self._records.put_flood(AccessKind.SLOWED, name, address)
            raise
        stored = row.password_hash if row and row.password_hash and not row.disabled else await self._hash_of_nobody()
        correct = await self._in_thread(lambda: self._verify(stored, password))
        if row is None or stored is self._nobody or not correct:
            await self._records.put(AccessKind.REFUSED, name, address)
            return None
        await self._attempts.succeeded(name, address)
        return _identity(row)

    async def has_accounts(self) -> bool:
        """Whether anybody can sign in with a password."""
        with database_errors():
            return await Admin.filter(password_hash__isnull=False, disabled=False).using_db(reader()).exists()

    async def has_password(self, admin: AdminIdentity) -> bool:
        """Whether this admin has a password that can be changed."""
        with database_errors():
            return await Admin.filter(id=admin.id, password_hash__isnull=False).using_db(reader()).exists()

    async def accounts(self) -> list[Account]:
        """All accounts, by name."""
        with database_errors():
            rows = await Admin.all().using_db(reader()).annotate(last_used=Max("sessions__used_at")).order_by("name")
        return [
            Account(row.name, Role(row.role), row.password_hash is not None, row.disabled, row.last_used)  # type: ignore[attr-defined]
            for row in rows
        ]

    async def add(self, name: str, password: str, role: Role, by: str) -> None:
        """Add an account. Raises InvalidValue for a bad or taken name and for a weak password."""
        name = account_name(name)
        check_password(password, name)
        hashed = await self._in_thread(lambda: self._hasher.hash(password))

        async def insert(db: BaseDBAsyncClient) -> None:
            for row in await Admin.all().using_db(db):
                if row.name.casefold() == name.casefold():
                    raise InvalidValue(
                        f"There is already an account {row.name!r}. "
                        "Change its password with `main.py admin passwd`, or choose another name."
                    )
            await Admin.create(name=name, role=role, password_hash=hashed, using_db=db)
            await add_entry(db, AccessKind.ADDED, name, "", f"as {role}, by {by}")

        await run_transaction(insert)

    async def set_password(self, name: str, password: str, by: str, *, keep_session: int | None = None) -> None:
        """Give an account a new password and end its sessions, except one. Raises InvalidValue."""
        check_password(password, name)
        hashed = await self._in_thread(lambda: self._hasher.hash(password))
        await self._change(name, AccessKind.PASSWORD_CHANGED, f"by {by}", keep_session, password_hash=hashed)

    async def change_own_password(self, admin: AdminIdentity, present: str, new: str, session: SignedIn) -> None:
        """Change the password of who is signed in, and end the other sessions. Raises InvalidValue, TooManyAttempts."""
        if await self.authenticate(admin.name, present, session.address) is None:
            raise InvalidValue("The present password is wrong. Nothing was changed.")
        await self.set_password(admin.name, new, admin.name, keep_session=session.id)

    async def set_disabled(self, name: str, disabled: bool, by: str) -> None:
        """Disable an account, which ends its sessions at once, or enable it again. Raises InvalidValue."""
        kind = AccessKind.DISABLED if disabled else AccessKind.ENABLED
        await self._change(name, kind, f"by {by}", disabled=disabled)

    async def set_role(self, name: str, role: Role, by: str) -> None:
        """Give an account another role, which ends its sessions. Raises InvalidValue."""
        await self._change(name, AccessKind.ROLE_CHANGED, f"to {role}, by {by}", role=role)

    async def _change(
        self, name: str, kind: AccessKind, detail: str, keep_session: int | None = None, **values: object
    ) -> None:
        async def change(db: BaseDBAsyncClient) -> None:
            row = await Admin.filter(name=normalized(name)).using_db(db).first()
            if row is None:
                raise InvalidValue(f"There is no account {name!r}. `main.py admin list` shows the accounts.")
            await Admin.filter(id=row.id).using_db(db).update(**values)
            await Session.filter(admin_id=row.id).exclude(id=keep_session or 0).using_db(db).delete()
            await add_entry(db, kind, name, "", detail)

        await run_transaction(change)

    async def _hash_of_nobody(self) -> str:
        if self._nobody is None:
            self._nobody = await self._in_thread(lambda: self._hasher.hash("the password of nobody"))
        return self._nobody

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        async with self._hashing:
            return await asyncio.to_thread(work)


def _identity(row: Admin) -> AdminIdentity:
    return AdminIdentity(row.id, row.name, Role(row.role))
