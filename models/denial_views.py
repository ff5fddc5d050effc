"""Which denied requests are shown, and what the access check tester is opened with: values that fit into the address bar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from models.access_checks import Reason
from models.addresses import MAX_CALLER_LENGTH
from models.errors import InvalidValue
from models.moments import moment
from models.privileges import PRIVILEGES, privilege
from models.texts import trim_unseen
from models.views import MAX_SEARCH_LENGTH


@dataclass(frozen=True, kw_only=True)
class DeniedView:
    """Which ones, always those that were denied last on top."""

    search: str = ""
    """As for authkeys: addresses, networks, beginnings of addresses, or part of a service; see `models.searches`"""
    reason: Reason | None = None
    day: date | None = None
    """In UTC, one of the last: what was denied on it, perhaps among others"""

    def __post_init__(self) -> None:
        """Raises InvalidValue for what cannot be looked for."""
        object.__setattr__(self, "search", trim_unseen(self.search))
        if len(self.search) > MAX_SEARCH_LENGTH or not self.search.replace("\n", " ").isprintable():
            raise InvalidValue(f"The search holds what cannot be read, or more than {MAX_SEARCH_LENGTH} characters.")

    @property
    def is_filtered(self) -> bool:
        """Whether some are left out."""
        return self != EVERYTHING_DENIED

    def to_query(self) -> str:
        """The view as a URL query without its `?`."""
        parts = {"search": self.search, "reason": self.reason or "", "day": self.day.isoformat() if self.day else ""}
        return urlencode({name: value for name, value in parts.items() if value}, safe=",/:")


EVERYTHING_DENIED = DeniedView()


def parse_denied_view(query: Mapping[str, str]) -> DeniedView:
    """The view that a URL query names. Raises InvalidValue, with words."""
    day = query.get("day")
    return DeniedView(
        search=query.get("search", ""), reason=_reason(query.get("reason")), day=moment(day).date() if day else None
    )


def _reason(text: str | None) -> Reason | None:
    try:
        return Reason(text) if text else None
    except ValueError:
        raise InvalidValue(f"{text!r:.30} is not a reason; known are {', '.join(Reason)}.") from None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What an access check is tried with at first. Never with a secret: an address keeps none."""

    authkey_id: int = 0
    """The authkey whose key is taken; 0 for none"""
    ip: str = ""
    privilege: str = PRIVILEGES[-1].id

    def to_query(self) -> str:
        """It as a part of a URL query."""
        return urlencode({"try": "1"} | ({} if self == Trial() else self._parts()), safe=":")

    def _parts(self) -> dict[str, str]:
        parts = {"key": str(self.authkey_id or ""), "ip": self.ip, "privilege": self.privilege}
        return {name: value for name, value in parts.items() if value}


def parse_trial(query: Mapping[str, str]) -> Trial | None:
    """What a URL query wants tried; None for nothing. Raises InvalidValue, with words."""
    if "try" not in query:
        return None
    number, ip = query.get("key", "0"), query.get("ip", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise InvalidValue(f"{number!r:.40} is not the number of an authkey.")
    if len(ip) > MAX_CALLER_LENGTH or not ip.isprintable():
        raise InvalidValue(f"{ip!r:.60} is not an IP address.")
    return Trial(authkey_id=int(number), ip=ip, privilege=privilege(query.get("privilege", Trial.privilege)).id)
