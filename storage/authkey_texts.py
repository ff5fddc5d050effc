"""Every statement about the owners and notes of authkeys. Few keys have any, so they stand beside the table that every scan reads.

They stay while a key is removed and can be restored, and go with it for good.
"""

from collections.abc import Iterable, Mapping, Sequence

from tortoise.backends.base.client import BaseDBAsyncClient

from models.amendments import TextName
from models.authkeys import Authkey
from models.tables import AuthkeyText
from models.texts import search_key
from storage.database import database_errors, reader
from storage.sql import ids, parameters

NAMED = 100
"""Rows of a million that are named one by one in a search; of more it is asked for each whether it is among them"""
FOUND = "id IN (SELECT authkey_id FROM authkey_text WHERE text_key LIKE {} ESCAPE '\\')"
"""A condition for a table of authkeys: those whose owner or note holds a text, as a pattern of its search key"""


async def with_texts(rows: Sequence[Authkey], db: BaseDBAsyncClient | None = None) -> list[Authkey]:
    """These authkeys with their owners and notes; within a transaction, `db` is its connection."""
    if not rows:
        return []
    query = f"SELECT authkey_id, owner, note FROM authkey_text WHERE authkey_id IN ({ids(row.id for row in rows)})"
    with database_errors():
        _, found = await (db or reader()).execute_query(query)
    texts = {id_: (owner, note) for id_, owner, note in map(tuple, found)}
    if not texts:
        return list(rows)
    return [row._replace(owner=texts[row.id][0], note=texts[row.id][1]) if row.id in texts else row for row in rows]


async def holding(text: str) -> Sequence[int] | None:
    """The authkeys whose owner or note holds a text; None if they are too many to name.

    Asked before a search: where there are none, or few, it need not look for each of a million keys whether it is among them.
    """
    query = AuthkeyText.filter(text_key__contains=text).using_db(reader()).limit(NAMED + 1)
    with database_errors():
        found = [row[0] for row in await query.values_list("authkey_id")]
    return found if len(found) <= NAMED else None


async def store(db: BaseDBAsyncClient, texts: Iterable[tuple[int, Mapping[TextName, str]]]) -> None:
    """These authkeys have these texts now, and no others."""
    rows = [(id_, each.get(TextName.OWNER, ""), each.get(TextName.NOTE, "")) for id_, each in texts]
    if not rows:
        return
    await db.execute_query(f"DELETE FROM authkey_text WHERE authkey_id IN ({ids(row[0] for row in rows)})")
    kept = [[id_, owner, note, search_key(f"{owner}\n{note}")] for id_, owner, note in rows if owner or note]
    if kept:
        columns = "authkey_id, owner, note, text_key"
        await db.execute_many(f"INSERT INTO authkey_text ({columns}) VALUES ({parameters(4)})", kept)


async def forget(db: BaseDBAsyncClient, which: str) -> None:
    """Delete those of authkeys that are gone for good; `which` is a query of our own for their ids."""
    await db.execute_query(f"DELETE FROM authkey_text WHERE authkey_id IN ({which})")
