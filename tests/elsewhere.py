"""What another process does to the authkeys while a test looks at a page. Run by `OtherProcess.do`."""

import uuid
from collections.abc import Sequence

from models.privileges import Privilege, mask_of
from models.submissions import Assignment, Change, Removal, Source
from models.tables import Admin, Authkey, StagedChange
from services.console import Console
from services.submissions import Order


def key(ip: str, service: str, *privileges: Privilege) -> Assignment:
    """An authkey with these privileges."""
    return Assignment(ip, service, mask_of(privileges))


async def start_over(console: Console, keys: Sequence[Assignment] = ()) -> None:
    """Exactly these authkeys, and nothing staged by anybody."""
    for admin in await Admin.all():
        await console.staging.discard(admin.id)
    wanted = {(each.ip, each.service) for each in keys}
    rows = await Authkey.all()
    gone = [Removal(row.id, row.revision) for row in rows if (row.ip, row.service) not in wanted]
    await _submit(console, [*gone, *keys])


async def assign(console: Console, *keys: Assignment) -> None:
    """Add authkeys, or give them exactly these privileges, as an import does."""
    await _submit(console, keys)


async def stored(console: Console) -> dict[tuple[str, str], int]:
    """All authkeys and their privileges, as the database has them."""
    return {(row.ip, row.service): row.privileges for row in await Authkey.all()}


async def staged_in_database(console: Console) -> int:
    """How many authkeys have staged changes in the database."""
    return await StagedChange.all().count()


async def _submit(console: Console, changes: Sequence[Change]) -> None:
    await console.submissions.submit(Order(uuid.uuid4(), console.admin, Source.IMPORT, changes))
