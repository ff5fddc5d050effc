"""Believable authkeys for `--demo`: the same ones every time."""

import random
import uuid

from models.accounts import AdminIdentity
from models.privileges import ALL_PRIVILEGES, PRIVILEGES
from models.secrets import new_secret
from models.submissions import NewAuthkey, Source
from services.submissions import Order, Submissions

DEMO_KEYS = 500

# Documentation networks only (RFC 5737, RFC 3849).
_NETWORKS = ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:10::", "2001:db8:20::")
_SERVICES = (
    "whmcs-billing",
    "blesta-prod",
    "clientexec",
    "hostbill",
    "provisiond",
    "license-sync",
    "dc-inventory",
    "reseller-portal",
    "support-desk",
    "monitoring",
    "kunden-portal",
    "Rechnungsprüfung",
    "請求システム",
    "onboarding-bot",
    "nightly-audit",
    "backup+restore",
)
_USUAL = {"listlicenses": 0.8, "search": 0.7, "addlicense": 0.45, "liscreact": 0.3, "modlisc": 0.25, "explisc": 0.2}


async def fill(submissions: Submissions, admin: AdminIdentity) -> None:
    """Add 500 authkeys in one submission."""
    await submissions.submit(Order(uuid.uuid4(), admin, Source.IMPORT, demo_keys(DEMO_KEYS)))


def demo_keys(count: int, seed: int = 2020) -> list[NewAuthkey]:
    """`count` different authkeys; the same for the same seed, but for their secrets."""
    chance = random.Random(seed)
    keys: dict[tuple[str, str], NewAuthkey] = {}
    while len(keys) < count:
        network = chance.choice(_NETWORKS)
        ip = f"{network}{chance.randrange(1, 255)}" if "." in network else f"{network}{chance.randrange(1, 0xFFFF):x}"
        service = chance.choice(_SERVICES)
        if chance.random() < 0.4:
            service = f"{service}-{chance.randrange(1, 40):02}"
        secret = new_secret()
        keys[ip, service] = NewAuthkey(ip, service, _privileges(chance), secret.digest, secret.hint)
    return list(keys.values())


def _privileges(chance: random.Random) -> int:
    if chance.random() < 0.02:
        return ALL_PRIVILEGES
    return sum(each.mask for each in PRIVILEGES if chance.random() < _USUAL.get(each.id, 0.06))
