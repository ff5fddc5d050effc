"""Passkeys: what a browser is asked to sign, and whether its answer proves anything (Web Authentication, level 2, section 7).

Challenges are kept in the database, go to one browser, are good for 5 minutes and for one answer. Of an answer everything is
checked by the library, but for the counter: that is compared and written in one step, so two instances cannot take one answer.
"""

import asyncio
import base64
import hashlib
import importlib
import json
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from models.accounts import AdminIdentity
from models.errors import FactorRefused, InvalidValue
from models.history import EntryKind
from models.second_factors import MAX_PASSKEYS, PENDING_LASTS, PasskeyPlace, counter_goes_on, is_recent, passkey_name
from services.attempts import Guesses
from services.history import History
from services.sealing import Seal
from storage import history, identities, second_factors
from storage.second_factors import StoredPasskey
from storage.transactions import Connection, run_transaction

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

_A_MINUTE = 30
"""Challenges that one address may have made"""
_NOT_THIS = "This passkey does not let you in here. Try again, or use another second factor."
_AT_THE_PROVIDER = "This account signs in with single sign-on, and not with a passkey alone. Go back and choose that."
_CREDENTIAL = re.compile(r"[A-Za-z0-9_-]{1,1400}")
"""Base64url; Web Authentication, 6.1: at most 1,023 bytes"""
_CREATE, _SIGN_IN, _PROVE = "create", "sign in", "prove"


class NewPasskey(NamedTuple):
    """A passkey that was just made, as it is to be stored."""

    credential: str
    public_key: bytes
    sign_count: int
    rp_id: str
    name: str


class KnownByPasskey(NamedTuple):
    """Who proved with nothing but a passkey who they are."""

    admin: AdminIdentity
    by: str
    """Which passkey, as the record has it"""
    passkey_id: int

    async def require(self, db: Connection) -> None:
        """Raise FactorRefused if the passkey was taken away from the account, or the account disabled."""
        if not await second_factors.is_passkey_of(db, self.admin.id, self.passkey_id):
            raise FactorRefused(_NOT_THIS)


class Passkeys:
    """Asks browsers for passkeys, and checks what they answer. Every refusal is on record."""

    def __init__(self, seal: Seal, history: History) -> None:
        self._seal = seal
        self._history = history
        self._asked = Guesses("attempts with a passkey", _A_MINUTE)

    # -- asking --------------------------------------------------------------------------------------------------------

    async def ask_for_new(self, admin: AdminIdentity, where: PasskeyPlace, holder: str, address: str) -> dict[str, Any]:
        """What `navigator.credentials.create` takes, as JSON. Raises InvalidValue, TooManyAttempts."""
        challenge = await self._challenge(_CREATE, where, holder, address)
        known = await second_factors.credentials_of(admin.id, where.rp_id)
        from webauthn import generate_registration_options  # noqa: PLC0415 - loaded by `_challenge`
        from webauthn.helpers import options_to_json_dict  # noqa: PLC0415 - likewise
        from webauthn.helpers.structs import (  # noqa: PLC0415 - likewise
            AuthenticatorSelectionCriteria,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        options = generate_registration_options(
            rp_id=where.rp_id,
            rp_name="Authkeys",
            user_id=self._handle(admin),
            user_name=admin.name,
            challenge=challenge,
            exclude_credentials=_descriptors(known),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
        )
        return options_to_json_dict(options)

    async def ask_to_prove(
        self, admin: AdminIdentity, where: PasskeyPlace, holder: str, address: str
    ) -> dict[str, Any]:
        """What `navigator.credentials.get` takes for one of this account's passkeys. Raises InvalidValue, TooManyAttempts."""
        known = await second_factors.credentials_of(admin.id, where.rp_id)
        if not known:
            raise InvalidValue(f"You have no passkey for {where.rp_id}. Open Authkeys under the name it was made for.")
        return await self._ask(_PROVE, where, holder, address, known)

    async def ask_who(self, where: PasskeyPlace, holder: str, address: str) -> dict[str, Any]:
        """The same for whoever it is: the passkey itself says whose it is. Raises InvalidValue, TooManyAttempts."""
        return await self._ask(_SIGN_IN, where, holder, address)

    async def _ask(
        self, purpose: str, where: PasskeyPlace, holder: str, address: str, allowed: Sequence[str] = ()
    ) -> dict[str, Any]:
        challenge = await self._challenge(purpose, where, holder, address)
        from webauthn import generate_authentication_options  # noqa: PLC0415 - loaded by `_challenge`
        from webauthn.helpers import options_to_json_dict  # noqa: PLC0415 - likewise
        from webauthn.helpers.structs import UserVerificationRequirement  # noqa: PLC0415 - likewise

        # Who comes in with nothing but the passkey must have unlocked it; beside a password, having it is enough.
        wanted = UserVerificationRequirement.PREFERRED if allowed else UserVerificationRequirement.REQUIRED
        options = generate_authentication_options(
            rp_id=where.rp_id,
            challenge=challenge,
            allow_credentials=_descriptors(allowed),
            user_verification=wanted,
        )
        return options_to_json_dict(options)

    async def _challenge(self, purpose: str, where: PasskeyPlace, holder: str, address: str) -> bytes:
        if where.problem:
            raise InvalidValue(where.problem)
        await self._asked.count(address)
        # It brings OpenSSL along, which takes a second: loaded when it is needed, and while others are answered.
        await asyncio.to_thread(importlib.import_module, "webauthn")
        challenge = secrets.token_bytes(32)
        await second_factors.add_challenge(_digest(challenge), purpose, holder, datetime.now(UTC))
        return challenge

    def _handle(self, admin: AdminIdentity) -> bytes:
        """Stands for the account in the passkey, and tells neither its name nor its number (Web Authentication, 14.6.1)."""
        return self._seal.handle(f"account {admin.id}")

    # -- what they answer ----------------------------------------------------------------------------------------------

    async def check_new(
        self, admin: AdminIdentity, answer: str, name: str, where: PasskeyPlace, holder: str
    ) -> NewPasskey:
        """A passkey that was made as asked. Raises InvalidValue for a bad name, FactorRefused for a bad answer."""
        from webauthn import verify_registration_response  # noqa: PLC0415 - brings OpenSSL along
        from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 - likewise

        listed = (await second_factors.factors_of(admin.id)).passkeys
        name = passkey_name(name, [each.name for each in listed])
        if len(listed) >= MAX_PASSKEYS:
            raise InvalidValue(f"You have {len(listed)} passkeys; remove one that you do not use.")
        challenge = await self._take_challenge(answer, _CREATE, holder)
        try:
            made = verify_registration_response(
                credential=_parsed(answer),
                expected_challenge=challenge,
                expected_rp_id=where.rp_id,
                expected_origin=where.origin,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise FactorRefused("This passkey could not be made. Try again.") from error
        credential = _text(made.credential_id)
        if await second_factors.find_passkey(credential):
            raise FactorRefused("This passkey is in use here already.")
        return NewPasskey(credential, made.credential_public_key, made.sign_count, where.rp_id, name)

    async def prove(self, admin: AdminIdentity, answer: str, where: PasskeyPlace, holder: str, address: str) -> str:
        """Which of this account's passkeys proved who is there. Raises FactorRefused."""
        found, _ = await self._checked(answer, _PROVE, where, holder, address, admin)
        return f"by the passkey {found.name}"

    async def sign_in(self, answer: str, where: PasskeyPlace, holder: str, address: str) -> KnownByPasskey:
        """Whose passkey it is, and which one. Raises FactorRefused, also for one that was not unlocked.

        Of who signs in at the provider, and has no password here, a passkey is a second step and no way in by itself: who
        left the company could still come in with it, and with the role from before.
        """
        found, handle = await self._checked(answer, _SIGN_IN, where, holder, address)
        if not secrets.compare_digest(handle, _text(self._handle(found.admin))):
            await self._refuse(found.admin.name, address, f"the passkey {found.name} names another account")
        if await identities.signs_in_there_only(found.admin.id):
            detail = f"the passkey {found.name}, of an account that signs in at the provider"
            await self._refuse(found.admin.name, address, detail, _AT_THE_PROVIDER)
        return KnownByPasskey(found.admin, f"by the passkey {found.name}", found.id)

    async def _checked(
        self,
        answer: str,
        purpose: str,
        where: PasskeyPlace,
        holder: str,
        address: str,
        admin: AdminIdentity | None = None,
    ) -> tuple[StoredPasskey, str]:
        """The passkey that gave this answer, and whose it says it is; its use is noted."""
        name = admin.name if admin else ""
        try:
            challenge = await self._take_challenge(answer, purpose, holder)
            parsed = _parsed(answer)
            found = await second_factors.find_passkey(_credential_in(parsed))
            handle = str(parsed["response"].get("userHandle") or "")
        except (FactorRefused, ValueError, KeyError, TypeError, AttributeError) as error:
            await self._refuse(
                name, address, str(error) if isinstance(error, FactorRefused) else "no answer of a passkey"
            )
        if found is None or (admin and found.admin.id != admin.id):
            await self._refuse(name, address, "a passkey that is not of this account")
        if found.is_disabled:
            await self._refuse(found.admin.name, address, "the account is disabled")
        try:
            told = _verified(parsed, challenge, where, found.public_key, is_alone=purpose == _SIGN_IN)
        except ValueError as error:
            await self._refuse(found.admin.name, address, f"{found.name}: {error}")
        await self._use(found, told, address)
        return found, handle

    async def _use(self, found: StoredPasskey, told: int, address: str) -> None:
        async def use(db: Connection) -> bool:
            return counter_goes_on(found.sign_count, told) and await second_factors.use_passkey(
                db, found.id, found.sign_count, told, datetime.now(UTC)
            )

        if not await run_transaction(use):
            detail = f"{found.name}: its counter went back, from {found.sign_count} to {told}: perhaps it was cloned"
            await self._refuse(found.admin.name, address, detail)

    async def _take_challenge(self, answer: str, purpose: str, holder: str) -> bytes:
        """The challenge that an answer names, which it thereby uses up. Raises FactorRefused if it was not this browser's."""
        challenge = _challenge_in(answer)
        taken = await second_factors.take_challenge(_digest(challenge))
        if taken is None:
            raise FactorRefused("an answer that was used already, or that nobody asked for")
        if (taken.purpose, taken.holder) != (purpose, holder):
            raise FactorRefused("an answer to what another browser was asked, or for something else")
        if not is_recent(taken.created_at, datetime.now(UTC), PENDING_LASTS):
            raise FactorRefused("an answer that came after more than 5 minutes")
        return challenge

    async def _refuse(self, name: str, address: str, detail: str, words: str = _NOT_THIS) -> NoReturn:
        await self._history.put_flood(EntryKind.FACTOR_REFUSED, name, address, detail)
        raise FactorRefused(words) from None

    async def store(self, db: Connection, admin: AdminIdentity, new: NewPasskey, address: str) -> None:
        """Write a new one, and put it on record."""
        await second_factors.add_passkey(db, admin.id, *new, datetime.now(UTC))
        await history.append(db, EntryKind.FACTOR_ADDED, admin.id, address, f"the passkey {new.name}")


def _descriptors(credentials: Sequence[str]) -> "list[PublicKeyCredentialDescriptor] | None":
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor  # noqa: PLC0415 - loaded by `_challenge`

    return [PublicKeyCredentialDescriptor(id=_bytes(each)) for each in credentials] or None


def _verified(
    parsed: dict[str, Any], challenge: bytes, where: PasskeyPlace, public_key: bytes, *, is_alone: bool
) -> int:
    """What the counter of a passkey says whose answer is right. Raises ValueError with what is wrong."""
    from webauthn import verify_authentication_response  # noqa: PLC0415 - brings OpenSSL along
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 - likewise

    try:
        done = verify_authentication_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=where.rp_id,
            expected_origin=where.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,  # compared where it is written: `_use`
            require_user_verification=is_alone,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error
    return done.new_sign_count


def _parsed(answer: str) -> dict[str, Any]:
    parsed = json.loads(answer)
    if not isinstance(parsed, dict):
        raise ValueError("no answer of a passkey")
    return parsed


def _credential_in(answer: dict[str, Any]) -> str:
    """Which passkey an answer says it is of. Raises ValueError for what is no id: a caller wrote it."""
    credential = answer["id"]
    if not isinstance(credential, str) or not _CREDENTIAL.fullmatch(credential):
        raise ValueError("no id of a passkey")
    return credential


def _challenge_in(answer: str) -> bytes:
    """Which challenge an answer says it answers: a claim, until the signature over it is checked."""
    try:
        told = json.loads(_bytes(_parsed(answer)["response"]["clientDataJSON"]))
        return _bytes(told["challenge"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FactorRefused("no answer of a passkey") from None


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _digest(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()
