"""Pickup passphrases: made by admins, edited like authkeys (staged, then submitted), used by servers to register."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from nicegui import Event
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import F

from models.access import AccessKind
from models.accounts import AdminIdentity, Role, require_change
from models.addresses import canonical_ip
from models.authkeys import canonical_service
from models.errors import InvalidValue, NotAllowed, RegistrationRefused, SubmissionRefused, TooManyAttempts
from models.passphrases import Passphrase, PhraseProblem, canonical_phrase, digest, judge, new_phrase
from models.privileges import Privilege, privileges_in
from models.secrets import Secret, new_secret
from models.staged_changes import Entry, StagedChanges
from models.submissions import Registration, Source
from models.tables import Admin, PassphraseUse, PickupPassphrase, StagedPassphraseChange
from services.access_records import AccessRecords, add_entry
from services.attempts import Guess, Guesses
from services.submissions import Order, Receipt, Submissions
from storage.database import database_errors, parameters, reader
from storage.transactions import run_transaction

_SHOWN = 500


class Use(NamedTuple):
    """A registration with a passphrase."""

    at: datetime
    ip: str
    service: str


class Registered(NamedTuple):
    """An authkey that a server registered. The secret is told this once."""

    ip: str
    service: str
    secret: Secret


class _OutdatedError(Exception):
    """The passphrase was used or changed since it was read."""


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
        with database_errors():
            rows = (
                await PickupPassphrase.filter(removed_at__isnull=True)
                .using_db(reader())
                .order_by("-id")
                .limit(_SHOWN)
                .select_related("admin")
            )
        return [_passphrase(row) for row in rows]

    async def uses(self, passphrase_ids: Sequence[int]) -> dict[int, list[Use]]:
        """By which servers passphrases were used, newest first."""
        uses: dict[int, list[Use]] = {}
        if passphrase_ids:
            with database_errors():
                rows = (
                    await PassphraseUse.filter(passphrase_id__in=list(passphrase_ids))
                    .using_db(reader())
                    .order_by("-id")
                )
            for row in rows:
                uses.setdefault(row.passphrase_id, []).append(Use(row.at, row.ip, row.service))  # type: ignore[attr-defined]
        return uses

    async def staged(self, admin_id: int) -> StagedChanges:
        """What an admin has staged for passphrases. To be read only."""
        async with self._lock:
            return await self._desk(admin_id)

    async def refresh(self) -> None:
        """Tell the pages if something is different since the last look, whoever did it."""
        with database_errors():
            _, seen = await reader().execute_query(
                "SELECT (SELECT COUNT(*) FROM pickup_passphrase), "
                "(SELECT COALESCE(SUM(revision + used), 0) FROM pickup_passphrase), "
                "(SELECT COUNT(*) FROM pickup_passphrase WHERE removed_at IS NULL), "
                "(SELECT COALESCE(SUM(id * 8191 + grants * 1031 + revocations * 7 + revision), 0) "
                "FROM staged_passphrase_change)"
            )
        now = [tuple(row) for row in seen]
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

        async def insert(db: BaseDBAsyncClient) -> None:
            await _require_right(db, admin)
            if await PickupPassphrase.filter(digest=hashed).using_db(db).exists():
                raise InvalidValue("This passphrase was used before; choose another one.")
            row = await PickupPassphrase.create(
                digest=hashed,
                privileges=privileges,
                uses=uses,
                expires_at=expires_at,
                networks=" ".join(networks),
                note=note,
                admin_id=admin.id,
                made_at=datetime.now(UTC),
                using_db=db,
            )
            await add_entry(db, AccessKind.PHRASE_ADDED, admin.name, address, f"#{row.id} {how}: {_labels(privileges)}")

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

        async def apply(db: BaseDBAsyncClient) -> Receipt:
            await _require_right(db, admin)
            entries = await _entries(db, admin.id)
            rows = {row.id: row for row in await PickupPassphrase.filter(id__in=list(entries)).using_db(db)}
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
            await StagedPassphraseChange.filter(admin_id=admin.id).using_db(db).delete()
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
            row = await self._usable(phrase, ip, guess)
            try:
                return await self._register(row, ip, service)
            except _OutdatedError:
                continue  # used or changed at the same moment: judge it as it is now
            except NotAllowed:
                raise RegistrationRefused(PhraseProblem.MAKER_DISABLED, _passphrase(row).label) from None

    async def _register(self, row: PickupPassphrase, ip: str, service: str) -> Registered:
        secret = new_secret()
        key = Registration(ip, service, row.privileges, secret.digest, secret.hint)
        maker = AdminIdentity(row.admin.id, row.admin.name, Role(row.admin.role))
        await self._submissions.submit(
            Order(uuid.uuid4(), maker, Source.REGISTERED, [key]), also=lambda db: _take_use(db, row, ip, service)
        )
        self.changed.emit()
        return Registered(ip, service, secret)

    async def _usable(self, phrase: str, ip: str, guess: Guess) -> PickupPassphrase:
        try:
            hashed = digest(self._secret, canonical_phrase(phrase))
        except InvalidValue:
            hashed = ""  # no phrase can be that: the same answer as for an unknown one
        with database_errors():
            row = await PickupPassphrase.filter(digest=hashed).using_db(reader()).select_related("admin").first()
        guess.was_wrong = row is None
        passphrase = _passphrase(row) if row else None
        if problem := judge(passphrase, ip, datetime.now(UTC)):
            raise RegistrationRefused(problem, passphrase.label if passphrase else "")
        assert row is not None
        return row

    # -- the machinery of steps ----------------------------------------------------------------------------------------

    async def _step(self, admin_id: int, step: Callable[[StagedChanges], set[int]]) -> None:
        async with self._lock:
            staged = (await self._desk(admin_id)).copy()
            touched = step(staged)

            async def store(db: BaseDBAsyncClient) -> None:
                require_change(Role((await Admin.get(id=admin_id, using_db=db)).role))
                await (
                    StagedPassphraseChange.filter(admin_id=admin_id, passphrase_id__in=list(touched))
                    .using_db(db)
                    .delete()
                )
                for id_ in touched:
                    if id_ in staged.entries:
                        await _insert(db, admin_id, id_, staged[id_])

            await run_transaction(store)
            self._desks[admin_id] = staged
        self.changed.emit()

    async def _desk(self, admin_id: int) -> StagedChanges:
        """The steps that this process remembers, if they lead to what is stored; otherwise what is stored."""
        with database_errors():
            entries = await _entries(reader(), admin_id)
        desk = self._desks.get(admin_id)
        if desk is None or dict(desk.entries) != entries:
            desk = self._desks[admin_id] = StagedChanges(entries)
        rows = {row.id: row for row in await self.active()}
        desk.rebase({id_: rows.get(id_) for id_ in desk.ids_to_rebase()})
        return desk


def _passphrase(row: PickupPassphrase) -> Passphrase:
    return Passphrase(
        row.id,
        row.privileges,
        row.revision,
        row.uses,
        row.used,
        row.expires_at,
        tuple(row.networks.split()),
        row.admin.name,
        row.made_at,
        row.removed_at is not None,
        row.admin.disabled,
        row.note,
    )


def _labels(privileges: int) -> str:
    return ", ".join(privilege.id for privilege in privileges_in(privileges)) or "no privileges"


async def _require_right(db: BaseDBAsyncClient, admin: AdminIdentity) -> None:
    row = await Admin.get(id=admin.id, using_db=db)
    if row.disabled:
        raise NotAllowed(f"The account {row.name!r} is disabled. Nothing was changed.")
    require_change(Role(row.role))


async def _entries(db: BaseDBAsyncClient, admin_id: int) -> dict[int, Entry]:
    rows = await StagedPassphraseChange.filter(admin_id=admin_id).using_db(db).order_by("passphrase_id")
    return {row.passphrase_id: Entry(row.grants, row.revocations, row.removal, row.revision) for row in rows}


async def _insert(db: BaseDBAsyncClient, admin_id: int, passphrase_id: int, entry: Entry) -> None:
    await StagedPassphraseChange.create(
        admin_id=admin_id,
        passphrase_id=passphrase_id,
        grants=entry.grants,
        revocations=entry.revocations,
        removal=entry.removal,
        revision=entry.revision,
        using_db=db,
    )


def _conflicts(entry: Entry, row: PickupPassphrase | None) -> bool:
    if row is None or row.removed_at is not None:
        return True
    return entry.removal and row.revision > entry.revision


async def _apply(db: BaseDBAsyncClient, admin: AdminIdentity, row: PickupPassphrase, entry: Entry) -> None:
    passphrase = PickupPassphrase.filter(id=row.id).using_db(db)
    if entry.removal:
        await passphrase.update(removed_at=datetime.now(UTC), revision=F("revision") + 1)
        await add_entry(db, AccessKind.PHRASE_REMOVED, admin.name, "", f"#{row.id}")
        return
    after = entry.applied_to(row.privileges)
    await passphrase.update(privileges=after, revision=F("revision") + 1)
    await add_entry(db, AccessKind.PHRASE_CHANGED, admin.name, "", f"#{row.id}: {_labels(after)}")


async def _take_use(db: BaseDBAsyncClient, row: PickupPassphrase, ip: str, service: str) -> None:
    """Use the passphrase once, as it is now: of two servers that come at once with the last use, one is refused."""
    one, two = parameters(2).split(", ")
    count, _ = await db.execute_query(
        f"UPDATE pickup_passphrase SET used = used + 1 WHERE id = {one} AND used < uses AND removed_at IS NULL "
        f"AND privileges = {two}",
        [row.id, row.privileges],
    )
    if count != 1:
        raise _OutdatedError
    await PassphraseUse.create(passphrase_id=row.id, at=datetime.now(UTC), ip=ip, service=service, using_db=db)
