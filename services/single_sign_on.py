"""Single sign-on, from the way to the provider to the account here. Every refusal is on record.

A browser starts (`depart`), signs in at the provider, and comes back with an answer (`arrive`) that may be used once. The
provider may also end what it began (`end_by_provider`: OpenID Connect Back-Channel Logout 1.0).
"""

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, NoReturn

from models.access import ABSOLUTE, local_path
from models.accounts import AdminIdentity
from models.errors import ProviderUnavailable, SignInRefused, TooManyAttempts
from models.history import EntryKind
from models.single_sign_on import ATTEMPT_LASTS, ProviderSettings, admitted
from services import identities
from services.attempts import Guess, Guesses
from services.history import History
from services.id_tokens import LEEWAY_SECONDS, LONGEST_AGE_SECONDS, BadToken
from services.identities import LinkCommand
from services.provider import PUBLISHED_LASTS_SECONDS, Provider
from services.sessions import Sessions
from services.sign_in_attempts import AttemptSeal, SignInAttempt, new_attempt
from storage.identities import purge, spend
from storage.transactions import Connection, run_transaction

RETRY_SECONDS = 60.0
"""So often a provider that does not answer is asked again, so that the log says when it does."""
_PARAMETERS = frozenset({"code", "state", "iss", "error", "error_description", "error_uri", "session_state"})
_ERROR = re.compile(r"[a-z_]{1,60}")

log = logging.getLogger(__name__)


class Departure(NamedTuple):
    """The way to the provider."""

    url: str
    cookie: str
    """What the browser must bring back"""


class Arrival(NamedTuple):
    """Who came back from the provider."""

    admin: AdminIdentity
    to: str
    """The page that was wanted"""


class SingleSignOn:
    """Signs in by a provider of OpenID Connect."""

    def __init__(
        self,
        settings: ProviderSettings,
        secret: bytes,
        history: History,
        sessions: Sessions,
        link_command: LinkCommand,
    ) -> None:
        self.settings = settings
        self._history = history
        self._sessions = sessions
        self._link_command = link_command
        self._seal = AttemptSeal(secret)
        self._provider = Provider(settings)
        self._returns = Guesses("answers of the provider")

    # -- there and back ------------------------------------------------------------------------------------------------

    async def depart(self, redirect_uri: str, to: str) -> Departure:
        """The way to the provider for a browser that wants to go to `to` afterwards. Raises ProviderUnavailable."""
        attempt = new_attempt(redirect_uri, local_path(to))
        try:
            url = await self._provider.authorization_url(redirect_uri, attempt.state, attempt.nonce, attempt.verifier)
        except ProviderUnavailable as error:
            _warn(error)
            raise
        return Departure(url, self._seal.seal(attempt))

    async def arrive(self, cookie: str | None, answer: Sequence[tuple[str, str]], address: str) -> Arrival:
        """Who came back with this answer (the query) and with the cookie of the departure.

        Raises SignInRefused, ProviderUnavailable, TooManyAttempts and DatabaseUnavailable; a refusal is on record.
        """
        try:
            async with self._returns.guess(address) as guess:
                return await self._arrival(cookie, answer, address, guess)
        except TooManyAttempts:
            await self._history.put_flood(EntryKind.SLOWED, "", address, "single sign-on")
            raise
        except ProviderUnavailable as error:
            _warn(error)
            raise

    async def _arrival(
        self, cookie: str | None, answer: Sequence[tuple[str, str]], address: str, guess: Guess
    ) -> Arrival:
        try:
            attempt, given = await self._attempt(cookie, answer)
            await self._check(given)
            admin = await self._admitted(attempt, given["code"], address)
        except SignInRefused as error:
            guess.was_wrong = True
            await self._on_record(error, address)
            raise
        return Arrival(admin, local_path(attempt.to))

    async def _admitted(self, attempt: SignInAttempt, code: str, address: str) -> AdminIdentity:
        claims = await self._provider.claims(code, attempt.redirect_uri, attempt.nonce, attempt.verifier)
        person = admitted(claims, self.settings)
        session_id = claims.get("sid")
        admin = await identities.admit(
            person, self.settings, session_id if isinstance(session_id, str) else "", address, self._link_command
        )
        await self._sessions.refresh()  # a new role has ended those with the old one
        return admin

    async def _attempt(
        self, cookie: str | None, answer: Sequence[tuple[str, str]]
    ) -> tuple[SignInAttempt, dict[str, str]]:
        """The attempt that this answers, used up now. Raises SignInRefused."""
        given = {name: value for name, value in answer if name in _PARAMETERS}
        if len(given) != len([name for name, _ in answer if name in _PARAMETERS]):  # RFC 6749, 3.1
            _refuse("This address is not one that the provider made. Start again.", "repeated parameters")
        attempt = self._seal.open(cookie)
        if attempt is None or not hmac.compare_digest(attempt.state.encode(), given.get("state", "").encode()):
            _refuse(
                "This sign-in was not started in this browser, or too long ago, or in another window since. Start again.",
                "wrong or missing state" if attempt else "no sign-in under way",
            )
        until = datetime.now(UTC) + 2 * ATTEMPT_LASTS
        if not await run_transaction(lambda db: spend(db, attempt.digest, until)):
            _refuse("This sign-in was used already. Start again.", "replayed state")
        return attempt, given

    async def _check(self, given: dict[str, str]) -> None:
        """Raise SignInRefused for an answer that is not this provider's, or that says no."""
        settings = self.settings
        says_issuer = "iss" in given or (await self._provider.published()).names_itself
        if says_issuer and given.get("iss") != settings.issuer:  # RFC 9207: it may be meant for another provider
            _refuse("This answer is not one of the provider's that this server knows. Start again.", "wrong issuer")
        if error := given.get("error"):
            code = error if _ERROR.fullmatch(error) else "unknown error"
            said = _ERRORS.get(code, f"{settings.label} answered with the error {code!r}.")
            _refuse(f"{said.format(label=settings.label)} Nobody was signed in.", f"the provider says {code}")
        if not given.get("code"):
            _refuse("This address is not one that the provider made. Start again.", "no code")

    # -- what the provider ends ----------------------------------------------------------------------------------------

    async def end_by_provider(self, logout_token: str, address: str) -> None:
        """End the sessions of whom the provider signed out. Raises SignInRefused, ProviderUnavailable, DatabaseUnavailable.

        Not slowed: when everybody is signed out at once, all these calls come from one address.
        """
        try:
            claims = await self._provider.logout_claims(logout_token)
            about = (claims.get("sub", ""), claims.get("sid", ""), address)
            await identities.end_sessions(self.settings, *about, _once(claims["jti"]))
        except BadToken as error:
            refusal = SignInRefused(f"This logout token is refused: {error}.", f"logout token: {error}")
            await self._on_record(refusal, address)
            raise refusal from error
        except ProviderUnavailable as error:
            _warn(error)
            raise
        await self._sessions.refresh()  # the other instances hear of it by the feed

    # -- for the program's life ----------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Keep what the provider publishes at hand, and say in the log when it does not answer, and when it does again."""
        answers = True
        try:
            while True:
                try:
                    await self._provider.published()
                except ProviderUnavailable as error:
                    if answers:
                        _warn(error)
                    answers = False
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if not answers:
                    log.warning("Single sign-on: %s answers again.", self.settings.host)
                answers = True
                await asyncio.sleep(PUBLISHED_LASTS_SECONDS)
        finally:
            with suppress(Exception):  # the program ends anyway
                await self._provider.close()

    async def purge(self) -> None:
        """Forget what nobody can use any more."""
        now = datetime.now(UTC)

        async def delete_old(db: Connection) -> None:
            await purge(db, now, now - ABSOLUTE)

        await run_transaction(delete_old)

    async def _on_record(self, error: SignInRefused, address: str) -> None:
        reason = f"single sign-on: {error.reason}"
        if error.who:  # the provider proved somebody, so nobody can cause it any number of times
            await self._history.put(EntryKind.REFUSED, error.who, address, reason)
        else:
            await self._history.put_flood(EntryKind.REFUSED, "", address, reason)


def _once(jti: str) -> tuple[str, datetime]:
    """What of a logout token is kept until it is too old to be used again."""
    digest = hashlib.sha256(f"logout {jti}".encode("utf-8", "surrogatepass")).hexdigest()
    return digest, datetime.now(UTC) + timedelta(seconds=2 * (LONGEST_AGE_SECONDS + LEEWAY_SECONDS))


_ERRORS = {
    "access_denied": "{label} did not let you in here: you said no there, or you have not been given this application.",
    "login_required": "{label} wants you to sign in there first.",
    "consent_required": "{label} needs your consent, or an admin's, before it tells who you are.",
    "invalid_scope": "{label} does not know what is asked of it (--oidc-scopes). Tell who runs this server.",
    "unauthorized_client": "{label} does not let this server ask (--oidc-client-id). Tell who runs this server.",
    "invalid_request": "{label} does not understand this server. Tell who runs this server.",
    "server_error": "{label} has a fault. Try again later, or sign in with a password of this server.",
    "temporarily_unavailable": "{label} is busy or being repaired. Try again later, or sign in with a password of this server.",
}


def _refuse(message: str, reason: str) -> NoReturn:
    raise SignInRefused(message, reason)


def _warn(error: ProviderUnavailable) -> None:
    log.warning("Single sign-on: %s. Accounts with a password can still sign in.", error.problem)
