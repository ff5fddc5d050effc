"""Admins: their accounts, passwords and roles. What an account owns lives elsewhere, under its id."""

import asyncio
import getpass
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.functions import Max

from models.access import AccessKind
from models.accounts import MAX_NAME_LENGTH, AdminIdentity, Role, account_name, check_password, normalized
from models.addresses import MAX_CALLER_LENGTH
from models.errors import InvalidValue, TooManyAttempts, WrongPassword
from models.secrets import looks_like_key
from models.tables import Admin, Session
from models.texts import storable
from services.access_records import AccessRecords, add_entry
from services.attempts import Attempts
from services.sessions import SignedIn
from storage.database import database_errors, reader, writer
from storage.transactions import run_transaction

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
        # A server whose script calls on with an old password shall not keep its admin out of the page; and one that
        # calls on with an old key shall not keep scripts with a password out. What has the form of a key is counted
        # together, whatever it turns out to be: else one could tell a key that was valid from one that never was.
        self._script_attempts = Attempts("with a wrong password")
        self._key_attempts = Attempts("with a wrong key or password")
        self._known_right = _KnownRight()
        self._checking: dict[tuple[bytes, str], asyncio.Task[AdminIdentity | None]] = {}
        self._nobody: str | None = None

    async def authenticate(self, name: str, password: str, address: str) -> AdminIdentity | None:
        """The admin with this name and password, or None; takes as long whether or not there is such an account.

        Raises TooManyAttempts, before anything is checked, and DatabaseUnavailable.
        """
        return await self._check(normalized(name)[:200], password, address, self._attempts)

    async def authenticate_script(self, name: str, password: str, address: str) -> AdminIdentity | None:
        """The same for a script, which sends its password with every call, perhaps with several at once.

        The same question asked at the same time is checked once, and a right password is not checked slowly again for
        some minutes, nor counted as an attempt: otherwise a script that calls often would be slowed as one that guesses.
        """
        name = normalized(name)[:200]
        mark = self._known_right.mark(name, password)
        with database_errors():
            row = await _find(name)
        if row is not None and not row.disabled and self._known_right.includes(mark, row.password_hash):
            return _identity(row)
        checking = self._checking.get((mark, address))
        if checking is None:
            is_key = looks_like_key(password)
            attempts = self._key_attempts if is_key else self._script_attempts
            checking = asyncio.create_task(self._check(name, password, address, attempts, on_record=not is_key))
            self._checking[mark, address] = checking
            checking.add_done_callback(lambda done: self._checked(mark, address, done))
        # Who hangs up shall not end the check of the others.
        admin = await asyncio.shield(checking)
        if admin is not None and row is not None:
            self._known_right.add(mark, row.password_hash)
        return admin

    def _checked(self, mark: bytes, address: str, done: "asyncio.Task[AdminIdentity | None]") -> None:
        del self._checking[mark, address]
        if not done.cancelled():
            done.exception()  # whoever still waits for it gets it

    async def _check(
        self, name: str, password: str, address: str, attempts: Attempts, *, on_record: bool = True
    ) -> AdminIdentity | None:
        with database_errors():
            row = await _find(name)
            # Asked also about nobody: that takes as long.
            sessions = Session.filter(admin_id=row.id if row else 0, address=storable(address, MAX_CALLER_LENGTH))
            known = await sessions.using_db(reader()).exists()
        try:
            await attempts.count(name, address, known=known)
        except TooManyAttempts:
            if on_record:
                await self._records.put_flood(AccessKind.SLOWED, name, address)
            raise
        stored = row.password_hash if row and row.password_hash and not row.disabled else await self._hash_of_nobody()
        correct = await self._in_thread(lambda: self._verify(stored, password))
        if row is None or stored is self._nobody or not correct:
            if on_record:  # a key is noted among the denied requests, with its reason
                await self._records.put(AccessKind.REFUSED, name, address)
            return None
        await attempts.succeeded(name, address)
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
                        "Change its password with `admin passwd`, or choose another name."
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
        """Change the password of who is signed in, and end the other sessions. Raises InvalidValue, WrongPassword, TooManyAttempts."""
        if await self.authenticate(admin.name, present, session.address) is None:
            raise WrongPassword("The present password is wrong. Nothing was changed.")
        if new == present:
            raise InvalidValue("The new password is the present one. Choose another; nothing was changed.")
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
                raise InvalidValue(f"There is no account {name!r}. `admin list` shows the accounts.")
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


class _KnownRight:
    """Passwords that were right a short time ago, in a form that is of no use outside of this process."""

    _SECONDS, _MOST = 300.0, 1_000

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, tuple[str | None, float]] = OrderedDict()

    def mark(self, name: str, password: str) -> bytes:
        """Stands for a name with a password."""
        return hmac.digest(self._key, f"{len(name)}:{name}{password}".encode("utf-8", "surrogatepass"), "sha256")

    def add(self, mark: bytes, password_hash: str | None) -> None:
        """It was right while this was stored: a new password ends that at once."""
        self._right[mark] = password_hash, time.monotonic() + self._SECONDS
        self._right.move_to_end(mark)
        if len(self._right) > self._MOST:
            self._right.popitem(last=False)

    def includes(self, mark: bytes, password_hash: str | None) -> bool:
        """Whether it was right a short time ago, and the same is stored still."""
        stored, until = self._right.get(mark, (None, 0.0))
        return stored is not None and stored == password_hash and time.monotonic() < until


async def _find(name: str) -> Admin | None:
    if len(name) > MAX_NAME_LENGTH or not name.isprintable():
        return None  # no account's; PostgreSQL takes no NUL in a text, and Tortoise none that is too long for its field
    return await Admin.filter(name=name).using_db(reader()).first()


def _identity(row: Admin) -> AdminIdentity:
    return AdminIdentity(row.id, row.name, Role(row.role))
