"""Sessions: which browsers are signed in, and the launch links that sign one in without a password.

A browser holds a random token in a signed cookie, the database its digest. What ends a session, in this process or in
another, deletes its row; `refresh()` then tells the open pages of it at once.
"""

import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from itsdangerous import BadSignature, Signer
from nicegui import Event

from models.access import ABSOLUTE, LAUNCH_LINK_LASTS, is_current, is_fresh
from models.accounts import AdminIdentity
from models.addresses import MAX_CALLER_LENGTH
from models.errors import DatabaseUnavailable, NotAllowed
from models.history import EntryKind
from models.texts import storable
from services.history import History
from storage import history, sessions
from storage.sessions import StoredSession
from storage.transactions import Connection, run_transaction, take_turn_in_accounts

_NOTE_USE_AFTER = timedelta(minutes=1)
"""How exactly the last use of a session is known."""

Requirement = Callable[[Connection], Awaitable[None]]
"""Raises an AuthkeysError, within the transaction, if something does not hold any more"""

log = logging.getLogger(__name__)


class SignedIn(NamedTuple):
    """A session that lasts."""

    id: int
    admin: AdminIdentity
    digest: str
    address: str
    """Where it was begun"""
    created_at: datetime
    used_at: datetime
    is_enrolling: bool = False
    """Good for nothing but getting a second factor, which this server asks for"""


_SCOPE_KEY = "authkeys.session"


def session_of(scope: Mapping[str, Any]) -> SignedIn:
    """The session of a request (ASGI scope) that was let in."""
    session = scope[_SCOPE_KEY]
    assert isinstance(session, SignedIn)
    return session


def admit(scope: MutableMapping[str, Any], session: SignedIn) -> None:
    """Mark a request as one of this session."""
    scope[_SCOPE_KEY] = session


async def look_again(db: Connection, require: Requirement | None) -> None:
    """See whether what lets an admin in still holds: while it was checked, the account may have been reset or disabled.

    From here on nobody changes accounts until the transaction ends. Raises what `require` raises.
    """
    if require is not None:
        await take_turn_in_accounts(db)
        await require(db)


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, secret: bytes, history: History) -> None:
        self._history = history
        self._signer = Signer(secret, salt="authkeys session")
        # So that two consoles on one machine do not overwrite each other's cookie: cookies know no ports.
        self.cookie_name = f"authkeys-{hashlib.sha256(b'cookie' + secret).hexdigest()[:8]}"
        self._current: dict[str, SignedIn] = {}
        self._endings = 0
        self.ended = Event[[frozenset[int]]]()
        """These sessions are over; their pages close."""

    # -- beginning -----------------------------------------------------------------------------------------------------

    async def begin(
        self,
        admin: AdminIdentity,
        address: str,
        how: EntryKind = EntryKind.SIGNED_IN,
        device: str = "",
        *,
        by_factor: str = "",
        is_enrolling: bool = False,
        require: Requirement | None = None,
    ) -> str:
        """Begin a session; returns what goes into the browser's cookie. Raises DatabaseUnavailable, and what `require` raises.

        `device` is in words. `by_factor` names the second factor that was proven for it; `is_enrolling` makes it good for nothing but getting one.
        """
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        address = storable(address, MAX_CALLER_LENGTH)

        async def insert(db: Connection) -> None:
            await look_again(db, require)
            await sessions.add(
                db, _digest(token), admin.id, address, now, device, by_factor=bool(by_factor), is_enrolling=is_enrolling
            )
            await history.append(db, how, admin.id, address, by_factor)

        await run_transaction(insert)
        self._history.tally.noted[how] += 1
        return self._signer.sign(token).decode()

    async def make_launch_link(self, admin: AdminIdentity) -> str:
        """A token that signs one browser in as this admin, once, within `LAUNCH_LINK_LASTS`."""
        token = secrets.token_urlsafe(32)
        await sessions.add_link(_digest(token), admin.id, datetime.now(UTC))
        return token

    async def is_unused(self, launch_token: str) -> bool:
        """Whether a launch link was not used yet."""
        return await sessions.is_link(_digest(launch_token))

    async def launch(self, token: str, address: str, device: str = "") -> str | None:
        """Use a launch link; returns the cookie of the new session, or None for a used, expired or invented one."""
        digest = _digest(token)
        link = await sessions.take_link(digest) if await sessions.is_link(digest) else None
        if link is None or link.is_disabled or not is_fresh(link.created_at, datetime.now(UTC)):
            await self._history.put_flood(EntryKind.LINK_REFUSED, "", address)
            return None
        return await self.begin(link.admin, address, EntryKind.LAUNCHED, device)

    async def refused_foreign(self, address: str) -> None:
        """Record that another site's page tried to sign somebody in; that it cannot be recorded keeps nobody from refusing it."""
        try:
            await self._history.put_flood(EntryKind.REFUSED, "", address, "asked for by another site")
        except DatabaseUnavailable:
            log.warning("A sign-in that another site asked for was refused, and could not be recorded.")

    # -- finding -------------------------------------------------------------------------------------------------------

    async def find(self, cookie: str | None) -> SignedIn | None:
        """The session of this cookie, or None if it is over or was never ours. Raises DatabaseUnavailable."""
        digest = self._digest_in(cookie)
        if digest is None:
            return None
        session = self._current.get(digest) or await self._admit(digest)
        return await self._used(session) if session else None

    async def use(self, session: SignedIn) -> SignedIn:
        """The session as it is now, because one of its pages does something. Raises NotAllowed if it is over."""
        known = self._current.get(session.digest)
        used = await self._used(known) if known else None
        if used is None:
            raise NotAllowed("You are signed out, so nothing was changed. Sign in again; what you staged is kept.")
        return used

    def lasts(self, session: SignedIn) -> bool:
        """Whether this session, which was let in here, was not ended since."""
        return session.digest in self._current

    async def of(self, admin_id: int) -> list[StoredSession]:
        """The sessions of an admin that last, the one that was used last first."""
        now = datetime.now(UTC)
        return [each for each in await sessions.of(admin_id) if is_current(each.created_at, each.used_at, now)]

    async def _used(self, session: SignedIn) -> SignedIn | None:
        now = datetime.now(UTC)
        if not is_current(session.created_at, session.used_at, now):
            return None
        if abs(now - session.used_at) >= _NOTE_USE_AFTER:
            session = self._current[session.digest] = session._replace(used_at=now)
            await self._note_use(session)
        return session

    # -- ending --------------------------------------------------------------------------------------------------------

    async def end(self, session: SignedIn, address: str) -> None:
        """Sign one browser out."""

        async def delete(db: Connection) -> None:
            await sessions.delete(db, session.id)
            await history.append(db, EntryKind.SIGNED_OUT, session.admin.id, address)

        await run_transaction(delete)
        self._forget([session])

    async def end_all(self, admin: AdminIdentity, address: str) -> None:
        """Sign an admin out everywhere."""

        async def delete(db: Connection) -> None:
            await sessions.delete_all_of(db, admin.id)
            await history.append(db, EntryKind.SIGNED_OUT_EVERYWHERE, admin.id, address)

        await run_transaction(delete)
        self._forget([session for session in self._current.values() if session.admin.id == admin.id])

    async def end_chosen(self, by: SignedIn, session_id: int) -> bool:
        """End one of one's own sessions, as chosen in another; whether there was such a one."""

        async def delete(db: Connection) -> bool:
            ended = await sessions.delete_one_of(db, by.admin.id, session_id)
            if ended is not None:
                where = f"{ended.device or 'an unknown device'}, {ended.address}"
                await history.append(db, EntryKind.SESSION_ENDED, by.admin.id, by.address, where)
            return ended is not None

        was_there = await run_transaction(delete)
        await self.refresh()
        return was_there

    async def end_others(self, by: SignedIn) -> int:
        """End all of one's own sessions but this one; returns how many there were."""

        async def delete(db: Connection) -> int:
            ended = await sessions.delete_all_of(db, by.admin.id, but=by.id)
            if ended:
                await history.append(db, EntryKind.SESSION_ENDED, by.admin.id, by.address, "all others")
            return ended

        ended = await run_transaction(delete)
        await self.refresh()
        return ended

    async def refresh(self) -> None:
        """See which of the sessions in use here are over: ended elsewhere, disabled, or expired."""
        current = list(self._current.values())
        if not current:
            return
        used, now = await sessions.last_uses(session.id for session in current), datetime.now(UTC)
        self._forget(
            [each for each in current if each.id not in used or not is_current(each.created_at, used[each.id], now)]
        )

    async def purge(self) -> None:
        """Delete the sessions and launch links that nobody can use any more."""
        now = datetime.now(UTC)
        await sessions.purge(now - ABSOLUTE, now - LAUNCH_LINK_LASTS)

    # -- the machinery -------------------------------------------------------------------------------------------------

    def _digest_in(self, cookie: str | None) -> str | None:
        try:
            return _digest(self._signer.unsign(cookie or "").decode())
        except (BadSignature, UnicodeError):
            return None

    async def _admit(self, digest: str) -> SignedIn | None:
        while True:
            endings = self._endings
            session = await self._read(digest)
            if session is None or endings == self._endings:
                break  # otherwise it may have ended while it was read
        if session is not None:
            self._current[digest] = session
        return session

    async def _read(self, digest: str) -> SignedIn | None:
        row = await sessions.find(digest)
        return (
            SignedIn(row.id, row.admin, digest, row.address, row.created_at, row.used_at, row.is_enrolling)
            if row
            else None
        )

    async def _note_use(self, session: SignedIn) -> None:
        try:
            await sessions.note_use(session.id, session.used_at)
        except DatabaseUnavailable:
            log.warning("The use of a session could not be noted.")

    def _forget(self, over: Collection[SignedIn]) -> None:
        self._endings += 1
        for session in over:
            self._current.pop(session.digest, None)
        if over:
            self.ended.emit(frozenset(session.id for session in over))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
