"""The accounts of people who sign in at the provider: made at the first time, kept at the role that the provider says."""

import hashlib
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from models.accounts import AdminIdentity
from models.errors import InvalidValue, SignInRefused
from models.history import EntryKind
from models.provider_options import issuer as issuer_option
from models.single_sign_on import MAX_SUBJECT_LENGTH, ProvenPerson, ProviderSettings, erased_subject
from services.account_rights import find_account
from services.id_tokens import BadToken
from storage import account_list, accounts, history, identities, invitations, sessions
from storage.database import DatabaseLocation
from storage.transactions import Connection, run_transaction, take_turn_in_accounts

LinkCommand = Callable[[str, str], str]
"""How an admin links an account (name) to a person (subject), as it can be typed"""


def link_command(location: DatabaseLocation, secret_file: Path | None, rules: ProviderSettings) -> LinkCommand:
    """How that is typed for this database."""

    def command(name: str, subject: str) -> str:
        words = ("admin", "link", name, subject, "--issuer", rules.issuer)
        return location.command(" ".join(shlex.quote(each) for each in words), secret_file)

    return command


async def admit(
    person: ProvenPerson, rules: ProviderSettings, session_id: str, address: str, link_command: LinkCommand
) -> AdminIdentity:
    """The account of a person whom the provider proved; `session_id` is that of the provider's session, or empty.

    Made at the first sign-in, never found by its name: else whoever may choose a name at the provider could take over an
    account here. A new role ends the sessions with the old one. Raises SignInRefused, and then has changed nothing.
    """

    async def work(db: Connection) -> AdminIdentity:
        await take_turn_in_accounts(db)  # who signs in twice at once gets one account
        row = await identities.account_of(
            db, rules.issuer, person.subject, erased_subject(rules.issuer, person.subject)
        )
        if row is None:
            admin = await _add(db, person, rules, address, link_command)
        else:
            if row.disabled:
                _refuse_disabled(row.name)
            admin = row.identity._replace(role=person.role)
            if row.role is not person.role:
                await accounts.update(db, row.id, role=person.role)
                await sessions.delete_all_of(db, row.id)
                await history.append(db, EntryKind.ROLE_CHANGED, row.id, address, f"to {person.role}, by {rules.host}")
        if session_id:
            await identities.remember_session(db, _digest(rules.issuer, session_id), admin.id, datetime.now(UTC))
        return admin

    return await run_transaction(work)


async def end_sessions(
    rules: ProviderSettings, subject: str, session_id: str, address: str, once: tuple[str, datetime]
) -> int:
    """End all sessions of whom the provider signed out; returns of how many accounts: 0 if nobody's here.

    `once` is what is used up by it, and until when that is known. Only together with what it does: what could not be
    stored is asked for again. Raises BadToken if it was used up already.
    """

    async def work(db: Connection) -> int:
        if not await identities.spend(db, *once):
            raise BadToken("it was used already")
        row = await identities.account_of(db, rules.issuer, subject) if subject else None
        if row is None and session_id:
            row = await identities.account_of_session(db, _digest(rules.issuer, session_id))
        if row is None:
            return 0
        await sessions.delete_all_of(db, row.id)
        await history.append(db, EntryKind.SIGNED_OUT_BY_PROVIDER, row.id, address, f"by {rules.host}")
        return 1

    return await run_transaction(work)


async def link(name: str, subject: str, issuer: str, by: str, *, keep_password: bool) -> None:
    """Let a person at the provider sign in with an account that is here already.

    Its password goes, unless it is to be kept: else who leaves the company could still come in with it.
    Raises InvalidValue; NotAllowed for the last admin who can come in without the provider.
    """
    url = issuer_option(issuer) or ""
    if not subject.isprintable() or not 0 < len(subject) <= MAX_SUBJECT_LENGTH:
        raise InvalidValue(
            "The subject is what the provider calls this person; the page that refused the sign-in shows it."
        )

    async def work(db: Connection) -> None:
        await take_turn_in_accounts(db)
        row = await find_account(db, name)
        if taken := await identities.account_of(db, url, subject, erased_subject(url, subject)):
            raise InvalidValue(f"{subject!r} at {url} signs in as {taken.name!r} already. Nothing was changed.")
        if row.password_hash and not keep_password:
            if not await identities.others_with_password(db, row.id):
                raise InvalidValue(
                    f"{row.name} is the only account with a password: without it nobody could sign in while the provider "
                    "does not answer. Add another account first, or keep the password with --keep-password."
                )
            await account_list.require_another_admin(db, row.id)
            await accounts.update(db, row.id, password_hash=None)
        await identities.add(db, url, subject, row.id)
        await invitations.withdraw(db, row.id)
        await sessions.delete_all_of(db, row.id)
        kept = "password kept" if row.password_hash and keep_password else "without a password"
        await history.append(db, EntryKind.LINKED, row.id, "", f"{kept}, by {by}")

    await run_transaction(work)


async def erase(db: Connection, admin_id: int) -> None:
    """Within a transaction: forget who this was at the provider, and still know that person's account is shut."""
    for identity_id, issuer, subject in await identities.of_account(db, admin_id):
        if not subject.startswith("sha256:"):
            await identities.rename(db, identity_id, erased_subject(issuer, subject))


async def _add(
    db: Connection, person: ProvenPerson, rules: ProviderSettings, address: str, link_command: LinkCommand
) -> AdminIdentity:
    if taken := await accounts.find_alike(db, person.name):
        raise SignInRefused(
            f"There is already an account {taken.name!r} here, and nobody knows whether it is yours. If it is, ask an admin of "
            f"this server to run: {link_command(taken.name, person.subject)} - otherwise ask who keeps "
            f"{rules.label} for another user name.",
            "the account's name is taken",
            f"{person.name} at {rules.host}",
        )
    admin_id = await accounts.add(db, person.name, person.role, None)
    await identities.add(db, rules.issuer, person.subject, admin_id)
    await history.append(db, EntryKind.ADDED, admin_id, address, f"as {person.role}, by {rules.host}")
    return AdminIdentity(admin_id, person.name, person.role)


def _refuse_disabled(name: str) -> NoReturn:
    raise SignInRefused(
        "Your account here is disabled. Ask an admin of Authkeys to enable it.", "disabled account", name
    )


def _digest(issuer: str, session_id: str) -> str:
    return hashlib.sha256(f"{issuer}\0{session_id}".encode("utf-8", "surrogatepass")).hexdigest()
