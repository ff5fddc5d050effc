"""Believable authkeys and pickup passphrases for `--demo`: the same ones every time, but for their secrets."""

import asyncio
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from models.access_checks import Reason
from models.accounts import AdminIdentity, Role
from models.amendments import TextChange, TextName, first_texts
from models.authkeys import Authkey
from models.denials import denial
from models.passphrases import suggest_phrase
from models.privileges import ALL_PRIVILEGES, PRIVILEGES, mask_of, privilege, privileges_in
from models.secrets import new_secret
from models.submissions import NewAuthkey, Source
from models.views import View
from services.console import Console
from services.passphrases import Passphrases
from services.submissions import Order
from services.uses import Uses

DEMO_KEYS = 500
FIRST_ACT_SECONDS = 40.0
"""From the start to the first act of the colleague, and from each to the next"""

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
_OWNERS = ("Ana Ruiz", "", "Team Billing", "Northwind Hosting", "", "Dana Weiss", "Team Onboarding")
_NOTES = ("", "", "", "rack 4, row B", "", "", "until the move in March", "", "", "read only, for the status page", "")
_USUAL = {"listlicenses": 0.8, "search": 0.7, "addlicense": 0.45, "liscreact": 0.3, "modlisc": 0.25, "explisc": 0.2}


_PASSPHRASES = (  # note, privileges, uses, days until it expires, networks
    ("rack 4", ("listlicenses", "search"), 40, 30, ("192.0.2.0/24",)),
    ("whmcs rollout", ("addlicense", "listlicenses", "search"), 250, 90, ()),
    ("Kunden-Portal", ("search",), 1, None, ("198.51.100.0/24", "2001:db8:10::/64")),
    ("support desk", ("listlicenses", "liscreact"), 5, 7, ()),
    ("backup region", ("explisc", "modlisc"), 12, None, ("2001:db8:20::/64",)),
)


async def fill(console: Console) -> AdminIdentity:
    """Add 500 authkeys in one submission, passphrases in every state, what a month of calls leaves behind, and a colleague."""
    order = Order(uuid.uuid4(), console.admin, Source.IMPORT, demo_keys(DEMO_KEYS), by_operator=True)
    await console.submissions.submit(order)
    await _add_passphrases(console.passphrases, console.admin)
    await _call(console.uses, await console.authkeys.matching(View(), console.admin.id))
    name, password = "maya" if console.admin.name != "maya" else "sam", suggest_phrase()
    await console.admins.add(name, password, Role.ADMIN, "the demonstration")
    colleague = await console.admins.authenticate(name, password, "198.51.100.20")
    assert colleague is not None
    return colleague


async def work_as_colleague(console: Console, colleague: AdminIdentity) -> None:
    """Be here, and now and then stage something, and submit it or not, as long as the program runs."""
    console.presence.enter(colleague.id, "/")
    chance = random.Random(7)
    while True:
        await asyncio.sleep(FIRST_ACT_SECONDS)
        rows = await console.authkeys.matching(View(), console.admin.id)
        for row in chance.sample(rows, min(len(rows), chance.randrange(1, 4))):
            each = chance.choice(PRIVILEGES)
            await console.staging.stage(colleague.id, row.id, each, not row.privileges & each.mask)
        await asyncio.sleep(FIRST_ACT_SECONDS / 2)
        if chance.random() < 0.6:
            await console.staging.submit(colleague, uuid.uuid4())
        else:
            await console.staging.discard(colleague.id)


async def _call(uses: Uses, rows: Sequence[Authkey], seed: int = 2021) -> None:
    """A month of calls: most keys use what they have, some nothing, and a few ask for what they may not."""
    chance, now = random.Random(seed), datetime.now(UTC)
    busy = [row for row in rows if chance.random() < 0.8]
    for days in range(30, -1, -1):
        at = now - timedelta(days=days, minutes=chance.randrange(600))
        for row in busy:
            for each in privileges_in(row.privileges):
                if chance.random() < 0.3:
                    uses.note_uses(row.id, each, chance.randrange(1, 40), min(at, now))
        await uses.write()
    await _ask_in_vain(uses, rows, chance, now)


async def _ask_in_vain(uses: Uses, rows: Sequence[Authkey], chance: random.Random, now: datetime) -> None:
    """A week of calls that are denied: some servers ask for what they may not, and one night somebody tries keys."""
    lacking = [
        (row, each) for row in chance.sample(list(rows), 12) for each in PRIVILEGES if not row.privileges & each.mask
    ]
    asked = [denial(Reason.PRIVILEGE_MISSING, row.ip, row.id, row.service, each.id) for row, each in lacking[::4]]
    guessed = [denial(Reason.UNKNOWN_KEY, f"198.18.0.{number}", 0, "", "search") for number in range(1, 7)]
    for hours in sorted(chance.sample(range(6 * 24), 80), reverse=True):
        at = now - timedelta(hours=hours, minutes=chance.randrange(50))
        for which in chance.sample(asked, min(3, len(asked))):
            uses.note_denials(which, chance.randrange(1, 9 if 7 <= at.hour <= 19 else 3), at)
        if 61 <= hours <= 66:
            for which in guessed:
                uses.note_denials(which, chance.randrange(4, 14), at)
        await uses.write()


async def _add_passphrases(passphrases: Passphrases, admin: AdminIdentity) -> None:
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
    used_up = suggest_phrase()
    await passphrases.add(admin, used_up, privilege("search").mask, note="first rollout, used up")
    await passphrases.register(used_up, "onboarding-bot", "198.51.100.250")


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
        keys[ip, service] = NewAuthkey(ip, service, _privileges(chance), secret.kept, _texts(len(keys)))
    return list(keys.values())


def _texts(number: int) -> tuple[TextChange, ...]:
    """An owner for most keys, and a note for some."""
    owner, note = _OWNERS[number * 3 % len(_OWNERS)], _NOTES[number * 5 % len(_NOTES)]
    return first_texts([(TextName.NOTE, note), (TextName.OWNER, owner)])


def _privileges(chance: random.Random) -> int:
    if chance.random() < 0.02:
        return ALL_PRIVILEGES
    return sum(each.mask for each in PRIVILEGES if chance.random() < _USUAL.get(each.id, 0.06))
