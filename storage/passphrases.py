"""Every statement about pickup passphrases, the registrations with them, and what admins have staged for them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from tortoise.expressions import F

from models.accounts import AdminIdentity, Role
from models.passphrases import Passphrase
from models.staged_changes import Entry, StagedChanges
from models.tables import PassphraseUse, PickupPassphrase, StagedPassphraseChange
from storage.database import database_errors, reader
from storage.sql import parameters
from storage.transactions import Connection


class Use(NamedTuple):
    """A registration with a passphrase."""

    at: datetime
    ip: str
    service: str


class Found(NamedTuple):
    """A passphrase, and who made it."""

    passphrase: Passphrase
    maker: AdminIdentity


class Outdated(Exception):
    """The passphrase was used or changed since it was read."""


# -- reading -------------------------------------------------------------------------------------------------------------


async def active(limit: int) -> list[Passphrase]:
    """The passphrases that are not removed, newest first."""
    with database_errors():
        rows = (
            await PickupPassphrase.filter(removed_at__isnull=True)
            .using_db(reader())
            .order_by("-id")
            .limit(limit)
            .select_related("admin")
        )
    return [_passphrase(row) for row in rows]


async def by_id(db: Connection, passphrase_ids: Iterable[int]) -> dict[int, Passphrase]:
    """These passphrases, removed ones too, within a transaction."""
    rows = await PickupPassphrase.filter(id__in=list(passphrase_ids)).using_db(db).select_related("admin")
    return {row.id: _passphrase(row) for row in rows}


async def find(digest: str) -> Found | None:
    """The passphrase with this digest, removed or not."""
    with database_errors():
        row = await PickupPassphrase.filter(digest=digest).using_db(reader()).select_related("admin").first()
    if row is None:
        return None
    return Found(_passphrase(row), AdminIdentity(row.admin.id, row.admin.name, Role(row.admin.role)))


async def uses(passphrase_ids: Sequence[int]) -> dict[int, list[Use]]:
    """By which servers passphrases were used, newest first."""
    found: dict[int, list[Use]] = {}
    if passphrase_ids:
        with database_errors():
            rows = (
                await PassphraseUse.filter(passphrase_id__in=list(passphrase_ids))
                .using_db(reader())
                .order_by("-id")
                .values_list("passphrase_id", "at", "ip", "service")
            )
        for passphrase_id, *use in rows:
            found.setdefault(passphrase_id, []).append(Use(*use))
    return found


async def mark() -> list[tuple[object, ...]]:
    """Something that is different whenever a passphrase, or what is staged for one, was changed."""
    with database_errors():
        _, seen = await reader().execute_query(
            "SELECT (SELECT COUNT(*) FROM pickup_passphrase), "
            "(SELECT COALESCE(SUM(revision + used), 0) FROM pickup_passphrase), "
            "(SELECT COUNT(*) FROM pickup_passphrase WHERE removed_at IS NULL), "
            "(SELECT COALESCE(SUM(id * 8191 + grants * 1031 + revocations * 7 + revision), 0) "
            "FROM staged_passphrase_change)"
        )
    return [tuple(row) for row in seen]


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


# -- writing, within a transaction ---------------------------------------------------------------------------------------


async def is_taken(db: Connection, digest: str) -> bool:
    """Whether there is or was a passphrase with this digest."""
    return await PickupPassphrase.filter(digest=digest).using_db(db).exists()


async def add(
    db: Connection,
    digest: str,
    privileges: int,
    *,
    uses: int,
    expires_at: datetime | None,
    networks: tuple[str, ...],
    note: str,
    admin_id: int,
    made_at: datetime,
) -> int:
    """Add a passphrase; its number."""
    row = await PickupPassphrase.create(
        digest=digest,
        privileges=privileges,
        uses=uses,
        expires_at=expires_at,
        networks=" ".join(networks),
        note=note,
        admin_id=admin_id,
        made_at=made_at,
        using_db=db,
    )
    return row.id


async def set_privileges(db: Connection, passphrase_id: int, privileges: int) -> None:
    """Let it hand on these privileges."""
    this = PickupPassphrase.filter(id=passphrase_id).using_db(db)
    await this.update(privileges=privileges, revision=F("revision") + 1)


async def remove(db: Connection, passphrase_id: int, at: datetime) -> None:
    """Remove it; its number and its uses stay on record."""
    this = PickupPassphrase.filter(id=passphrase_id).using_db(db)
    await this.update(removed_at=at, revision=F("revision") + 1)


async def take_use(db: Connection, passphrase: Passphrase, use: Use) -> None:
    """Use it once. Of two servers that come at once with the last use, one gets Outdated; so does who read it before a change."""
    one, two = parameters(2).split(", ")
    count, _ = await db.execute_query(
        f"UPDATE pickup_passphrase SET used = used + 1 WHERE id = {one} AND used < uses AND removed_at IS NULL "
        f"AND privileges = {two}",
        [passphrase.id, passphrase.privileges],
    )
    if count != 1:
        raise Outdated
    await PassphraseUse.create(passphrase_id=passphrase.id, at=use.at, ip=use.ip, service=use.service, using_db=db)


# -- what is staged ------------------------------------------------------------------------------------------------------


async def entries_of(admin_id: int, db: Connection | None = None) -> dict[int, Entry]:
    """What an admin has staged, by passphrase; within a transaction, `db` is its connection."""
    with database_errors():
        rows = await StagedPassphraseChange.filter(admin_id=admin_id).using_db(db or reader()).order_by("passphrase_id")
    return {row.passphrase_id: Entry(row.grants, row.revocations, row.removal, row.revision) for row in rows}


async def store_entries(db: Connection, admin_id: int, staged: StagedChanges, passphrase_ids: Iterable[int]) -> None:
    """Write what is staged for these passphrases."""
    ids = list(passphrase_ids)
    await StagedPassphraseChange.filter(admin_id=admin_id, passphrase_id__in=ids).using_db(db).delete()
    for id_ in ids:
        if entry := staged.entries.get(id_):
            await StagedPassphraseChange.create(
                admin_id=admin_id,
                passphrase_id=id_,
                grants=entry.grants,
                revocations=entry.revocations,
                removal=entry.removal,
                revision=entry.revision,
                using_db=db,
            )


async def clear_entries(db: Connection, admin_id: int) -> None:
    """After a submission nothing is staged."""
    await StagedPassphraseChange.filter(admin_id=admin_id).using_db(db).delete()
