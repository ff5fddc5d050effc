"""Links with which the owner of an account chooses its password, once: for a new account, or in place of a lost password."""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from models.account_states import INVITATION_LASTS, is_open
from models.accounts import AdminIdentity, Role, account_name
from models.errors import InvalidValue, LinkRefused, NotAllowed
from models.history import EntryKind
from services.account_rights import (
    By,
    admin_of,
    find_account,
    may_change_accounts,
    require_free,
    require_not_alone,
    require_not_alone_for,
)
from services.admins import Admins, Verified
from services.attempts import Attempts
from services.history import History
from services.proofs import Proofs
from storage import account_list, accounts, history, invitations, sessions
from storage.transactions import Connection, run_transaction, take_turn_in_accounts


class NewLink(NamedTuple):
    """A link that was just made; its token is known to nobody else, and not stored."""

    name: str
    """Of the account"""
    token: str
    until: datetime
    is_reset: bool
    """Whether it stands in for a password that the account had"""


class Opened(NamedTuple):
    """What a link says to who opens it."""

    admin: AdminIdentity
    is_reset: bool


class Invitations:
    """Makes links, shows whom they are for, and lets each be used once. All of it is on record."""

    def __init__(self, admins: Admins, history: History, proofs: Proofs) -> None:
        self._admins = admins
        self._history = history
        self._proofs = proofs
        self._attempts = Attempts("to use an invitation")

    # -- making --------------------------------------------------------------------------------------------------------

    async def invite(self, name: str, role: Role, by: By) -> NewLink:
        """Add an account whose owner chooses the password. Raises InvalidValue for a bad or taken name, NotAllowed."""
        name = account_name(name)

        async def add(db: Connection) -> NewLink:
            who = await may_change_accounts(db, by, self._proofs)
            require_not_alone(by, role, self._proofs)
            await require_free(db, name)
            admin_id = await accounts.add(db, name, role, None)
            link = await _make(db, admin_id, name, is_reset=False)
            await history.append(db, EntryKind.ADDED, admin_id, "", f"as {role}, with an invitation, {who}")
            return link

        return await run_transaction(add)

    async def renew(self, name: str, by: By) -> NewLink:
        """A new link for an account without a password; the one before ends. Raises InvalidValue, NotAllowed."""

        async def make(db: Connection) -> NewLink:
            who = await may_change_accounts(db, by, self._proofs)
            row = await find_account(db, name)
            _require_enabled(row.name, row.disabled)
            await require_not_alone_for(db, by, row, self._proofs)
            if row.password_hash is not None:
                raise InvalidValue(
                    f"{row.name!r} has a password already. To end it and let its owner choose another, reset it: "
                    "in Settings, or with `admin reset`."
                )
            was_reset = await invitations.is_reset(db, row.id)
            link = await _make(db, row.id, row.name, is_reset=was_reset)
            await history.append(db, EntryKind.INVITED, row.id, "", who)
            return link

        return await run_transaction(make)

    async def reset(self, name: str, by: By) -> NewLink:
        """End an account's password and its sessions at once, and make a link for a new one.

        At once, and not when the link is used: an account is reset when it may be in the wrong hands.
        Raises InvalidValue, also for one's own account; NotAllowed, also for the last admin who can come in.
        """

        async def end(db: Connection) -> NewLink:
            who = await may_change_accounts(db, by, self._proofs)
            row = await find_account(db, name)
            _require_enabled(row.name, row.disabled)
            await require_not_alone_for(db, by, row, self._proofs)
            if (admin := admin_of(by)) and admin.id == row.id:
                raise NotAllowed("This is your own account: change its password instead. Nothing was changed.")
            await account_list.require_another_admin(db, row.id)
            await accounts.update(db, row.id, password_hash=None)
            await sessions.delete_all_of(db, row.id)
            link = await _make(db, row.id, row.name, is_reset=True)
            await history.append(db, EntryKind.RESET, row.id, "", who)
            return link

        return await run_transaction(end)

    # -- using ---------------------------------------------------------------------------------------------------------

    async def open(self, token: str, address: str) -> Opened:
        """Whom a link is for; that does not use it. Raises LinkRefused, and TooManyAttempts for who tries many that are none."""
        found = await invitations.find(_digest(token))
        if found is not None and _is_usable(found):
            return Opened(found.admin, found.is_reset)
        await self._attempts.count("", address, known=False)
        await self._history.put_flood(EntryKind.INVITE_REFUSED, "", address)
        raise _refused()

    async def accept(self, token: str, password: str, address: str) -> Verified:
        """Use a link: the account has this password from now on, and its other sessions end.

        Raises InvalidValue for a weak password, which uses nothing up; LinkRefused and TooManyAttempts as `open` does.
        """
        opened = await self.open(token, address)
        hashed = await self._admins.hash_of(password, opened.admin.name)

        async def use(db: Connection) -> Verified:
            await take_turn_in_accounts(db)
            found = await invitations.find(_digest(token), db)
            if found is None or not _is_usable(found) or not await invitations.take(db, _digest(token)):
                raise _refused()
            await accounts.update(db, found.admin.id, password_hash=hashed)
            await sessions.delete_all_of(db, found.admin.id)
            await history.append(db, EntryKind.JOINED, found.admin.id, address)
            return Verified(found.admin, hashed)

        return await run_transaction(use)


async def _make(db: Connection, admin_id: int, name: str, *, is_reset: bool) -> NewLink:
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    await invitations.put(db, _digest(token), admin_id, now, is_reset=is_reset)
    return NewLink(name, token, now + INVITATION_LASTS, is_reset)


def _require_enabled(name: str, disabled: bool) -> None:
    if disabled:
        raise InvalidValue(f"{name!r} is disabled. Enable the account first.")


def _is_usable(found: invitations.StoredInvitation) -> bool:
    return not found.is_disabled and is_open(found.created_at, datetime.now(UTC))


def _refused() -> LinkRefused:
    hours = round(INVITATION_LASTS.total_seconds() / 3600)
    return LinkRefused(
        f"This link lets nobody in: it was used already, a newer one took its place, the account is disabled, or it is older "
        f"than {hours} hours. Ask an admin of this server for a new one."
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
