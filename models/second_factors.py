"""Second factors: what counts as a proof of who is there, for how long, and where passkeys work. Decisions only."""

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from models.access import host_name, is_address
from models.errors import InvalidValue
from models.plans import Plan
from models.privileges import MANAGE_AUTHKEYS
from models.submissions import Kind
from models.texts import unseen_character

PROOF_LASTS = timedelta(minutes=5)
"""So long it is known who sits there: for changes of factors, and for what `FactorPolicy.fresh` guards."""
PENDING_LASTS = timedelta(minutes=5)
"""So long after the right password the second step may be taken, and so long a passkey's challenge is good."""

_CLOCKS_DIFFER = timedelta(seconds=30)

STEP_SECONDS = 30
"""How long a one-time code is shown (RFC 6238, 5.2)."""
STEPS_AROUND = 1
"""Codes of so many steps before and after are taken too, for clocks that differ."""
FREE_GUESSES = 5
"""So many wrong codes in a row cost no time; then waiting doubles, up to an hour."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)

RECOVERY_CODES = 10
_CODE_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that look alike"""
_CODE_GROUPS, _GROUP_LENGTH = 3, 5
"""31 characters to the power of 15 are 74 bits: nothing that could be guessed or tried through."""
MAX_PASSKEY_NAME = 60
MAX_PASSKEYS = 20


class FactorPolicy(NamedTuple):
    """What this server asks for, beyond what people choose for themselves."""

    required: bool = False
    """Who signs in with a password must have a second factor"""
    fresh: bool = False
    """Grants of Manage Authkeys, and changes of accounts and factors, need one that was just proven"""


class SessionProof(NamedTuple):
    """When who uses a session last showed who that is."""

    proved_at: datetime | None
    """By whatever lets in: a password, a launch link, a second factor"""
    factor_at: datetime | None
    """By a second factor"""

    def is_enough(self, has_factor: bool, now: datetime) -> bool:
        """Whether one's own factors may be changed: who has one shows one."""
        return is_recent(self.factor_at if has_factor else self.proved_at, now)


class PasskeyPlace(NamedTuple):
    """Where a browser is, as passkeys see it (Web Authentication, 5.1.4.1: an effective domain, in a secure context)."""

    rp_id: str
    origin: str
    problem: str = ""
    """Why there can be no passkeys, in words; empty where they work"""


class Passkey(NamedTuple):
    """A passkey as it is listed."""

    id: int
    name: str
    rp_id: str
    """The host name it was made for"""
    added_at: datetime
    used_at: datetime | None


class Factors(NamedTuple):
    """What an account has beside its password."""

    passkeys: tuple[Passkey, ...] = ()
    codes_since: datetime | None = None
    """Since when there is an app that shows one-time codes"""
    codes_used: datetime | None = None
    recovery_left: int = 0

    @property
    def any(self) -> bool:
        """Whether there is a second factor. Recovery codes are none: they stand in for one that was lost."""
        return bool(self.passkeys) or self.codes_since is not None


def is_recent(at: datetime | None, now: datetime, lasts: timedelta = PROOF_LASTS) -> bool:
    """Whether this was within the time, and not in the future, but for clocks of instances that differ: one that jumped back proves nothing."""
    return at is not None and -_CLOCKS_DIFFER <= now - at < lasts


def place(scheme: str, host_header: str) -> PasskeyPlace:
    """Where a browser is that asked by this scheme for this host."""
    host, port = host_name(host_header), urlsplit(f"//{host_header}").port
    shown = f"[{host}]" if ":" in host else host
    is_default = port is None or (scheme, port) in (("https", 443), ("http", 80))
    origin = f"{scheme}://{shown}" if is_default else f"{scheme}://{shown}:{port}"
    return PasskeyPlace(host, origin, _place_problem(scheme, host))


def _place_problem(scheme: str, host: str) -> str:
    if is_address(host):
        return (
            f"Passkeys belong to a host name, and you opened Authkeys by the IP address {host}. Open it by its name"
            f"{', such as localhost,' if host in ('127.0.0.1', '::1') else ''} to use passkeys."
        )
    if scheme != "https" and host != "localhost" and not host.endswith(".localhost"):
        return f"Browsers offer passkeys over HTTPS only, and you opened http://{host}. Open it by https:// to use passkeys."
    return ""


def counter_goes_on(stored: int, told: int) -> bool:
    """Whether a passkey's counter goes forward; many stay at 0 for ever (Web Authentication, 6.1.1)."""
    return told > stored or told == stored == 0


def accepted_step(given: str, codes: Mapping[int, str], last_step: int) -> int | None:
    """The step whose code this is, of those now accepted; none that is not after the last one used (RFC 6238, 5.2)."""
    matching = [step for step, code in codes.items() if secrets.compare_digest(code, given) and step > last_step]
    return max(matching, default=None)


def one_time_code(text: str) -> str:
    """The six digits, however they are grouped. Raises InvalidValue."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{6}", digits):
        raise InvalidValue("A code has 6 digits, as your app shows them.")
    return digits


def wait_after(failures: int, failed_at: datetime | None, now: datetime) -> int:
    """Seconds until the next code is looked at, after so many wrong ones in a row.

    Six digits can be tried through by who has the password already; passkeys and recovery codes work meanwhile.
    """
    if failures < FREE_GUESSES or failed_at is None:
        return 0
    wait = min(_FIRST_WAIT * 2 ** min(failures - FREE_GUESSES, 12), _LONGEST_WAIT)
    # A clock that jumped back makes nobody wait longer.
    left: timedelta = wait - max(now - failed_at, timedelta(0))
    return max(0, round(left.total_seconds()))


def new_recovery_codes() -> list[str]:
    """Ten new ones: `k7m2p-x9qrt-h4nwz`."""
    return [
        "-".join("".join(secrets.choice(_CODE_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_CODE_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_code(text: str) -> str:
    """A recovery code as it is digested, however it was typed. Raises InvalidValue for what can be none."""
    plain = re.sub(r"[\s-]", "", text).lower()
    if len(plain) != _CODE_GROUPS * _GROUP_LENGTH or set(plain) - set(_CODE_ALPHABET):
        raise InvalidValue("A recovery code has 15 letters and digits, such as k7m2p-x9qrt-h4nwz.")
    return plain


def passkey_name(text: str, taken: Iterable[str] = ()) -> str:
    """A name by which its owner knows a passkey. Raises InvalidValue."""
    name = " ".join(text.split())
    if not name:
        raise InvalidValue("Give the passkey a name, such as the device that holds it.")
    if len(name) > MAX_PASSKEY_NAME:
        raise InvalidValue(f"The name has {len(name)} characters; at most {MAX_PASSKEY_NAME} are allowed.")
    if not name.isprintable() or unseen_character(name) is not None:
        raise InvalidValue("The name holds a character that cannot be seen; remove it.")
    if name.casefold() in {each.casefold() for each in taken}:
        raise InvalidValue(f"You have a passkey {name!r} already; choose another name.")
    return name


def hands_out_manage(plan: Plan) -> bool:
    """Whether a plan gives anybody Manage Authkeys: grants it, brings it back, or makes a new secret for who has it."""
    mask = MANAGE_AUTHKEYS.mask
    granted = any(each.after & ~each.before & mask for each in plan.modifications)
    rekeyed = any(each.kind is Kind.REKEYED and each.after & mask for each in plan.modifications)
    return granted or rekeyed or any(new.privileges & mask for new in plan.new)
