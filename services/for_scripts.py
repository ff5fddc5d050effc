"""The services behind what scripts call: the authorizer, the gateway, registration. A whole console has them, and a worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from models.accounts import AdminIdentity
from models.second_factors import FactorPolicy
from models.subjects import Subject
from services.admins import Admins, local_admin
from services.authorizer import FRESH_SECONDS, Authorizer
from services.feed import ChangeFeed
from services.held_keys import HoldingAuthorizer
from services.history import History
from services.installation import load_own_secret
from services.noting import Noting
from services.passphrases import Passphrases
from services.proofs import Proofs
from services.secret_reading import LONGEST_READ
from services.submissions import Submissions
from services.supervisor import Supervisor
from storage.database import DatabaseLocation, open_database
from storage.signals import Rhythm
from storage.transactions import finish_transactions

_BEATS = 5
"""So often within the time in which a change must take effect the database is asked for news."""
_USUAL = Rhythm()


class ForScripts(Protocol):
    """What routes for scripts work with."""

    @property
    def admin(self) -> AdminIdentity:
        """In whose name a key acts where an account is needed."""

    @property
    def admins(self) -> Admins:
        """Whose passwords count."""

    @property
    def passphrases(self) -> Passphrases:
        """With which servers register."""

    @property
    def authorizer(self) -> Authorizer:
        """Who says whether a key may."""

    @property
    def proofs(self) -> Proofs:
        """Whether a password is enough."""

    @property
    def history(self) -> History:
        """Where refusals go on record."""

    @property
    def uses(self) -> Noting:
        """Who is told what was let through and what was not."""


@dataclass(frozen=True, slots=True)
class Checks:
    """The services of a process that answers access checks and the gateway only."""

    admin: AdminIdentity
    admins: Admins
    passphrases: Passphrases
    authorizer: Authorizer
    uses: Noting
    feed: ChangeFeed
    supervisor: Supervisor
    proofs: Proofs
    history: History


class Holding(NamedTuple):
    """How access checks are answered."""

    fresh_within: float = FRESH_SECONDS
    """Seconds within which a change that another process makes takes effect"""
    holds_keys: bool = False
    """Whether all keys are held in memory"""
    factor_policy: FactorPolicy = FactorPolicy()
    """What is asked of accounts beyond a password"""


@asynccontextmanager
async def open_checks(
    location: DatabaseLocation, secret_file: Path | None, uses: Noting, holding: Holding
) -> AsyncIterator[Checks]:
    """Open the database and what access checks need on top of it; the keys are there when the block begins.

    Raises DatabaseUnusable, DatabaseUnavailable or SecretUnusable.
    """
    fresh_within, patience = holding.fresh_within, min(holding.fresh_within, LONGEST_READ)
    async with open_database(location):
        secret = await load_own_secret(location, secret_file)
        history, submissions, proofs = History(), Submissions(), Proofs(holding.factor_policy)
        rhythm = Rhythm(min(_USUAL.beat, fresh_within / _BEATS), min(_USUAL.patience, max(1.0, fresh_within)))
        feed = ChangeFeed(location, submissions, {}, None, rhythm)
        kind = HoldingAuthorizer if holding.holds_keys else Authorizer
        authorizer = kind(feed, uses, fresh_within, patience)
        submissions.first_told.append(authorizer.invalidate)
        feed.at_once["access checks"] = lambda commits: authorizer.invalidate_older(commits.changed[Subject.AUTHKEY])
        supervisor = Supervisor()
        try:
            async with feed.running(supervisor), authorizer.holding(supervisor):
                yield Checks(
                    await local_admin(),
                    Admins(history, proofs),
                    Passphrases(secret, submissions, history),
                    authorizer,
                    uses,
                    feed,
                    supervisor,
                    proofs,
                    history,
                )
        finally:
            await finish_transactions()
