"""A view of a grid: what is searched, filtered and sorted, as a value that fits into the address bar."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import urlencode

from models.errors import InvalidValue
from models.moments import moment, moment_text
from models.privileges import PRIVILEGES, mask_of, privilege, privileges_in
from models.texts import trim_unseen
from models.usage import QUIET_DAYS

MAX_SEARCH_LENGTH = 2_000
"""Characters: a pasted list of a hundred addresses"""
_PRIVILEGE_IDS = tuple(each.id for each in PRIVILEGES)


@dataclass(frozen=True, kw_only=True)
class GridView:
    """What every grid can be asked for.

    `has` and `lacks` are sets of privileges: shown are the rows that have all of the first and none of the second.
    """

    columns: ClassVar[tuple[str, ...]] = ()
    """What can be sorted by, beside the privileges."""

    search: str = ""
    has: int = 0
    lacks: int = 0
    staged_only: bool = False
    sort: str
    descending: bool = False

    def __post_init__(self) -> None:
        """Raises InvalidValue for an overlong or impossible search and an unknown column."""
        # However it was typed, pasted or composed: the same as in the names that are searched.
        object.__setattr__(self, "search", trim_unseen(unicodedata.normalize("NFC", self.search)))
        if len(self.search) > MAX_SEARCH_LENGTH:
            raise InvalidValue(
                f"The search has {len(self.search)} characters; at most {MAX_SEARCH_LENGTH} are allowed."
            )
        if "\x00" in self.search or any("\ud800" <= character <= "\udfff" for character in self.search):
            raise InvalidValue("The search holds a character that no row can have.")
        if self.sort not in self.sort_columns():
            known = ", ".join(self.sort_columns())
            raise InvalidValue(f"{self.sort!r:.60} is not a column to sort by; known are {known}.")

    @classmethod
    def sort_columns(cls) -> tuple[str, ...]:
        """What can be sorted by."""
        return (*cls.columns, *_PRIVILEGE_IDS)

    @classmethod
    def natural(cls) -> Self:
        """The view that an address without a query names."""
        raise NotImplementedError

    def without_filters(self) -> Self:
        """What the same view shows without search and filters."""
        return self.natural()

    @property
    def is_filtered(self) -> bool:
        """Whether rows are left out that the same view without search and filters shows."""
        return bool(self.search or self.has or self.lacks or self.staged_only)

    @property
    def is_live(self) -> bool:
        """Whether it shows the rows as they are now."""
        return True

    @property
    def may_hide(self) -> bool:
        """Whether some rows may be left out."""
        return self.is_filtered

    @property
    def depends_on_privileges(self) -> bool:
        """Whether a change of privileges can move rows into, out of or within this view."""
        return bool(self.has or self.lacks or self.staged_only or self.sort in _PRIVILEGE_IDS)

    def to_query(self) -> str:
        """The view as a URL query without its `?`; empty for the natural view."""
        parts: dict[str, str] = {}
        if self.search:
            parts["search"] = self.search
        if self.has:
            parts["has"] = _ids(self.has)
        if self.lacks:
            parts["lacks"] = _ids(self.lacks)
        if self.staged_only:
            parts["staged"] = "1"
        parts |= self._own_parts()
        if (self.sort, self.descending) != (self.natural().sort, self.natural().descending):
            parts["sort"] = f"-{self.sort}" if self.descending else self.sort
        return urlencode(parts, safe=",/:")

    def _own_parts(self) -> dict[str, str]:
        return {}

    def own_words(self) -> list[str]:
        """What it asks for beside what every grid can be asked for."""
        return []


@dataclass(frozen=True, kw_only=True)
class View(GridView):
    """Which authkeys are shown, in which order. The natural view shows all of them by IP address."""

    columns: ClassVar[tuple[str, ...]] = ("ip", "service")

    sort: str = "ip"
    unused_days: int = 0
    """Only authkeys with a granted privilege that was not used for so many days; 0 for all"""
    as_of: int | datetime | None = None
    """As they were after this entry of the history, or at this time; None as they are"""

    def __post_init__(self) -> None:
        """Raises InvalidValue, also for days that nobody asks for."""
        super().__post_init__()
        if self.as_of is not None and (self.staged_only or self.unused_days):
            raise InvalidValue(
                "What is staged, and what is unused, is known of today only, not of the table as it was."
            )
        if self.unused_days not in (0, *QUIET_DAYS):
            raise InvalidValue(f"Unused for {self.unused_days} days cannot be looked for; {QUIET_DAYS} can.")

    @classmethod
    def natural(cls) -> Self:
        """All of them by IP address."""
        return cls()

    @property
    def is_live(self) -> bool:
        """Whether it shows the authkeys as they are now."""
        return self.as_of is None

    def without_filters(self) -> Self:
        """All of the same moment."""
        return replace(self.natural(), as_of=self.as_of)

    @property
    def is_filtered(self) -> bool:
        """Whether some authkeys may be left out."""
        return super().is_filtered or bool(self.unused_days)

    @property
    def depends_on_privileges(self) -> bool:
        """Whether a change of privileges can move authkeys into, out of or within this view."""
        return super().depends_on_privileges or bool(self.unused_days)

    def _own_parts(self) -> dict[str, str]:
        unused = {"unused": str(self.unused_days)} if self.unused_days else {}
        return unused if self.as_of is None else {"as_of": as_of_text(self.as_of)}

    def own_words(self) -> list[str]:
        """For how long unused, or as of when."""
        if self.as_of is not None:
            return [f"as of {'#' if isinstance(self.as_of, int) else ''}{as_of_text(self.as_of)}"]
        return [f"unused for {self.unused_days} days"] if self.unused_days else []


class State(StrEnum):
    """Whether a passphrase still lets a server register."""

    ACTIVE = "active"
    OVER = "over"
    """Used up or expired, or its maker's account is disabled"""
    REMOVED = "removed"


_STATE_WORDS = {State.ACTIVE: "active", State.OVER: "no longer usable", State.REMOVED: "removed"}


@dataclass(frozen=True, kw_only=True)
class PassphraseView(GridView):
    """Which pickup passphrases are shown, in which order. The natural view shows the active ones, newest first.

    What is staged is shown whatever its state is.
    """

    columns: ClassVar[tuple[str, ...]] = ("made", "expires")

    sort: str = "made"
    descending: bool = False
    state: State = State.ACTIVE

    @classmethod
    def natural(cls) -> Self:
        """The active ones, newest first."""
        return cls(descending=True)

    def without_filters(self) -> Self:
        """All of the same state."""
        return replace(self.natural(), state=self.state)

    @property
    def may_hide(self) -> bool:
        """Always: those in another state."""
        return True

    def _own_parts(self) -> dict[str, str]:
        return {"state": self.state} if self.state is not State.ACTIVE else {}

    def own_words(self) -> list[str]:
        """In which state, unless that is the usual one."""
        return [_STATE_WORDS[self.state]] if self.state is not State.ACTIVE else []


V = TypeVar("V", bound=GridView)
Any_ = TypeVar("Any_")
Parse = Callable[[Mapping[str, str]], V]


def parse_view(query: Mapping[str, str]) -> View:
    """The view that a URL query names. Raises InvalidValue for an unknown privilege, column or overlong search."""
    return View(
        **_common(query, View.natural()), unused_days=_days(query.get("unused")), as_of=as_of(query.get("as_of"))
    )


def parse_passphrase_view(query: Mapping[str, str]) -> PassphraseView:
    """The view of passphrases that a URL query names. Raises like `parse_view`, also for an unknown state."""
    return PassphraseView(**_common(query, PassphraseView.natural()), state=_state(query.get("state")))


def read_view(query: Mapping[str, str], parse: Callable[[Mapping[str, str]], Any_]) -> tuple[Any_, list[str]]:
    """The view that an address names, without the parts of it that cannot be, and what is wrong with each of those."""
    kept: dict[str, str] = {}
    problems = []
    for name, value in query.items():
        try:
            parse({**kept, name: value})  # with those before it: two that are right alone may contradict each other
        except InvalidValue as error:
            problems.append(f"{name!r:.20} in the address is left out: {error}")
        else:
            kept[name] = value
    return parse(kept), problems


def _common(query: Mapping[str, str], natural: GridView) -> dict[str, Any]:
    sort = query.get("sort")
    return {
        "search": query.get("search", ""),
        "has": _mask(query.get("has")),
        "lacks": _mask(query.get("lacks")),
        "staged_only": query.get("staged") == "1",
        "sort": natural.sort if sort is None else sort.removeprefix("-"),
        "descending": natural.descending if sort is None else sort.startswith("-"),
    }


def as_of(text: str | None) -> int | datetime | None:
    """The entry, or the time, that an address names. Raises InvalidValue for what is neither."""
    if not text:
        return None
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 16:
        return int(number)
    return moment(text)


def as_of_text(value: int | datetime) -> str:
    """What `as_of` reads."""
    return str(value) if isinstance(value, int) else moment_text(value)


def _state(text: str | None) -> State:
    try:
        return State(text or State.ACTIVE)
    except ValueError:
        raise InvalidValue(f"{text!r:.20} is not a state of passphrases; known are {', '.join(State)}.") from None


def _days(text: str | None) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise InvalidValue(f"{text!r:.20} is not a number of days.")
    return int((text or "0")[:4])


def _ids(mask: int) -> str:
    return ",".join(each.id for each in privileges_in(mask))


def _mask(privilege_ids: str | None) -> int:
    return mask_of(privilege(each) for each in privilege_ids.split(",")) if privilege_ids else 0
