"""A view of the grid: what is searched, filtered and sorted, as a value that fits into the address bar."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from models.errors import InvalidValue
from models.privileges import PRIVILEGES, mask_of, privilege, privileges_in
from models.texts import trim_unseen
from models.usage import QUIET_DAYS

MAX_SEARCH_LENGTH = 200
SORT_COLUMNS = ("ip", "service", *(each.id for each in PRIVILEGES))


@dataclass(frozen=True, slots=True)
class View:
    """Which authkeys are shown, in which order. The default shows all of them by IP address.

    `has` and `lacks` are sets of privileges: shown are the authkeys that have all of the first and none of the second.
    """

    search: str = ""
    has: int = 0
    lacks: int = 0
    staged_only: bool = False
    sort: str = "ip"
    descending: bool = False
    unused_days: int = 0
    """Only authkeys with a granted privilege that was not used for so many days; 0 for all"""

    def __post_init__(self) -> None:
        """Raises InvalidValue for an overlong or impossible search and an unknown column."""
        # However it was typed, pasted or composed: the same as in the names that are searched.
        object.__setattr__(self, "search", trim_unseen(unicodedata.normalize("NFC", self.search)))
        if len(self.search) > MAX_SEARCH_LENGTH:
            raise InvalidValue(
                f"The search has {len(self.search)} characters; at most {MAX_SEARCH_LENGTH} are allowed."
            )
        if "\x00" in self.search or any("\ud800" <= character <= "\udfff" for character in self.search):
            raise InvalidValue("The search holds a character that no authkey can have.")
        if self.unused_days not in (0, *QUIET_DAYS):
            raise InvalidValue(f"Unused for {self.unused_days} days cannot be looked for; {QUIET_DAYS} can.")
        if self.sort not in SORT_COLUMNS:
            raise InvalidValue(f"{self.sort!r:.60} is not a column to sort by; known are {', '.join(SORT_COLUMNS)}.")

    @property
    def is_filtered(self) -> bool:
        """Whether some authkeys may be left out."""
        return bool(self.search or self.has or self.lacks or self.staged_only or self.unused_days)

    @property
    def depends_on_privileges(self) -> bool:
        """Whether a change of privileges can move authkeys into, out of or within this view."""
        return bool(
            self.has or self.lacks or self.staged_only or self.unused_days or self.sort not in ("ip", "service")
        )

    def to_query(self) -> str:
        """The view as a URL query without its `?`; empty for the default view."""
        parts: dict[str, str] = {}
        if self.search:
            parts["search"] = self.search
        if self.has:
            parts["has"] = _ids(self.has)
        if self.lacks:
            parts["lacks"] = _ids(self.lacks)
        if self.staged_only:
            parts["staged"] = "1"
        if self.unused_days:
            parts["unused"] = str(self.unused_days)
        if self.sort != "ip" or self.descending:
            parts["sort"] = f"-{self.sort}" if self.descending else self.sort
        return urlencode(parts, safe=",/:")


def parse_view(query: Mapping[str, str]) -> View:
    """The view that a URL query names. Raises InvalidValue for an unknown privilege, column or overlong search."""
    sort = query.get("sort", "ip")
    return View(
        search=query.get("search", ""),
        has=_mask(query.get("has")),
        lacks=_mask(query.get("lacks")),
        staged_only=query.get("staged") == "1",
        unused_days=_days(query.get("unused")),
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
    )


def read_view(query: Mapping[str, str]) -> tuple[View, list[str]]:
    """The view that an address names, without the parts of it that cannot be, and what is wrong with each of those."""
    kept: dict[str, str] = {}
    problems = []
    for name, value in query.items():
        try:
            parse_view({name: value})
        except InvalidValue as error:
            problems.append(f"{name!r:.20} in the address is left out: {error}")
        else:
            kept[name] = value
    return parse_view(kept), problems


def _days(text: str | None) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise InvalidValue(f"{text!r:.20} is not a number of days.")
    return int((text or "0")[:4])


def _ids(mask: int) -> str:
    return ",".join(each.id for each in privileges_in(mask))


def _mask(privilege_ids: str | None) -> int:
    return mask_of(privilege(each) for each in privilege_ids.split(",")) if privilege_ids else 0
