"""Every statement that reads pickup passphrases and the registrations with them, and the using of one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from models.accounts import AdminIdentity, Role
from models.passphrases import Passphrase
from models.tables import PassphraseUse, PickupPassphrase
from storage.database import database_errors, reader
from storage.sql import parameters
from storage.transactions import Connection

_IDS_AT_ONCE = 10_000


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
    return [passphrase_of(row) for row in rows]


async def by_id(passphrase_ids: Iterable[int]) -> dict[int, Passphrase]:
    """Those of these passphrases that are not removed, by id."""
    ids = sorted(passphrase_ids)
    found = {}
    for first in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[first : first + _IDS_AT_ONCE]
        query = PickupPassphrase.filter(id__in=some, removed_at__isnull=True).using_db(reader())
        with database_errors():
            found.update({row.id: passphrase_of(row) for row in await query.select_related("admin")})
    return found


async def find(digest: str) -> Found | None:
    """The passphrase with this digest, removed or not."""
    with database_errors():
        row = await PickupPassphrase.filter(digest=digest).using_db(reader()).select_related("admin").first()
    if row is None:
        return None
    return Found(passphrase_of(row), AdminIdentity(row.admin.id, row.admin.name, Role(row.admin.role)))


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


def passphrase_of(row: PickupPassphrase) -> Passphrase:
    """The value of a row that was read with its admin."""
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


# -- using, within a transaction -----------------------------------------------------------------------------------------


async def number_of(db: Connection, digest: str) -> int:
    """The number of the passphrase with this digest."""
    return (await PickupPassphrase.get(digest=digest, using_db=db)).id


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
