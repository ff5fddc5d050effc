"""Pickup passphrases: made by admins, used by servers to register. Editing them is staging and submitting, as for authkeys."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from models.accounts import AdminIdentity
from models.addresses import canonical_ip
from models.authkeys import canonical_service
from models.errors import InvalidValue, NotAllowed, RegistrationRefused, TooManyAttempts
from models.history import EntryKind
from models.passphrases import Passphrase, PhraseProblem, PickupUse, canonical_phrase, digest, judge, new_phrase
from models.secrets import Secret, new_secret
from models.subjects import Subject
from models.submissions import LastChange, NewPassphrase, Registration, Source
from models.views import PassphraseView
from services.attempts import Guess, Guesses
from services.history import History
from services.listing import MAX_BLOCK
from services.submissions import Order, Submissions
from storage import passphrases, submissions
from storage.passphrases import Found


class Registered(NamedTuple):
    """An authkey that a server registered. The secret is told this once."""

    ip: str
    service: str
    secret: Secret


class Passphrases:
    """Reads, makes and uses them."""

    def __init__(self, secret: bytes, submissions: Submissions, history: History) -> None:
        self._secret = secret
        self._submissions = submissions
        self._history = history
        self._guesses = Guesses()

    # -- reading -------------------------------------------------------------------------------------------------------

    async def block(self, view: PassphraseView, admin_id: int, start: int, end: int) -> list[Passphrase]:
        """Rows `start` to `end` (exclusive) of a view; at most MAX_BLOCK."""
        start = max(0, start)
        return await passphrases.rows(view, admin_id, datetime.now(UTC), start, min(end, start + MAX_BLOCK))

    async def stretch(self, view: PassphraseView, admin_id: int, start: int, end: int) -> list[Passphrase]:
        """Rows `start` to `end` (exclusive) of a view, however many."""
        return await passphrases.rows(view, admin_id, datetime.now(UTC), start, end)

    async def place(self, view: PassphraseView, admin_id: int, passphrase_id: int, /) -> int | None:
        """Where a passphrase stands in a view, from 0; None if it does not."""
        return await passphrases.place(view, admin_id, datetime.now(UTC), passphrase_id)

    async def count(self, view: PassphraseView, admin_id: int) -> int:
        """How many passphrases a view shows."""
        return await passphrases.count(view, admin_id, datetime.now(UTC))

    async def find(self, ids: Iterable[int], /) -> dict[int, Passphrase]:
        """Those of these passphrases that are not removed, by id."""
        return await passphrases.by_id(ids)

    async def find_any(self, passphrase_id: int) -> Passphrase | None:
        """The passphrase with this number, removed or not."""
        return (await passphrases.by_id([passphrase_id], removed_too=True)).get(passphrase_id)

    async def matching(self, view: PassphraseView, admin_id: int) -> list[Passphrase]:
        """All passphrases of a view that are not removed, for staging one step for all of them."""
        return await passphrases.matching(view, admin_id, datetime.now(UTC))

    async def staged_ids_in(self, view: PassphraseView, admin_id: int) -> list[int]:
        """The ids of the passphrases in a view for which this admin has staged changes."""
        return await passphrases.staged_ids(view, admin_id, datetime.now(UTC))

    async def staged_in_order(self, admin_id: int, search: str, /) -> list[int]:
        """The numbers of those that match a search, of those for which this admin has staged changes, newest first."""
        return await passphrases.staged_in_order(admin_id, search, datetime.now(UTC))

    async def last_change(self, passphrase_id: int, /) -> LastChange | None:
        """Who last touched a passphrase, when and how; also of one that was removed."""
        return await submissions.last_change(Subject.PASSPHRASE, passphrase_id)

    async def uses(self, passphrase_id: int, limit: int) -> list[PickupUse]:
        """By which servers a passphrase was used, newest first."""
        return await passphrases.uses(passphrase_id, limit)

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
        how: str = "",
        address: str = "",
        is_guesser: bool = False,
        session_id: int | None = None,
    ) -> None:
        """Add a passphrase, as a submission. Raises InvalidValue for a bad or taken phrase, NotAllowed and FactorNeeded.

        Who hears that a phrase is taken has guessed one of somebody else. `is_guesser` marks a caller, at `address`, for
        whom that would be a gain: a key that may add phrases, but not grant privileges. Then also raises TooManyAttempts.
        """
        if is_guesser:
            await self._guesses.count(address)
        hashed = digest(self._secret, new_phrase(phrase))
        new = NewPassphrase(hashed, privileges, uses, expires_at, networks, note)

        order = Order(uuid.uuid4(), admin, Source.DIALOG, [new], Subject.PASSPHRASE, address, how, session_id)
        await self._submissions.submit(order)

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
        await self._history.put_flood(
            EntryKind.PHRASE_REFUSED, "", ip, f"{refusal.reason} {refusal.passphrase}".strip()
        )
        raise refusal from None

    async def _register_with(self, phrase: str, service: str, ip: str, guess: Guess) -> Registered:
        while True:
            found = await self._usable(phrase, ip, guess)
            try:
                return await self._register(found, ip, service)
            except passphrases.PassphraseOutdated:
                continue  # used or changed at the same moment: judge it as it is now
            except NotAllowed:
                raise RegistrationRefused(PhraseProblem.MAKER_DISABLED, found.passphrase.label) from None

    async def _register(self, found: Found, ip: str, service: str) -> Registered:
        secret, use = new_secret(), PickupUse(datetime.now(UTC), ip, service)
        key = Registration(ip, service, found.passphrase.privileges, secret.digest, secret.hint)
        await self._submissions.submit(
            Order(uuid.uuid4(), found.maker, Source.REGISTERED, [key], address=ip),
            also=lambda db: passphrases.take_use(db, found.passphrase, use),
        )
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
