"""Admins: their accounts, passwords and roles. What an account owns lives elsewhere, under its id."""

import asyncio
import getpass
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from models.account_states import Account
from models.accounts import AdminIdentity, Role, account_name, check_password, normalized
from models.addresses import MAX_CALLER_LENGTH
from models.errors import InvalidValue, TooManyAttempts, WrongPassword
from models.history import EntryKind
from models.secrets import looks_like_key
from models.texts import storable
from services import identities
from services.account_rights import (
    By,
    find_account,
    may_change_accounts,
    require_free,
    require_not_alone,
    require_not_alone_for,
)
from services.attempts import Attempts
from services.history import History
from services.proofs import Proofs
from services.sessions import SignedIn
from storage import account_list, accounts, history, invitations, preferences, saved_views, second_factors, sessions
from storage.transactions import Connection, run_transaction, take_turn_in_accounts

T = TypeVar("T")

_HASHERS = 2
"""Passwords checked at the same time: each takes 64 MiB and a core for some 50 ms (argon2-cffi's default, RFC 9106)."""


class Verified(NamedTuple):
    """An admin whose password was right."""

    admin: AdminIdentity
    password_hash: str
    """What is stored of that password"""

    async def require(self, db: Connection) -> None:
        """Raise InvalidValue if it is not the account's password any more, or the account was disabled."""
        row = await accounts.by_id(db, self.admin.id)
        if row is None or row.disabled or row.password_hash != self.password_hash:
            raise InvalidValue("Your account or its password was changed at this moment. Sign in again.")


async def local_admin() -> AdminIdentity:
    """The admin named after the operating-system user; made at first use."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no user name, as in some containers
        name = "admin"
    return await accounts.make_local(name)


class Admins:
    """Checks passwords, slowly, and keeps accounts. Every refusal and every change is on record."""

    def __init__(self, history: History, proofs: Proofs | None = None) -> None:
        self._history = history
        self._proofs = proofs or Proofs()
        self._hasher = PasswordHasher()
        self._hashing = asyncio.Semaphore(_HASHERS)
        self._attempts = Attempts()
        # A server whose script calls on with an old password shall not keep its admin out of the page; and one that
        # calls on with an old key shall not keep scripts with a password out. What has the form of a key is counted
        # together, whatever it turns out to be: else one could tell a key that was valid from one that never was.
        self._script_attempts = Attempts("with a wrong password")
        self._key_attempts = Attempts("with a wrong key or password")
        self._known_right = _KnownRight()
        self._checking: dict[tuple[bytes, str], asyncio.Task[Verified | None]] = {}
        self._nobody: str | None = None

    async def authenticate(self, name: str, password: str, address: str) -> AdminIdentity | None:
        """The admin with this name and password, or None; takes as long whether or not there is such an account.

        Raises TooManyAttempts, before anything is checked, and DatabaseUnavailable.
        """
        verified = await self.verify(name, password, address)
        return verified.admin if verified else None

    async def verify(self, name: str, password: str, address: str) -> Verified | None:
        """The same for a sign-in, which takes some more time, and is not finished if the password is changed meanwhile."""
        return await self._check(normalized(name)[:200], password, address, self._attempts)

    async def authenticate_script(self, name: str, password: str, address: str) -> AdminIdentity | None:
        """The same for a script, which sends its password with every call, perhaps with several at once.

        The same question asked at the same time is checked once, and a right password is not checked slowly again for
        some minutes, nor counted as an attempt: otherwise a script that calls often would be slowed as one that guesses.
        """
        name = normalized(name)[:200]
        mark = self._known_right.mark(name, password)
        row = await accounts.find(name)
        if row is not None and not row.disabled and self._known_right.includes(mark, row.password_hash):
            return row.identity
        checking = self._checking.get((mark, address))
        if checking is None:
            is_key = looks_like_key(password)
            attempts = self._key_attempts if is_key else self._script_attempts
            checking = asyncio.create_task(self._check(name, password, address, attempts, on_record=not is_key))
            self._checking[mark, address] = checking
            checking.add_done_callback(lambda done: self._checked(mark, address, done))
        # Who hangs up shall not end the check of the others.
        verified = await asyncio.shield(checking)
        if verified is None:
            return None
        self._known_right.add(mark, verified.password_hash)
        return verified.admin

    def _checked(self, mark: bytes, address: str, done: asyncio.Task[Verified | None]) -> None:
        del self._checking[mark, address]
        if not done.cancelled():
            done.exception()  # whoever still waits for it gets it

    async def _check(
        self, name: str, password: str, address: str, attempts: Attempts, *, on_record: bool = True
    ) -> Verified | None:
        row = await accounts.find(name)
        # Asked also about nobody: that takes as long.
        known = await sessions.is_known(row.id if row else 0, storable(address, MAX_CALLER_LENGTH))
        try:
            await attempts.count(name, address, known=known)
        except TooManyAttempts:
            if on_record:
                await self._history.put_flood(EntryKind.SLOWED, name, address)
            raise
        stored = row.password_hash if row and row.password_hash and not row.disabled else await self._hash_of_nobody()
        correct = await self._in_thread(lambda: self._verify(stored, password))
        if row is None or stored is self._nobody or not correct:
            if on_record:  # a key is noted among the denied requests, with its reason
                await self._history.put(EntryKind.REFUSED, name, address)
            return None
        await attempts.succeeded(name, address)
        return Verified(row.identity, stored)

    async def has_accounts(self) -> bool:
        """Whether anybody can sign in with a password."""
        return await accounts.anybody_has_password()

    async def has_password(self, admin: AdminIdentity) -> bool:
        """Whether this admin has a password that can be changed."""
        return await accounts.has_password(admin.id)

    async def accounts(self) -> list[Account]:
        """All accounts, by name."""
        return await account_list.listed()

    async def add(self, name: str, password: str, role: Role, by: By) -> None:
        """Add an account. Raises InvalidValue for a bad or taken name and for a weak password, NotAllowed."""
        name = account_name(name)
        hashed = await self.hash_of(password, name)

        async def insert(db: Connection) -> None:
            who = await may_change_accounts(db, by, self._proofs)
            require_not_alone(by, role, self._proofs)
            await require_free(db, name)
            await accounts.add(db, name, role, hashed)
            await history.append(db, EntryKind.ADDED, name, "", f"as {role}, {who}")

        await run_transaction(insert)

    async def hash_of(self, password: str, name: str) -> str:
        """What is stored of a password of this account. Raises InvalidValue for a weak one."""
        check_password(password, name)
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def set_password(self, name: str, password: str, by: By, *, keep_session: int | None = None) -> None:
        """Give an account a new password; its link for one ends, and its sessions, except one. Raises InvalidValue."""
        hashed = await self.hash_of(password, name)
        await self._change(name, EntryKind.PASSWORD_CHANGED, by, keep_session=keep_session, password_hash=hashed)

    async def change_own_password(self, admin: AdminIdentity, present: str, new: str, session: SignedIn) -> None:
        """Change the password of who is signed in, and end the other sessions.

        Raises InvalidValue, WrongPassword, TooManyAttempts and FactorNeeded.
        """
        await self._proofs.require_fresh(session.id, "change your password")
        if await self.authenticate(admin.name, present, session.address) is None:
            raise WrongPassword("The present password is wrong. Nothing was changed.")
        if new == present:
            raise InvalidValue("The new password is the present one. Choose another; nothing was changed.")
        await self.set_password(admin.name, new, "its owner", keep_session=session.id)

    async def set_disabled(self, name: str, disabled: bool, by: By) -> None:
        """Disable an account, which ends its sessions and its link at once, or enable it again.

        Raises InvalidValue; NotAllowed also for the last admin who can come in.
        """
        kind = EntryKind.DISABLED if disabled else EntryKind.ENABLED
        await self._change(name, kind, by, takes_away=disabled, disabled=disabled)

    async def set_role(self, name: str, role: Role, by: By) -> None:
        """Give an account another role, which ends its sessions. Raises InvalidValue; NotAllowed as `set_disabled` does."""
        takes_away = role is not Role.ADMIN
        await self._change(name, EntryKind.ROLE_CHANGED, by, f"to {role}", takes_away=takes_away, role=role)

    async def end_sessions(self, name: str, by: By) -> None:
        """Sign an account out everywhere. Raises InvalidValue, NotAllowed."""
        await self._change(name, EntryKind.SIGNED_OUT_EVERYWHERE, by)

    async def erase_name(self, name: str, by: str) -> None:
        """Forget a person's name: of an account, which is then disabled, or as it was given by who has none.

        The history names accounts by number, and other names by a digest, so its chain still holds.
        Raises InvalidValue; NotAllowed for the last admin who can come in.
        """

        async def erase(db: Connection) -> None:
            await take_turn_in_accounts(db)
            row = await accounts.find(normalized(name), db)
            if row is None:
                if not await history.erase_name(db, name):
                    raise InvalidValue(f"There is no account {name!r}, and nothing is on record under that name.")
            else:
                await account_list.require_another_admin(db, row.id)
                nobody = f"account-{row.id}"
                await accounts.update(db, row.id, name=nobody, disabled=True, password_hash=None)
                await invitations.withdraw(db, row.id)
                await sessions.delete_all_of(db, row.id)
                await identities.erase(db, row.id)
                await second_factors.forget(db, row.id)
                await preferences.forget(db, row.id)
                await saved_views.forget_private(db, row.id)
            await history.append(db, EntryKind.NAME_ERASED, row.id if row else None, "", f"by {by}")

        await run_transaction(erase)

    async def _change(
        self,
        name: str,
        kind: EntryKind,
        by: By,
        detail: str = "",
        *,
        takes_away: bool = False,
        keep_session: int | None = None,
        **values: object,
    ) -> None:
        """`takes_away` is whether an admin can do less, or nothing, afterwards."""

        async def change(db: Connection) -> None:
            who = await may_change_accounts(db, by, self._proofs)
            row = await find_account(db, name)
            if kind is EntryKind.ROLE_CHANGED:
                require_not_alone(by, Role(str(values["role"])), self._proofs)
            elif kind in (EntryKind.ENABLED, EntryKind.PASSWORD_CHANGED):
                await require_not_alone_for(db, by, row, self._proofs)
            if takes_away:
                await account_list.require_another_admin(db, row.id)
            if kind in (EntryKind.DISABLED, EntryKind.PASSWORD_CHANGED):
                await invitations.withdraw(db, row.id)
            if values:
                await accounts.update(db, row.id, **values)
            await sessions.delete_all_of(db, row.id, but=keep_session)
            await history.append(db, kind, row.id, "", f"{detail}, {who}" if detail else who)

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
