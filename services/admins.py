"""Admins: who owns staged changes and submissions. Until accounts exist there is one, the user of this machine."""

import getpass
from typing import NamedTuple

from models.database import database_errors, writer
from models.tables import Admin


class AdminIdentity(NamedTuple):
    """An admin, as pages and services hand it around."""

    id: int
    name: str


async def local_admin() -> AdminIdentity:
    """The admin named after the operating-system user; made at first use."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no user name, as in some containers
        name = "admin"
    with database_errors():
        row, _ = await Admin.get_or_create(name=name, using_db=writer())
    return AdminIdentity(row.id, row.name)
