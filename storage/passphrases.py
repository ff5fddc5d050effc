"""Every statement that reads pickup passphrases and the registrations with them, and the using of one."""

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime
from typing import Any, NamedTuple

from tortoise.expressions import F, Q, RawSQL, Subquery
from tortoise.queryset import QuerySet

from models.accounts import AdminIdentity, Role
from models.passphrases import Passphrase, PickupUse
from models.privileges import privilege
from models.subjects import Subject
from models.tables import Admin, PassphraseUse, PickupPassphrase, StagedChange
from models.texts import search_key
from models.views import PassphraseView, State
from storage.database import database_errors, reader
from storage.sql import parameters
from storage.transactions import Connection

_IDS_AT_ONCE = 10_000
_PRIVILEGES = "pickup_passphrase.privileges"
_FIELDS = (
    *("id", "privileges", "revision", "uses", "used", "expires_at"),
    *("networks", "admin__name", "made_at", "removed_at", "admin__disabled", "note"),
)


class Found(NamedTuple):
    """A passphrase, and who made it."""

    passphrase: Passphrase
    maker: AdminIdentity


class PassphraseOutdated(Exception):
    """The passphrase was used or changed since it was read."""


# -- reading -------------------------------------------------------------------------------------------------------------


async def rows(view: PassphraseView, admin_id: int, now: datetime, start: int, end: int) -> list[Passphrase]:
    """Rows `start` to `end` (exclusive) of a view."""
    if end <= start:
        return []
    with database_errors():
        query = _ordered(await _matching(view, admin_id, now), view).offset(start).limit(end - start)
        return [_passphrase(*row) for row in await query.values_list(*_FIELDS)]


async def place(view: PassphraseView, admin_id: int, now: datetime, passphrase_id: int) -> int | None:
    """Where a passphrase stands in a view, from 0; None if it does not."""
    with database_errors():
        # By their numbers only: there are few in comparison, and the order has three forms.
        ids = await _ordered(await _matching(view, admin_id, now), view).values_list("id")
    return next((at for at, (id_,) in enumerate(ids) if id_ == passphrase_id), None)


async def count(view: PassphraseView, admin_id: int, now: datetime) -> int:
    """How many passphrases a view shows."""
    with database_errors():
        return await (await _matching(view, admin_id, now)).count()


async def matching(view: PassphraseView, admin_id: int, now: datetime) -> list[Passphrase]:
    """All passphrases of a view that are not removed. In portions, so that they do not hold up everybody's pages."""
    found: list[Passphrase] = []
    more = True
    while more:
        with database_errors():
            query = (await _matching(view, admin_id, now)).filter(removed_at__isnull=True)
            query = query.filter(id__gt=found[-1].id if found else 0).order_by("id")
            some = await query.limit(_IDS_AT_ONCE).values_list(*_FIELDS)
        found += [_passphrase(*row) for row in some]
        more = len(some) == _IDS_AT_ONCE
    return found


async def staged_ids(view: PassphraseView, admin_id: int, now: datetime) -> list[int]:
    """The ids of the passphrases in a view for which this admin has staged changes."""
    with database_errors():
        query = (await _matching(view, admin_id, now)).filter(id__in=Subquery(_staged(admin_id)))
        return [row[0] for row in await query.values_list("id")]


async def staged_in_order(admin_id: int, search: str, now: datetime) -> list[int]:
    """The numbers of the passphrases that match a search, of those for which this admin has staged changes, newest first."""
    view = PassphraseView(search=search, staged_only=True)
    with database_errors():
        query = (await _matching(view, admin_id, now)).order_by("-id")
        return [row[0] for row in await query.values_list("id")]


async def by_id(
    passphrase_ids: Iterable[int], *, db: Connection | None = None, removed_too: bool = False
) -> dict[int, Passphrase]:
    """Those of these passphrases that are there, by id; within a transaction, `db` is its connection."""
    ids = sorted(passphrase_ids)
    found = {}
    for first in range(0, len(ids), _IDS_AT_ONCE):
        query = PickupPassphrase.filter(id__in=ids[first : first + _IDS_AT_ONCE]).using_db(db or reader())
        if not removed_too:
            query = query.filter(removed_at__isnull=True)
        with nullcontext() if db else database_errors():  # of a transaction whoever runs it tells errors apart
            found.update({row[0]: _passphrase(*row) for row in await query.values_list(*_FIELDS)})
    return found


async def find(digest: str) -> Found | None:
    """The passphrase with this digest, removed or not."""
    with database_errors():
        row = (
            await PickupPassphrase.filter(digest=digest)
            .using_db(reader())
            .first()
            .values_list(*_FIELDS, "admin_id", "admin__role")
        )
    if row is None:
        return None
    *fields, admin_id, role = row
    passphrase = _passphrase(*fields)
    return Found(passphrase, AdminIdentity(admin_id, passphrase.made_by, Role(role)))


async def uses(passphrase_id: int, limit: int) -> list[PickupUse]:
    """By which servers a passphrase was used, newest first."""
    query = PassphraseUse.filter(passphrase_id=passphrase_id).using_db(reader()).order_by("-id").limit(limit)
    with database_errors():
        return [PickupUse(*use) for use in await query.values_list("at", "ip", "service")]


def _passphrase(*row: Any) -> Passphrase:
    id_, privileges, revision, uses_, used, expires_at, networks, maker, made_at, removed_at, is_disabled, note = row
    return Passphrase(
        id_,
        privileges,
        revision,
        uses_,
        used,
        expires_at,
        tuple(networks.split()),
        maker,
        made_at,
        removed_at is not None,
        bool(is_disabled),
        note,
    )


# -- what a view shows, and in which order -------------------------------------------------------------------------------


async def _matching(view: PassphraseView, admin_id: int, now: datetime) -> QuerySet[PickupPassphrase]:
    query = PickupPassphrase.all().using_db(reader())
    if view.staged_only:
        query = query.filter(id__in=Subquery(_staged(admin_id)))
    else:
        query = query.filter(_in_state(view.state, now))
    # The masks come from the view, which only takes known privileges: they are small integers, never text.
    if view.has:
        query = query.annotate(has=RawSQL(f"{_PRIVILEGES} & {int(view.has)}")).filter(has=view.has)
    if view.lacks:
        query = query.annotate(lacks=RawSQL(f"{_PRIVILEGES} & {int(view.lacks)}")).filter(lacks=0)
    return query.filter(await _search(view.search)) if view.search else query


def _staged(admin_id: int) -> Any:
    return StagedChange.filter(admin_id=admin_id, subject=Subject.PASSPHRASE).using_db(reader()).values("row_id")


def _in_state(state: State, now: datetime) -> Q:
    if state is State.REMOVED:
        return Q(removed_at__isnull=False)
    over = Q(used__gte=F("uses")) | Q(expires_at__lte=now) | Q(admin__disabled=True)
    usable = Q(used__lt=F("uses"), admin__disabled=False) & (Q(expires_at__isnull=True) | Q(expires_at__gt=now))
    return Q(removed_at__isnull=True) & (over if state is State.OVER else usable)


async def _search(text: str) -> Q:
    """By number, note, maker or network."""
    key = search_key(" ".join(text.split()))
    number = text.strip().removeprefix("#")
    admins = await Admin.all().using_db(reader()).values_list("id", "name")
    makers = [id_ for id_, name in admins if key in search_key(name)]
    by = Q(note_key__contains=key) | Q(admin_id__in=makers) | Q(networks__contains=text.lower())
    if number.isascii() and number.isdigit() and len(number) < len(str(2**63)):
        by |= Q(id=int(number))
    return by


def _ordered(query: QuerySet[PickupPassphrase], view: PassphraseView) -> QuerySet[PickupPassphrase]:
    sign = "-" if view.descending else ""
    if view.sort == "made":
        return query.order_by(f"{sign}id")
    if view.sort == "expires":  # what never expires comes after all that does
        never = "'9999-12-31 23:59:59+00:00'"
        query = query.annotate(until=RawSQL(f"COALESCE(pickup_passphrase.expires_at, {never})"))
        return query.order_by(f"{sign}until", "-id")
    # Upwards the ones that have it come first, as in the grid of authkeys.
    query = query.annotate(has_it=RawSQL(f"{_PRIVILEGES} & {privilege(view.sort).mask}"))
    return query.order_by("has_it" if view.descending else "-has_it", "-id")


# -- using, within a transaction -----------------------------------------------------------------------------------------


async def take_use(db: Connection, passphrase: Passphrase, use: PickupUse) -> None:
    """Use it once. Of two servers that come at once with the last use, one gets PassphraseOutdated; so does who read it before a change."""
    one, two = parameters(2).split(", ")
    count, _ = await db.execute_query(
        f"UPDATE pickup_passphrase SET used = used + 1 WHERE id = {one} AND used < uses AND removed_at IS NULL "
        f"AND privileges = {two}",
        [passphrase.id, passphrase.privileges],
    )
    if count != 1:
        raise PassphraseOutdated
    await PassphraseUse.create(passphrase_id=passphrase.id, at=use.at, ip=use.ip, service=use.service, using_db=db)
