"""Every statement about the views that admins keep under a name."""

from tortoise.expressions import Q

from models.saved_views import SavedView
from models.subjects import Subject
from models.tables import Admin
from models.tables import SavedView as SavedViewTable
from models.texts import search_key
from storage.database import database_errors, reader
from storage.transactions import Connection

_COLUMNS = ("id", "admin_id", "admin__name", "admin__disabled", "name", "query", "shared")


async def seen_by(admin_id: int, subject: Subject) -> list[SavedView]:
    """An admin's own and all shared ones, by name."""
    seen = SavedViewTable.filter(Q(admin_id=admin_id) | Q(shared=True), subject=subject)
    with database_errors():
        rows = await seen.using_db(reader()).order_by("name_key", "id").values_list(*_COLUMNS)
    return [_saved(row) for row in rows]


async def own(db: Connection, owner_id: int, subject: Subject) -> list[SavedView]:
    """An admin's own ones for one grid. Until the transaction ends no other adds to them."""
    await Admin.filter(id=owner_id).using_db(db).select_for_update().first()
    rows = await SavedViewTable.filter(admin_id=owner_id, subject=subject).using_db(db).values_list(*_COLUMNS)
    return [_saved(row) for row in rows]


async def count(db: Connection, owner_id: int) -> int:
    """How many views an admin has, for all grids."""
    return await SavedViewTable.filter(admin_id=owner_id).using_db(db).count()


async def find(db: Connection, view_id: int) -> tuple[SavedView, Subject] | None:
    """The view with this id, and whose grid it is of."""
    rows = await SavedViewTable.filter(id=view_id).using_db(db).values_list(*_COLUMNS, "subject")
    return (_saved(rows[0][:-1]), Subject(rows[0][-1])) if rows else None


async def add(db: Connection, owner_id: int, subject: Subject, name: str, query: str, *, is_shared: bool) -> None:
    """Keep a view under this name."""
    await SavedViewTable.create(
        admin_id=owner_id, subject=subject, name=name, name_key=search_key(name), query=query, shared=is_shared,
        using_db=db,
    )  # fmt: skip


async def change(db: Connection, view_id: int, name: str, *, is_shared: bool, query: str | None) -> None:
    """Give a view another name, share it or not, and let it show something else where there is a `query`."""
    values = {"name": name, "name_key": search_key(name), "shared": is_shared}
    if query is not None:
        values["query"] = query
    await SavedViewTable.filter(id=view_id).using_db(db).update(**values)


async def delete(db: Connection, view_id: int) -> None:
    """Forget a view."""
    await SavedViewTable.filter(id=view_id).using_db(db).delete()


async def forget_private(db: Connection, owner_id: int) -> None:
    """Forget an admin's views, but for those that others see."""
    await SavedViewTable.filter(admin_id=owner_id, shared=False).using_db(db).delete()


def _saved(row: tuple[object, ...]) -> SavedView:
    id_, owner_id, owner, disabled, name, query, shared = row
    return SavedView(id_, owner_id, owner, bool(disabled), name, query, bool(shared))  # type: ignore[arg-type]
