"""Second factors of accounts: adding and removing them, and the second step of a sign-in.

All that is said of codes, challenges and half-done sign-ins is in the database: any instance takes the next step.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple

from models.accounts import AdminIdentity
from models.addresses import MAX_CALLER_LENGTH
from models.errors import FactorNeeded, FactorRefused, InvalidValue, NotAllowed, SecretUnusable, TooManyAttempts
from models.history import EntryKind
from models.second_factors import (
    PENDING_LASTS,
    STEP_SECONDS,
    STEPS_AROUND,
    Factors,
    PasskeyPlace,
    accepted_step,
    is_recent,
    new_recovery_codes,
    one_time_code,
    recovery_code,
    wait_after,
)
from models.texts import storable
from services.account_rights import By, find_account, may_change_accounts, require_not_alone_for
from services.attempts import Attempts
from services.history import History
from services.passkeys import Passkeys
from services.proofs import Proofs
from services.sealing import Seal
from services.sessions import Requirement, Sessions, SignedIn, look_again
from storage import history, second_factors, sessions
from storage.second_factors import Pending
from storage.transactions import Connection, run_transaction

_OVER = "This sign-in was finished already, or waited for too long. Begin it anew."
_WRONG = "This code is wrong, or was used already. Your app shows the next one within 30 seconds."


class Draft(NamedTuple):
    """An app with one-time codes that is being set up; it counts once a code of it was given."""

    secret: str
    """Base32, to be typed where no picture can be read"""
    uri: str
    """For the picture"""
    sealed: str
    """What the form brings back"""


class SecondFactors:
    """Keeps the factors of accounts, and checks them. Every change and every refusal is on record."""

    def __init__(self, secret: bytes, proofs: Proofs, sessions: Sessions, history: History) -> None:
        self._seal = Seal(secret, "second factors")
        self._proofs = proofs
        self._sessions = sessions
        self._history = history
        self._attempts = Attempts("with a second factor")
        self.passkeys = Passkeys(self._seal, history)

    @property
    def is_required(self) -> bool:
        """Whether who signs in with a password must have one."""
        return self._proofs.policy.required

    async def of(self, admin: AdminIdentity) -> Factors:
        """What this account has."""
        return await second_factors.factors_of(admin.id)

    # -- the second step of a sign-in ----------------------------------------------------------------------------------

    async def begin_step(self, admin: AdminIdentity, require: Requirement | None = None) -> str | None:
        """After the right password: what the browser keeps until the second step, or None if the account has no factor."""
        if not await second_factors.has_any(admin.id):
            return None
        token = secrets.token_urlsafe(32)

        async def begin(db: Connection) -> None:
            await look_again(db, require)
            await second_factors.add_pending(db, holder_of(token), admin.id, datetime.now(UTC))

        await run_transaction(begin)
        return token

    async def pending(self, token: str | None) -> AdminIdentity | None:
        """Whose second step this browser may take; None if it is over, or never began."""
        found = await second_factors.find_pending(holder_of(token)) if token else None
        return found.admin if found and _lasts(found) else None

    async def finish_step(self, token: str, address: str, by: str, device: str = "") -> str:
        """After the proof: the cookie of the session that begins. Raises FactorRefused if another was faster, or it is too late."""
        found = await second_factors.find_pending(holder_of(token))
        if found is None or not _lasts(found):
            raise FactorRefused(_OVER)

        async def take(db: Connection) -> None:
            if not await second_factors.take_pending(db, holder_of(token)):
                raise FactorRefused(_OVER)

        return await self._sessions.begin(found.admin, address, device=device, by_factor=by, require=take)

    # -- proving -------------------------------------------------------------------------------------------------------

    async def prove_code(self, admin: AdminIdentity, text: str, address: str) -> str:
        """Use a one-time code. Raises InvalidValue, FactorRefused and TooManyAttempts."""
        code = one_time_code(text)
        await self._count(admin, address)
        if problem := await run_transaction(lambda db: self._check_code(db, admin, code, address)):
            self._history.tally.noted[EntryKind.FACTOR_REFUSED] += 1
            raise FactorRefused(problem)
        await self._attempts.succeeded(admin.name, address)
        return "by a one-time code"

    async def _check_code(self, db: Connection, admin: AdminIdentity, code: str, address: str) -> str:
        """What is wrong with a code, in words; the outcome is written, so it is returned and not raised."""
        stored, now = await second_factors.lock_codes(db, admin.id), datetime.now(UTC)
        if stored is None:
            return "This account has no app with one-time codes."
        if seconds := wait_after(stored.failures, stored.failed_at, now):
            return f"Too many wrong codes. Try again in {seconds} seconds, or use a passkey or a recovery code."
        step = accepted_step(code, _codes(self._secret_of(admin, stored.sealed), now), stored.last_step)
        if step is not None:
            await second_factors.note_code(db, admin.id, step, now)
            return ""
        await second_factors.note_wrong_code(db, admin.id, stored.failures + 1, now)
        used = accepted_step(code, _codes(self._secret_of(admin, stored.sealed), now), -1) is not None
        detail = "a one-time code that was used already" if used else "a wrong one-time code"
        await history.append(db, EntryKind.FACTOR_REFUSED, admin.id, address, detail)
        return _WRONG

    async def prove_recovery(self, admin: AdminIdentity, text: str, address: str) -> str:
        """Use up a recovery code. Raises InvalidValue, FactorRefused and TooManyAttempts."""
        digest = self._recovery_digest(admin, recovery_code(text))
        await self._count(admin, address)

        async def take(db: Connection) -> int | None:
            left = await second_factors.take_recovery_code(db, admin.id, digest)
            kind = EntryKind.FACTOR_REFUSED if left is None else EntryKind.RECOVERY_USED
            detail = "a recovery code that is none, or was used already" if left is None else f"{left} are left"
            await history.append(db, kind, admin.id, address, detail)
            return left

        if await run_transaction(take) is None:
            self._history.tally.noted[EntryKind.FACTOR_REFUSED] += 1
            raise FactorRefused("This recovery code is wrong, or was used already: each works once.")
        await self._attempts.succeeded(admin.name, address)
        return "by a recovery code"

    async def confirm(self, session: SignedIn, *, by_factor: bool) -> None:
        """Who uses this session has just shown who that is."""
        now = datetime.now(UTC)
        await run_transaction(lambda db: second_factors.note_proof(db, session.id, now, by_factor=by_factor))

    async def may_change(self, session: SignedIn) -> bool:
        """Whether factors may be changed in this session without another proof."""
        proof = await second_factors.proof_of(session.id)
        return proof.is_enough(await second_factors.has_any(session.admin.id), datetime.now(UTC))

    async def require_proof(self, session: SignedIn) -> None:
        """Raise FactorNeeded unless who uses this session has just shown who that is."""
        if not await self.may_change(session):
            raise FactorNeeded("Confirm first that it is you. Nothing was changed.")

    # -- one's own factors ---------------------------------------------------------------------------------------------

    def draft_codes(self, session: SignedIn, where: PasskeyPlace) -> Draft:
        """A new secret for an app with one-time codes, bound to this session."""
        import pyotp  # noqa: PLC0415 - for a fast start

        secret = pyotp.random_base32()
        uri = pyotp.TOTP(secret).provisioning_uri(name=session.admin.name, issuer_name=f"Authkeys {where.rp_id}")
        return Draft(secret, uri, self._seal.seal(secret, f"draft {session.id}"))

    def drafted(self, session: SignedIn, sealed: str, where: PasskeyPlace) -> Draft:
        """The same once more, from what the form brought back. Raises FactorRefused."""
        import pyotp  # noqa: PLC0415 - for a fast start

        try:
            secret = self._seal.open(sealed, f"draft {session.id}")
        except SecretUnusable:
            raise FactorRefused("This form is of another session. Begin anew.") from None
        uri = pyotp.TOTP(secret).provisioning_uri(name=session.admin.name, issuer_name=f"Authkeys {where.rp_id}")
        return Draft(secret, uri, sealed)

    async def set_codes(self, session: SignedIn, draft: Draft, text: str) -> list[str]:
        """Take a new app with one-time codes, in the place of the one before; returns new recovery codes, if there were none.

        Raises InvalidValue, FactorRefused, FactorNeeded.
        """
        await self.require_proof(session)
        now = datetime.now(UTC)
        step = accepted_step(one_time_code(text), _codes(draft.secret, now), -1)
        if step is None:
            raise FactorRefused(
                "This is not the code that this app shows now. Look whether your device's clock is right."
            )
        admin, sealed = session.admin, self._seal.seal(draft.secret, _about(session.admin))

        async def put(db: Connection) -> list[str]:
            await second_factors.lock_account(db, admin.id)
            await second_factors.set_codes(db, admin.id, sealed, step, now)
            codes = await self._first_recovery_codes(db, admin)
            await second_factors.note_proof(db, session.id, now, by_factor=True)
            await history.append(db, EntryKind.FACTOR_ADDED, admin.id, session.address, "one-time codes")
            return codes

        return await run_transaction(put)

    async def add_passkey(self, session: SignedIn, answer: str, name: str, where: PasskeyPlace) -> list[str]:
        """Take a new passkey; returns new recovery codes, if there were none. Raises InvalidValue, FactorRefused, FactorNeeded."""
        await self.require_proof(session)
        admin = session.admin
        new = await self.passkeys.check_new(admin, answer, name, where, session.digest)

        async def put(db: Connection) -> list[str]:
            await second_factors.lock_account(db, admin.id)
            codes = await self._first_recovery_codes(db, admin)
            await second_factors.note_proof(db, session.id, datetime.now(UTC), by_factor=True)
            await self.passkeys.store(db, admin, new, session.address)
            return codes

        return await run_transaction(put)

    async def remove_passkey(self, session: SignedIn, passkey_id: int) -> None:
        """Remove a passkey of one's own. Raises NotAllowed, FactorNeeded, InvalidValue."""

        async def remove(db: Connection) -> str:
            name = await second_factors.remove_passkey(db, session.admin.id, passkey_id)
            if name is None:
                raise InvalidValue("This passkey is gone already.")
            return f"the passkey {name}"

        await self._remove(session, remove)

    async def remove_codes(self, session: SignedIn) -> None:
        """Remove one's own app with one-time codes. Raises NotAllowed, FactorNeeded, InvalidValue."""

        async def remove(db: Connection) -> str:
            if not await second_factors.remove_codes(db, session.admin.id):
                raise InvalidValue("The app with one-time codes is gone already.")
            return "one-time codes"

        await self._remove(session, remove)

    async def new_recovery_codes(self, session: SignedIn) -> list[str]:
        """Ten new ones, shown this once; the ones before work no longer. Raises FactorNeeded, NotAllowed."""
        await self.require_proof(session)

        async def replace(db: Connection) -> list[str]:
            await second_factors.lock_account(db, session.admin.id)
            if not await second_factors.has_any(session.admin.id, db):
                raise NotAllowed("Recovery codes stand in for a second factor. Add one first.")
            codes = await self._recovery_codes(db, session.admin)
            await history.append(db, EntryKind.RECOVERY_MADE, session.admin.id, session.address)
            return codes

        return await run_transaction(replace)

    async def reset(self, name: str, by: By) -> None:
        """Take all factors of an account away, for who lost them, and end its sessions.

        Raises InvalidValue, NotAllowed, FactorNeeded.
        """

        async def take_away(db: Connection) -> None:
            who = await may_change_accounts(db, by, self._proofs)
            row = await find_account(db, name)
            await require_not_alone_for(db, by, row, self._proofs)
            if not await second_factors.forget(db, row.id):
                raise InvalidValue(f"The account {row.name!r} has no second factor. Nothing was changed.")
            await sessions.delete_all_of(db, row.id)
            await history.append(db, EntryKind.FACTOR_RESET, row.id, "", who)

        await run_transaction(take_away)

    # -- the machinery -------------------------------------------------------------------------------------------------

    async def _remove(self, session: SignedIn, remove: Callable[[Connection], Awaitable[str]]) -> None:
        await self.require_proof(session)

        async def work(db: Connection) -> None:
            await second_factors.lock_account(db, session.admin.id)
            detail = await remove(db)
            if not await second_factors.has_any(session.admin.id, db):
                if self.is_required:
                    raise NotAllowed(
                        "This server asks for a second factor. Add another one before you remove the last."
                    )
                await second_factors.replace_recovery_codes(db, session.admin.id, ())
            await history.append(db, EntryKind.FACTOR_REMOVED, session.admin.id, session.address, detail)

        await run_transaction(work)

    async def _first_recovery_codes(self, db: Connection, admin: AdminIdentity) -> list[str]:
        left = (await second_factors.factors_of(admin.id, db)).recovery_left
        return [] if left else await self._recovery_codes(db, admin)

    async def _recovery_codes(self, db: Connection, admin: AdminIdentity) -> list[str]:
        codes = new_recovery_codes()
        digests = [self._recovery_digest(admin, recovery_code(each)) for each in codes]
        await second_factors.replace_recovery_codes(db, admin.id, digests)
        return codes

    def _recovery_digest(self, admin: AdminIdentity, plain: str) -> str:
        return self._seal.digest(f"recovery {admin.id} {plain}")

    def _secret_of(self, admin: AdminIdentity, sealed: str) -> str:
        try:
            return self._seal.open(sealed, _about(admin))
        except SecretUnusable:
            raise FactorRefused(
                "One-time codes cannot be checked: they were set up when this server had another secret file. "
                "Use a passkey, or let an admin reset your second factor."
            ) from None

    async def _count(self, admin: AdminIdentity, address: str) -> None:
        try:
            known = await sessions.is_known(admin.id, storable(address, MAX_CALLER_LENGTH))
            await self._attempts.count(admin.name, address, known=known)
        except TooManyAttempts:
            await self._history.put_flood(EntryKind.SLOWED, admin.name, address, "second factor")
            raise


def holder_of(token: str) -> str:
    """Stands for a browser that holds this token, without telling it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _lasts(pending: Pending) -> bool:
    return not pending.is_disabled and is_recent(pending.created_at, datetime.now(UTC), PENDING_LASTS)


def _about(admin: AdminIdentity) -> str:
    return f"codes {admin.id}"


def _codes(secret: str, now: datetime) -> dict[int, str]:
    """The codes that are accepted now, by step."""
    import pyotp  # noqa: PLC0415 - for a fast start

    app, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    return {step: app.generate_otp(step) for step in range(present - STEPS_AROUND, present + STEPS_AROUND + 1)}
