"""Every statement about second factors: passkeys, one-time codes, recovery codes, and sign-ins that are half done."""

import itertools
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from models.accounts import AdminIdentity, Role
from models.second_factors import PENDING_LASTS, Factors, SessionProof
from models.second_factors import Passkey as ListedPasskey
from models.tables import Admin, CodeApp, Passkey, PasskeyChallenge, PendingSignIn, RecoveryCode, Session
from storage.database import database_errors, reader
from storage.transactions import Connection, run_transaction


class StoredPasskey(NamedTuple):
    """A passkey with what its answers are checked by."""

    id: int
    admin: AdminIdentity
    is_disabled: bool
    """Its account is"""
    public_key: bytes
    sign_count: int
    rp_id: str
    name: str


class StoredCodes(NamedTuple):
    """The app with one-time codes of an account."""

    sealed: str
    last_step: int
    failures: int
    failed_at: datetime | None


class Pending(NamedTuple):
    """A sign-in that still needs its second step."""

    admin: AdminIdentity
    is_disabled: bool
    created_at: datetime


class Challenge(NamedTuple):
    """What a passkey was asked to sign: what for, by which browser, and when."""

    purpose: str
    holder: str
    created_at: datetime


async def factors_of(admin_id: int, db: Connection | None = None) -> Factors:
    """What an account has beside its password."""
    using = db or reader()
    with database_errors():
        passkeys = await Passkey.filter(admin_id=admin_id).using_db(using).order_by("id")
        codes = await CodeApp.filter(admin_id=admin_id).using_db(using).first()
        left = await RecoveryCode.filter(admin_id=admin_id).using_db(using).count()
    listed = tuple(ListedPasskey(each.id, each.name, each.rp_id, each.added_at, each.used_at) for each in passkeys)
    return Factors(listed, codes.added_at if codes else None, codes.used_at if codes else None, left)


async def has_any(admin_id: int, db: Connection | None = None) -> bool:
    """Whether an account has a second factor."""
    using = db or reader()
    with database_errors():
        return (
            await Passkey.filter(admin_id=admin_id).using_db(using).exists()
            or await CodeApp.filter(admin_id=admin_id).using_db(using).exists()
        )


async def holders(db: Connection) -> set[int]:
    """The accounts that have a second factor."""
    found = [await table.all().using_db(db).values_list("admin_id", flat=True) for table in (Passkey, CodeApp)]
    return {int(str(each)) for each in itertools.chain(*found)}


async def forget(db: Connection, admin_id: int) -> bool:
    """Take all factors of an account away, also half-done sign-ins; whether there were any factors."""
    passkeys = await Passkey.filter(admin_id=admin_id).using_db(db).delete()
    codes = await CodeApp.filter(admin_id=admin_id).using_db(db).delete()
    await RecoveryCode.filter(admin_id=admin_id).using_db(db).delete()
    await PendingSignIn.filter(admin_id=admin_id).using_db(db).delete()
    return bool(passkeys or codes)


async def lock_account(db: Connection, admin_id: int) -> None:
    """Let no other transaction change the factors of this account until this one ends (SQLite: none runs anyway)."""
    await Admin.filter(id=admin_id).using_db(db).select_for_update().first()


# -- when who uses a session showed who that is --------------------------------------------------------------------------


async def proof_of(session_id: int, db: Connection | None = None) -> SessionProof:
    """What is known about who uses a session; nothing, if it is over."""
    with database_errors():
        row = await Session.filter(id=session_id).using_db(db or reader()).first()
    return SessionProof(row.proved_at, row.factor_at) if row else SessionProof(None, None)


async def note_proof(db: Connection, session_id: int, now: datetime, *, by_factor: bool) -> None:
    """Who uses this session has just shown who that is."""
    session = Session.filter(id=session_id).using_db(db)
    await (session.update(proved_at=now, factor_at=now) if by_factor else session.update(proved_at=now))


# -- passkeys ------------------------------------------------------------------------------------------------------------


async def find_passkey(credential: str, db: Connection | None = None) -> StoredPasskey | None:
    """The passkey with this id."""
    with database_errors():
        found = Passkey.filter(credential=credential).using_db(db or reader())
        row = await found.select_related("admin").first()
    if row is None:
        return None
    admin = AdminIdentity(row.admin.id, row.admin.name, Role(row.admin.role))
    return StoredPasskey(row.id, admin, row.admin.disabled, bytes(row.public_key), row.sign_count, row.rp_id, row.name)


async def credentials_of(admin_id: int, rp_id: str) -> list[str]:
    """The ids of the passkeys of an account that were made for this host name."""
    with database_errors():
        rows = Passkey.filter(admin_id=admin_id, rp_id=rp_id).using_db(reader()).order_by("id")
        return [str(each) for each in await rows.values_list("credential", flat=True)]


async def add_passkey(
    db: Connection,
    admin_id: int,
    credential: str,
    public_key: bytes,
    sign_count: int,
    rp_id: str,
    name: str,
    now: datetime,
) -> None:
    """Add a passkey."""
    await Passkey.create(
        admin_id=admin_id,
        credential=credential,
        public_key=public_key,
        sign_count=sign_count,
        rp_id=rp_id,
        name=name,
        added_at=now,
        using_db=db,
    )


async def use_passkey(db: Connection, passkey_id: int, seen_count: int, told_count: int, now: datetime) -> bool:
    """Note a use. The update decides: of two that come at once with one count, only one finds it as it was."""
    row = Passkey.filter(id=passkey_id, sign_count=seen_count).using_db(db)
    return bool(await row.update(sign_count=told_count, used_at=now))


async def is_passkey_of(db: Connection, admin_id: int, passkey_id: int) -> bool:
    """Whether a passkey is still one of this account, and the account is not disabled."""
    return await Passkey.filter(id=passkey_id, admin_id=admin_id, admin__disabled=False).using_db(db).exists()


async def remove_passkey(db: Connection, admin_id: int, passkey_id: int) -> str | None:
    """Remove a passkey of an account; returns its name, or None if there is none."""
    row = await Passkey.filter(id=passkey_id, admin_id=admin_id).using_db(db).first()
    if row is None:
        return None
    await Passkey.filter(id=passkey_id, admin_id=admin_id).using_db(db).delete()
    return row.name


async def add_challenge(digest: str, purpose: str, holder: str, now: datetime) -> None:
    """Keep a challenge; those that are too old go."""

    async def insert(db: Connection) -> None:
        await PasskeyChallenge.filter(created_at__lt=now - PENDING_LASTS).using_db(db).delete()
        await PasskeyChallenge.create(digest=digest, purpose=purpose, holder=holder, created_at=now, using_db=db)

    await run_transaction(insert)


async def take_challenge(digest: str) -> Challenge | None:
    """Use a challenge, whatever comes of it. The deletion decides: of two that come at once only one gets it."""

    async def take(db: Connection) -> Challenge | None:
        row = await PasskeyChallenge.filter(digest=digest).using_db(db).first()
        if row is None or not await PasskeyChallenge.filter(digest=digest).using_db(db).delete():
            return None
        return Challenge(row.purpose, row.holder, row.created_at)

    return await run_transaction(take)


# -- one-time codes ------------------------------------------------------------------------------------------------------


async def lock_codes(db: Connection, admin_id: int) -> StoredCodes | None:
    """The app with one-time codes of an account; nobody else checks a code of it until the transaction ends."""
    row = await CodeApp.filter(admin_id=admin_id).using_db(db).select_for_update().first()
    return StoredCodes(row.sealed, row.last_step, row.failures, row.failed_at) if row else None


async def set_codes(db: Connection, admin_id: int, sealed: str, step: int, now: datetime) -> None:
    """Give an account an app with one-time codes, in the place of the one before."""
    await CodeApp.filter(admin_id=admin_id).using_db(db).delete()
    await CodeApp.create(admin_id=admin_id, sealed=sealed, last_step=step, added_at=now, using_db=db)


async def note_code(db: Connection, admin_id: int, step: int, now: datetime) -> None:
    """A code was right: it, and those of steps before it, are used."""
    await CodeApp.filter(admin_id=admin_id).using_db(db).update(last_step=step, failures=0, failed_at=None, used_at=now)


async def note_wrong_code(db: Connection, admin_id: int, failures: int, now: datetime) -> None:
    """A code was wrong, the so-manieth in a row."""
    await CodeApp.filter(admin_id=admin_id).using_db(db).update(failures=failures, failed_at=now)


async def remove_codes(db: Connection, admin_id: int) -> bool:
    """Take the app with one-time codes away; whether there was one."""
    return bool(await CodeApp.filter(admin_id=admin_id).using_db(db).delete())


# -- recovery codes ------------------------------------------------------------------------------------------------------


async def replace_recovery_codes(db: Connection, admin_id: int, digests: Iterable[str]) -> None:
    """Give an account these, in the place of all before."""
    await RecoveryCode.filter(admin_id=admin_id).using_db(db).delete()
    await RecoveryCode.bulk_create([RecoveryCode(digest=each, admin_id=admin_id) for each in digests], using_db=db)


async def take_recovery_code(db: Connection, admin_id: int, digest: str) -> int | None:
    """Use a recovery code; returns how many are left, or None if this is none. The deletion decides, so it is used once."""
    if not await RecoveryCode.filter(admin_id=admin_id, digest=digest).using_db(db).delete():
        return None
    return await RecoveryCode.filter(admin_id=admin_id).using_db(db).count()


# -- sign-ins that are half done -----------------------------------------------------------------------------------------


async def add_pending(db: Connection, digest: str, admin_id: int, now: datetime) -> None:
    """Begin one; those that are too old go."""
    await PendingSignIn.filter(created_at__lt=now - PENDING_LASTS).using_db(db).delete()
    await PendingSignIn.create(digest=digest, admin_id=admin_id, created_at=now, using_db=db)


async def find_pending(digest: str) -> Pending | None:
    """The one with this digest."""
    with database_errors():
        row = await PendingSignIn.filter(digest=digest).using_db(reader()).select_related("admin").first()
    if row is None:
        return None
    admin = AdminIdentity(row.admin.id, row.admin.name, Role(row.admin.role))
    return Pending(admin, row.admin.disabled, row.created_at)


async def take_pending(db: Connection, digest: str) -> bool:
    """Use one. The deletion decides: a browser becomes one session by it."""
    return bool(await PendingSignIn.filter(digest=digest).using_db(db).delete())
