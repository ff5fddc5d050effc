"""What the tests of the services have in common: making authkeys, submitting, looking at what is stored, waiting."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nicegui import Event

from models.accounts import AdminIdentity
from models.addresses import canonical_ip
from models.authkeys import Authkey
from models.history import EntryKind
from models.passphrases import Passphrase
from models.privileges import Privilege, mask_of, privilege
from models.selections import Act, Selection, Stretch
from models.staged_rows import NewKey, StagedRow
from models.subjects import Subject
from models.submissions import Assignment, Change, Kind, Modification, NewAuthkey, Source
from models.tables import Admin, PickupPassphrase, RemovedAuthkey, StagedChange, Submission
from models.tables import Authkey as AuthkeyTable
from models.tables import Modification as ModificationTable
from models.views import GridView
from services.console import Console
from services.selecting import act_on
from services.staging import Staging
from services.submissions import Order, Receipt
from storage import passphrases
from storage.database import reader
from tests.waiting import PATIENCE_SECONDS

ADD, MODIFY, SEARCH = privilege("addlicense"), privilege("modlisc"), privilege("search")


def cells(*privilege_ids: str) -> int:
    """The set of these privileges."""
    return mask_of(privilege(each) for each in privilege_ids)


def new_keys(count: int, privileges: int = 0) -> list[Assignment]:
    """`count` authkeys for as many addresses, beginning with 10.0.0.0."""
    return [
        Assignment(canonical_ip(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"), "billing", privileges) for n in range(count)
    ]


async def stage_all(staging: Staging[Any], admin_id: int, view: GridView, what: Privilege | None, granted: bool) -> int:
    """Stage one privilege, or the removal (None), of all rows of a view in one step; returns of how many rows."""
    act = Act.REMOVE if what is None else Act.GRANT if granted else Act.REVOKE
    everything = Selection((Stretch(0, 0, None, None, what.mask if what else 0, is_whole=True),))
    return (await act_on(staging, admin_id, view, everything, act)).touched


async def add_keys(console: Console, *keys: Assignment | NewAuthkey) -> list[Authkey]:
    """Add authkeys by one submission; returns them in the same order."""
    await submit(console, *keys)
    stored = {(row.ip, row.service): row for row in (await all_keys()).values()}
    return [stored[key.ip, key.service] for key in keys]


async def kept_passphrases() -> list[Passphrase]:
    """The passphrases that are not removed, newest first; used-up and expired ones too."""
    ids = await PickupPassphrase.all().order_by("-id").values_list("id", flat=True)
    found = await passphrases.by_id([int(str(id_)) for id_ in ids])
    return [found[id_] for id_ in sorted(found, reverse=True)]


async def add_key(console: Console, privileges: int = 0) -> Authkey:
    """Add one authkey."""
    return (await add_keys(console, *new_keys(1, privileges)))[0]


async def submit(
    console: Console,
    *changes: Change,
    admin: AdminIdentity | None = None,
    submission_uuid: uuid.UUID | None = None,
) -> Receipt:
    """Submit changes, as the console's admin unless another is named."""
    order = Order(submission_uuid or uuid.uuid4(), admin or console.admin, Source.GRID, changes)
    return await console.submissions.submit(order)


async def an_admin(name: str) -> AdminIdentity:
    """Another admin, made at first use."""
    row, _ = await Admin.get_or_create(name=name)
    return AdminIdentity(row.id, row.name)


async def came_in(console: Console) -> None:
    """The local admin once signed in by a launch link: whoever else is an admin is then not the last who can come in."""
    await console.history.put(EntryKind.LAUNCHED, console.admin.id)


# -- what is stored, read without the services ---------------------------------------------------------------------------


async def all_keys() -> dict[int, Authkey]:
    rows = await AuthkeyTable.all().using_db(reader())
    return {row.id: _authkey(row) for row in rows}


async def removed_keys() -> dict[int, Authkey]:
    return {row.id: _authkey(row) for row in await RemovedAuthkey.all().using_db(reader())}


async def digests() -> dict[int, str | None]:
    """The digests of all secrets."""
    return {row.id: row.secret_digest for row in await AuthkeyTable.all().using_db(reader())}


async def submissions() -> list[int]:
    """The revisions of all submissions."""
    return sorted([row.id for row in await Submission.all().using_db(reader())])


async def modifications(revision: int | None = None) -> list[Modification]:
    """What one submission did, or all of them, in their order."""
    of_keys = ModificationTable.filter(submission__subject=Subject.AUTHKEY)
    rows = of_keys if revision is None else of_keys.filter(submission_id=revision)
    return [
        Modification(row.row_id, Kind(row.kind), row.ip, row.service, row.before, row.after)
        for row in await rows.using_db(reader()).order_by("submission_id", "id")
    ]


async def staged_in_database(admin_id: int) -> dict[int, StagedRow]:
    rows = await StagedChange.filter(admin_id=admin_id, subject=Subject.AUTHKEY).using_db(reader())
    return {
        row.row_id: StagedRow(row.grants, row.revocations, row.removal, row.revision, new=_new(row)) for row in rows
    }


def _new(row: StagedChange) -> NewKey | None:
    if row.ip is None or row.service is None:
        return None
    return NewKey(row.ip, row.service, bool(row.issues))


def _authkey(row: AuthkeyTable | RemovedAuthkey) -> Authkey:
    return Authkey(row.id, row.ip, row.service, row.privileges, row.revision, row.secret_hint)


# -- waiting -------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def listening(event: Event[Any]) -> AsyncIterator["Heard"]:
    """Collect what an event tells."""
    heard = Heard()

    def told(*args: Any) -> None:
        heard.put(args)

    event.subscribe(told, expect_args=True)
    try:
        yield heard
    finally:
        event.unsubscribe(told)


class Heard:
    """What an event told, in order."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self.put = self._queue.put_nowait

    async def next(self) -> Any:
        """The next thing told."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._queue.get()

    def rest(self) -> list[Any]:
        """Whatever was told and not yet asked for."""
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]
