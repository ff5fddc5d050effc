"""Plans about pickup passphrases: the rows that one is about, and its writing. Removed ones stay in their table, as a record."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from models.history import Written
from models.passphrases import Passphrase
from models.plans import Plan, Rows, ids_in, restorations_in
from models.submissions import Change, Kind, NewPassphrase, modification
from models.tables import PickupPassphrase, Submission
from models.texts import search_key
from storage.passphrases import by_id
from storage.sql import ids, parameters
from storage.submissions import record
from storage.transactions import Connection


async def rows_for(db: Connection, changes: Sequence[Change]) -> Rows:
    """The passphrases as they are now, as far as `models.plans.decide` needs them for these changes."""
    new = [change.digest for change in changes if isinstance(change, NewPassphrase)]
    taken = await PickupPassphrase.filter(digest__in=new).using_db(db).values_list("digest", flat=True) if new else ()
    found = await by_id([*ids_in(changes), *restorations_in(changes)], db=db, removed_too=True)
    return Rows(
        {id_: each for id_, each in found.items() if not each.removed},
        {id_: each for id_, each in found.items() if each.removed},
        taken=[str(digest) for digest in taken],
    )


async def write(db: Connection, plan: Plan, revision: int, written: Written) -> None:
    """Do what the plan says, and tell `written`."""
    by = await Submission.get(id=revision, using_db=db).select_related("admin")
    added = await _add(db, [new for new in plan.new if isinstance(new, NewPassphrase)], by)
    new = (modification(each, Kind.ADDED, 0, each.privileges) for each in added)
    await record(db, revision, [*plan.modifications, *new], written)
    if plan.privileges:
        one, two, three = parameters(3).split(", ")
        await db.execute_many(
            f"UPDATE pickup_passphrase SET privileges = {one}, revision = {two} WHERE id = {three}",
            [[privileges, revision, id_] for id_, privileges in plan.privileges],
        )
    await _set_removed(db, plan.removed, by.at, revision)
    await _set_removed(db, plan.restored, None, revision)


async def _add(db: Connection, new: Sequence[NewPassphrase], by: Submission) -> list[Passphrase]:
    rows = [
        PickupPassphrase(
            digest=each.digest,
            privileges=each.privileges,
            revision=by.id,
            uses=each.uses,
            expires_at=each.expires_at,
            networks=" ".join(each.networks),
            note=each.note,
            note_key=search_key(each.note),
            admin=by.admin,
            made_at=by.at,
        )
        for each in new
    ]
    if not rows:
        return []
    await PickupPassphrase.bulk_create(rows, using_db=db)
    digests = [each.digest for each in new]
    numbers = await PickupPassphrase.filter(digest__in=digests).using_db(db).order_by("id").values_list("id", flat=True)
    return list((await by_id([int(str(each)) for each in numbers], db=db)).values())


async def _set_removed(db: Connection, passphrase_ids: Iterable[int], at: datetime | None, revision: int) -> None:
    if listed := ids(passphrase_ids):
        one, two = parameters(2).split(", ")
        await db.execute_query(
            f"UPDATE pickup_passphrase SET removed_at = {one}, revision = {two} WHERE id IN ({listed})", [at, revision]
        )
