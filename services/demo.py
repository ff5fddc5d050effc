"""Believable authkeys and pickup passphrases for `--demo`: the same ones every time, but for their secrets."""

import random
import uuid
from datetime import UTC, datetime, timedelta

from models.accounts import AdminIdentity
from models.passphrases import suggest_phrase
from models.privileges import ALL_PRIVILEGES, PRIVILEGES, mask_of, privilege
from models.secrets import new_secret
from models.submissions import NewAuthkey, Source
from services.passphrases import Passphrases
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


_PASSPHRASES = (  # note, privileges, uses, days until it expires, networks
    ("rack 4", ("listlicenses", "search"), 40, 30, ("192.0.2.0/24",)),
    ("whmcs rollout", ("addlicense", "listlicenses", "search"), 250, 90, ()),
    ("Kunden-Portal", ("search",), 1, None, ("198.51.100.0/24", "2001:db8:10::/64")),
    ("support desk", ("listlicenses", "liscreact"), 5, 7, ()),
    ("backup region", ("explisc", "modlisc"), 12, None, ("2001:db8:20::/64",)),
)


async def fill(submissions: Submissions, passphrases: Passphrases, admin: AdminIdentity) -> None:
    """Add 500 authkeys in one submission, and some passphrases."""
    await submissions.submit(Order(uuid.uuid4(), admin, Source.IMPORT, demo_keys(DEMO_KEYS)))
    for note, privileges, uses, days, networks in _PASSPHRASES:
        await passphrases.add(
            admin,
            suggest_phrase(),
            mask_of(map(privilege, privileges)),
            uses=uses,
            expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
            networks=networks,
            note=note,
        )


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
