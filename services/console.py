"""All services of one running Authkeys, opened and closed together."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from models.database import DatabaseLocation, open_database
from models.errors import DatabaseUnavailable
from services.admins import AdminIdentity, local_admin
from services.authkeys import Authkeys
from services.feed import ChangeFeed
from services.staging import Staging
from services.submissions import Submissions
from services.transactions import finish_transactions

_PURGE_SECONDS = 6 * 3600

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Console:
    """What pages and routes work with."""

    admin: AdminIdentity
    authkeys: Authkeys
    submissions: Submissions
    staging: Staging
    feed: ChangeFeed


@asynccontextmanager
async def open_console(location: DatabaseLocation) -> AsyncIterator[Console]:
    """Open the database and everything on top of it; at the end let transactions finish, then close.

    Raises DatabaseUnusable or DatabaseUnavailable.
    """
    async with open_database(location):
        authkeys, submissions = Authkeys(), Submissions()
        staging = Staging(authkeys, submissions)
        feed = ChangeFeed(location, authkeys, submissions, staging)
        admin = await local_admin()
        purging = asyncio.create_task(_purge_regularly(submissions))
        try:
            async with feed.running():
                yield Console(admin, authkeys, submissions, staging, feed)
        finally:
            purging.cancel()
            await asyncio.gather(purging, return_exceptions=True)
            await finish_transactions()


async def _purge_regularly(submissions: Submissions) -> None:
    while True:
        try:
            await submissions.purge_removed()
        except DatabaseUnavailable:
            log.warning(
                "Removed authkeys could not be purged; the next attempt is in %s hours.", _PURGE_SECONDS // 3600
            )
        await asyncio.sleep(_PURGE_SECONDS)
