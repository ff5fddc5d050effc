"""Changes behind the program's back: one thing at random in the record, and at which entry that is."""

import random
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from models import chain
from models.tables import Admin, Entry, Modification, Submission
from storage import history
from storage.database import writer
from tests.support import all_keys


class Tamperer:
    """Changes one thing at random; says at which entry that is."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.kinds: list[Callable[[], Awaitable[int]]] = [
            self.edit_entry, self.edit_submission, self.edit_modification, self.insert_modification,
            self.drop_modification, self.move_modification, self.swap_modifications, self.insert_entry,
            self.insert_submission, self.drop_entry, self.swap_entries, self.cut_head, self.cut_tail, self.restamp,
            self.edit_authkey,
        ]  # fmt: skip

    async def load(self) -> None:
        self.entries = await Entry.all().order_by("number").values()
        self.submissions = await Submission.all().order_by("id").values()
        self.modifications = await Modification.all().order_by("id").values()
        self.numbers = {each["submission_id"]: each["number"] for each in self.entries}
        self.head = self.entries[-1]["number"]

    async def do(self) -> tuple[str, int]:
        kind = self.chance.choice(self.kinds)
        return kind.__name__, await kind()

    def another(self, value: Any) -> Any:
        if isinstance(value, bool) or value is None:
            return 7
        if isinstance(value, int):
            return value ^ 1
        if isinstance(value, uuid.UUID):
            return uuid.uuid4()
        if isinstance(value, datetime):
            return datetime(2020, 1, 1, tzinfo=UTC)
        return value[:-1] + ("x" if value[-1:] != "x" else "y")

    async def edit_entry(self) -> int:
        entry = self.chance.choice(self.entries)
        column = self.chance.choice(["at", "kind", "admin_id", "address", "detail", "digest", "name_digest"])
        value = self.another(entry[column]) if column != "name_digest" else "0" * 64
        await Entry.filter(number=entry["number"]).update(**{column: value})
        return entry["number"]

    async def edit_submission(self) -> int:
        row = self.chance.choice(self.submissions)
        columns = [
            "at",
            "uuid",
            "source",
            "subject",
            "change_count",
            "key_count",
            "granted",
            "revoked",
            "kinds",
            "digest",
            "approver_id",
        ]
        column = self.chance.choice([*columns, "admin_id"])
        others = [each.id for each in await Admin.all() if each.id != row["admin_id"]]
        value = self.chance.choice(others) if column == "admin_id" else self.another(row[column])
        if column == "approver_id" and row[column]:
            value = None
        await Submission.filter(id=row["id"]).update(**{column: value})
        return self.numbers[row["id"]]

    async def edit_modification(self) -> int:
        row = self.chance.choice(self.modifications)
        column = self.chance.choice(["row_id", "kind", "ip", "service", "before", "after", "texts"])
        value = "[]" if column == "texts" and row[column] is None else self.another(row[column])
        await Modification.filter(id=row["id"]).update(**{column: value})
        return self.numbers[row["submission_id"]]

    async def insert_modification(self) -> int:
        row = self.chance.choice(self.modifications)
        await Modification.create(**{**row, "id": self.modifications[-1]["id"] + 1})
        return self.numbers[row["submission_id"]]

    async def drop_modification(self) -> int:
        row = self.chance.choice(self.modifications)
        await Modification.filter(id=row["id"]).delete()
        return self.numbers[row["submission_id"]]

    async def move_modification(self) -> int:
        row = self.chance.choice(self.modifications)
        other = self.chance.choice([each["id"] for each in self.submissions if each["id"] != row["submission_id"]])
        await Modification.filter(id=row["id"]).update(submission_id=other)
        return min(self.numbers[row["submission_id"]], self.numbers[other])

    async def swap_modifications(self) -> int:
        one, other = self.chance.sample(self.modifications, 2)
        for row, place in ((one, other), (other, one)):
            kept = {name: value for name, value in row.items() if name not in ("id", "submission_id")}
            await Modification.filter(id=place["id"]).update(**kept)
        return min(self.numbers[each["submission_id"]] for each in (one, other))

    async def insert_entry(self) -> int:
        await Entry.create(**{**self.chance.choice(self.entries), "number": self.head + 1, "submission_id": None})
        return self.head + 1

    async def insert_submission(self) -> int:
        row = self.chance.choice(self.submissions)
        await Submission.create(**{**row, "id": self.submissions[-1]["id"] + 1, "uuid": uuid.uuid4()})
        return self.head + 1

    async def drop_entry(self) -> int:
        entry = self.chance.choice(self.entries)
        await Entry.filter(number=entry["number"]).delete()
        return entry["number"]

    async def swap_entries(self) -> int:
        one, other = sorted(each["number"] for each in self.chance.sample(self.entries, 2))
        for old, new in ((one, -1), (other, one), (-1, other)):
            await writer().execute_query(f"UPDATE entry SET number = {new} WHERE number = {old}")
        return one

    async def cut_head(self) -> int:
        await Entry.filter(number__lte=self.chance.randint(1, self.head - 1)).delete()
        return 1

    async def cut_tail(self) -> int:
        first = self.chance.randint(2, self.head)
        ids = [each["submission_id"] for each in self.entries if each["number"] >= first and each["submission_id"]]
        await Entry.filter(number__gte=first).delete()
        await Modification.filter(submission_id__in=ids or [0]).delete()
        await Submission.filter(id__in=ids or [0]).delete()
        return first

    async def restamp(self) -> int:
        entry = self.chance.choice(self.entries)
        await Entry.filter(number=entry["number"]).update(address="203.0.113.9")
        links = await history.links(0)
        previous = chain.GENESIS
        for link in links:
            previous = chain.digest_of({**link.record, "previous": previous})
            await Entry.filter(number=link.record["number"]).update(digest=previous)
        return self.head

    async def edit_authkey(self) -> int:
        key = self.chance.choice([*(await all_keys()).values()])
        await writer().execute_query(f"UPDATE authkey SET privileges = {key.privileges ^ 1} WHERE id = {key.id}")
        return self.numbers[key.revision]

    async def put_back(self) -> None:
        await writer().execute_query("DELETE FROM entry")
        await writer().execute_query("DELETE FROM modification")
        await writer().execute_query("DELETE FROM submission")
        await Submission.bulk_create([Submission(**row) for row in self.submissions])
        await Modification.bulk_create([Modification(**row) for row in self.modifications])
        await Entry.bulk_create([Entry(**row) for row in self.entries])
        for key in (await all_keys()).values():
            (left,) = [
                row["after"]
                for row in self.modifications
                if (row["submission_id"], row["row_id"]) == (key.revision, key.id)
            ]
            if left != key.privileges:
                await writer().execute_query(f"UPDATE authkey SET privileges = {left} WHERE id = {key.id}")
