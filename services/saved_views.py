"""The views that admins keep under a name, for themselves or for everybody."""

from collections.abc import Sequence

from models.accounts import AdminIdentity
from models.errors import NotAllowed, RowNotFound
from models.saved_views import SavedView, check_count, check_name_is_free, check_sharing, view_name
from models.subjects import Subject
from models.views import GridView
from storage import saved_views
from storage.transactions import Connection, run_transaction


async def views_seen_by(admin: AdminIdentity, subject: Subject) -> Sequence[SavedView]:
    """An admin's own views of a grid, and those that others share, by name. Raises DatabaseUnavailable."""
    return await saved_views.seen_by(admin.id, subject)


async def save_view(admin: AdminIdentity, subject: Subject, name: str, view: GridView, *, is_shared: bool) -> None:
    """Keep a view under a name.

    Raises InvalidValue for a name that is none or is taken, and for one view too many; NotAllowed for an auditor who would share it.
    """
    kept = view_name(name)
    check_sharing(is_shared, may_change=admin.may_change)

    async def save(db: Connection) -> None:
        check_name_is_free(kept, await saved_views.own(db, admin.id, subject))
        check_count(await saved_views.count(db, admin.id))
        await saved_views.add(db, admin.id, subject, kept, view.to_query(), is_shared=is_shared)

    await run_transaction(save)


async def change_view(
    admin: AdminIdentity, view_id: int, name: str, *, is_shared: bool, view: GridView | None = None
) -> None:
    """Rename a view, share it or not, and let it show `view` from now on, if there is one.

    Raises InvalidValue for the name, NotAllowed for who may not, and RowNotFound if it is not there any more.
    """
    kept = view_name(name)
    check_sharing(is_shared, may_change=admin.may_change)

    async def change(db: Connection) -> None:
        now, subject = await _changeable(db, admin, view_id)
        others = await saved_views.own(db, now.owner_id, subject)
        check_name_is_free(kept, (each for each in others if each.id != view_id))
        await saved_views.change(db, view_id, kept, is_shared=is_shared, query=view.to_query() if view else None)

    await run_transaction(change)


async def delete_view(admin: AdminIdentity, view_id: int) -> None:
    """Forget a view. Raises NotAllowed for who may not, and RowNotFound if it is not there any more."""

    async def delete(db: Connection) -> None:
        await _changeable(db, admin, view_id)
        await saved_views.delete(db, view_id)

    await run_transaction(delete)


async def _changeable(db: Connection, admin: AdminIdentity, view_id: int) -> tuple[SavedView, Subject]:
    found = await saved_views.find(db, view_id)
    if found is None or not (found[0].is_shared or found[0].owner_id == admin.id):
        raise RowNotFound("This view is not there any more.")  # nor does it tell of others' private ones
    if not found[0].may_be_changed_by(admin):
        raise NotAllowed(f"This view is {found[0].owner}'s: only its owner changes it. Save it under a name of yours.")
    return found
