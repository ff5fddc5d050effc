"""A database with a long random history, made once, and what an independent replay of it says."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from models.addresses import sort_key
from models.submissions import Kind
from models.tables import Admin
from storage.database import writer
from storage.sql import insert

BEGAN = datetime(2025, 11, 1, tzinfo=UTC)


class Key(NamedTuple):
    """An authkey as the replay knows it."""

    ip: str
    service: str
    privileges: int


@dataclass
class Replay:
    """Does what submissions do, with dictionaries."""

    chance: random.Random
    keys: dict[int, Key] = field(default_factory=dict)
    removed: dict[int, Key] = field(default_factory=dict)
    last_id: int = 0

    def step(self) -> tuple[str, list[list[Any]]]:
        """A random submission: its subject, and row, kind, ip, service, before and after of each modification."""
        if self.chance.random() < 0.05:
            return "passphrase", [[self.chance.randint(1, 50), "changed", "", "#1", 0, self.chance.randint(1, 511)]]
        done: dict[int, list[Any]] = {}
        for _ in range(self.chance.choice([1, 1, 1, 2, 3])):
            change = self._change()
            done.setdefault(change[0], change)  # one for each row
        for change in done.values():
            self._apply(*change)
        return "authkey", list(done.values())

    def _change(self) -> list[Any]:
        luck = self.chance.random()
        if not self.keys or (luck < 0.1 and len(self.keys) < 400):
            self.last_id += 1
            ip, service = f"10.{self.last_id >> 16}.{self.last_id >> 8 & 255}.{self.last_id & 255}", "billing"
            kind = self.chance.choice(["added", "registered"])
            return [self.last_id, kind, ip, service, 0, self.chance.randrange(512)]
        if luck < 0.15 and self.removed:
            id_ = self.chance.choice(list(self.removed))
            key = self.removed[id_]
            return [id_, "restored", key.ip, key.service, 0, key.privileges]
        id_ = self.chance.choice(list(self.keys))
        key = self.keys[id_]
        if luck < 0.22:
            return [id_, "removed", key.ip, key.service, key.privileges, 0]
        if luck < 0.27:
            return [id_, "rekeyed", key.ip, key.service, key.privileges, key.privileges]
        kind = "again" if luck < 0.3 else "changed"
        return [id_, kind, key.ip, key.service, key.privileges, self.chance.randrange(512)]

    def _apply(self, id_: int, kind: str, ip: str, service: str, _: int, after: int) -> None:
        if kind == Kind.REMOVED:
            self.removed[id_] = self.keys.pop(id_)
        else:
            self.keys[id_] = Key(ip, service, after)
            self.removed.pop(id_, None)


async def generate(count: int, looked_at: set[int], seed: int = 7) -> dict[int, dict[int, Key]]:
    """Write `count` submissions into the open, empty database; returns the keys after each of those looked at."""
    replay, seen = Replay(random.Random(seed)), {0: dict[int, Key]()}
    admin = await Admin.create(name="dana")
    submissions, modifications = [], []
    for revision in range(1, count + 1):
        subject, done = replay.step()
        at = BEGAN + timedelta(minutes=revision)
        submissions.append(
            [revision, str(uuid.UUID(int=revision)), admin.id, "grid", subject, at, len(done), len(done)]
        )
        modifications += [[revision, *each] for each in done]
        if revision in looked_at:
            seen[revision] = dict(replay.keys)
    db = writer()
    for some in _portions(_fitting(submissions)):
        await insert(db, "submission (id, uuid, admin_id, source, subject, at, change_count, key_count)", some)
    entries = [[each[0], each[5], "submission", admin.id, "", "", "", each[0], ""] for each in _fitting(submissions)]
    for some in _portions(entries):
        await insert(db, "entry (number, at, kind, admin_id, name, address, detail, submission_id, digest)", some)
    for some in _portions(modifications):
        await insert(db, "modification (submission_id, row_id, kind, ip, service, before, after)", some)
    for table, keys in (("authkey", replay.keys), ("removed_authkey", replay.removed)):
        rows = [
            [id_, key.ip, sort_key(key.ip), key.service, key.service, key.privileges, count]
            for id_, key in keys.items()
        ]
        await insert(db, f"{table} (id, ip, ip_key, service, service_key, privileges, revision)", rows)
    return seen


def _fitting(rows: list[list[Any]]) -> list[list[Any]]:
    """As the open database takes them."""
    from storage.database import is_sqlite  # noqa: PLC0415

    if not is_sqlite():
        return rows
    return [[each.isoformat(" ") if isinstance(each, datetime) else each for each in row] for row in rows]


def _portions(rows: list[list[Any]]) -> Iterator[list[list[Any]]]:
    return (rows[first : first + 20_000] for first in range(0, len(rows), 20_000))
