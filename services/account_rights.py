"""Who may change accounts, decided in the transaction that does it."""

from models.accounts import AdminIdentity, Role, normalized
from models.actors import by_account
from models.errors import InvalidValue, NotAllowed
from services.proofs import Proofs
from services.sessions import SignedIn
from storage import accounts, identities
from storage.accounts import StoredAccount
from storage.transactions import Connection, take_turn_in_accounts

By = SignedIn | AdminIdentity | str
"""Who changes an account: an admin in a session, whose rights, and second factor if that is wanted, are looked at; an admin
without one; or words, on the command line, for who needs no rights"""


def admin_of(by: By) -> AdminIdentity | None:
    """The admin who does it, if it is one."""
    return by.admin if isinstance(by, SignedIn) else by if isinstance(by, AdminIdentity) else None


async def may_change_accounts(db: Connection, by: By, proofs: Proofs) -> str:
    """Wait until nobody else changes accounts; then who does it, as the record has it.

    Raises NotAllowed if they may not (any more), and FactorNeeded if they must show anew who they are.
    """
    await take_turn_in_accounts(db)
    admin = admin_of(by)
    if admin is None:
        return f"by {by}"
    await accounts.require_change(db, admin.id)
    await proofs.require_fresh(by.id if isinstance(by, SignedIn) else None, db=db)
    return by_account(admin.id)


def require_not_alone(by: By, role: Role, proofs: Proofs) -> None:
    """Raise NotAllowed if an admin would let an admin in who could then approve for them, where four eyes are wanted."""
    if proofs.four_eyes.is_on and role is Role.ADMIN and admin_of(by) is not None:
        raise NotAllowed(
            "This server wants four eyes: no admin lets another one in alone, who could then approve. Nothing was changed. "
            "Whoever runs the server can, with `main.py admin`."
        )


async def require_not_alone_for(db: Connection, by: By, account: StoredAccount, proofs: Proofs) -> None:
    """The same for what lets somebody into an account that is here already.

    One that belongs to a person at the provider counts as an admin's: at that person's next sign-in the provider may say that
    it is, and a password or a link from before would come in then.
    """
    role = Role.ADMIN if await identities.of_account(db, account.id) else account.role
    require_not_alone(by, role, proofs)


async def find_account(db: Connection, name: str) -> StoredAccount:
    """The account of this name. Raises InvalidValue if there is none."""
    row = await accounts.find(normalized(name), db)
    if row is None:
        raise InvalidValue(f"There is no account {name!r}. Settings, and `admin list`, show the accounts.")
    return row


async def require_free(db: Connection, name: str) -> None:
    """Raise InvalidValue if an account has this name, in whatever case."""
    if taken := await accounts.find_alike(db, name):
        raise InvalidValue(f"There is already an account {taken.name!r}. Choose another name.")
