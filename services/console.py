"""All services of one running Authkeys, opened and closed together."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.accounts import AdminIdentity
from models.errors import DatabaseUnavailable
from models.four_eyes import OFF, FourEyes
from models.second_factors import FactorPolicy
from models.single_sign_on import ProviderSettings
from models.subjects import Subject
from models.views import PassphraseView
from services.admins import Admins, local_admin
from services.approvals import Approvals
from services.authkey_staging import AuthkeyStaging
from services.authkeys import Authkeys
from services.authorizer import Authorizer
from services.chain import Chain
from services.clock import read_clock
from services.exports import Exports
from services.feed import ChangeFeed
from services.history import History
from services.identities import link_command
from services.installation import load_any_secret, load_own_secret
from services.invitations import Invitations
from services.keymaking import Handouts
from services.passphrases import Passphrases
from services.past import Past
from services.presence import Presence
from services.proofs import Proofs
from services.reversals import Reversals
from services.second_factors import SecondFactors
from services.sessions import Sessions
from services.single_sign_on import SingleSignOn
from services.staging import Staging
from services.submissions import Submissions
from services.supervisor import Supervisor
from services.uploads import Uploads
from services.uses import Uses
from storage import attempts
from storage.database import DatabaseLocation, open_database
from storage.transactions import finish_transactions

_PURGE_SECONDS = 6 * 3600
_PURGE_ATTEMPTS_SECONDS = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Console:
    """What pages and routes work with."""

    location: DatabaseLocation
    admin: AdminIdentity
    """The local admin: whom launch links sign in, and as whom the command line acts."""
    admins: Admins
    invitations: Invitations
    sessions: Sessions
    proofs: Proofs
    second_factors: SecondFactors
    history: History
    chain: Chain
    past: Past
    reversals: Reversals
    exports: Exports
    authkeys: Authkeys
    submissions: Submissions
    approvals: Approvals
    staging: AuthkeyStaging
    handouts: Handouts
    uploads: Uploads
    feed: ChangeFeed
    passphrases: Passphrases
    passphrase_staging: Staging[PassphraseView]
    authorizer: Authorizer
    uses: Uses
    presence: Presence
    supervisor: Supervisor
    """The loops that run behind all this, and how they fare"""
    secret_file: Path | None = None
    """Where the server's secret is, if not beside the database"""
    is_demo: bool = False
    """Whether all of it goes when the program ends"""
    single_sign_on: SingleSignOn | None = None
    """Signing in by a provider, if there is one"""

    def command(self, name: str = "") -> str:
        """A command of `main.py` that works on the same database, as it can be typed."""
        return self.location.command(name, self.secret_file)


@asynccontextmanager
async def open_console(
    location: DatabaseLocation,
    secret_file: Path | None = None,
    checkpoint_file: Path | None = None,
    *,
    is_demo: bool = False,
    provider: ProviderSettings | None = None,
    factor_policy: FactorPolicy = FactorPolicy(),  # noqa: B008 - it never changes
    four_eyes: FourEyes = OFF,
    needs_secret: bool = True,
) -> AsyncIterator[Console]:
    """Open the database and everything on top of it; at the end let transactions finish, then close.

    `checkpoint_file` is where signed checkpoints of the history are appended, `provider` who signs people in beside us.
    `factor_policy` is for who comes by a browser: commands have none, because who can run them can read the database and its secret anyway.
    `four_eyes` says which submissions wait for another admin.
    Only for what neither signs, nor lets anybody in, nor keeps what is encrypted: `needs_secret` is false.
    Raises DatabaseUnusable, DatabaseUnavailable or SecretUnusable.
    """
    async with open_database(location):
        if needs_secret:
            secret = await load_own_secret(location, secret_file)
        else:
            secret = load_any_secret(location, secret_file)
        history = History()
        proofs = Proofs(factor_policy, four_eyes)
        admins, sessions = Admins(history, proofs), Sessions(secret, history)
        factors = SecondFactors(secret, proofs, sessions, history)
        uses = Uses()
        past = Past()
        authkeys, submissions = Authkeys(uses, past), Submissions(four_eyes, proofs)
        passphrases = Passphrases(secret, submissions, history)
        staging = AuthkeyStaging(authkeys, submissions, uses)
        passphrase_staging = Staging(Subject.PASSPHRASE, passphrases, submissions)
        stagings: dict[Subject, Staging[Any]] = {Subject.AUTHKEY: staging, Subject.PASSPHRASE: passphrase_staging}
        feed = ChangeFeed(location, submissions, stagings, sessions)
        authorizer = Authorizer(feed, uses)
        submissions.first_told.append(authorizer.invalidate)
        feed.at_once["access checks"] = lambda commits: authorizer.invalidate_older(commits.changed[Subject.AUTHKEY])
        feed.at_once["counts"] = lambda _: authkeys.forget_counts()
        feed.followers["denied requests"] = uses.refresh
        feed.followers["history"] = history.follow
        presence = Presence({Subject.AUTHKEY: authkeys, Subject.PASSPHRASE: passphrases})
        feed.followers["presence"] = presence.refresh
        approvals = Approvals(submissions, stagings)
        admin = await local_admin()
        supervisor = Supervisor()
        chain = Chain(secret, checkpoint_file)
        single_sign_on = None
        if provider:
            command = link_command(location, secret_file, provider)
            single_sign_on = SingleSignOn(provider, secret, history, sessions, command)
        try:
            async with (
                uses.running(supervisor),
                feed.running(supervisor),
                presence.running(supervisor),
                approvals.running(supervisor, lambda follow: feed.followers.update(approvals=follow)),
                supervisor.keeping(
                    {
                        "purge of attempts": _purge_attempts_regularly,
                        "purge": lambda: _purge_regularly(submissions, sessions, uses, single_sign_on),
                        **({"single sign-on": single_sign_on.watch} if single_sign_on else {}),
                        **({"checkpoints": chain.append_regularly} if checkpoint_file else {}),
                    }
                ),
            ):
                yield Console(
                    location,
                    admin,
                    admins,
                    Invitations(admins, history, proofs),
                    sessions,
                    proofs,
                    factors,
                    history,
                    chain,
                    past,
                    Reversals(stagings),
                    Exports(history, past, authkeys),
                    authkeys,
                    submissions,
                    approvals,
                    staging,
                    Handouts(),
                    Uploads(),
                    feed,
                    passphrases,
                    passphrase_staging,
                    authorizer,
                    uses,
                    presence,
                    supervisor,
                    secret_file,
                    is_demo,
                    single_sign_on,
                )
        finally:
            await finish_transactions()


async def _purge_regularly(
    submissions: Submissions, sessions: Sessions, uses: Uses, single_sign_on: SingleSignOn | None
) -> None:
    while True:
        try:
            if (await read_clock()).is_settled:
                await submissions.purge_removed()
                await sessions.purge()
                await uses.purge()
                if single_sign_on:
                    await single_sign_on.purge()
        except DatabaseUnavailable:
            log.warning(
                "Removed authkeys and old sessions could not be purged; the next attempt is in %s hours.",
                _PURGE_SECONDS // 3600,
            )
        await asyncio.sleep(_PURGE_SECONDS)


async def _purge_attempts_regularly() -> None:
    while True:
        await asyncio.sleep(_PURGE_ATTEMPTS_SECONDS)
        with suppress(DatabaseUnavailable):  # the next minute's purge takes these too
            await attempts.purge()
