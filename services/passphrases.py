"""Pickup passphrases: made by admins, edited like authkeys (staged, then submitted), used by servers to register."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from nicegui import Event

from models.access import AccessKind
from models.accounts import AdminIdentity
from models.addresses import canonical_ip
from models.authkeys import canonical_service
from models.errors import InvalidValue, NotAllowed, RegistrationRefused, SubmissionRefused, TooManyAttempts
from models.passphrases import Passphrase, PhraseProblem, canonical_phrase, digest, judge, new_phrase
from models.privileges import Privilege, privileges_in
from models.secrets import Secret, new_secret
from models.staged_changes import Entry, StagedChanges
from models.submissions import Registration, Source
from services.access_records import AccessRecords
from services.attempts import Guess, Guesses
from services.submissions import Order, Receipt, Submissions
from storage import access_records, accounts, passphrases
from storage.passphrases import Found, Use
from storage.transactions import Connection, run_transaction

_SHOWN = 500


class Registered(NamedTuple):
    """An authkey that a server registered. The secret is told this once."""

    ip: str
    service: str
    secret: Secret


class Passphrases:
    """Keeps the passphrases and what admins have staged for them."""

    def __init__(self, secret: bytes, submissions: Submissions, records: AccessRecords) -> None:
        self._secret = secret
        self._submissions = submissions
        self._records = records
        self._guesses = Guesses()
        self._desks: dict[int, StagedChanges] = {}
        self._lock = asyncio.Lock()
        self._seen: object = None
        self.changed = Event[[]]()
        """Passphrases, or what somebody staged for them, are different now."""

    # -- reading -------------------------------------------------------------------------------------------------------

    async def active(self) -> list[Passphrase]:
        """The passphrases that are not removed, newest first; used-up and expired ones too, until they are removed."""
        return await passphrases.active(_SHOWN)

    async def uses(self, passphrase_ids: Sequence[int]) -> dict[int, list[Use]]:
        """By which servers passphrases were used, newest first."""
        return await passphrases.uses(passphrase_ids)

    async def staged(self, admin_id: int) -> StagedChanges:
        """What an admin has staged for passphrases. To be read only."""
        async with self._lock:
            return await self._desk(admin_id)

    async def refresh(self) -> None:
        """Tell the pages if something is different since the last look, whoever did it."""
        now = await passphrases.mark()
        if self._seen not in (None, now):
            self.changed.emit()
        self._seen = now

    # -- making --------------------------------------------------------------------------------------------------------

    async def add(
        self,
        admin: AdminIdentity,
        phrase: str,
        privileges: int,
        *,
        uses: int = 1,
        expires_at: datetime | None = None,
        networks: tuple[str, ...] = (),
        note: str = "",
        how: str = "in the page",
        address: str = "",
        is_guesser: bool = False,
    ) -> None:
        """Add a passphrase. Raises InvalidValue for a bad or taken phrase, and NotAllowed.

        Who hears that a phrase is taken has guessed one of somebody else. `is_guesser` marks a caller, at `address`, for
        whom that would be a gain: a key that may add phrases, but not grant privileges. Then also raises TooManyAttempts.
        """
        if is_guesser:
            await self._guesses.count(address)
        hashed = digest(self._secret, new_phrase(phrase))

        async def insert(db: Connection) -> None:
            await accounts.require_change(db, admin.id)
            if await passphrases.is_taken(db, hashed):
                raise InvalidValue("This passphrase was used before; choose another one.")
            number = await passphrases.add(
                db,
                hashed,
                privileges,
                uses=uses,
                expires_at=expires_at,
                networks=networks,
                note=note,
                admin_id=admin.id,
                made_at=datetime.now(UTC),
            )
            await access_records.add(
                db, AccessKind.PHRASE_ADDED, admin.name, address, f"#{number} {how}: {_labels(privileges)}"
            )

        await run_transaction(insert)
        self.changed.emit()

    # -- staged editing ------------------------------------------------------------------------------------------------

    async def stage(self, admin_id: int, passphrase_id: int, privilege: Privilege | None, value: bool) -> None:
        """Stage one cell, or (None) the removal. Raises InvalidValue, NotStaged and NotAllowed."""
        row = next((each for each in await self.active() if each.id == passphrase_id), None)
        if row is None:
            raise InvalidValue("This passphrase is no longer there; nothing was staged for it.")
        if privilege is not None:
            await self._step(admin_id, lambda staged: staged.stage(row, privilege, value))
        elif value:
            await self._step(admin_id, lambda staged: staged.stage_removal([row]))
        else:
            await self._step(admin_id, lambda staged: staged.take_back([passphrase_id]))

    async def discard(self, admin_id: int) -> None:
        """Take back everything; can be undone."""
        await self._step(admin_id, StagedChanges.discard)

    async def undo(self, admin_id: int) -> None:
        """Undo the latest staging step. Raises NotStaged if there is none."""
        await self._step(admin_id, StagedChanges.undo)

    async def redo(self, admin_id: int) -> None:
        """Redo the latest undone step. Raises NotStaged if there is none."""
        await self._step(admin_id, StagedChanges.redo)

    async def submit(self, admin: AdminIdentity) -> Receipt:
        """Apply what this admin has staged for passphrases, all or nothing.

        Raises SubmissionRefused if somebody else removed one of them, or changed one that shall be removed.
        """

        async def apply(db: Connection) -> Receipt:
            await accounts.require_change(db, admin.id)
            entries = await passphrases.entries_of(admin.id, db)
            rows = await passphrases.by_id(db, entries)
            conflicts = [id_ for id_, entry in entries.items() if _conflicts(entry, rows.get(id_))]
            if conflicts:
                raise SubmissionRefused(
                    "Nothing was submitted: somebody else removed or changed "
                    f"{'one of these passphrases' if len(conflicts) == 1 else f'{len(conflicts)} of these passphrases'} "
                    "in the meantime. Take those changes back, or look at them and stage them again.",
                    tuple(conflicts),
                )
            for id_, entry in entries.items():
                await _apply(db, admin, rows[id_], entry)
            await passphrases.clear_entries(db, admin.id)
            return Receipt(None, sum(entry.change_count for entry in entries.values()), len(entries))

        async with self._lock:
            receipt = await run_transaction(apply)
            self._desks.pop(admin.id, None)
        self.changed.emit()
        return receipt

    # -- using ---------------------------------------------------------------------------------------------------------

    async def register(self, phrase: str, service: str, ip: str) -> Registered:
        """Let a server at `ip` register its authkey with a phrase: a submission in the name of who made the phrase.

        Raises RegistrationRefused, which is on record with its reason, InvalidValue for a bad service name, and
        DatabaseUnavailable.
        """
        ip, service = canonical_ip(ip), canonical_service(service)
        try:
            async with self._guesses.guess(ip) as guess:
                return await self._register_with(phrase, service, ip, guess)
        except TooManyAttempts:
            refusal = RegistrationRefused(PhraseProblem.TOO_MANY_ATTEMPTS)
        except RegistrationRefused as error:
            refusal = error
        await self._records.put_flood(
            AccessKind.PHRASE_REFUSED, "", ip, f"{refusal.reason} {refusal.passphrase}".strip()
        )
        raise refusal from None

    async def _register_with(self, phrase: str, service: str, ip: str, guess: Guess) -> Registered:
        while True:
            found = await self._usable(phrase, ip, guess)
            try:
                return await self._register(found, ip, service)
            except passphrases.Outdated:
                continue  # used or changed at the same moment: judge it as it is now
            except NotAllowed:
                raise RegistrationRefused(PhraseProblem.MAKER_DISABLED, found.passphrase.label) from None

    async def _register(self, found: Found, ip: str, service: str) -> Registered:
        secret, use = new_secret(), Use(datetime.now(UTC), ip, service)
        key = Registration(ip, service, found.passphrase.privileges, secret.digest, secret.hint)
        await self._submissions.submit(
            Order(uuid.uuid4(), found.maker, Source.REGISTERED, [key]),
            also=lambda db: passphrases.take_use(db, found.passphrase, use),
        )
        self.changed.emit()
        return Registered(ip, service, secret)

    async def _usable(self, phrase: str, ip: str, guess: Guess) -> Found:
        try:
            hashed = digest(self._secret, canonical_phrase(phrase))
        except InvalidValue:
            hashed = ""  # no phrase can be that: the same answer as for an unknown one
        found = await passphrases.find(hashed)
        guess.was_wrong = found is None
        passphrase = found.passphrase if found else None
        if problem := judge(passphrase, ip, datetime.now(UTC)):
            raise RegistrationRefused(problem, passphrase.label if passphrase else "")
        assert found is not None
        return found

    # -- the machinery of steps ----------------------------------------------------------------------------------------

    async def _step(self, admin_id: int, step: Callable[[StagedChanges], set[int]]) -> None:
        async with self._lock:
            staged = (await self._desk(admin_id)).copy()
            touched = step(staged)

            async def store(db: Connection) -> None:
                await accounts.require_change(db, admin_id)
                await passphrases.store_entries(db, admin_id, staged, touched)

            await run_transaction(store)
            self._desks[admin_id] = staged
        self.changed.emit()

    async def _desk(self, admin_id: int) -> StagedChanges:
        """The steps that this process remembers, if they lead to what is stored; otherwise what is stored."""
        entries = await passphrases.entries_of(admin_id)
        desk = self._desks.get(admin_id)
        if desk is None or dict(desk.entries) != entries:
            desk = self._desks[admin_id] = StagedChanges(entries)
        rows = {row.id: row for row in await self.active()}
        desk.rebase({id_: rows.get(id_) for id_ in desk.ids_to_rebase()})
        return desk


def _labels(privileges: int) -> str:
    return ", ".join(privilege.id for privilege in privileges_in(privileges)) or "no privileges"


def _conflicts(entry: Entry, passphrase: Passphrase | None) -> bool:
    if passphrase is None or passphrase.removed:
        return True
    return entry.removal and passphrase.revision > entry.revision


async def _apply(db: Connection, admin: AdminIdentity, passphrase: Passphrase, entry: Entry) -> None:
    number = f"#{passphrase.id}"
    if entry.removal:
        await passphrases.remove(db, passphrase.id, datetime.now(UTC))
        await access_records.add(db, AccessKind.PHRASE_REMOVED, admin.name, "", number)
        return
    after = entry.applied_to(passphrase.privileges)
    await passphrases.set_privileges(db, passphrase.id, after)
    await access_records.add(db, AccessKind.PHRASE_CHANGED, admin.name, "", f"{number}: {_labels(after)}")
