"""Authkeys made and re-keyed by an admin in the page; each is a submission."""

import uuid

from models.accounts import AdminIdentity
from models.addresses import canonical_ip
from models.authkeys import Authkey, canonical_service
from models.secrets import Secret, new_secret
from models.submissions import NewAuthkey, NewSecret, Source
from services.submissions import Order, Submissions


async def add_authkey(
    submissions: Submissions, admin: AdminIdentity, ip: str, service: str, privileges: int
) -> tuple[NewAuthkey, Secret]:
    """Add one authkey with a new secret, which is returned this once.

    Raises InvalidValue for a bad address or service, DuplicateAuthkey if they are taken, and DatabaseUnavailable.
    """
    secret = new_secret()
    key = NewAuthkey(canonical_ip(ip), canonical_service(service), privileges, secret.digest, secret.hint)
    await submissions.submit(Order(uuid.uuid4(), admin, Source.DIALOG, [key]))
    return key, secret


async def issue_new_key(submissions: Submissions, admin: AdminIdentity, row: Authkey) -> Secret:
    """Replace the secret of an authkey; the old one stops working. The new one is returned this once.

    Raises AuthkeyNotFound if it was removed in the meantime, and DatabaseUnavailable.
    """
    secret = new_secret()
    change = NewSecret(row.id, secret.digest, secret.hint)
    await submissions.submit(Order(uuid.uuid4(), admin, Source.DIALOG, [change]))
    return secret
